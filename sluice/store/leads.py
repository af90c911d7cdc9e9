"""The step `load`: a slice's leads and everything that was decided about them, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection

from sluice.batch import Batch
from sluice.matching.facts import Findings
from sluice.store import consequences, rows
from sluice.store.decided import Decided, constant, literals
from sluice.store.loading import Loading
from sluice.store.queries import execute
from sluice.store.tables import copy, json_text

ENTRY_STATUS = ("new", "open_new")
"""Status and canonical category in which every lead starts."""


def load(connection: Connection, batch: Batch, findings: Findings, loading: Loading) -> None:
    """Writes a slice: leads, companies, touches, changes, decisions, assignments, actions, wishes, and the rest.

    Raises:
        Retry: another loader has made one of the leads since they were looked up; the slice must be done anew.
    """
    if len(batch.leads):
        decided = Decided.of(batch.leads, findings, loading)
        consequences.write_companies(connection, findings, loading)
        _write_leads(connection, decided, loading)
        rows.write_touches(connection, decided, loading)
        rows.write_changes(connection, findings, loading)
        consequences.write_decisions(connection, findings, loading)
        consequences.write_assignments(connection, decided, loading)
        consequences.write_activities(connection, decided, loading)
        consequences.write_consents(connection, decided, loading)
    rows.write_left_over(connection, batch, loading)


def _write_leads(connection: Connection, decided: Decided, loading: Loading) -> None:
    reopened = [i for i, p in decided.persons.items() if not p.is_new and p.is_open and p.was_closed]
    if reopened:
        status, category = ENTRY_STATUS
        execute(connection, "leads_reopen", lead_ids=reopened, status=status, category=category)
    known = decided.is_written & ~decided.is_new
    if known.any():
        execute(connection, "updates_stage")
        copy(connection, "staged_updates", _rows_of_leads(decided, known, loading))
        execute(connection, "leads_update")
    # The unique identity decides, whoever else loads: a lead that is there already makes the slice be done anew.
    copy(connection, "leads", _rows_of_leads(decided, decided.is_written & decided.is_new, loading))


def _rows_of_leads(decided: Decided, where: np.ndarray, loading: Loading) -> pa.Table:
    places = np.flatnonzero(where)
    many = len(places)
    table = decided.payload.take(pa.array(places))
    persons = [decided.persons.get(lead_id) for lead_id in decided.lead_ids[places].tolist()]
    columns: dict[str, Any] = {
        "status": constant(ENTRY_STATUS[0], many),
        "category": constant(ENTRY_STATUS[1], many),
        "is_flagged": pa.array([person is not None and person.is_flagged for person in persons]),
        "flagged_of": pa.array([person and person.flagged_of for person in persons], pa.int64()),
        "previous_lead_id": pa.array([person and person.previous_lead_id for person in persons], pa.int64()),
        "score_signals": literals(decided.texts("score_signals", where)),
        "score_points": literals(decided.texts("score_points", where)),
        "attributes": _attributes(decided, where, loading.attributes),
        "config_id": constant(loading.config_id, many),
        "receipt_id": pa.array([person.origin[0] if person else loading.receipt_id for person in persons]),
        "row_number": pa.array(
            [
                person.origin[1] if person else row
                for person, row in zip(persons, decided.texts("row", where), strict=True)
            ]
        ),
        "stated_at": _stated_at(decided, places, persons),
        **{
            name: table[name].fill_null(False)
            for name in ("email_opt_out", "do_not_call")
            if name in table.column_names
        },
    }
    return pa.table({name: table[name] for name in table.column_names} | columns)


def _stated_at(decided: Decided, places: np.ndarray, persons: Sequence[Any]) -> pa.Array:
    """When the touch that made each lead happened."""
    stated = decided.stated_at.take(pa.array(places))
    if not any(persons):
        return stated
    met = [person and person.golden.base.stated_at.astimezone(UTC) for person in persons]
    return pa.compute.coalesce(pa.array(met, stated.type), stated)


def _attributes(decided: Decided, where: np.ndarray, names: Sequence[str]) -> pa.Array:
    present = [name for name in names if name in decided.leads.columns and decided.leads[name].notna().any()]
    if not present:
        return pa.nulls(int(where.sum()), pa.string())
    rows_ = zip(*(decided.texts(name, where) for name in present), strict=True)
    dictionaries = [{k: v for k, v in zip(present, row, strict=True) if v is not None} for row in rows_]
    return pa.array([json_text(found) if found else None for found in dictionaries], pa.string())
