"""How a file is written: its delimiter, its quotes, and where its header starts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from sluice.sources.workbook_table import is_above

CANDIDATES = b",;\t|"
_SEP_LINE = re.compile(rb'"?sep=(.)"?(\r\n|\n|\r)', re.IGNORECASE)
_BLANK_LINES = re.compile(rb"[ \t]*(?:\r\n|\n|\r)")
_LINES = re.compile(rb"[^\r\n]+")
_ANY_LINES = re.compile(rb"[^\r\n]*+(?:\r\n|[\r\n])|[^\r\n]++")

_ADDRESS = re.compile(rb"[^\s@]@[^\s@]")

LOOKED_AT = 50
"""Lines among which the header is looked for."""


@dataclass(frozen=True)
class Dialect:
    """The two bytes that structure a file.

    Attributes:
        delimiter: between cells.
        quote: around cells that hold a delimiter, a quote or a line break; doubled inside.
        cell_end: finds the end of an unquoted cell.
        inside: takes in a quoted cell after its opening quote, up to the closing one.
    """

    delimiter: bytes
    quote: bytes = b'"'
    cell_end: re.Pattern[bytes] = field(init=False, compare=False, repr=False)
    inside: re.Pattern[bytes] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        quote = re.escape(self.quote)
        object.__setattr__(self, "cell_end", re.compile(b"[" + re.escape(self.delimiter) + rb"\r\n]"))
        object.__setattr__(self, "inside", re.compile(b"(?:[^" + quote + b"]++|" + quote * 2 + b")*+"))


@dataclass(frozen=True)
class Opening:
    """How a file begins.

    Attributes:
        dialect: how it is written.
        start: offset of the header's first byte.
        line: physical line of the header, from 1.
        passed_over: lines above it that hold something.
    """

    dialect: Dialect
    start: int
    line: int
    passed_over: tuple[int, ...] = ()


def find_opening(
    head: bytes,
    declared: str | None,
    rate: Callable[[bytes, int, Dialect], tuple[float, ...]],
    known: Callable[[bytes, int, Dialect], int],
) -> Opening:
    """Finds the dialect and the header: the first line, or, if no name in it is known, the next with two that are.

    Args:
        head: the first bytes of the file, ASCII-compatible.
        declared: the source's delimiter, which settles the question.
        rate: of (head, header's offset, dialect) how well they fit: known names first, bigger is better.
        known: of the same how many names are known.
    """
    start, line = (3 if head.startswith(b"\xef\xbb\xbf") else 0), 1
    said = _SEP_LINE.match(head, start)
    if said:
        start, line = said.end(), 2
    while blank := _BLANK_LINES.match(head, start):
        start, line = blank.end(), line + 1
    if declared:
        delimiters = [declared.encode()]
    elif said:
        delimiters = [said.group(1)]
    else:
        delimiters = [bytes((byte,)) for byte in CANDIDATES]
    dialects = [Dialect(delimiter, _quote(head, delimiter)) for delimiter in delimiters]

    def best_at(at: int) -> tuple[tuple[float, ...], Dialect]:
        return max(((rate(head, at, one), one) for one in dialects), key=lambda one: one[0])

    rated, best = best_at(start)
    first = Opening(best, start, line)
    if rated[0]:
        return first
    at = next(_below(head, first, lambda at: any(known(head, at, one) > 1 for one in dialects)), None)
    return first if at is None else replace(at, dialect=best_at(at.start)[1])


def _below(head: bytes, first: Opening, is_header: Callable[[int], bool]) -> Iterator[Opening]:
    """The header below a title and the like, if no line above it can be one of a lead or a header of its own."""
    passed_over: dict[int, bytes] = {}
    for number, line in enumerate(islice(_ANY_LINES.finditer(head, first.start), LOOKED_AT), start=first.line):
        text = line.group().strip()
        if _ADDRESS.search(text):
            return
        if passed_over and text and is_header(line.start()):
            if all(is_above(_cells(above), _cells(text)) for above in passed_over.values()):
                yield Opening(first.dialect, line.start(), number, tuple(passed_over))
            return
        if text:
            passed_over[number] = text


def _cells(line: bytes) -> int:
    """How many filled cells a line has, by whatever delimiter gives most."""
    return max(sum(bool(cell.strip(b" \"'")) for cell in line.split(bytes((byte,)))) for byte in CANDIDATES)


def _quote(head: bytes, delimiter: bytes) -> bytes:
    """The apostrophe, if it encloses cells in most of the first lines and there is no double quote at all."""
    if b'"' in head or b"'" not in head:
        return b'"'
    edge = re.escape(delimiter)
    enclosed = re.compile(rb"(?:^|" + edge + rb")'[^\r\n]*?'(?:" + edge + rb"|$)")
    lines = [match.group() for match, _ in zip(_LINES.finditer(head), range(100), strict=False)]
    return b"'" if 2 * sum(bool(enclosed.search(line)) for line in lines) > len(lines) else b'"'
