"""A rejects file that was mended and dropped again: known for what it is, and its rows complete those that were refused."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from sluice.reports import report, write_rejects
from sluice.store.receipts import Receipt
from tests.desk import LONG_AGO, Desk, broken

LEADS = (
    "Name;Mail;Follow up;Budget\n"
    "Anna Schmidt;anna@nordwind.example;13.05.2026;1.200,50\n"
    "Ben Carter;ben at kaltenbach;04.05.2026;1.500\n"
    "Chloé Dubois;chloe@;05.06.2026;2.500\n"
)


@pytest.fixture
def shows(desk: Desk) -> Desk:
    """A desk with a source of German dates, numbers and delimiters."""
    fields = {"Name": "full_name", "Mail": "email", "Follow up": "created_at", "Budget": "budget"}
    return desk.with_source("trade-show", fields=fields, delimiter=";", date_order=None, timezone=None)


def rejects_of(desk: Desk, receipt: Receipt) -> str:
    """The rejects file, as text."""
    path = desk.folder / "rejects.csv"
    path.unlink(missing_ok=True)
    assert write_rejects(desk.database, receipt, path)
    return path.read_text(encoding="utf-8-sig")


def as_excel_saves_it(text: str, encoding: str, delimiter: str) -> bytes:
    """The same cells in another dialect."""
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode(encoding)


SAVED = {
    "as it was": ("utf-8", ";"),
    "CSV UTF-8": ("utf-8-sig", ","),
    "CSV of Windows": ("cp1252", ";"),
    "Unicode text": ("utf-16", "\t"),
}


@pytest.mark.parametrize("how", SAVED)
def test_a_corrected_file_is_known_however_it_was_saved(shows: Desk, how: str) -> None:
    first = shows.take(LEADS, "trade-show")
    assert shows.counts(first) == {"created": 1, "rejects": 2}
    content = as_excel_saves_it(fixed(rejects_of(shows, first)), *SAVED[how])
    second = shows.take(content, "webinar", name="mended by Ben.csv")
    assert (second.source, second.parent_id) == ("trade-show", first.receipt_id)
    assert shows.counts(second) == {"created": 1, "rejects": 1}
    completed = shows.ask("select row_number, completed_by from rejects where receipt_id = 1 order by 1")
    assert completed == [(2, second.receipt_id), (3, None)]
    assert second.survey is not None
    assert second.survey["decimal_marks"] == {"budget": ","}, "its rows do not tell; those of the parent did"
    assert second.survey["date_orders"] == {"created_at": "dmy"}
    told = report(shows.database, second)
    assert (told["completes"], told["completions"]["completed_elsewhere"]) == (first.receipt_id, 1)
    told = report(shows.database, first)
    assert (told["completes"], told["completions"]["still_open"], told["completions"]["completed"]) == (None, 1, 1)
    assert broken(shows.database) == {}


def fixed(text: str) -> str:
    """Ben's address mended in the cells that count; what Sluice wrote in front of them may say what it likes."""
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    at = rows[0].index("Mail")
    for row in rows[1:]:
        row[at] = row[at].replace("ben at kaltenbach", "ben@kaltenbach.example")
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(rows)
    return out.getvalue()


def test_the_third_round_completes_the_first(shows: Desk) -> None:
    first = shows.take(LEADS, "trade-show")
    second = shows.take(fixed(rejects_of(shows, first)).encode(), name="second.csv")
    text = rejects_of(shows, second)
    assert text.splitlines()[0].count("sluice_row") == 1, "the columns of the first rejects file are not carried along"
    third = shows.take(text.replace("chloe@;", "chloe@nordwind.example;").encode(), name="third.csv")
    assert (third.parent_id, shows.counts(third)) == (second.receipt_id, {"created": 1})
    assert shows.ask("select receipt_id, row_number, completed_by from rejects order by 1, 2") == [
        (1, 2, second.receipt_id), (1, 3, third.receipt_id), (2, 2, third.receipt_id),
    ]  # fmt: skip
    assert report(shows.database, third)["completions"]["completed_elsewhere"] == 2
    assert write_rejects(shows.database, first, shows.folder / "none.csv") == 0
    assert broken(shows.database) == {}


def test_the_same_corrected_file_twice_does_nothing_twice(shows: Desk) -> None:
    first = shows.take(LEADS, "trade-show")
    content = fixed(rejects_of(shows, first)).encode()
    once = shows.take(content, name="mended.csv")
    before = shows.whole()
    assert shows.take(content, name="mended.csv").receipt_id == once.receipt_id
    assert shows.take(content, name="mended (1).csv").duplicate_of == once.receipt_id
    assert shows.whole() == before


def test_a_mark_from_elsewhere_completes_nothing(shows: Desk) -> None:
    """Another installation has a receipt of that number as well."""
    first = shows.take(LEADS, "trade-show")
    text = fixed(rejects_of(shows, first))
    rows = text.splitlines()
    marks = [row.partition(";")[0] for row in rows[1:]]
    forged = text
    for mark in marks:
        forged = forged.replace(mark, mark[:-8] + "00000000")
    receipt = shows.take(forged, "trade-show", name="forged.csv")
    assert receipt.parent_id is None
    mixed = text.replace(marks[0], marks[0][:-8] + "00000000").replace("chloe@;", "chloe@nordwind.example;")
    receipt = shows.take(mixed, "files", name="mixed.csv")
    assert receipt.parent_id == first.receipt_id
    assert shows.ask("select row_number from rejects where receipt_id = 1 and completed_by is not null") == [3]


def test_a_dates_order_comes_from_the_parent_unless_the_rows_tell(desk: Desk) -> None:
    desk = desk.with_source("webinar", date_order="mdy")
    content = "First Name,Last Name,Email Address,Registered At\nA,Petrova,anna@acme.example,13.05.2026\nBo,Lee,bo at,04.05.2026\n"
    first = desk.take(content, "webinar")
    assert first.survey is not None and first.survey["date_orders"] == {"created_at": "dmy"}
    text = rejects_of(desk, first)
    second = desk.take(text.replace("Lee,bo at", "Lee,bo@lee.example"), name="second.csv")
    assert second.survey is not None and second.survey["date_orders"] == {"created_at": "dmy"}
    third = desk.take(text.replace("04.05.2026", "04.25.2026"), name="third.csv")
    assert third.survey is not None and third.survey["date_orders"] == {"created_at": "mdy"}


def test_killed_before_it_is_closed_it_is_completed_later(shows: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The completions are in the transaction that closes the receipt."""
    from sluice.store import receipts

    first = shows.take(LEADS, "trade-show")
    path = shows.file(fixed(rejects_of(shows, first)), "mended.csv")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(receipts, "finish", die)
        with pytest.raises(KeyboardInterrupt):
            shows.take(path)
    assert shows.ask("select count(*) from rejects where completed_by is not null") == [0]
    shows.take(path)
    assert shows.ask("select count(*) from rejects where completed_by is not null") == [1]
    assert path.stat().st_mtime > LONG_AGO
    assert broken(shows.database) == {}


def test_a_file_that_only_mentions_the_column_is_no_correction(desk: Desk, tmp_path: Path) -> None:
    content = (
        "full_name,email,description\nAnna Schmidt,anna@nordwind.example,sluice_row R1-1-00000000 R99-1-12345678\n"
    )
    assert desk.take(content).parent_id is None
