"""A slice's leads as they are written: what was decided about each, and their cells as Arrow columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sluice import schema
from sluice.batch import cells
from sluice.distinct import arrow
from sluice.matching.facts import Findings
from sluice.matching.persons import Person
from sluice.store.loading import Loading
from sluice.store.tables import array_literals

_PAYLOAD = (
    "lead_id", "identity_key", "person_key", *schema.STORED, "extra", "score", "band", "owner", "team",
    "email_opt_out", "do_not_call",
)  # fmt: skip


@dataclass(frozen=True)
class Decided:
    """The leads of a slice, decided; every mask has one boolean per lead, in their order.

    Attributes:
        leads: after all steps.
        persons: lead number → person, of the leads that a row was found to be.
        lead_ids: 0 where a row has no lead.
        is_new: the lead was made by this slice.
        is_written: the lead's last row, if the lead is new or changed.
        is_active: written, open and not flagged.
        is_given: the lead's last row, if the lead is new or has another owner than before.
        stated_at: when the row says it happened.
    """

    leads: pd.DataFrame
    persons: dict[int, Person]
    lead_ids: np.ndarray
    is_new: np.ndarray
    is_written: np.ndarray
    is_active: np.ndarray
    is_given: np.ndarray
    stated_at: pa.Array

    @classmethod
    def of(cls, leads: pd.DataFrame, findings: Findings, loading: Loading) -> Decided:
        """What the steps decided, as masks."""
        persons = findings.persons
        changed = {lead_id for _, lead_id, _ in findings.changes}
        changed |= {lead_id for lead_id, person in persons.items() if person.rekeyed}
        aside = [lead_id for lead_id, person in persons.items() if person.is_flagged or not person.is_open]
        lead_ids = leads["lead_id"].to_numpy(dtype="int64", na_value=0)
        is_last = leads["is_last"].to_numpy(dtype=bool) & (lead_ids > 0)
        is_new = leads["is_new_lead"].to_numpy(dtype=bool)
        is_written = is_last & (is_new | np.isin(lead_ids, list(changed)))
        owner, known = arrow(leads["owner"]), arrow(leads["known_owner"])
        got_another = pc.and_(owner.is_valid(), pc.fill_null(pc.not_equal(owner, pc.fill_null(known, "")), False))
        return cls(
            leads,
            persons,
            lead_ids,
            is_new,
            is_written,
            is_active=is_written & ~np.isin(lead_ids, aside),
            is_given=is_last & (is_new | got_another.to_numpy(zero_copy_only=False)),
            stated_at=pc.coalesce(arrow(leads["created_at"]), loading.origins.times(leads["row"])),
        )

    def __len__(self) -> int:
        return len(self.leads)

    @cached_property
    def payload(self) -> pa.Table:
        """The columns of `leads` that rows have something for; one row per row of the slice."""
        filled = {name: self.leads[name] for name in _PAYLOAD}
        columns = {name: arrow(column) for name, column in filled.items() if column.dtype != object}
        columns |= {name: literals(cells(column)) for name, column in filled.items() if column.dtype == object}
        return pa.table({name: column for name, column in columns.items() if column.null_count < len(self)})

    def texts(self, name: str, where: np.ndarray | None = None) -> list[Any]:
        """The cells of a column, or those where a mask is true."""
        return cells(self.leads[name], None if where is None else np.flatnonzero(where).tolist())


def literals(lists: Iterable[Any]) -> pa.Array:
    """Postgres literals of lists of texts or of numbers; of the many rows that share a list it is written once."""
    found = list(lists)
    _, first, which = np.unique(
        np.fromiter(map(id, found), np.int64, len(found)), return_index=True, return_inverse=True
    )
    few = pa.array([found[place] for place in first.tolist()])
    written = pa.nulls(len(few), pa.string()) if pa.types.is_null(few.type) else array_literals(few)
    return written.take(pa.array(which))


def constant(value: int | str | bool, many: int) -> pa.Array:
    """A column that says the same of all rows."""
    return pa.repeat(value, many)
