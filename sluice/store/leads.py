"""The step `load`: a slice's leads and everything that was decided about them, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from sluice import schema
from sluice.batch import Batch
from sluice.matching.facts import Findings
from sluice.matching.keys import company_keys
from sluice.matching.rules import MatchingRules
from sluice.scoring import ScoringRules, band_actions
from sluice.store.faults import Retry
from sluice.store.statements import execute
from sluice.store.tables import array_texts, copy, json_text

ENTRY_STATUS = ("new", "open_new")
"""Status and canonical category in which every lead starts."""


@dataclass(frozen=True)
class Loading:
    """What is true of a whole slice while it is written."""

    receipt_id: int
    config_id: int
    occurred_at: datetime
    now: datetime
    matching: MatchingRules
    scoring: ScoringRules
    attributes: tuple[str, ...] = ()


def load(connection: Connection, batch: Batch, findings: Findings, loading: Loading) -> None:
    """Writes a slice: leads, companies, touches, changes, decisions, assignments, actions, wishes, and what is left over.

    Raises:
        Retry: another loader has made one of the leads since they were looked up; the slice must be done anew.
    """
    leads = batch.leads.copy()
    got_another = leads["owner"].notna() & (leads["owner"] != leads["known_owner"].fillna(""))
    leads["is_assigned"] = leads["is_new_lead"] | got_another
    leads["stated_at"] = leads["created_at"].fillna(pd.Timestamp(loading.occurred_at).tz_convert("UTC"))
    _write_companies(connection, findings, loading)
    _write_leads(connection, leads[leads["lead_id"].notna() & leads["is_last"]], findings, loading)
    _write_touches(connection, leads, loading)
    _write_changes(connection, findings, loading)
    _write_decisions(connection, findings, loading)
    _write_assignments(connection, leads, loading)
    _write_activities(connection, leads, loading)
    _write_consents(connection, leads, loading)
    _write_left_over(connection, batch, loading)


def _write_companies(connection: Connection, findings: Findings, loading: Loading) -> None:
    new = [company for company in findings.companies if company.is_new]
    claims = pd.DataFrame([vars(company.claim) for company in new])
    if new:
        facts = claims.assign(
            company_id=[c.company_id for c in new],
            identity_key=[c.claim.identity_key for c in new],
            domain=[c.domain for c in new],
            receipt_id=[c.origin[0] for c in new],
            row_number=[c.origin[1] for c in new],
        )
        copy(connection, "companies", facts)
        length = loading.matching.companies.key_length
        keys = [(k, c.company_id) for c in new for k in company_keys(c.claim.canonical_name, length)]
        copy(connection, "company_keys", pd.DataFrame(keys, columns=["key", "company_id"]))
    learned = [company for company in findings.companies if not company.is_new]
    if learned:
        execute(
            connection,
            "companies_learn_domain",
            company_ids=[company.company_id for company in learned],
            domains=[company.learned_domain for company in learned],
        )


def _write_leads(connection: Connection, last: pd.DataFrame, findings: Findings, loading: Loading) -> None:
    changed = {lead_id for _, lead_id, _ in findings.changes}
    changed |= {lead_id for lead_id, person in findings.persons.items() if person.rekeyed}
    new = last[last["is_new_lead"]]
    known = last[~last["is_new_lead"] & last["lead_id"].isin(list(changed))]
    reopened = [i for i, p in findings.persons.items() if not p.is_new and p.is_open and p.was_closed]
    if reopened:
        status, category = ENTRY_STATUS
        execute(connection, "leads_reopen", lead_ids=reopened, status=status, category=category)
    if len(known):
        execute(connection, "updates_stage")
        copy(connection, "staged_updates", _rows_of_leads(known, findings, loading))
        execute(connection, "leads_update")
    if len(new):
        execute(connection, "leads_stage")
        copy(connection, "staged_leads", _rows_of_leads(new, findings, loading))
        if execute(connection, "leads_insert") != len(new):
            raise Retry("another loader made one of these leads first")


def _rows_of_leads(last: pd.DataFrame, findings: Findings, loading: Loading) -> pd.DataFrame:
    persons = [findings.persons.get(int(lead_id)) for lead_id in last["lead_id"]]
    table = last[["lead_id", "identity_key", "person_key", *schema.STORED, "extra", "score", "band"]]
    table = table.assign(
        owner=last["owner"].where(last["is_assigned"]),
        team=last["team"].where(last["is_assigned"]),
        is_open=True,
        is_flagged=[bool(person and person.is_flagged) for person in persons],
        status=ENTRY_STATUS[0],
        category=ENTRY_STATUS[1],
        flagged_of=_numbers([person and person.flagged_of for person in persons], last.index),
        previous_lead_id=_numbers([person and person.previous_lead_id for person in persons], last.index),
        tags=array_texts([None if _missing(tags) else tags for tags in last["tags"]], last.index),
        score_signals=array_texts(last["score_signals"], last.index),
        score_points=array_texts(last["score_points"], last.index),
        email_opt_out=last["email_opt_out"].fillna(False).astype(bool),
        do_not_call=last["do_not_call"].fillna(False).astype(bool),
        attributes=_attributes(last, loading.attributes),
        config_id=loading.config_id,
        receipt_id=[person.origin[0] if person else loading.receipt_id for person in persons],
        row_number=[person.origin[1] if person else row for person, row in zip(persons, last["row"], strict=True)],
        stated_at=last["stated_at"],
    )
    stamp = pd.Timestamp(loading.now)
    return table.assign(created_at=stamp, updated_at=stamp)


def _attributes(last: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    present = [name for name in names if name in last.columns and last[name].notna().any()]
    if not present:
        return pd.Series(None, index=last.index, dtype="str")
    cells = last[present].astype(object).where(last[present].notna(), None)
    dictionaries = [{k: v for k, v in row.items() if v is not None} for row in cells.to_dict("records")]
    return pd.Series([json_text(d) if d else None for d in dictionaries], index=last.index, dtype="str")


def _write_touches(connection: Connection, leads: pd.DataFrame, loading: Loading) -> None:
    table = leads[["line", "lead_id", "company_id", "outcome", "lead_source", "campaign"]].assign(
        receipt_id=loading.receipt_id,
        row_number=leads["row"],
        occurred_at=leads["stated_at"],
        record=array_texts(leads["record"], leads.index),
        warnings=array_texts([text.split() or None for text in leads["warnings"]], leads.index),
    )
    copy(connection, "touches", table)


def _write_changes(connection: Connection, findings: Findings, loading: Loading) -> None:
    latest = {(row, change.field): (lead_id, change) for row, lead_id, change in findings.changes}
    facts = [
        (loading.receipt_id, row, lead_id, field, _shown(c.old), _shown(c.new), c.rule)
        for (row, field), (lead_id, c) in latest.items()
    ]
    columns = ["receipt_id", "row_number", "lead_id", "field", "old_value", "new_value", "rule"]
    copy(connection, "lead_changes", pd.DataFrame(facts, columns=columns))


def _write_decisions(connection: Connection, findings: Findings, loading: Loading) -> None:
    table = pd.DataFrame(
        [
            {
                "level": d.level,
                "left_receipt_id": loading.receipt_id,
                "left_row": d.row,
                "right_receipt_id": d.other[0],
                "right_row": d.other[1],
                "kind": "auto",
                "verdict": d.verdict,
                "score": d.score,
                "explanation": json_text(d.explanation),
                "config_id": loading.config_id,
                "decided_by": f"matching {loading.matching.version}",
            }
            for d in findings.decisions
        ]
    )
    copy(connection, "match_decisions", table)


def _write_assignments(connection: Connection, leads: pd.DataFrame, loading: Loading) -> None:
    given = leads[leads["lead_id"].notna() & leads["is_last"] & leads["is_assigned"]]
    known = given.loc[~given["is_new_lead"], "lead_id"]
    if len(known):
        execute(connection, "assignments_end", lead_ids=[int(lead_id) for lead_id in known])
    columns = ["lead_id", "team", "owner", "rule", "reason", "turn_before", "turn_after"]
    table = given[columns].assign(
        candidates=array_texts(given["candidates"], given.index),
        config_id=loading.config_id,
        receipt_id=loading.receipt_id,
        row_number=given["row"],
        assigned_at=pd.Timestamp(loading.now),
    )
    copy(connection, "assignments", table)


def _write_activities(connection: Connection, leads: pd.DataFrame, loading: Loading) -> None:
    entered = leads[leads["lead_id"].notna() & leads["is_last"] & (leads["band"] != leads["known_band"].fillna(""))]
    facts: list[dict[str, Any]] = []
    for band, group in entered.groupby("band"):
        for action in band_actions(loading.scoring, str(band)):
            due = None if action.due_hours is None else loading.now + timedelta(hours=action.due_hours)
            facts += [
                {"lead_id": int(lead_id), "action": action.name, "kind": action.kind, "subject": action.subject}
                | {"owner": None if _missing(owner) else owner, "due_at": due, "receipt_id": loading.receipt_id}
                for lead_id, owner in zip(group["lead_id"], group["owner"], strict=True)
            ]
    if facts:
        execute(connection, "activities_stage")
        copy(connection, "staged_activities", pd.DataFrame(facts).assign(activity_id=0))
        execute(connection, "activities_insert")


def _write_consents(connection: Connection, leads: pd.DataFrame, loading: Loading) -> None:
    out_of_mail = leads[leads["email_opt_out"].fillna(False).astype(bool) & leads["email_key"].notna()]
    out_of_calls = leads[leads["do_not_call"].fillna(False).astype(bool) & leads["phone"].notna()]
    wishes = (
        (out_of_mail, "mail:" + out_of_mail["email_key"], "email"),
        (out_of_calls, "tel:" + out_of_calls["phone"], "phone"),
    )
    for rows_, keys, channel in wishes:
        table = pd.DataFrame({"address_key": keys, "row_number": rows_["row"]}).assign(
            channel=channel, purpose="marketing", verdict="opted_out", receipt_id=loading.receipt_id
        )
        copy(connection, "consents", table)
    mailboxes, numbers = leads["email_key"].dropna().unique(), leads["phone"].dropna().unique()
    execute(connection, "consents_apply_email", keys=[f"mail:{key}" for key in mailboxes])
    execute(connection, "consents_apply_phone", keys=[f"tel:{number}" for number in numbers])


def _write_left_over(connection: Connection, batch: Batch, loading: Loading) -> None:
    for name, table, texts in (
        ("rejects", batch.rejects, {"problems": json_text}),
        ("set_asides", batch.set_asides, {"kind": str, "reason": str}),
    ):
        shown = {
            column: pd.Series([text(v) for v in table[column]], index=table.index, dtype="str")
            for column, text in texts.items()
        }
        copy(
            connection,
            name,
            table[["line", "raw"]].assign(
                receipt_id=loading.receipt_id,
                row_number=table["row"],
                record=array_texts(table["record"], table.index),
                **shown,
            ),
        )


def _numbers(values: Sequence[Any], index: pd.Index) -> pd.Series:
    return pd.Series([None if value is None else value for value in values], index=index, dtype="Int64")


def _missing(value: Any) -> bool:
    return value is None or (not isinstance(value, list) and bool(pd.isna(value)))


def _shown(value: Any) -> str | None:
    if _missing(value):
        return None
    return json_text(value) if isinstance(value, list | dict) else str(value)
