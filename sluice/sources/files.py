"""Files of delimited text: one pass that learns everything about a file, then chunks that need nothing but that."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sluice.batch import Batch
from sluice.distinct import no_garbage_rounds
from sluice.errors import UnreadableFile
from sluice.rules import SourceRules
from sluice.schema import FieldRules
from sluice.sources.cells import columns as cells_of
from sluice.sources.chunks import Chunking
from sluice.sources.columns import arrange
from sluice.sources.dialect import Dialect
from sluice.sources.encoding import Stream, Utf8Tally
from sluice.sources.evidence import Evidence
from sluice.sources.header import find_header
from sluice.sources.prepass import Chunk, Prepass
from sluice.sources.records import blocks
from sluice.sources.recovery import LIMITS, Limits
from sluice.sources.rows import Rows

__all__ = ["Chunk", "Prepass", "fingerprint", "read", "survey"]


def survey(path: Path, source: SourceRules, fields: Mapping[str, FieldRules], limits: Limits = LIMITS) -> Prepass:
    """Reads a file once and says how it is to be read, how many rows it has and how they are divided into chunks.

    Args:
        path: the file.
        source: what was declared about it.
        fields: fields that the profile has switched on, by name.
        limits: how long things may be.

    Raises:
        UnreadableFile: it has no header that is understood, no rows, or is no delimited text at all.
        ConfigError: the source's encoding does not exist.
    """
    hashed, tally, chunking = hashlib.sha256(), Utf8Tally(), Chunking(limits)
    with _opened(path) as file:
        header = find_header(path.name, file, source, fields, limits)
        found, shape = arrange(header.names(), source, fields), (header.dialect, header.width)
        seen = Evidence(found.mapping, fields)
        stream = Stream(file, header.encoding, header.end, watch=lambda raw: (hashed.update(raw), tally.feed(raw)))
        for block in blocks(stream, shape, (header.end, header.next_line), None, limits):
            chunking.add(block)
            for position, cells in zip(seen.positions, cells_of(block, shape, seen.positions), strict=True):
                seen.look(position, cells)
        size = file.tell()
    if not chunking.rows:
        raise UnreadableFile(path.name, "a header and no rows", fix="Check whether the export was empty")
    header, warnings = header.settled(tally, stream.damaged, is_declared=source.encoding is not None)
    found = arrange(header.names(), source, fields)
    return Prepass(
        size=size,
        sha256=hashed.hexdigest(),
        encoding=header.encoding,
        delimiter=header.dialect.delimiter.decode(),
        quote=header.dialect.quote.decode(),
        header=header.names(),
        mapping=found.mapping,
        ignored=found.ignored,
        unmapped=found.unmapped,
        rows=chunking.rows,
        chunks=chunking.chunks(),
        marks=tuple(stream.marks),
        date_orders=seen.date_orders(source.date_order),
        decimal_marks=seen.decimal_marks(),
        warnings=(*found.warnings, *seen.warnings(), *warnings),
    )


def read(path: Path, prepass: Prepass, chunk: Chunk, limits: Limits = LIMITS) -> Batch:
    """The rows of one chunk: every one of them, as a lead, a reject or a blank line set aside.

    Leads have `row`, `line`, `record`, `raw`, `extra`, `warnings` and `raw_<field>` per mapped field.

    Args:
        path: the file that was surveyed.
        prepass: what `survey` said.
        chunk: one of its chunks.
        limits: the same as for `survey`.

    Raises:
        UnreadableFile: the file is no longer what was surveyed.
    """
    dialect = Dialect(prepass.delimiter.encode(), prepass.quote.encode())
    rows, last = Rows(prepass, chunk.first_row), chunk.start
    with _opened(path) as file, no_garbage_rounds():
        stream = Stream(file, prepass.encoding, chunk.start, prepass.marks)
        at = (chunk.start, chunk.first_line)
        for block in blocks(stream, (dialect, len(prepass.header)), at, chunk.end, limits):
            rows.add(block)
            last = int(block.ends[-1])
    if rows.next_row != chunk.first_row + chunk.rows or last != chunk.end:
        raise UnreadableFile(path.name, "the file has changed since it was surveyed", fix="Import it again")
    with no_garbage_rounds():
        return rows.batch()


def fingerprint(path: Path) -> tuple[int, str]:
    """Size and sha256 of a file, whatever is in it.

    Raises:
        UnreadableFile: there is no such file, or it may not be read.
    """
    hashed = hashlib.sha256()
    with _opened(path) as file:
        while block := file.read(1 << 20):
            hashed.update(block)
        return file.tell(), hashed.hexdigest()


@contextmanager
def _opened(path: Path) -> Generator[BinaryIO]:
    """The file, opened; what the operating system says against it becomes a sentence."""
    if path.is_dir():
        raise UnreadableFile(path.name, "a folder", allowed="a file", fix="Name a file inside it")
    try:
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise UnreadableFile(str(path), "no such file", fix="Check the name and the folder") from None
    except PermissionError:
        raise UnreadableFile(str(path), "this user may not read it", fix="Give read permission") from None
    except OSError as error:
        raise UnreadableFile(
            str(path), f"reading failed: {error.strerror or error}", fix="Try again or copy the file"
        ) from error
