"""What one pass over a file found out, so that each chunk can later be read on its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Chunk:
    """A run of rows that one task reads.

    Attributes:
        index: 0-based position among the chunks of the file.
        first_row: number of its first row; the first row after the header is 1.
        rows: how many rows it has.
        first_line: physical line its first row starts on; the file's first line is 1.
        start, end: byte offsets of its first byte and of the byte after its last one.
    """

    index: int
    first_row: int
    rows: int
    first_line: int
    start: int
    end: int


@dataclass(frozen=True)
class Prepass:
    """Everything about a file that its chunks share; the receipt keeps it as jsonb.

    Attributes:
        size, sha256: of the file as it lies there; sha256 in hexadecimal.
        encoding: Python's name of it.
        delimiter, quote: one character each.
        header: the names as they stand in the file.
        mapping: (position, field) of the columns that hold one of our fields; positions count from 0.
        ignored: positions the source declares as not wanted.
        unmapped: positions of all others; their values go to `extra`.
        rows: records after the header, good or bad.
        chunks: the rows in portions; offsets count in UTF-8 if `marks` is not empty, else in the file's own bytes.
        marks: (offset in UTF-8, offset in the file) pairs for encodings that are not read directly.
        date_orders: field → dmy, mdy or ymd, where the column tells.
        decimal_marks: field → "." or ",", where the column tells.
        warnings: notices about the whole file: dicts of code, text and column.
    """

    size: int
    sha256: str
    encoding: str
    delimiter: str
    quote: str
    header: tuple[str, ...]
    mapping: tuple[tuple[int, str], ...]
    ignored: tuple[int, ...]
    unmapped: tuple[int, ...]
    rows: int
    chunks: tuple[Chunk, ...]
    marks: tuple[tuple[int, int], ...]
    date_orders: dict[str, str]
    decimal_marks: dict[str, str]
    warnings: tuple[dict[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """The same as values that JSON knows."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Prepass:
        """What `to_json` gave, also after a journey through jsonb (tuples have become lists)."""
        tuples: dict[str, Any] = {
            "header": tuple(stored["header"]),
            "mapping": tuple((int(position), str(field)) for position, field in stored["mapping"]),
            "ignored": tuple(stored["ignored"]),
            "unmapped": tuple(stored["unmapped"]),
            "chunks": tuple(Chunk(**chunk) for chunk in stored["chunks"]),
            "marks": tuple((int(ours), int(theirs)) for ours, theirs in stored["marks"]),
            "warnings": tuple(stored["warnings"]),
        }
        return cls(**{**stored, **tuples})


def notice(code: str, text: str, column: str = "") -> dict[str, str]:
    """A warning about the whole file, in the form that `Prepass.warnings` keeps."""
    return {"code": code, "text": text, "column": column}
