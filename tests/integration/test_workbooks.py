"""Workbooks become leads as CSV files do; what cannot be read is refused with a reason."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest

from sluice.errors import UnreadableFile
from sluice.intake import Order, intake
from sluice.reports import report
from tests.desk import Desk
from tests.workbooks import LEADS, OTHERS, changed, compound, ods, spool, xls, xlsx

TYPED = [
    ["full_name", "email", "phone", "zip", "country", "employees", "do_not_call", "created_at", "description", "Own id"],
    ["Anna Schmidt", "anna@nordwind.example", 12025550111, 2134, "US", 250, True, datetime(2026, 11, 2, 14, 5),  # noqa: DTZ001
     "40 pallets\na month", 1234567890123456],
    ["Ben Carter", "ben@kaltenbach.example", "+1 202 555 0143", "02134", "US", 12.0, False, date(2026, 2, 1), ("=1+1", 2), "x"],
    ["Chloé Dubois", ('="chloe@"&"dubois.example"', "chloe@dubois.example"), None, None, "FR", ("=1/0", "#DIV/0!"), None, None, ("=NA()", "#N/A"), "y"],
]  # fmt: skip
"""Cells of all types; a pair is a formula and what it came to."""


@pytest.mark.both_servers
def test_typed_cells_become_what_a_person_sees(desk: Desk) -> None:
    receipt = desk.take(xlsx({"Leads": TYPED}), name="leads.xlsx")
    assert desk.counts(receipt) == {"created": 3}
    assert (receipt.name, receipt.object_url) == ("leads.xlsx", (desk.folder / "leads.xlsx").as_uri())
    found = desk.ask("select full_name, email, phone, zip, employees, do_not_call from leads order by full_name")
    assert found == [
        ("Anna Schmidt", "anna@nordwind.example", "+12025550111", "02134", 250, True),
        ("Ben Carter", "ben@kaltenbach.example", "+12025550143", "02134", 12, False),
        ("Chloé Dubois", "chloe@dubois.example", None, None, None, False),
    ]
    stated = desk.ask("select to_char(stated_at + interval '6 hours', 'YYYY-MM-DD') from leads order by full_name")
    assert stated[:2] == ["2026-11-02", "2026-02-01"]
    assert desk.ask("select description from leads order by full_name") == ["40 pallets\na month", "2", None]
    assert desk.ask("select extra ->> 'Own id' from leads order by full_name") == ["1234567890123456", "x", "y"]
    assert spool(desk) == []
    desk.whole()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("leads.xls", xls(LEADS), id="Excel 97"),
        pytest.param("leads.ods", ods(LEADS), id="OpenDocument"),
        pytest.param("leads.xlsm", xlsx({"Leads": LEADS}), id="with macros"),
        pytest.param("leads.csv", xlsx({"Leads": LEADS}), id="under a wrong name"),
        pytest.param("workbook.xlsx", xlsx({"Leads": LEADS}), id="called as its copy might be"),
        pytest.param("a" * 245 + ".xlsx", xlsx({"Leads": LEADS}), id="a long name"),
        pytest.param("Größe, 100 %.xlsx", xlsx({"Leads": LEADS}), id="a name with all sorts of letters"),
    ],
)
def test_what_a_workbook_is_its_content_says(desk: Desk, name: str, content: bytes) -> None:
    receipt = desk.take(content, name=name)
    assert (desk.counts(receipt), receipt.name) == ({"created": 2}, name)
    desk.whole()


def test_what_the_source_says_of_csv_files_does_not_bind_a_workbook(desk: Desk) -> None:
    fields = {"Name": "full_name", "Größe": "employees", "Mail": "email"}
    shows = desk.with_source("trade-show", fields=fields, delimiter=";", encoding="cp1252")
    rows = [["Name", "Größe", "Mail"], ["Jörg Müller", 7, "joerg@mueller.example"]]
    shows.take(xlsx({"Leads": rows}), "trade-show", name="leads.xlsx")
    assert shows.ask("select full_name, employees from leads") == [("Jörg Müller", 7)]


@pytest.mark.parametrize(
    ("sheets", "hidden", "names", "warned"),
    [
        pytest.param({"Leads": LEADS}, [], 2, "", id="one"),
        pytest.param({"Leads": LEADS, "Empty": []}, [], 2, "", id="an empty one"),
        pytest.param({"Leads": LEADS, "More": OTHERS, "Empty": []}, [], 2, "“Leads” was read, not “More”.", id="two"),
        pytest.param({"About": [["Leads of the fair"]], "Leads": LEADS}, [], 2, "not “About”.", id="a cover"),
        pytest.param({"Old": OTHERS, "Leads": LEADS}, ["Old"], 2, "", id="a hidden one first"),
        pytest.param({"Header": [["email"]], "Leads": LEADS}, [], 2, "not “Header”.", id="a header without rows"),
        pytest.param({"Leads": [["Fair"], [], *LEADS]}, [], 2, "Row 1 above the header", id="a title above"),
    ],
)
def test_the_first_sheet_with_leads_is_read_and_the_others_are_named(
    desk: Desk, sheets: dict[str, list[list[Any]]], hidden: list[str], names: int, warned: str
) -> None:
    receipt = desk.take(xlsx(sheets, hidden), name="leads.xlsx")
    assert desk.counts(receipt) == {"created": names}
    assert desk.ask("select full_name from leads order by 1") == ["Anna Schmidt", "Ben Carter"]
    told = [f"{one['code']} {one['text']}" for one in report(desk.database, receipt)["columns"]]
    assert warned in "\n".join(told) if warned else not told
    desk.whole()


WIDE = [["email", *map(str, range(600))], ["anna@nordwind.example", *["x"] * 600]]
FULL = xlsx({"Leads": LEADS})
CONTENT = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
CORNER = CONTENT % b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'


def lying_zip() -> bytes:
    """A workbook that says of itself that it unpacks to many gigabytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new, zipfile.ZipFile(io.BytesIO(FULL)) as old:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.filelist[-1].file_size = 4 << 30
        new.filelist[0].file_size = 4 << 30
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(compound("EncryptionInfo", "EncryptedPackage"), "protected by a password", id="a password"),
        pytest.param(compound("WordDocument"), "an old Office document that is no workbook", id="a letter"),
        pytest.param(FULL[: len(FULL) // 2], "damaged or incomplete", id="half a workbook"),
        pytest.param(changed(FULL, "xl/worksheets/sheet1.xml", b"<worksheet><sheet"), "damaged", id="half a sheet"),
        pytest.param(changed(FULL, "xl/workbook.xml", b""), "damaged or incomplete", id="no list of sheets"),
        pytest.param(changed(FULL, "xl/worksheets/sheet1.xml", CORNER), "takes too much memory", id="a cell far away"),
        pytest.param(lying_zip(), "unpacks to 8 GiB", id="a bomb"),
        pytest.param(xlsx({"Leads": WIDE}), "601 columns", id="too wide"),
        pytest.param(xlsx({"Leads": []}), "no sheet that can be seen has a filled cell", id="empty"),
        pytest.param(xlsx({"Front": [], "Leads": LEADS}, ["Leads"]), "hidden sheets are not read", id="all hidden"),
        pytest.param(xlsx({"Leads": LEADS[:1]}), "a header and no rows", id="no rows"),
        pytest.param(xlsx({"Leads": LEADS[1:]}), "no header", id="no header"),
        pytest.param(xlsx({"Leads": [["Theirs", "Yours"], ["a", "b"]]}), "no column is known, of 2", id="other names"),
    ],
)
def test_what_cannot_be_read_fails_with_a_reason(desk: Desk, content: bytes, said: str) -> None:
    path = desk.file(content, "leads.xlsx")
    with pytest.raises(UnreadableFile, match=f"^leads.xlsx[:,].*{said}"):
        intake(desk.office, Order(path))
    assert desk.ask("select state, failure ->> 'found' is not null from receipts") == [("failed", True)]
    assert spool(desk) == []
    desk.take(xlsx({"Leads": LEADS}), name="leads.xlsx")
    desk.whole()


def test_the_same_content_is_known_under_any_name(desk: Desk) -> None:
    first = desk.take(FULL, name="leads.xlsx")
    again, was_known = intake(desk.office, Order(desk.file(FULL, "copy.xlsx")))
    assert (was_known, again.duplicate_of) == (True, first.receipt_id)
    assert desk.ask("select count(*) from leads") == [2]
    desk.whole()
