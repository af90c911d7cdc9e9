"""The columns of leads in the forms that conditions are asked of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sluice.distinct import arrow

Known = Any
"""A pyarrow BooleanArray, null where the question cannot be answered (pyarrow's stubs do not type its kernels)."""


class Facts:
    """Columns of leads in the forms that questions are asked of, each worked out once for however many questions."""

    def __init__(self, leads: pd.DataFrame) -> None:
        self._leads = leads
        self._forms: dict[tuple[str, str], Any] = {}

    def __len__(self) -> int:
        return len(self._leads)

    def __contains__(self, name: str) -> bool:
        return name in self._leads.columns

    def column(self, name: str) -> pd.Series:
        """The column as it is."""
        return self._form(name, "as it is", self._leads.__getitem__)

    def missing(self, name: str) -> Known:
        """Which leads have no value, or an empty list."""
        return self._form(name, "missing", lambda _: _missing(self.column(name)))

    def has_tags(self, name: str) -> bool:
        """Whether its cells are lists."""
        column = self.column(name)
        return column.dtype == object and self._form(
            name, "has tags", lambda _: any(isinstance(cell, list) for cell in column)
        )

    def texts(self, name: str) -> Any:
        """As texts, in the letters they are written in."""
        return self._form(name, "texts", lambda _: _arrow(self.column(name), pa.large_string()))

    def lowered(self, name: str) -> Any:
        """As texts, in small letters."""
        return self._form(name, "lowered", lambda _: pc.utf8_lower(self.texts(name)))

    def numbers(self, name: str) -> Any:
        """As numbers; what is none is missing."""
        return self._form(name, "numbers", lambda _: _numbers(self.column(name)))

    def booleans(self, name: str) -> Any:
        """As booleans."""
        return self._form(name, "booleans", lambda _: _arrow(self.column(name), pa.bool_()))

    def _form(self, name: str, form: str, make: Callable[[str], Any]) -> Any:
        if (name, form) not in self._forms:
            self._forms[name, form] = make(name)
        return self._forms[name, form]


def _missing(column: pd.Series) -> Known:
    if column.dtype != object:
        return _arrow(column, None).is_null()
    return pa.array((column.isna() | column.map(len, na_action="ignore").eq(0)).to_numpy(dtype=bool))


def _numbers(column: pd.Series) -> Any:
    known = column if pd.api.types.is_numeric_dtype(column.dtype) else pd.to_numeric(column, errors="coerce")
    return _arrow(known, pa.float64())


def _arrow(column: pd.Series, kind: Any) -> Any:
    values = arrow(column)
    return values if kind is None else values.cast(kind, safe=False)
