"""Frames to tables: one COPY each, through the driver connection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import csv
from sqlalchemy import Connection

from sluice.store.engine import driver

_CSV = csv.WriteOptions(include_header=False, quoting_style="all_valid")  # so "" and NULL stay apart


def copy(connection: Connection, table: str, frame: pd.DataFrame) -> None:
    """Writes all rows of a frame into the columns of the same names.

    Args:
        connection: in a transaction.
        table: a name of our own, never user input.
        frame: columns of text, numbers, booleans, times, bytes or `array_texts`; missing values become NULL.
    """
    if frame.empty:
        return
    arrow = pa.table({name: _arrow(frame[name]) for name in frame.columns})
    sink = pa.BufferOutputStream()
    csv.write_csv(arrow, sink, _CSV)
    columns = ", ".join(frame.columns)
    with (
        driver(connection).cursor() as cursor,
        cursor.copy(f"copy {table} ({columns}) from stdin (format csv)") as stream,  # pyright: ignore[reportArgumentType]
    ):
        stream.write(sink.getvalue())


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
    joined = "\x1f".join("" if cell is None else str(cell) for cell in cells)
    if "\x00" in joined:
        joined = joined.replace("\x00", "\ufffd")
    if "\\" in joined or '"' in joined:
        joined = joined.replace("\\", "\\\\").replace('"', '\\"')
    if not cells:
        return "{}"
    if joined.count("\x1f") != len(cells) - 1:  # a cell holds the separator itself
        return "{" + ",".join(_quoted(cell) for cell in cells) + "}"
    return '{"' + joined.replace("\x1f", '","') + '"}'


def array_texts(lists: Iterable[Sequence[Any] | None], index: pd.Index) -> pd.Series:
    """Array literals of many lists; None stays missing."""
    return pd.Series([None if cells is None else array_text(cells) for cells in lists], index=index, dtype="str")


def _quoted(cell: Any) -> str:
    text = "" if cell is None else str(cell).replace("\x00", "\ufffd")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def json_text(value: Any) -> str:
    """JSON that jsonb takes: no NUL, no NaN, times in ISO 8601."""
    return json.dumps(value, ensure_ascii=False, default=str).replace("\\u0000", "\\ufffd")
