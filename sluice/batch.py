"""The one value that flows through every step: some rows of a receipt, each a lead, a reject or a set-aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sluice.distinct import arrow, as_arrow, as_series, distinct, joined
from sluice.errors import BrokenPromise

ORIGIN = ("row", "line", "record", "raw")
"""Columns that say where a row came from; all three tables of a batch have them."""

ERASED = "[erased]"
"""What stands for the row of an erased person."""


@dataclass(frozen=True)
class Batch:
    """Rows of one receipt, on their way.

    Attributes:
        leads: rows that are still leads-to-be; columns as `sluice.schema` lists them by step.
        rejects: `ORIGIN` + `problems` (list of dicts with field, code, found, fix).
        set_asides: `ORIGIN` + `kind`, `reason`.

    `len(batch)` is the sum of the three and never changes: a row that cannot be a lead moves, it does not vanish.
    """

    leads: pd.DataFrame
    rejects: pd.DataFrame
    set_asides: pd.DataFrame

    def __len__(self) -> int:
        return len(self.leads) + len(self.rejects) + len(self.set_asides)

    def with_leads(self, leads: pd.DataFrame) -> Batch:
        """The same batch with `leads` changed column-wise.

        Raises:
            BrokenPromise: the number of rows differs.
        """
        if len(leads) != len(self.leads):
            raise BrokenPromise(f"a step turned {len(self.leads)} rows into {len(leads)}")
        return replace(self, leads=leads)

    def with_columns(self, columns: Mapping[str, Any]) -> Batch:
        """The same batch with columns of `leads` added or replaced, all at once: a frame of many is slow to change.

        Args:
            columns: name → one value per lead, in their order.
        """
        old = [name for name in columns if name in self.leads.columns]
        kept = self.leads.drop(columns=old) if old else self.leads
        added = pd.DataFrame(dict(columns), index=kept.index, copy=False)
        return self.with_leads(pd.concat([kept, added], axis=1))

    def reject(self, problems: pd.Series) -> Batch:
        """Moves the leads that have problems to the rejects.

        Args:
            problems: a list of problem dicts for each lead that has one, under its index.
        """
        if problems.empty:
            return self
        bad = self.leads.index.isin(problems.index)
        moved = _origin(self.leads[bad]).assign(problems=problems)
        return replace(self, leads=self.leads[~bad], rejects=_append(self.rejects, moved))

    def set_aside(self, kinds: pd.Series, reasons: Mapping[str, str]) -> Batch:
        """Moves the leads that have a kind of set-aside.

        Args:
            kinds: per lead (same index) a kind of `sluice.schema.SET_ASIDE_KINDS`, or NA.
            reasons: kind → why, in words.
        """
        aside = kinds.notna()
        if not aside.any():
            return self
        moved = _origin(self.leads[aside]).assign(kind=kinds[aside], reason=kinds[aside].map(reasons))
        return replace(self, leads=self.leads[~aside], set_asides=_append(self.set_asides, moved))

    def erase(self, rejected: np.ndarray, aside: np.ndarray, reason: str) -> Batch:
        """Sets rows aside as erased: where they came from stays, what they said does not.

        Args:
            rejected: which rejects, a boolean for each.
            aside: which set-asides.
            reason: why, in words.
        """
        if not rejected.any() and not aside.any():
            return self
        gone = pd.concat([self.rejects.loc[rejected, list(ORIGIN)], self.set_asides.loc[aside, list(ORIGIN)]])
        records = np.empty(len(gone), dtype=object)
        records[:] = [[ERASED] for _ in records]
        gone = gone.assign(record=records, raw=None, kind="erased", reason=reason)
        return replace(self, rejects=self.rejects[~rejected], set_asides=_append(self.set_asides[~aside], gone))

    def between(self, first: int, last: int) -> Batch:
        """The part with row numbers from `first` to `last`, both included."""
        return Batch(*(_between(t, first, last) for t in (self.leads, self.rejects, self.set_asides)))

    def slices(self, rows: int) -> Iterator[tuple[int, int, Batch]]:
        """Parts of at most `rows` rows in row order, each with its first and last row number."""
        if not len(self):
            return
        numbers = pd.concat([self.leads["row"], self.rejects["row"], self.set_asides["row"]]).sort_values()
        for start in range(0, len(numbers), rows):
            part = numbers.iloc[start : start + rows]
            first, last = int(part.iloc[0]), int(part.iloc[-1])
            yield first, last, self.between(first, last)


def empty_rejects() -> pd.DataFrame:
    """A rejects table without rows."""
    return pd.DataFrame({"row": pd.Series(dtype="int64"), "line": pd.Series(dtype="int64")}).assign(
        record=pd.Series(dtype=object), raw=pd.Series(dtype=object), problems=pd.Series(dtype=object)
    )


def empty_set_asides() -> pd.DataFrame:
    """A set-asides table without rows."""
    return pd.DataFrame({"row": pd.Series(dtype="int64"), "line": pd.Series(dtype="int64")}).assign(
        record=pd.Series(dtype=object),
        raw=pd.Series(dtype=object),
        kind=pd.Series(dtype="str"),
        reason=pd.Series(dtype="str"),
    )


def cells(column: pd.Series, places: Sequence[int] | None = None) -> list[Any]:
    """The cells of a column, or those at some places, as Python values; None where one is missing."""
    if column.dtype == object or isinstance(column.dtype, pd.DatetimeTZDtype):
        asked = column if places is None else column.iloc[list(places)]
        return asked.astype(object).where(asked.notna(), None).tolist()
    found = arrow(column)
    return (found if places is None else found.take(pa.array(places, pa.int64()))).to_pylist()


def column_of(values: Sequence[Any] | np.ndarray, dtype: str) -> Any:
    """A column of Python values, None where one is missing; ten times as fast as pandas makes it.

    Args:
        values: one per row.
        dtype: str, Int64, Float64, or object for lists.
    """
    if dtype == "str":
        return pd.Series(pa.array(values, pa.large_string()), dtype="str").array
    if dtype == "object":
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column
    missing = np.fromiter((value is None for value in values), dtype=bool, count=len(values))
    filled = np.array([value or 0 for value in values], dtype=dtype.lower())
    kind = pd.arrays.IntegerArray if dtype == "Int64" else pd.arrays.FloatingArray
    return kind(filled, missing)


def shared(values: Sequence[Any], which: np.ndarray) -> np.ndarray:
    """An object column whose rows refer to the few values there are, lists among them."""
    few = np.empty(len(values), dtype=object)
    few[:] = values
    return few[which]


def floats(values: np.ndarray, places: pa.Array[Any]) -> Any:
    """A Float64 column whose rows take numbers by their places; missing where there is no place, or NaN there."""
    spread = np.append(values, np.nan)[places.fill_null(len(values)).to_numpy()]
    return pd.arrays.FloatingArray(np.nan_to_num(spread), np.isnan(spread))


def map_uniques(values: pd.Series, function: Callable[[Any], Any], dtype: Any = "str") -> pd.Series:
    """`function` of each value, called once per distinct value; a missing value stays missing.

    Args:
        values: any Series.
        function: from a present value to a result; None means missing.
        dtype: of the result.
    """
    return distinct(values).map(function, str(dtype))


def add_warning(leads: pd.DataFrame, where: pd.Series, field: str, code: str) -> None:
    """Notes `field:code` on the rows of a frame under construction where `where` is true."""
    if not where.any():
        return
    noted, text = as_arrow(leads["warnings"]), f"{field}:{code}"
    more = pc.if_else(pc.equal(noted, ""), pa.scalar(text, pa.large_string()), joined(noted, f" {text}"))
    leads["warnings"] = as_series(pc.if_else(pa.array(where.to_numpy(bool)), more, noted), leads.index)


def _origin(leads: pd.DataFrame) -> pd.DataFrame:
    """Where rows came from; few enough for each record to be a list of its own again."""
    records = np.empty(len(leads), dtype=object)
    records[:] = [list(record) for record in leads["record"]]
    return leads[list(ORIGIN)].assign(record=records)


def _between(table: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    numbers = table["row"].to_numpy()
    if (np.diff(numbers) > 0).all():  # as leads are: a part of them is no copy
        return table.iloc[slice(*np.searchsorted(numbers, [first, last + 1]))]
    within = (first <= numbers) & (numbers <= last)
    return table if within.all() else table[within]


def _append(table: pd.DataFrame, moved: pd.DataFrame) -> pd.DataFrame:
    if moved.empty:
        return table
    return moved if table.empty else pd.concat([table, moved])
