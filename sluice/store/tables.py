"""Frames to tables: one COPY each, through the driver connection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from sqlalchemy import Connection

from sluice.distinct import joined
from sluice.store.engine import driver

_CSV = csv.WriteOptions(include_header=False, quoting_style="needed")  # so "" and NULL stay apart


def copy(connection: Connection, table: str, rows: pa.Table | pd.DataFrame) -> None:
    """Writes all rows into the columns of the same names; a column without any value is left to its default.

    Args:
        connection: in a transaction.
        table: a name of our own, never user input.
        rows: columns of text, numbers, booleans or times; a frame also of bytes, lists and dictionaries. Missing values
            become NULL.
    """
    arrow = pa.table({name: _arrow(rows[name]) for name in rows.columns}) if isinstance(rows, pd.DataFrame) else rows
    if not arrow.num_rows:
        return
    told = [name for name, cells in zip(arrow.column_names, arrow.columns, strict=True) if not _is_void(cells)]
    sink = pa.BufferOutputStream()
    csv.write_csv(arrow.select(told), sink, _CSV)
    with (
        driver(connection).cursor() as cursor,
        cursor.copy(f"copy {table} ({', '.join(told)}) from stdin (format csv)") as stream,  # pyright: ignore[reportArgumentType]
    ):
        stream.write(sink.getvalue())


def _is_void(cells: pa.ChunkedArray) -> bool:
    return cells.null_count == len(cells)


def _arrow(values: pd.Series) -> pa.Array:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return pa.array(values.dt.tz_convert("UTC").dt.strftime("%Y-%m-%d %H:%M:%S.%f+00"), type=pa.string())
    if values.dtype == object:
        return pa.array([None if is_missing(v) else _text(v) for v in values], type=pa.string())
    return pa.array(values, from_pandas=True)


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing: None, NA, NaT or NaN; a list never does."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return array_text(value)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, dict):
        return json_text(value)
    return str(value)


def array_text(cells: Sequence[Any]) -> str:
    """A Postgres array literal of texts or numbers; NUL, which no text can hold, becomes U+FFFD."""
    try:
        text = "\x1f".join(cells)
    except TypeError:  # not only texts
        text = "\x1f".join("" if cell is None else str(cell) for cell in cells)
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    if not cells:
        return "{}"
    if text.count("\x1f") != len(cells) - 1:  # a cell holds the separator itself
        return "{" + ",".join(_quoted(cell) for cell in cells) + "}"
    return '{"' + text.replace("\x1f", '","') + '"}'


def array_texts(lists: Iterable[Sequence[Any] | None], index: pd.Index) -> pd.Series:
    """Array literals of many lists; None stays missing."""
    if isinstance(lists, pd.Series) and isinstance(lists.dtype, pd.ArrowDtype):
        return pd.Series(array_literals(pa.array(lists)), index=index, dtype="str")
    return pd.Series([None if cells is None else array_text(cells) for cells in lists], index=index, dtype="str")


def array_literals(lists: pa.Array[Any] | pa.ChunkedArray[Any]) -> pa.Array[Any]:
    """`array_text` of Arrow's lists of texts or numbers, null where one is: a fifth of the cost of a list at a time."""
    lists = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    cells = lists.flatten()
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        cells = cells.cast(pa.string())
    if cells.null_count:
        cells = cells.fill_null("")
    content = (cells.buffers()[2] or pa.py_buffer(b"")).to_pybytes()
    for character, written in (("\x00", "\ufffd"), ("\\", "\\\\"), ('"', '\\"')):
        if character.encode() in content:
            cells = pc.replace_substring(cells, character, written)
    lengths = lists.value_lengths()
    ends = np.cumsum(lengths.fill_null(0).to_numpy(), dtype=np.int32)
    written = pa.ListArray.from_arrays(pa.array(np.concatenate([np.zeros(1, np.int32), ends])), cells)
    literals = joined('{"', pc.binary_join(written, '","'), '"}')
    # a null length, of a list that is null, stays null
    return pc.if_else(pc.equal(lengths, 0), "{}", literals)


def _quoted(cell: Any) -> str:
    text = "" if cell is None else str(cell).replace("\x00", "\ufffd")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def json_text(value: Any) -> str:
    """JSON that jsonb takes: no NUL, no NaN, times in ISO 8601."""
    return json.dumps(value, ensure_ascii=False, default=str).replace("\\u0000", "\\ufffd")
