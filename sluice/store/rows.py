"""What became of every row of a slice: touches, changes, rejects and set-asides."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy import Connection

from sluice.batch import Batch
from sluice.matching.facts import Findings
from sluice.store.loading import Loading
from sluice.store.tables import array_texts, copy, is_missing, json_text


def write_touches(connection: Connection, leads: pd.DataFrame, loading: Loading) -> None:
    """Every row that became part of a lead or a company, with its raw record."""
    table = leads[["line", "lead_id", "company_id", "outcome"]].assign(
        lead_source=leads["own_lead_source"],
        campaign=leads["own_campaign"],
        receipt_id=loading.receipt_id,
        row_number=leads["row"],
        occurred_at=leads["stated_at"],
        record=array_texts(leads["record"], leads.index),
        warnings=array_texts([text.split() or None for text in leads["warnings"]], leads.index),
    )
    copy(connection, "touches", table)


def write_changes(connection: Connection, findings: Findings, loading: Loading) -> None:
    """Every field of a lead that a row changed, with the rule: undo and provenance are computed from it."""
    latest = {(row, change.field): (lead_id, change) for row, lead_id, change in findings.changes}
    facts = [
        (loading.receipt_id, row, lead_id, field, _shown(c.old), _shown(c.new), c.rule)
        for (row, field), (lead_id, c) in latest.items()
    ]
    columns = ["receipt_id", "row_number", "lead_id", "field", "old_value", "new_value", "rule"]
    copy(connection, "lead_changes", pd.DataFrame(facts, columns=columns))


def write_left_over(connection: Connection, batch: Batch, loading: Loading) -> None:
    """Every row that became no lead: refused with its problems, or set aside with the reason."""
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


def _shown(value: Any) -> str | None:
    if is_missing(value):
        return None
    return json_text(value) if isinstance(value, list | dict) else str(value)
