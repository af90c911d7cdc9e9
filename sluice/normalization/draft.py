"""The frame that `normalize` builds: cleaned cells on one side, read values and warnings on the other."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow.compute as pc

from sluice.batch import add_warning
from sluice.distinct import Distinct, as_arrow, distinct, distinct_texts
from sluice.normalization.readings import Readings
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
        self._cells: dict[str, Distinct] = {}
        self._nothing: dict[str, pd.Series] = {}
        self._cleaner = Cleaner(context.rules)

    def has(self, field: str) -> bool:
        """Whether the source states the field at all, by a column or a default."""
        return field in self.fields and (f"raw_{field}" in self.leads or field in self.context.source.defaults)

    def nothing(self, dtype: str = "str") -> pd.Series:
        """A column without a value; always the same one, for nobody changes a column in place."""
        if dtype not in self._nothing:
            self._nothing[dtype] = pd.Series(None, index=self.leads.index, dtype=dtype)
        return self._nothing[dtype]

    def cells(self, field: str) -> Distinct:
        """The field's distinct cells, cleaned, junk as nothing; rows that state nothing take the source's default."""
        if field not in self._cells:
            self._cells[field] = self._clean(field) if self.has(field) else distinct(self.nothing())
        return self._cells[field]

    def given(self, field: str) -> pd.Series:
        """The same, row by row."""
        cells = self.cells(field)
        return cells.spread(cells.values)

    def put(self, field: str, values: pd.Series) -> None:
        """Sets a result column."""
        self.columns[field] = values

    def put_read(self, field: str, found: Readings, dtype: str = "str") -> None:
        """Sets a result column and notes the warnings of its cells."""
        self.columns[field] = found.value(dtype)
        self.note(field, found)

    def put_text(self, field: str, values: pd.Series) -> None:
        """Sets a text column, cut to the field's length."""
        limit = self.fields[field].max_length if field in self.fields else 255
        longest = pc.max(pc.binary_length(as_arrow(values))).as_py() or 0  # in bytes: no text has more characters
        if longest > limit:
            long = (values.str.len() > limit).fillna(value=False).astype(bool)
            values = values.where(~long, values.str.slice(0, limit).str.rstrip())
            self.warn(long, field, "too_long")
        self.columns[field] = values

    def put_number(self, field: str, found: Readings, dtype: str) -> None:
        """Sets a number column; values outside the field's range are emptied."""
        rules = self.fields.get(field)
        values = found.value(dtype)
        if rules is not None and (rules.minimum is not None or rules.maximum is not None):
            low = values < rules.minimum if rules.minimum is not None else values.isna() & False
            high = values > rules.maximum if rules.maximum is not None else values.isna() & False
            outside = (low | high).fillna(value=False).astype(bool)
            values = values.mask(outside)
            self.warn(outside, field, "out_of_range")
        self.columns[field] = values
        self.note(field, found)

    def note(self, field: str, found: Readings) -> None:
        """Notes a warning per row that has a code."""
        codes = found.codes()
        if codes is not None:
            self._note(field, codes)

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

    def _note(self, field: str, codes: pd.Series) -> None:
        for code in codes.dropna().unique():
            self.warn(codes == code, field, str(code))

    def _clean(self, field: str) -> Distinct:
        keep_lines = self.fields[field].type in LINES
        raw = self.leads[f"raw_{field}"] if f"raw_{field}" in self.leads else self.nothing()
        texts, places = distinct_texts(raw)
        values, codes = self._cleaner.clean_all(texts, field, keep_lines=keep_lines)
        cells = Distinct(values, places, raw.index)
        if codes:
            self._note(field, cells.spread([codes.get(place) for place in range(len(values))]))
        default = self.context.source.defaults.get(field)
        return cells if default is None else distinct(cells.spread(cells.values).fillna(default))
