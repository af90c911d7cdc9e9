"""How a column writes its dates and decimals, learned from the values that can be read in one way only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from sluice.schema import FieldRules
from sluice.sources.prepass import notice

DATE_TYPES = frozenset(("date", "datetime"))
NUMBER_TYPES = frozenset(("number", "integer", "money", "employees"))

_DATE = re.compile(rb"\s*(\d{1,4})\s?[./-]\s?(\d{1,2})\s?[./-]\s?(\d{1,4})(?!\d)")
_COMMA = re.compile(rb"\d,\d{1,2}(?!\d)(?!.*[.,]\d)|\.\d{3},\d|\d\.\d{3}\.\d{3}")
_POINT = re.compile(rb"\d\.\d{1,2}(?!\d)(?!.*[.,]\d)|,\d{3}\.\d|\d,\d{3},\d{3}")


class Evidence:
    """Collects, block by block, what the cells of date and number columns prove.

    Args:
        mapping: (position, field) of the mapped columns.
        fields: field → its rules.
    """

    def __init__(self, mapping: tuple[tuple[int, str], ...], fields: Mapping[str, FieldRules]) -> None:
        self._dates = {position: field for position, field in mapping if fields[field].type in DATE_TYPES}
        self._numbers = {position: field for position, field in mapping if fields[field].type in NUMBER_TYPES}
        self._seen: dict[str, Counter[str]] = {}

    @property
    def positions(self) -> list[int]:
        """Columns it wants to see."""
        return sorted({*self._dates, *self._numbers})

    def look(self, position: int, cells: pa.Array[Any]) -> None:
        """Takes in the cells (binary) of one column of one block."""
        if position in self._dates:
            seen = self._seen.setdefault(self._dates[position], Counter())
            for value in pc.unique(pc.binary_slice(cells, 0, 14)).to_pylist():
                seen.update(_date_kind(value))
        elif position in self._numbers:
            seen = self._seen.setdefault(self._numbers[position], Counter())
            for value in pc.unique(cells).to_pylist():
                if b"," in value or b"." in value:
                    seen.update(["comma"] * bool(_COMMA.search(value)) + ["point"] * bool(_POINT.search(value)))

    def date_orders(self, declared: Literal["dmy", "mdy", "ymd"] | None) -> dict[str, str]:
        """Field → order of day, month and year; a column that does not tell has the source's, or is absent."""
        found: dict[str, str] = {}
        for field in self._dates.values():
            seen = self._seen.get(field, Counter())
            proven = [order for order in ("dmy", "mdy") if seen[order]]
            if len(proven) == 1:
                found[field] = proven[0]
            elif not proven and seen["ymd"] and not seen["open"]:
                found[field] = "ymd"
            elif not proven and declared:
                found[field] = declared
        return found

    def decimal_marks(self) -> dict[str, str]:
        """Field → its decimal mark, where the column tells."""
        marks: dict[str, str] = {}
        for field in self._numbers.values():
            seen = self._seen.get(field, Counter())
            if bool(seen["comma"]) != bool(seen["point"]):
                marks[field] = "," if seen["comma"] else "."
        return marks

    def warnings(self) -> list[dict[str, str]]:
        """Columns that contradict themselves."""
        found: list[dict[str, str]] = []
        for field, seen in self._seen.items():
            if seen["dmy"] and seen["mdy"]:
                found.append(
                    notice("dates.contradictory", "Some dates can only be day-month, others only month-day", field)
                )
            if seen["comma"] and seen["point"]:
                found.append(
                    notice("decimals.contradictory", "Some numbers have a decimal comma, others a decimal point", field)
                )
        return found


def _date_kind(value: bytes) -> list[str]:
    found = _DATE.match(value)
    if not found:
        return []
    first, second = int(found[1]), int(found[2])
    if len(found[1]) == 4:
        return ["ymd"]
    if len(found[1]) == 3:
        return []
    if 12 < first <= 31 and second <= 12:
        return ["dmy"]
    if 12 < second <= 31 and first <= 12:
        return ["mdy"]
    return ["open"]
