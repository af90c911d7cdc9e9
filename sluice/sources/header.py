"""The header: where it is, in which dialect and encoding, and whether it is one at all."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from sluice.errors import ConfigError, UnreadableFile
from sluice.rules import SourceRules
from sluice.schema import FieldRules
from sluice.sources.columns import arrange, looks_like_data, loose, tidy
from sluice.sources.dialect import Dialect, Opening, find_opening
from sluice.sources.encoding import FORMATS, Stream, Utf8Tally, decode, detect, is_direct
from sluice.sources.prepass import notice
from sluice.sources.recovery import Limits, Parsed, parse

_RATED_RECORDS = 100
_SHOWN_NAMES = 15
_SHOWN_LINES = 10
_LINE_END = re.compile(rb"\r\n|\n|\r")
_SAVE_AS = 'Save it as "CSV UTF-8", with one header line and one line per lead'


@dataclass(frozen=True)
class Header:
    """A header as found.

    Attributes:
        dialect: how the file is written.
        cells: bytes of its names.
        end: offset after it.
        next_line: physical line after it.
        encoding: of the file.
        is_guess: nothing in the file says its encoding.
        passed_over: lines above it that hold something.
    """

    dialect: Dialect
    cells: tuple[bytes, ...]
    end: int
    next_line: int
    encoding: str
    is_guess: bool
    passed_over: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.cells)

    def names(self) -> tuple[str, ...]:
        """The names, as they stand in the file."""
        name = self.encoding if is_direct(self.encoding) else "utf-8"
        return tuple(decode(cell, name)[0].removeprefix("\ufeff") for cell in self.cells)

    def settled(self, tally: Utf8Tally, damaged: int, is_declared: bool) -> tuple[Header, list[dict[str, str]]]:
        """The header with the encoding that the whole file shows, and what a person should know about that.

        Args:
            tally: of all bytes of the file.
            damaged: characters that could not be read, if the file is not read directly.
            is_declared: the source says the encoding, so there is nothing to settle.
        """
        if is_declared or self.encoding != "utf-8":
            found = self
        else:
            encoding, is_guess = tally.verdict()
            encoding = encoding if is_direct(encoding) else "cp1252"
            found, damaged = replace(self, encoding=encoding, is_guess=is_guess), 0 if is_guess else tally.damaged
        warnings = above_header("Line", self.passed_over)
        if damaged:
            text = f"{damaged} places are not valid {found.encoding}; they were read as well as possible"
            warnings.append(notice("encoding.damaged", text))
        if found.is_guess:
            text = f"The file does not say its encoding; it was read as {found.encoding}."
            warnings.append(notice("encoding.guessed", f"{text} If letters look wrong, declare `encoding:`"))
        return found, warnings


def above_header(what: str, numbers: Sequence[int]) -> list[dict[str, str]]:
    """The notice of what stands above a header; none if nothing does.

    Args:
        what: `Line` of a file, `Row` of a sheet.
        numbers: of those that hold something.
    """
    if not numbers:
        return []
    shown = f"{', '.join(map(str, numbers[:_SHOWN_LINES]))}{', …' if len(numbers) > _SHOWN_LINES else ''}"
    return [notice("rows.above_header", f"{what} {shown} above the header was passed over")]


def find_header(
    where: str, file: BinaryIO, source: SourceRules, fields: Mapping[str, FieldRules], limits: Limits
) -> Header:
    """Finds the header of a file.

    Args:
        where: the file's name, for messages.
        file: opened for reading bytes.
        source: what was declared about the file.
        fields: fields that the profile has switched on.
        limits: how long things may be.

    Raises:
        UnreadableFile: there is no header, or none of its names means anything.
        ConfigError: the source declares an encoding or a delimiter that is none.
    """
    raw = file.read(limits.record)
    for first_bytes, kind in FORMATS.items():
        if raw.startswith(first_bytes):
            raise UnreadableFile(where, kind, allowed="delimited text", fix=_SAVE_AS)
    encoding, is_guess = (_declared_encoding(source, raw), False) if source.encoding else detect(raw)
    stream, head = Stream(file, encoding), b""
    while len(head) < limits.record and (block := stream.read(limits.record)):
        head += block
    is_whole = not stream.read(1)
    if source.delimiter and (not source.delimiter.isascii() or source.delimiter in '"\r\n'):
        raise ConfigError(
            f"config/sources/{source.name}.yml, delimiter", repr(source.delimiter),
            allowed="one ASCII character that is no quote", fix="Correct it or leave it out",
        )  # fmt: skip
    known = {loose(name) for name in (*fields, *source.fields, *source.ignore)}
    opening = find_opening(
        head,
        source.delimiter,
        lambda text, start, dialect: _rate(text, (start, is_whole), dialect, known),
        lambda text, start, dialect: _known(parse(text, start, len(text), is_whole, dialect), known),
    )
    if opening.start >= len(head):
        raise UnreadableFile(where, "the file is empty", fix="Check whether the export was empty")
    header = _parse_header(where, (head, is_whole), opening, limits)
    header = replace(header, encoding=encoding, is_guess=is_guess)
    _check_names(where, header, source, fields)
    return header


def _declared_encoding(source: SourceRules, raw: bytes) -> str:
    try:
        name = codecs.lookup(str(source.encoding)).name
        b"".decode(name)
    except LookupError:
        raise ConfigError(
            f"config/sources/{source.name}.yml, encoding", f"{source.encoding!r}",
            allowed="an encoding that Python knows, such as utf-8, cp1252, utf-16", fix="Correct it or leave it out",
        ) from None  # fmt: skip
    if name in ("utf-16", "utf-32"):
        big = codecs.BOM_UTF16_BE if name == "utf-16" else codecs.BOM_UTF32_BE
        return f"{name}-be" if raw.startswith(big) else f"{name}-le"
    return "utf-8" if name == "utf-8-sig" else name


def _rate(head: bytes, at: tuple[int, bool], dialect: Dialect, known: Collection[str]) -> tuple[float, ...]:
    """How well a dialect fits: known names in the header, then share of records of the header's width, then width."""
    start, is_whole = at
    header = parse(head, start, len(head), is_whole, dialect)
    if header.end < 0 or header.has_tail or header.width < 2:
        return (0, 0, 0)
    offset, rated, alike = header.end, 0, 0
    for _ in range(10 * _RATED_RECORDS):
        if rated == _RATED_RECORDS or offset >= len(head):
            break
        record = parse(head, offset, len(head), is_whole, dialect)
        if record.end < 0:
            break
        if any(record.cells):
            rated, alike = rated + 1, alike + (record.width == header.width)
        offset = record.end
    return (_known(header, known), round(alike / max(rated, 1), 1), header.width)


