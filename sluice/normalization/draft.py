"""The frame that `normalize` builds: cleaned cells on one side, read values and warnings on the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sluice.batch import add_warning
from sluice.normalization.readings import Readings, read_uniques
from sluice.normalization.rules import Context
from sluice.normalization.text import Cleaner
from sluice.schema import LEAD_BOOLEANS, LEAD_NUMBERS, LEAD_TEXTS, LEAD_TIMES, FieldRules

LINES = ("long_text",)
"""Field types whose values keep their line breaks."""


class Draft:
    """Rows on their way through `normalize`.

    Args:
        leads: as `read` delivers them; never changed.
        context: rules and what is known.
    """

    def __init__(self, leads: pd.DataFrame, context: Context) -> None:
        self.leads, self.context = leads, context
        self.fields: Mapping[str, FieldRules] = context.fields.enabled()
        self.columns: dict[str, pd.Series] = {}
        self._notes = leads[["warnings"]].copy()
        self._given: dict[str, pd.Series] = {}
        self._cleaner = Cleaner(context.rules)

    def has(self, field: str) -> bool:
        """Whether the source states the field at all, by a column or a default."""
        return field in self.fields and (f"raw_{field}" in self.leads or field in self.context.source.defaults)

    def nothing(self, dtype: str = "str") -> pd.Series:
        """A column without a value."""
        return pd.Series(None, index=self.leads.index, dtype=dtype)

    def given(self, field: str) -> pd.Series:
        """The field's cells, cleaned, junk as NA; rows that state nothing take the source's default."""
        if field not in self._given:
            self._given[field] = self._clean(field) if self.has(field) else self.nothing()
        return self._given[field]

    def put(self, field: str, values: pd.Series, codes: pd.Series | None = None, dtype: Any = "str") -> None:
        """Sets a result column and notes the warnings of its cells."""
        self.columns[field] = values.astype(dtype)
        if codes is not None:
            self.note(field, codes)

    def put_text(self, field: str, values: pd.Series) -> None:
        """Sets a text column, cut to the field's length."""
        limit = self.fields[field].max_length if field in self.fields else 255
        long = (values.str.len() > limit).fillna(value=False).astype(bool)
        if long.any():
            values = values.where(~long, values.str.slice(0, limit).str.rstrip())
            self.warn(long, field, "too_long")
        self.columns[field] = values

    def put_number(self, field: str, found: Readings, dtype: Any) -> None:
        """Sets a number column; values outside the field's range are emptied."""
        rules = self.fields.get(field)
        values = found.value.astype(dtype)
        if rules is not None and (rules.minimum is not None or rules.maximum is not None):
            low = values < rules.minimum if rules.minimum is not None else values.isna() & False
            high = values > rules.maximum if rules.maximum is not None else values.isna() & False
            outside = (low | high).fillna(value=False).astype(bool)
            values = values.mask(outside)
            self.warn(outside, field, "out_of_range")
        self.put(field, values, found.code, dtype)

    def note(self, field: str, codes: pd.Series) -> None:
        """Notes a warning per row that has a code."""
        for code in codes.dropna().unique():
            self.warn(codes == code, field, str(code))

    def warn(self, where: pd.Series, field: str, code: str) -> None:
        """Notes one warning on the rows where `where` is true."""
        add_warning(self._notes, where, field, code)

    def finish(self) -> pd.DataFrame:
        """The leads with all columns that `normalize` owes; what nobody set is missing."""
        kinds = dict.fromkeys(LEAD_TEXTS, "str") | LEAD_NUMBERS | dict.fromkeys(LEAD_BOOLEANS, "boolean")
        kinds |= dict.fromkeys(LEAD_TIMES, "datetime64[us, UTC]") | {"tags": "object"}
        for name, dtype in kinds.items():
            if name not in self.columns:
                self.columns[name] = self.nothing(dtype)
        new = {**self.columns, "warnings": self._notes["warnings"]}
        kept = self.leads.drop(columns=[name for name in new if name in self.leads])
        return pd.concat([kept, pd.DataFrame(new, index=kept.index)], axis=1)

    def _clean(self, field: str) -> pd.Series:
        keep_lines = self.fields[field].type in LINES
        raw = self.leads[f"raw_{field}"] if f"raw_{field}" in self.leads else self.nothing()
        found = read_uniques(raw, lambda text: self._cleaner.clean(text, field, keep_lines=keep_lines))
        self.note(field, found.code)
        values = found.value.astype("str")
        default = self.context.source.defaults.get(field)
        return values if default is None else values.fillna(default)
