"""The step `load`: a slice's leads and everything that was decided about them, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from sluice import schema
from sluice.batch import Batch
from sluice.matching.facts import Findings
from sluice.store import consequences, rows
from sluice.store.faults import Retry
from sluice.store.loading import Loading
from sluice.store.queries import execute
from sluice.store.tables import array_texts, copy, is_missing, json_text

ENTRY_STATUS = ("new", "open_new")
"""Status and canonical category in which every lead starts."""


def load(connection: Connection, batch: Batch, findings: Findings, loading: Loading) -> None:
    """Writes a slice: leads, companies, touches, changes, decisions, assignments, actions, wishes, and the rest.

    Raises:
        Retry: another loader has made one of the leads since they were looked up; the slice must be done anew.
    """
    leads = batch.leads.copy()
    got_another = leads["owner"].notna() & (leads["owner"] != leads["known_owner"].fillna(""))
    leads["is_assigned"] = leads["is_new_lead"] | got_another
    changed = {lead_id for _, lead_id, _ in findings.changes}
    changed |= {lead_id for lead_id, person in findings.persons.items() if person.rekeyed}
    aside = [lead_id for lead_id, person in findings.persons.items() if person.is_flagged or not person.is_open]
    is_last = leads["lead_id"].notna() & leads["is_last"].astype(bool)
    leads["is_written"] = is_last & (leads["is_new_lead"] | leads["lead_id"].isin(list(changed)))
    leads["is_active"] = leads["is_written"] & ~leads["lead_id"].isin(aside)
    leads["stated_at"] = leads["created_at"].fillna(pd.Timestamp(loading.occurred_at).tz_convert("UTC"))
    consequences.write_companies(connection, findings, loading)
    _write_leads(connection, leads[leads["is_written"]], findings, loading)
    rows.write_touches(connection, leads, loading)
    rows.write_changes(connection, findings, loading)
    consequences.write_decisions(connection, findings, loading)
    consequences.write_assignments(connection, leads, loading)
    consequences.write_activities(connection, leads, loading)
    consequences.write_consents(connection, leads, loading)
    rows.write_left_over(connection, batch, loading)


def _write_leads(connection: Connection, written: pd.DataFrame, findings: Findings, loading: Loading) -> None:
    new, known = written[written["is_new_lead"]], written[~written["is_new_lead"]]
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
    table = last[["lead_id", "identity_key", "person_key", *schema.STORED, "extra", "score", "band", "owner", "team"]]
    table = table.assign(
        is_open=True,
        is_flagged=[bool(person and person.is_flagged) for person in persons],
        status=ENTRY_STATUS[0],
        category=ENTRY_STATUS[1],
        flagged_of=_numbers([person and person.flagged_of for person in persons], last.index),
        previous_lead_id=_numbers([person and person.previous_lead_id for person in persons], last.index),
        tags=array_texts([None if is_missing(tags) else tags for tags in last["tags"]], last.index),
        score_signals=array_texts(last["score_signals"], last.index),
        score_points=array_texts(last["score_points"], last.index),
        email_opt_out=last["email_opt_out"].fillna(False).astype(bool),
        do_not_call=last["do_not_call"].fillna(False).astype(bool),
        attributes=_attributes(last, loading.attributes),
        config_id=loading.config_id,
        receipt_id=[person.origin[0] if person else loading.receipt_id for person in persons],
        row_number=[person.origin[1] if person else row for person, row in zip(persons, last["row"], strict=True)],
        stated_at=[p.golden.base.stated_at if p else at for p, at in zip(persons, last["stated_at"], strict=True)],
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


def _numbers(values: Sequence[Any], index: pd.Index) -> pd.Series:
    return pd.Series(list(values), index=index, dtype="Int64")
