"""A rejects file: the original cells untouched, what is wrong beside them, and ready to be mended and dropped again."""

from __future__ import annotations

import csv
import tracemalloc
from pathlib import Path

import pytest

from sluice.reports import harmless, write_rejects
from tests.desk import Desk

LEADS = (
    "full_name,email,phone\n"
    "Anna Schmidt,anna@nordwind.example,\n"
    '"Carter, Ben",ben.carter,=1+1\n'
    "Chloé Dubois,chloe@,+33199001234\n"
)


def test_a_rejects_file_is_mended_and_imported_again(desk: Desk, tmp_path: Path) -> None:
    receipt = desk.take(LEADS)
    path = tmp_path / "leads.rejects.csv"
    assert write_rejects(desk.database, receipt, path) == 1
    with path.open(newline="", encoding="utf-8-sig") as stream:
        (row,) = csv.DictReader(stream)
    assert [row["full_name"], row["email"], row["phone"]] == ["Carter, Ben", "ben.carter", "=1+1"]
    assert [row["sluice_line"], row["sluice_field"]] == ["3", "email | phone | row"]
    assert row["sluice_found"].startswith("ben.carter | =1+1")
    assert "Add what is missing" in row["sluice_fix"]

    mended = path.read_text().replace("ben.carter,=1+1", "ben.carter@kaltenbach.example,")
    again = desk.take(mended, name="leads.rejects.csv")
    assert desk.counts(again) == {"created": 1}
    assert again.survey is not None
    assert again.survey["warnings"] == []


def test_a_row_with_too_many_cells_stays_refused_until_it_is_mended(desk: Desk, tmp_path: Path) -> None:
    desk = desk.with_source("files", delimiter=";", encoding="cp1252")
    receipt = desk.take("full_name;email\nJürgen Weiß;juergen@nordwind.example;Berlin\n".encode("cp1252"))
    path = tmp_path / "leads.rejects.csv"
    assert write_rejects(desk.database, receipt, path) == 1
    assert desk.counts(desk.take(path)) == {"rejects": 1}
    path.write_bytes(path.read_bytes().replace(b";Berlin", b""))
    assert desk.counts(desk.take(path)) == {"created": 1}
    assert desk.ask("select full_name from leads") == ["Jürgen Weiß"]


def test_a_file_of_nothing_but_rejects_is_not_held_in_memory(desk: Desk, tmp_path: Path) -> None:
    receipt = desk.take("full_name,email\n" + "Weiß, Jürgen,juergen@nordwind.example\n" * 20_000)
    tracemalloc.start()
    assert write_rejects(desk.database, receipt, tmp_path / "leads.rejects.csv") == 20_000
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 16 << 20, "all of them at once take more than twice as much"


def test_without_rejects_there_is_no_file(desk: Desk, tmp_path: Path) -> None:
    receipt = desk.take("full_name,email\nAnna Schmidt,anna@nordwind.example\n")
    assert write_rejects(desk.database, receipt, tmp_path / "rejects.csv") == 0
    assert not (tmp_path / "rejects.csv").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("ben.carter", "ben.carter", id="plain"),
        pytest.param("=HYPERLINK(1)", "'=HYPERLINK(1)", id="formula"),
        pytest.param("+1 202", "'+1 202", id="plus"),
        pytest.param("\uff1d1", "'\uff1d1", id="full width"),
    ],
)
def test_what_we_add_is_no_formula(text: str, expected: str) -> None:
    assert harmless(text) == expected
