"""From records to a batch: leads with their cells, rejects with their problems, blank lines set aside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from json.encoder import encode_basestring
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sluice.batch import Batch, empty_rejects, empty_set_asides
from sluice.distinct import as_series, joined
from sluice.problems import problem
from sluice.sources.cells import columns, texts
from sluice.sources.columns import unique_names
from sluice.sources.dialect import Dialect
from sluice.sources.encoding import decode, is_direct
from sluice.sources.prepass import Prepass
from sluice.sources.records import EMPTY, SOUND, Block
from sluice.sources.recovery import Verdict

BLANK_REASON = "The line is empty, or all its cells are"
_EXTRA = "extra"
_RECORD = pa.list_(pa.string())


@dataclass
class Rows:
    """Gathers the rows of a chunk, block by block, and makes them a batch.

    Args:
        prepass: what is known about the file.
        next_row: number of the first row to come.
    """

    prepass: Prepass
    next_row: int
    _numbers: list[int] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)
    _records: list[pa.Array[Any]] = field(default_factory=list)
    _columns: list[list[pa.Array[Any]]] = field(default_factory=list)
    _notes: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    _rejects: list[dict[str, Any]] = field(default_factory=list)
    _blanks: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._dialect = Dialect(self.prepass.delimiter.encode(), self.prepass.quote.encode())
        self._width = len(self.prepass.header)
        self._encoding = self.prepass.encoding if is_direct(self.prepass.encoding) else "utf-8"
        mapped = dict(self.prepass.mapping)
        self._names = [mapped.get(position, _EXTRA) for position in range(self._width)]

    def add(self, block: Block) -> None:
        """Takes in the records of a block, which follow those of the block before."""
        numbers = np.arange(self.next_row, self.next_row + len(block))
        self.next_row += len(block)
        is_sound = block.kinds == SOUND
        if is_sound.any():
            self._add_sound(block, numbers[is_sound].tolist(), block.lines[is_sound].tolist())
        for at in np.flatnonzero(block.kinds == EMPTY).tolist():
            self._set_aside(int(numbers[at]), int(block.lines[at]), [])
        odd_cells: list[list[str]] = []
        for at, verdict in block.odd.items():
            self._add_odd(int(numbers[at]), int(block.lines[at]), verdict, odd_cells)
        if odd_cells:
            self._columns.append([pa.array(cells, pa.string()) for cells in zip(*odd_cells, strict=True)])

    def batch(self) -> Batch:
        """All rows so far, in row order."""
        order = np.argsort(np.array(self._numbers, np.int64), kind="stable")
        cells = self._joined(order)
        is_blank = self._blank_rows(cells)
        leads = self._leads(cells, order)
        for at in np.flatnonzero(is_blank).tolist():
            source = int(order[at])
            self._set_aside(self._numbers[source], self._lines[source], leads["record"].iloc[at])
        rejects = pd.DataFrame(self._rejects) if self._rejects else empty_rejects()
        blanks = pd.DataFrame(self._blanks).sort_values("row") if self._blanks else empty_set_asides()
        return Batch(leads[~is_blank] if is_blank.any() else leads, rejects, blanks.reset_index(drop=True))

    def _add_sound(self, block: Block, numbers: list[int], lines: list[int]) -> None:
        found: list[pa.Array[Any]] = []
        for name, cells in zip(
            self._names, columns(block, (self._dialect, self._width), range(self._width)), strict=True
        ):
            text, damaged = texts(cells, self._encoding)
            found.append(text)
            for at in damaged:
                self._note(numbers[at], f"{name}:bytes.undecodable")
        self._numbers += numbers
        self._lines += lines
        self._records.append(_rows_of(found))
        self._columns.append(found)

    def _add_odd(self, number: int, line: int, verdict: Verdict, cells: list[list[str]]) -> None:
        decoded = [decode(cell, self._encoding) for cell in verdict.cells or ()]
        record = [text.replace("\0", "\ufffd") for text, _ in decoded]
        if verdict.cells is not None and not any(text.strip(" \t\0") for text, _ in decoded):
            self._set_aside(number, line, record)
        elif verdict.problems:
            if verdict.raw is not None:
                record = [decode(verdict.raw, self._encoding)[0].replace("\0", "\ufffd")]
            problems = [problem("row", code, found or record[0]) for code, found in verdict.problems]
            self._rejects.append(
                {"row": number, "line": line, "record": record, "raw": verdict.raw, "problems": problems}
            )
        else:
            self._numbers.append(number)
            self._lines.append(line)
            self._records.append(pa.array([record], _RECORD))
            cells.append([text.replace("\0", "") for text, _ in decoded[: self._width]])
            if verdict.is_stray:
                self._note(number, "row:quote.stray")
            for name, (text, is_valid) in zip(self._names, decoded, strict=False):
                if "\0" in text:
                    self._note(number, f"{name}:nul")
                if not is_valid:
                    self._note(number, f"{name}:bytes.undecodable")

    def _set_aside(self, number: int, line: int, record: Sequence[str]) -> None:
        row = {"row": number, "line": line, "record": list(record), "raw": None}
        self._blanks.append({**row, "kind": "blank", "reason": BLANK_REASON})

    def _note(self, number: int, warning: str) -> None:
        if warning not in self._notes[number]:
            self._notes[number].append(warning)

    def _joined(self, order: np.ndarray[Any, Any]) -> list[pa.ChunkedArray[Any]]:
        is_sorted = bool((np.diff(order) > 0).all())
        joined = [
            pa.chunked_array([part[position] for part in self._columns], pa.string()) for position in range(self._width)
        ]
        return joined if is_sorted else [column.take(pa.array(order)) for column in joined]

    def _in_order(self, order: np.ndarray[Any, Any]) -> pa.Array[Any]:
        records = pa.concat_arrays([pa.array([], _RECORD), *self._records])
        return records.take(pa.array(order)) if (np.diff(order) < 0).any() else records

    def _blank_rows(self, cells: list[pa.ChunkedArray[Any]]) -> np.ndarray[Any, Any]:
        is_blank = np.zeros(len(self._numbers), np.bool_)
        left = np.arange(len(self._numbers))
        for column in cells:
            if not left.size:
                return is_blank
            trimmed = pc.utf8_trim_whitespace(column if left.size == len(column) else column.take(pa.array(left)))
            left = left[pc.equal(trimmed, "").to_numpy()]
        is_blank[left] = True
        return is_blank

    def _leads(self, cells: list[pa.ChunkedArray[Any]], order: np.ndarray[Any, Any]) -> pd.DataFrame:
        numbers = np.array(self._numbers, np.int64)[order]
        by_field: dict[str, list[pa.ChunkedArray[Any]]] = defaultdict(list)
        for position, name in self.prepass.mapping:
            by_field[name].append(pc.if_else(pc.equal(cells[position], ""), None, cells[position]))
        index = pd.RangeIndex(len(numbers))
        return pd.DataFrame(
            {
                "row": numbers,
                "line": np.array(self._lines, np.int64)[order],
                "record": pd.Series(pd.arrays.ArrowExtensionArray(self._in_order(order))),
                "raw": pd.Series([None] * len(numbers), dtype=object),
                "extra": self._extra(cells),
                "warnings": self._warnings(numbers),
                **{f"raw_{name}": as_series(reduce(_first_filled, found), index) for name, found in by_field.items()},
            },
            index=index,
        )

    def _warnings(self, numbers: np.ndarray[Any, Any]) -> pd.Series:
        warnings = np.full(len(numbers), "", dtype=object)
        at = np.searchsorted(numbers, np.array(list(self._notes), np.int64))
        warnings[at] = [" ".join(notes) for notes in self._notes.values()]
        return pd.Series(warnings, dtype="str")

    def _extra(self, cells: list[pa.ChunkedArray[Any]]) -> pd.Series:
        """Per row the JSON object of its filled columns that nobody mapped, missing where there are none."""
        names = unique_names(self.prepass.header)
        members = [_members(names[at], cells[at]) for at in self.prepass.unmapped if _any_filled(cells[at])]
        if not members:
            return pd.Series([None] * len(self._numbers), dtype="str")
        listed = joined(*members, separator=", ", skip=True)
        return pc.if_else(pc.equal(listed, ""), None, joined("{", listed, "}")).to_pandas().astype("str")


def _rows_of(columns: list[pa.Array[Any]]) -> pa.Array[Any]:
    """The cells of columns row by row: a tenth of the time and memory of Python's lists."""
    rows, width = len(columns[0]), len(columns)
    places = np.arange(rows * width).reshape(width, rows).T.ravel()
    cells = pa.concat_arrays(columns).take(pa.array(places))
    return pa.ListArray.from_arrays(pa.array(np.arange(rows + 1, dtype=np.int32) * width), cells)


def _first_filled(one: pa.ChunkedArray[Any], other: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    is_filled = pc.not_equal(pc.utf8_trim_whitespace(one), "")
    return pc.if_else(pc.fill_null(is_filled, False), one, pc.coalesce(other, one))


def _members(name: str, column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Per cell its member of a JSON object, `"name": "cell"`; null where the cell is empty."""
    has_special = pc.match_substring_regex(column, r'["\\\x00-\x1f]')
    if pc.any(has_special).as_py():
        escaped = [encode_basestring(cell)[1:-1] for cell in column.filter(has_special).to_pylist()]
        column = pc.replace_with_mask(
            column.combine_chunks(), has_special.combine_chunks(), pa.array(escaped, pa.string())
        )
    member = pc.binary_join_element_wise(f'{encode_basestring(name)}: "', column, '"', "")
    return pc.if_else(pc.equal(column, ""), None, member)


def _any_filled(column: pa.ChunkedArray[Any]) -> bool:
    return bool(pc.any(pc.not_equal(column, "")).as_py())
