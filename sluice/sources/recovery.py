"""The strict, slow reader: one record at a time, and what to do with a record that breaks the rules of RFC 4180."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sluice.sources.dialect import Dialect

MIB = 1 << 20
_LINE_END = re.compile(rb"\r\n|\n|\r")
_MOST_CELLS = 1_000
_PLAIN = 4_096


@dataclass(frozen=True)
class Limits:
    """How much of anything is taken at once; a test makes them small to meet the edges.

    Attributes:
        block: bytes read at a time.
        window: bytes in which a quoted cell has to close.
        record, cell: bytes beyond which a record is rejected as too long.
        kept: bytes that are kept of a record that is too long.
        columns: most columns of a file.
        chunk_rows, chunk_bytes: what a chunk holds at most.
    """

    block: int = 4 * MIB
    window: int = 16 * MIB
    record: int = MIB
    cell: int = 128 * 1024
    kept: int = 64 * 1024
    columns: int = 500
    chunk_rows: int = 25_000
    chunk_bytes: int = 64 * MIB


LIMITS = Limits()


@dataclass
class Parsed:
    """A record as a lenient reader sees it.

    Attributes:
        cells: the first thousand cells; quotes around them are gone.
        width: how many cells there are.
        end: offset after the record's line end, -1 if it does not end in the bytes at hand.
        longest: bytes of the longest cell.
        is_open: a quoted cell is not closed.
        has_stray: a quote stands inside an unquoted cell.
        has_tail: text follows a closing quote.
    """

    cells: list[bytes] = field(default_factory=list)
    width: int = 0
    end: int = -1
    longest: int = 0
    is_open: bool = False
    has_stray: bool = False
    has_tail: bool = False

    def add(self, cell: bytes) -> None:
        """Takes in the next cell."""
        self.width += 1
        self.longest = max(self.longest, len(cell))
        if self.width <= _MOST_CELLS:
            self.cells.append(cell)

    def fits(self, width: int) -> bool:
        """Whether the record has the header's width; surplus empty cells at its end do no harm."""
        return self.width == width or (width < self.width <= _MOST_CELLS and not any(self.cells[width:]))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a record that the fast reader could not take.

    Attributes:
        end: offset after it; -1 if its line is longer than the window and its end has to be searched for.
        cells: its cells, or None where they are not known for certain.
        problems: (code, found); none for a row that is good enough to be a lead; found "" means the record itself.
        is_stray: it was taken in spite of a stray quote.
        raw: its bytes, where the cells do not show them.
    """

    end: int
    cells: list[bytes] | None = None
    problems: tuple[tuple[str, str], ...] = ()
    is_stray: bool = False
    raw: bytes | None = None


def parse(data: bytes, start: int, stop: int, final: bool, dialect: Dialect, spaced: bool = False) -> Parsed:
    """Reads the record at `start`, leniently: a quote opens a cell only as its first character.

    Args:
        data: bytes of the file.
        start: where the record starts.
        stop: where to stop reading.
        final: whether the file ends at `stop`.
        dialect: delimiter and quote.
        spaced: spaces between a delimiter and a quote are not part of the cell.
    """
    parsed, at = Parsed(), start
    while True:
        begin = at
        if spaced:
            while data[at : at + 1] == b" ":
                at += 1
            at = at if data[at : at + 1] == dialect.quote else begin
        text = b""
        if at < stop and data[at : at + 1] == dialect.quote:
            inside = dialect.inside.match(data, at + 1, stop)
            close = inside.end() if inside else stop
            if close == stop or (close + 1 == stop and not final):
                parsed.is_open = True
                return parsed
            text = data[at + 1 : close].replace(dialect.quote * 2, dialect.quote)
            at = close + 1
        found = dialect.cell_end.search(data, at, stop)
        end = found.start() if found else stop
        rest = data[at:end]
        if at != begin:  # after a closing quote
            rest = rest.strip(b" ") if spaced else rest
            parsed.has_tail |= bool(rest)
        else:
            parsed.has_stray |= dialect.quote in rest
        if not found and not final:
            return parsed
        parsed.add(text + rest)
        if found and found.group() == dialect.delimiter:
            at = end + 1
            if parsed.width <= _MOST_CELLS:
                continue
            parsed.has_tail = True  # no such record is any good: its line is passed over
            found = _LINE_END.search(data, at, stop)
            end = found.start() if found else stop
            if not found and not final:
                return parsed
        if found and found.group() == b"\r" and end + 1 == stop and not final:
            return parsed  # the next byte may be its line feed
        parsed.end = end + 2 if data[end : min(end + 2, stop)] == b"\r\n" else min(end + 1, stop)
        return parsed


def judge(data: bytes, start: int, final: bool, shape: tuple[Dialect, int], limits: Limits) -> Verdict | None:
    """Decides about the record at `start`; the answer depends on nothing but the bytes from there on.

    A quote that never closes costs its own lines only: the record ends before the next line that has the header's
    width on its own, or with its first line if there is none.

    Args:
        data: bytes of the file.
        start: where the record starts.
        final: whether the file ends with `data`.
        shape: how the file is written, and the header's width.
        limits: how long things may be.

    Returns:
        None if more bytes are needed to decide.
    """
    dialect, width = shape
    plain = _plain(data, start, dialect)
    if plain is not None and plain.end - start <= limits.cell:
        return Verdict(plain.end, plain.cells) if plain.fits(width) else _ragged(data, start, plain, width, limits)
    is_cut = len(data) > start + limits.window
    stop = start + limits.window if is_cut else len(data)
    parsed = parse(data, start, stop, final and not is_cut, dialect)
    if parsed.end < 0 and not final and not is_cut:
        return None
    line_end = _LINE_END.search(data, start, stop)
    first_end = line_end.end() if line_end else (-1 if is_cut else len(data))
    if first_end < 0:
        return Verdict(-1)
    is_long = parsed.end - start > limits.record or parsed.longest > limits.cell
    is_sound = parsed.end >= 0 and not parsed.has_tail and parsed.fits(width)
    if is_sound and not is_long:
        return Verdict(parsed.end, parsed.cells, is_stray=parsed.has_stray)
    if parsed.end >= 0 and (parsed.has_stray or parsed.has_tail) and not is_long:
        spaced = parse(data, start, stop, final and not is_cut, dialect, spaced=True)
        if spaced.end == parsed.end and not spaced.has_tail and spaced.width == width:
            return Verdict(spaced.end, spaced.cells, is_stray=True)
    end = parsed.end
    if not is_sound and (end < 0 or first_end < end):
        bound = min(stop if end < 0 else end, start + limits.record)
        resumed = _next_sound_line(data, (first_end, bound), final, shape, limits)
        if resumed is None:
            return None
        if resumed or end < 0:
            return _reject(data, start, resumed or first_end, (("quote.unclosed", ""),), limits)
    if is_long or end - start > limits.record:
        return _reject(data, start, end, (("cell.too_long", ""),), limits)
    return _ragged(data, start, parsed, width, limits)


def _ragged(data: bytes, start: int, parsed: Parsed, width: int, limits: Limits) -> Verdict:
    problems: tuple[tuple[str, str], ...] = ()
    if parsed.width != width:
        more = " or more" if parsed.width > len(parsed.cells) else ""
        code = "columns.too_few" if parsed.width < width else "columns.too_many"
        problems = ((code, f"{parsed.width} cells{more}, header has {width}"),)
    if parsed.width > len(parsed.cells):
        return _reject(data, start, parsed.end, problems, limits)
    if parsed.has_tail or parsed.has_stray:
        return _reject(data, start, parsed.end, (("quote.stray", ""), *problems), limits)
    return Verdict(parsed.end, parsed.cells, problems)


def _reject(data: bytes, start: int, end: int, problems: tuple[tuple[str, str], ...], limits: Limits) -> Verdict:
    length = end - start
    if length > limits.record or problems[0][0] == "cell.too_long":
        return too_long(data[start : start + limits.kept], end, length, problems[0][0])
    return Verdict(end, None, problems, raw=data[start:end].rstrip(b"\r\n"))


def too_long(kept: bytes, end: int, length: int, code: str = "cell.too_long") -> Verdict:
    """The verdict on a record of which only the beginning is kept."""
    return Verdict(
        end, None, ((code, f"{length} bytes, of which the first {len(kept)} are kept"),), raw=kept.rstrip(b"\r\n")
    )


def _plain(data: bytes, start: int, dialect: Dialect) -> Parsed | None:
    """The record at `start` if it has no quotes and ends in a line feed, which is quick to find out."""
    end = data.find(b"\n", start, start + _PLAIN)
    line = data[start:end] if end >= 0 else dialect.quote
    if dialect.quote in line or b"\r" in line[:-1]:
        return None
    cells = line.removesuffix(b"\r").split(dialect.delimiter)
    return Parsed(cells, len(cells), end + 1) if len(cells) <= _MOST_CELLS else None


def _next_sound_line(
    data: bytes, between: tuple[int, int], final: bool, shape: tuple[Dialect, int], limits: Limits
) -> int | None:
    """Start of the first line that is a sound record on its own; 0 if there is none, None if not known yet."""
    at, bound = between
    while at < bound:
        found = _LINE_END.search(data, at, min(len(data), at + limits.record))
        if not found and len(data) <= at + limits.record and not final:
            return None
        if found and found.group() == b"\r" and found.end() == len(data) and not final:
            return None
        end = found.end() if found else min(len(data), at + limits.record)
        line = data[at:end]
        parsed = parse(line, 0, len(line), True, shape[0])
        is_whole = parsed.end == len(line) and not (parsed.has_tail or parsed.has_stray)
        if is_whole and parsed.width == shape[1] and any(cell.strip() for cell in parsed.cells):
            return at
        at = end
    return 0
