"""The sheet of a workbook that holds leads, written as CSV: what runs in the process that `workbooks` starts.

It runs apart because the library holds a whole sheet in memory, however far apart its cells lie: its limits end it, and
nothing else. It knows no rules of ours: which names a header may have is told to it. What it finds out it says as one
line of JSON each: first of the sheet that was read, then which others hold cells.
"""

from __future__ import annotations

import errno
import json
import resource
import sys
import zipfile
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from sluice.sources.workbook_table import Place, columns_of, header_of, write_csv

MEMORY = 3 << 29
"""Bytes of address space. A full sheet, 1,048,576 rows of ten columns, takes 1.2 GiB."""

CPU_SECONDS = 600
"""More than ten times what such a sheet takes."""

TEXT = 4 << 30
"""Bytes that a workbook may unpack to, and that the CSV file may have: a few bytes can stand for very many."""

OLD = b"\xd0\xcf\x11\xe0"
OLD_KINDS = (".xls", ".xlsx")  # an .xlsx with a password is wrapped in the old way

SAVE_AS = 'save the sheet as "CSV UTF-8"'


class Refused(Exception):
    """It cannot be read: what was found, what is allowed, what to do."""


def _chosen(book: CalamineWorkbook, names: Sequence[str], known: Set[str]) -> tuple[str, CalamineSheet, Place]:
    """The first sheet with a header that is known and rows; else with a header and rows; else with anything."""
    found: list[tuple[tuple[bool, bool], str]] = []
    for name in names:
        sheet = book.get_sheet_by_name(name)
        place = header_of(sheet.iter_rows(), known)
        if place is not None:
            has_rows = sheet.total_height >= place.row  # the library counts from 0
            if place.known and has_rows:
                return name, sheet, place
            found.append(((has_rows, bool(place.known)), name))
        del sheet  # or two of them are in memory
    if not found:
        fix = "Check whether the export was empty; hidden sheets are not read"
        raise Refused("no sheet that can be seen has a filled cell", "a header and one row per lead", fix)
    name = max(found, key=lambda one: one[0])[1]
    sheet = book.get_sheet_by_name(name)
    place = header_of(sheet.iter_rows(), known)
    assert place is not None  # noqa: S101 -- it was found a moment ago
    return name, sheet, place


def _opened(path: Path, kinds: Sequence[str], link: Path) -> CalamineWorkbook:
    """The workbook; a link with the ending of its kind says to the library what it is, whatever its own name is."""
    for kind in kinds:
        target = link.with_name(link.name + kind)
        target.symlink_to(path)
        try:
            return CalamineWorkbook.from_path(str(target))
        except PasswordError:
            fix = f"Take the password off, or {SAVE_AS}"
            raise Refused("the workbook is protected by a password", "workbooks without one", fix) from None
        except CalamineError:
            pass
    if kinds != OLD_KINDS:
        raise _damaged()
    found = "an old Office document that is no workbook, or is damaged"
    raise Refused(found, "workbooks (.xlsx, .xls) and delimited text", f"Save it anew, or {SAVE_AS}")


def _damaged() -> Refused:
    found = "the workbook is damaged or incomplete"
    return Refused(found, "workbooks that a spreadsheet program opens", f"Upload it again, or {SAVE_AS}")


def _kinds(path: Path) -> tuple[str, ...]:
    """The kinds of workbook that it may be, by its first bytes and, of a ZIP archive, its members; none if it is none.

    Raises:
        Refused: it is incomplete, or unpacks to more than is read.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(OLD):
        return OLD_KINDS
    try:
        with zipfile.ZipFile(path) as archive:
            members = {member.filename: member.file_size for member in archive.infolist()}
            mimetype = archive.open("mimetype").read(80) if "mimetype" in members else b""
    except (zipfile.BadZipFile, NotImplementedError, ValueError, KeyError, EOFError, RuntimeError):
        if b"[Content_Types].xml" in head or b"xl/" in head:
            raise _damaged() from None
        return ()
    is_ods = mimetype.startswith(b"application/vnd.oasis.opendocument.spreadsheet")
    kinds = (".xlsx",) if "xl/workbook.xml" in members else (".ods",) if is_ods else ()
    if kinds and sum(members.values()) > TEXT:
        found = f"the workbook unpacks to {sum(members.values()) >> 30} GiB"
        raise Refused(found, f"at most {TEXT >> 30} GiB", f"Divide it, or {SAVE_AS}")
    return kinds


def run(path: Path, to: Path, known: Set[str]) -> Iterator[dict[str, Any]]:
    """Writes the sheet that holds leads and says what there is to know of it.

    Yields:
        `sheet`, `others` (visible sheets besides it), `passed_over` (rows above the header); then `unread`: which of
        the others hold something. Of a ZIP archive that is no workbook: `other`.
    """
    kinds = _kinds(path)
    if not kinds:
        yield {"other": True}
        return
    book = _opened(path, kinds, to.parent.with_name("workbook"))
    seen = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    name, sheet, place = _chosen(book, seen, known)
    write_csv(sheet.iter_rows(), place, columns_of(sheet.iter_rows(), place), to)
    del sheet
    others = [other for other in seen if other != name]
    yield {"sheet": name, "others": others, "passed_over": place.passed_over}
    yield {"unread": [other for other in others if book.get_sheet_by_name(other).end is not None]}


def _bound(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def main() -> None:
    """Reads the order from standard input; writes what it finds to standard output."""
    for kind, most in {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_FSIZE: TEXT,
        resource.RLIMIT_CORE: 0,
    }.items():
        _bound(kind, most)
    order = json.load(sys.stdin)
    answers = run(Path(order["path"]), Path(order["to"]), frozenset(order["known"]))
    try:
        for answer in answers:
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    except Refused as refused:
        sys.stdout.write(json.dumps({"refused": refused.args}) + "\n")
    except OSError as error:
        if error.errno == errno.EFBIG:
            refused = (f"the sheet is longer than {TEXT >> 30} GiB of text", "", f"Divide it, or {SAVE_AS}")
            sys.stdout.write(json.dumps({"refused": refused}) + "\n")
            return
        sys.stdout.write(json.dumps({"errno": error.errno}) + "\n")
    except MemoryError:
        sys.stdout.write(json.dumps({"memory": True}) + "\n")
    except KeyboardInterrupt:
        raise
    except BaseException:  # also what Rust panics with
        sys.stdout.write(json.dumps({"refused": _damaged().args}) + "\n")


if __name__ == "__main__":
    main()
