"""The proofs of `sluice verify`: silent on good data, and each of them finds what it is for (R26)."""

from __future__ import annotations

import pytest

from sluice.store.ledger import canonical, verify
from sluice.store.queries import FOLDER
from tests.desk import Desk, broken

CONTENT = """\
full_name,email,phone,company,email_opt_out,title,do_not_call
Anna Petrova,anna@acme.example,+1 202-555-0143,Acme Cabling,yes,CEO,yes
Anna Petrova,anna@acme.example,,,,Chief Executive Officer and President,
Bo Lee,bo@lee.example,,Borealis Ltd,,,
Zoë de Groot,not an address,,,,,
,,,,,,
"""

DAMAGES = {
    "calls_ignored": "update leads set do_not_call = false where do_not_call",
    "changes_astray": "update lead_changes set row_number = 3",
    "completions_astray": "update rejects set completed_by = receipt_id",
    "configs_unknown": "update leads set config_id = config_id + 100 where full_name = 'Bo Lee'",
    "contents_twice": """drop index receipts_source_key;
        insert into receipts (source, key, kind, state, name, size_bytes, sha256, row_count, config_id, occurred_at)
        select source, key, kind, state, 'second', size_bytes, sha256, 0, config_id, occurred_at from receipts""",
    "identity_unguarded": "drop index leads_identity_key",
    "leads_unassigned": "delete from assignments where row_number = 3",
    "leads_untouched": """insert into leads (identity_key, status, category, config_id, receipt_id, row_number, stated_at, score, team)
        select 'mail:nobody@example.com', 'new', 'open_new', config_id, receipt_id, 4, now(), 0, 'intake-desk' from receipts;
        insert into assignments (lead_id, team, rule, reason, candidates, config_id)
        select lead_id, team, 'otherwise', 'queue', '{}', config_id from leads where identity_key = 'mail:nobody@example.com'""",
    "persons_twice": """drop index leads_identity_key;
        create index leads_identity_key on leads (identity_key);
        update leads set identity_key = 'mail:anna@acme.example', email_opt_out = true where full_name = 'Bo Lee'""",
    "rows_beyond_checkpoint": "update receipts set state = 'working', checkpoint = 3",
    "rows_twice": """insert into rejects select receipt_id, row_number, line, record, null, '[]', null from touches where row_number = 3;
        delete from rejects where row_number = 4""",
    "rows_unaccounted": "delete from set_asides",
    "rows_unknown": "update rejects set row_number = 4000",
    "scores_off": "update leads set score = score + 1 where full_name = 'Bo Lee'",
    "touches_astray": "update touches set company_id = company_id + 100 where row_number = 3",
    "wishes_ignored": "update leads set email_opt_out = false where full_name like 'Anna%%'",
}
"""Proof → the damage that it alone finds."""


@pytest.mark.both_servers
def test_silent_on_good_data(desk: Desk) -> None:
    assert broken(desk.database) == {}, "an empty database"
    desk.take(CONTENT)
    assert broken(desk.database) == {}
    assert len(list(canonical(desk.database))) == 2 + 2 + 5 + 2


@pytest.mark.parametrize("name", DAMAGES)
def test_each_proof_finds_its_damage_and_no_other_does(desk: Desk, name: str) -> None:
    desk.take(CONTENT)
    desk.do(DAMAGES[name])
    assert broken(desk.database) == {name: 1}
    (check,) = [check for check in verify(desk.database) if check.violations]
    assert check.meaning and check.invariant
    assert len(check.examples) == 1


def test_every_proof_is_tested() -> None:
    assert {path.stem.removeprefix("verify_") for path in FOLDER.glob("verify_*.sql")} == set(DAMAGES)


def test_examples_hold_no_personal_data(desk: Desk) -> None:
    desk.take(CONTENT)
    for name in ("persons_twice", "leads_unassigned", "rows_unaccounted", "scores_off"):
        desk.do(DAMAGES[name])
    shown = str([check.examples for check in verify(desk.database)])
    assert "@" not in shown and "Anna" not in shown
