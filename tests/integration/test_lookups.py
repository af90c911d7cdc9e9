"""What a slice asks the store: by index, bounded however much there is, and complete."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.matching.keys import company_keys, letters_alike
from sluice.store.engine import Database
from sluice.store.queries import execute, query, rows
from sluice.store.tables import array_text
from tests.desk import Desk

KEYS = array_text(["mail:ana@acme.example", "tel:+12025550143"])
LOOKUPS: dict[str, dict[str, Any]] = {
    "leads_known": {"identities": KEYS, "persons": KEYS},
    "leads_provenance": {"lead_ids": [1, 2]},
    "companies_known": {"names": KEYS, "domains": KEYS},
    "companies_alike": {
        "names": KEYS, "starts": KEYS, "words": KEYS, "fewest": [1, 1], "most": [9, 9], "candidates": 50,
    },
    "consents_known": {"keys": KEYS},
    "consents_apply_email": {"keys": KEYS},
    "consents_apply_phone": {"keys": KEYS},
}  # fmt: skip


@pytest.mark.both_servers
@pytest.mark.parametrize("name", LOOKUPS)
def test_a_lookup_reads_no_table_through(template: Database, name: str) -> None:
    with template.transaction() as connection:
        execute(connection, "slice_lock")
        plan = [row[0] for row in connection.exec_driver_sql("explain " + query(name), LOOKUPS[name])]
    assert not [line for line in plan if "Seq Scan" in line], "\n".join(plan)


def test_names_like_it_are_bounded_and_of_its_length(desk: Desk) -> None:
    sizes = ["ab" * letters for letters in range(1, 30)]
    people = "".join(f"Person {n},p{n}@mail-{n}.example,Nordwind {size}\n" for n, size in enumerate(sizes))
    desk.take(f"full_name,email,company\n{people}")
    start, word = company_keys("nordwind abababab", 5)
    fewest, most = letters_alike("nordwind abababab", 90)
    asked = {"names": ["nordwind abababab"], "starts": [start], "words": [word], "fewest": [fewest], "most": [most]}
    with desk.database.connection() as connection:
        every, few = (rows(connection, "companies_alike", **asked, candidates=many)[0]["others"] for many in (50, 2))
    assert {len(name) for name in every} == {15, 17, 19}
    assert len(few) == 4, "two by the start, two by the longest word"


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(["Anna Schmidt,anna@acme.example,+49 30 23125 001"], id="with a name"),
        pytest.param([",anna@acme.example,+49 30 23125 001"], id="without a name"),
        pytest.param(
            ["Anna Schmidt,anna@acme.example,+49 30 23125 777", "Anna Schmidt,anna@acme.example,+49 30 23125 001"],
            id="found under an older number",
        ),
    ],
)
def test_a_number_is_found_however_its_lead_is_keyed(desk: Desk, known: list[str]) -> None:
    """S001-16: one index holds the numbers that do not stand at the start of their lead's person key."""
    for row in known:
        desk.take(f"full_name,email,phone\n{row}\n")
    desk.take("full_name,phone,do_not_call\nBo Lee,+49 30 23125 001,yes\n")
    assert desk.ask("select distinct do_not_call from leads") == [True]


def test_a_lead_that_another_loader_made_makes_the_slice_be_done_anew(desk: Desk) -> None:
    """A number taken from our block meanwhile: the COPY breaks, the next try takes others."""
    desk.take("full_name,email\nAnna Schmidt,anna@acme.example\n")
    desk.do("select setval('leads_lead_id_seq', 1, false)")
    assert desk.take("full_name,email\nBo Lee,bo@lee.example\n").state == "done"
    assert desk.ask("select lead_id from leads order by 1") == [1, 2]
