"""What became of every row of a slice: touches, changes, rejects and set-asides."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection

from sluice.batch import Batch, map_uniques
from sluice.distinct import arrow
from sluice.matching.facts import Findings
from sluice.store.decided import Decided
from sluice.store.loading import Loading
from sluice.store.tables import array_text, array_texts, copy, is_missing, json_text


def write_touches(connection: Connection, decided: Decided, loading: Loading) -> None:
    """Every row that became part of a lead or a company, with its raw record."""
    leads = decided.leads
    named = {
        "line": "line",
        "lead_id": "lead_id",
        "company_id": "company_id",
        "outcome": "outcome",
        "lead_source": "own_lead_source",
        "campaign": "own_campaign",
    }
    columns: dict[str, Any] = {name: arrow(leads[column]) for name, column in named.items()}
    columns |= {
        **loading.origins.columns(leads["row"]),
        "occurred_at": decided.stated_at,
        "record": arrow(array_texts(leads["record"], leads.index)),
        "warnings": arrow(map_uniques(leads["warnings"], lambda text: array_text(text.split()) if text else None)),
    }
    copy(connection, "touches", pa.table(columns))


def write_changes(connection: Connection, findings: Findings, loading: Loading) -> None:
    """Every field of a lead that a row changed, with the rule: undo and provenance are computed from it."""
    if not findings.changes:
        return
    latest = {(row, change.field): (lead_id, change) for row, lead_id, change in findings.changes}
    facts = [
        (*loading.origins.origin(row), lead_id, field, _shown(c.old), _shown(c.new), c.rule)
        for (row, field), (lead_id, c) in latest.items()
    ]
    names = ["receipt_id", "row_number", "lead_id", "field", "old_value", "new_value", "rule"]
    columns = zip(names, zip(*facts, strict=True), strict=True)
    copy(connection, "lead_changes", pa.table({name: pa.array(column) for name, column in columns}))


def write_left_over(connection: Connection, batch: Batch, loading: Loading) -> None:
    """Every row that became no lead: refused with its problems, or set aside with the reason."""
    for name, table, texts in (
        ("rejects", batch.rejects, {"problems": json_text}),
        ("set_asides", batch.set_asides, {"kind": str, "reason": str}),
    ):
        if table.empty:
            continue
        shown = {
            column: pd.Series([text(v) for v in table[column]], index=table.index, dtype="str")
            for column, text in texts.items()
        }
        copy(
            connection,
            name,
            table[["line", "raw"]].assign(
                **{name: column.to_numpy() for name, column in loading.origins.columns(table["row"]).items()},
                record=array_texts(table["record"], table.index),
                **shown,
            ),
        )


def _shown(value: Any) -> str | None:
    if is_missing(value):
        return None
    return json_text(value) if isinstance(value, list | dict) else str(value)
