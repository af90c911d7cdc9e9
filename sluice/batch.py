"""The one value that flows through every step: some rows of a receipt, each a lead, a reject or a set-aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from sluice.errors import BrokenPromise

ORIGIN = ("row", "line", "record", "raw")
"""Columns that say where a row came from; all three tables of a batch have them."""


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

    def reject(self, problems: pd.Series) -> Batch:
        """Moves the leads that have problems to the rejects.

        Args:
            problems: per lead (same index) a list of problem dicts; None or an empty list where there is none.
        """
        bad = problems.map(bool, na_action=None).astype(bool)
        moved = self.leads.loc[bad, list(ORIGIN)].assign(problems=problems[bad])
        return replace(self, leads=self.leads[~bad], rejects=_append(self.rejects, moved))

    def set_aside(self, kinds: pd.Series, reasons: Mapping[str, str]) -> Batch:
        """Moves the leads that have a kind of set-aside.

        Args:
            kinds: per lead (same index) a kind of `sluice.schema.SET_ASIDE_KINDS`, or NA.
            reasons: kind → why, in words.
        """
        aside = kinds.notna()
        moved = self.leads.loc[aside, list(ORIGIN)].assign(kind=kinds[aside], reason=kinds[aside].map(reasons))
        return replace(self, leads=self.leads[~aside], set_asides=_append(self.set_asides, moved))

    def between(self, first: int, last: int) -> Batch:
        """The part with row numbers from `first` to `last`, both included."""
        return Batch(*(t[t["row"].between(first, last)] for t in (self.leads, self.rejects, self.set_asides)))

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


def map_uniques(values: pd.Series, function: Callable[[Any], Any], dtype: Any = "str") -> pd.Series:
    """`function` of each value, called once per distinct value; a missing value stays missing.

    Args:
        values: any Series.
        function: from a present value to a result; None means missing.
        dtype: of the result.
    """
    codes, uniques = pd.factorize(values)
    present = uniques.to_numpy(dtype=object)  # iterating over an Arrow array costs ten times as much
    results = pd.Series([function(value) for value in present], dtype=object)
    if not len(results):
        return pd.Series(None, index=values.index, dtype=dtype)
    taken = results.reindex(codes).to_numpy()
    mapped = pd.Series(taken, index=values.index, dtype=object)
    return mapped if dtype is object else mapped.astype(dtype)


def add_warning(leads: pd.DataFrame, where: pd.Series, field: str, code: str) -> None:
    """Notes `field:code` on the rows of a frame under construction where `where` is true."""
    if where.any():
        noted = leads.loc[where, "warnings"]
        leads.loc[where, "warnings"] = (noted + f" {field}:{code}").str.strip()


def _append(table: pd.DataFrame, moved: pd.DataFrame) -> pd.DataFrame:
    if moved.empty:
        return table
    return moved if table.empty else pd.concat([table, moved])