def _known(header: Parsed, known: Collection[str]) -> int:
    return sum(loose(tidy(decode(cell, "utf-8")[0])) in known for cell in header.cells)


def _parse_header(where: str, text: tuple[bytes, bool], opening: Opening, limits: Limits) -> Header:
    head, is_whole = text
    parsed = parse(head, opening.start, len(head), is_whole, opening.dialect)
    if parsed.has_stray:
        spaced = parse(head, opening.start, len(head), is_whole, opening.dialect, spaced=True)
        parsed = parsed if spaced.has_tail or spaced.end < 0 else spaced
    line = f"{where}, line {opening.line}"
    if parsed.width > limits.columns:
        more = " or more" if parsed.width > len(parsed.cells) else ""
        allowed = f"at most {limits.columns}"
        raise UnreadableFile(line, f"{parsed.width} columns{more}", allowed=allowed, fix="Export fewer columns")
    if parsed.has_tail or (parsed.is_open and b"\n" in head[opening.start :]):
        raise UnreadableFile(line, "a quote in the header is not closed where its cell ends", fix="Close the quote")
    if parsed.end < 0:
        found = f"a first line of more than {limits.record} bytes"
        raise UnreadableFile(line, found, allowed="a header line and one line per lead", fix=_SAVE_AS)
    lines = len(_LINE_END.findall(head, opening.start, parsed.end))
    after = opening.line + lines
    return Header(opening.dialect, tuple(parsed.cells), parsed.end, after, "", False, opening.passed_over)


def _check_names(where: str, header: Header, source: SourceRules, fields: Mapping[str, FieldRules]) -> None:
    names = header.names()
    if arrange(names, source, fields).mapping:
        return
    if looks_like_data(names):
        raise UnreadableFile(
            where, "no header: its first line holds an address, a number or a date",
            allowed="a first line with the names of the columns", fix="Add a header line",
        )  # fmt: skip
    shown = ", ".join(tidy(name)[:40] for name in names[:_SHOWN_NAMES]) + (", …" if len(names) > _SHOWN_NAMES else "")
    one = " (a single column: is the delimiter another one? Declare `delimiter:`)" if len(names) == 1 else ""
    own = "NAME" if source.name == "files" else source.name
    raise UnreadableFile(
        where, f"no column is known, of {len(names)}{one}",
        allowed=", ".join([*source.fields, *fields]),
        fix=f"Say under `fields:` in config/sources/{own}.yml which column holds what, and name it with --source",
        seen=shown,
    )  # fmt: skip
