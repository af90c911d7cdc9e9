"""Workbooks for tests: sheets as they are made by spreadsheets, and what people send that is hardly one."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
import xlwt

from tests.desk import Desk

Sheets = Mapping[str, Sequence[Sequence[Any]]]

LEADS = [["full_name", "email"], ["Anna Schmidt", "anna@nordwind.example"], ["Ben Carter", "ben@kaltenbach.example"]]
OTHERS = [LEADS[0], ["Zoë de Groot", "zoe@degroot.example"]]


def spool(desk: Desk) -> list[Path]:
    """What lies in the spool."""
    folder = desk.office.settings.home / "spool"
    return list(folder.iterdir()) if folder.exists() else []


def xlsx(sheets: Sheets, hidden: Sequence[str] = ()) -> bytes:
    """A workbook of today; the same sheets give the same bytes. A text that begins with `=` is a formula.

    Args:
        sheets: rows of cells by the sheet's name; the pair of a formula and a value is a formula and what it came to.
        hidden: names of sheets that are not shown.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2026, 11, 22)})  # noqa: DTZ001 -- the library's own way
        formats = {kind: book.add_format({"num_format": code}) for kind, code in DATES.items()}
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.hide() if name in hidden else sheet.activate()
            for number, row in enumerate(rows):
                for at, cell in enumerate(row):
                    if isinstance(cell, tuple):
                        sheet.write_formula(number, at, cell[0], None, cell[1])
                    elif type(cell) in formats:
                        sheet.write_datetime(number, at, cell, formats[type(cell)])
                    elif cell is not None:
                        sheet.write(number, at, cell)
    return out.getvalue()


DATES: dict[type, str] = {date: "dd/mm/yyyy", datetime: "dd/mm/yyyy hh:mm:ss"}


def xls(rows: Sequence[Sequence[Any]]) -> bytes:
    """A workbook of Excel 97 with one sheet."""
    out, book = io.BytesIO(), xlwt.Workbook()
    sheet = book.add_sheet("Leads")
    style = xlwt.XFStyle()
    style.num_format_str = "D/M/YY"
    for number, row in enumerate(rows):
        for at, cell in enumerate(row):
            sheet.write(number, at, cell, *([style] if isinstance(cell, date) else []))
    book.save(out)
    return out.getvalue()


def ods(rows: Sequence[Sequence[str]]) -> bytes:
    """A sheet of OpenDocument, as LibreOffice saves it."""
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    table, text = office.replace("office:1", "table:1"), office.replace("office:1", "text:1")
    lines = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    content = (
        f'<?xml version="1.0"?><office:document-content xmlns:office="{office}" xmlns:table="{table}" '
        f'xmlns:text="{text}"><office:body><office:spreadsheet><table:table table:name="Leads">{lines}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return out.getvalue()


def changed(book: bytes, member: str, content: bytes) -> bytes:
    """The workbook with another content of one of its parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == member else old.read(name))
    return out.getvalue()


def compound(*streams: str) -> bytes:
    """An OLE2 file with streams of those names (MS-CFB): what Office wraps old documents and encrypted ones in."""
    free, end, size = 0xFFFFFFFF, 0xFFFFFFFE, 8  # sectors of 512 bytes each
    table, names, firsts = [0xFFFFFFFD, end], ["Root Entry", *streams], [end]
    for _ in streams:
        firsts.append(len(table))
        table += [*range(len(table) + 1, len(table) + size), end]
    entries = b"".join(
        f"{name}\0".encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HBB", 2 * len(name) + 2, 2 if at else 5, 1)
        + struct.pack("<III", free, at + 1 if 0 < at < len(streams) else free, free if at else 1)
        + bytes(36)
        + struct.pack("<IQ", firsts[at], 512 * size if at else 0)
        for at, name in enumerate(names)
    )
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<10I", 0, 1, 1, 0, 4096, end, 0, end, 0, 0) + struct.pack("<108I", *[free] * 108)
    fat = struct.pack("<128I", *table, *[free] * (128 - len(table)))
    return head + fat + entries.ljust(512, b"\0") + bytes(512 * size * len(streams))
