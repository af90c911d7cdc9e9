"""The sheet of a workbook as CSV: typed cells as text, the header among titles, a line per row."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from sluice.sources.workbook_table import as_text, columns_of, header_of, write_csv

NAMES = frozenset(("full_name", "email", "company", "phone", "city"))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param(None, "", id="none"),
        pytest.param("+44 20 7946 0111", "+44 20 7946 0111", id="text"),
        pytest.param("02134", "02134", id="a code as text keeps its zero"),
        pytest.param("one\r\ntwo\rthree\nfour", "one\u2028two\u2028three\u2028four", id="line breaks"),
        pytest.param(12025550143.0, "12025550143", id="a phone number"),
        pytest.param(20095.0, "20095", id="a code"),
        pytest.param(0.0, "0", id="zero"),
        pytest.param(-0.0, "0", id="less than nothing"),
        pytest.param(-5.0, "-5", id="negative"),
        pytest.param(1234567890123456.0, "1234567890123456", id="16 digits"),
        pytest.param(12345678901234567890.0, "12345678901234600000", id="20 digits: those that are lost are zero"),
        pytest.param(1234.5, "1234.5", id="a fraction"),
        pytest.param(0.1 + 0.2, "0.3", id="what adding left over"),
        pytest.param(0.0000001, "0.0000001", id="small"),
        pytest.param(float("nan"), "NaN", id="no number"),
        pytest.param(float("inf"), "Infinity", id="no end"),
        pytest.param(7, "7", id="an integer"),
        pytest.param(True, "yes", id="true"),
        pytest.param(False, "no", id="false"),
        pytest.param(date(2026, 11, 22), "2026-11-22", id="a day"),
        pytest.param(datetime(2026, 11, 22, 14, 5, 7, 999_000), "2026-11-22 14:05:07", id="a time of a day"),  # noqa: DTZ001
        pytest.param(time(9, 30), "09:30:00", id="a time"),
        pytest.param(timedelta(hours=26, minutes=5, seconds=9), "26:05:09", id="a span"),
    ],
)
def test_a_cell_as_a_person_sees_it(cell: Any, text: str) -> None:
    assert as_text(cell) == text


HEADER = ["full_name", "E-mail", "company"]
ANNA = ["Anna Schmidt", "anna@nordwind.example", "Nordwind GmbH"]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param([], None, id="no row"),
        pytest.param([["", ""], ["", ""]], None, id="empty rows"),
        pytest.param([HEADER, ANNA], (1, ()), id="the first row"),
        pytest.param([["", "", ""], HEADER, ANNA], (2, ()), id="after an empty row"),
        pytest.param([["Leads of November", "", ""], HEADER, ANNA], (2, (1,)), id="after a title"),
        pytest.param([["Exported", date(2026, 11, 22)], ["", ""], [*HEADER, "City"]], (3, (1,)), id="after a date"),
        pytest.param([["Theirs", "Yours", ""], ANNA], (1, ()), id="no known name: the first row with two"),
        pytest.param([["Our leads", "", ""], ["Theirs", "Yours", ""], ANNA], (2, (1,)), id="a title and unknown names"),
        pytest.param([["email"], ["anna@nordwind.example"]], (1, ()), id="a single column"),
        pytest.param([["Name", "Channel", ""], ["Bo Lee", "email", ""]], (1, ()), id="a known name as a value"),
        pytest.param(
            [["email", "City", "Name"], ["phone", "city", "company"]], (1, ()), id="more names in a row of data"
        ),
        pytest.param([["Name", "Mail"], ["email", 7], ["email", "company"]], (1, ()), id="a row of data is none"),
        pytest.param([["ana@trade.example"], HEADER, ANNA], (1, ()), id="an address above may be a lead"),
        pytest.param([["Note", "x"]] * 60 + [HEADER], (1, ()), id="too far down"),
    ],
)
def test_where_the_header_is(rows: list[list[Any]], found: tuple[int, tuple[int, ...]] | None) -> None:
    place = header_of(rows, NAMES)
    assert (place and (place.row, place.passed_over)) == found


def test_a_line_per_row_and_no_column_that_is_empty(tmp_path: Path) -> None:
    """So a line number that people are told is a row of the sheet; empty rows at the end are none."""
    rows: list[list[Any]] = [
        ["Leads, of November", "", "", ""],
        ["full_name", "", "com\npany", ""],
        ["O'Neil, Ana", "", "Two\nlines", ""],
        ["", "", "", ""],
        ['Bo "B" Lee', "", 7.0, "unnamed"],
        ["", "", "", ""],
        ["", "", "", ""],
    ]
    place = header_of(rows, NAMES)
    assert place is not None
    columns = columns_of(iter(rows), place)
    write_csv(iter(rows), place, columns, tmp_path / "leads.csv")
    assert columns == [0, 2, 3]
    assert (tmp_path / "leads.csv").read_text() == (
        '\n"full_name","com pany",""\n"O\'Neil, Ana",Two\u2028lines,\n\n"Bo ""B"" Lee",7,unnamed\n'
    )
    assert (tmp_path / "leads.csv").stat().st_mode & 0o777 == 0o600
