"""The page about a run: what it says, and that it can be read whatever the run was."""

from __future__ import annotations

import base64
import re
from collections import Counter
from typing import Any

import pytest

from tasks.chart import chart
from tasks.counted import counted, waiting
from tasks.summarise import _totals, page

NONE = dict.fromkeys(("row_count", "created", "updated", "unchanged", "flagged", "rejects", "set_asides"), 0)


def one(
    number: int = 1, *, known: bool = False, source: str = "webinar", file: str = "", **counts: int
) -> dict[str, Any]:
    """A report as `sluice.reports.report` makes it."""
    rejects = (
        [
            {
                "field": "email",
                "code": "email_syntax",
                "meaning": "it is no address",
                "fix": "Correct it",
                "rows": counts["rejects"],
            }
        ]
        if counts.get("rejects")
        else []
    )
    return {
        "receipt": number, "source": source, "file": file or f"webinar-{number}.csv", "state": "done", "was_known": known,
        "counts": NONE | counts, "rejects": rejects, "warnings": {}, "bands": {"hot": counts.get("created", 0)},
        "owners": {"dana": counts.get("created", 0)}, "expectations": [], "completes": None,
    }  # fmt: skip


def text(*reports: dict[str, Any]) -> str:
    return "\n".join(page(reports, _totals(reports)))


@pytest.mark.parametrize(
    "reports", [(), (one(),), (one(known=True),)], ids=["nothing", "an empty file", "a known file"]
)
def test_a_run_without_rows_says_so(reports):
    assert text(*reports).startswith(f"# 0 rows of {len(reports)} file")


def test_rows_are_told_by_outcome_source_band_and_owner():
    said = text(
        one(row_count=10, created=6, rejects=4),
        one(2, source="partner-list", row_count=2, updated=2),
        one(3, known=True, row_count=10, created=6, rejects=4),
    )
    assert said.startswith("# 12 rows of 3 files, 1 known already")
    for line in (
        "| created | 6 | 50.0% |", "| rejected | 4 | 33.3% |", "| webinar | 2 | 10 | 6 | 0 | 0 | 0 | 4 | 0 |",
        "| partner-list | 1 | 2 | 0 | 2 | 0 | 0 | 0 | 0 |", "| email | it is no address | Correct it | 4 | 1 |",
    ):  # fmt: skip
        assert line in said.splitlines(), said


def window(
    number: int = 1, *, arrivals: int, quarantined: int = 0, source: str = "api", **counts: int
) -> dict[str, Any]:
    """A report of an inbox window, about all arrivals of a source."""
    found = one(number, source=source, **counts)
    names = ("source", "was_known", "counts", "rejects", "bands", "owners")
    return {"arrivals": arrivals, "quarantined": quarantined, **{name: found[name] for name in names}}


@pytest.mark.parametrize(
    ("reports", "said"),
    [
        ([], "# 0 rows of 0 arrivals"),
        ([window(arrivals=1, row_count=1)], "# 1 row of 1 arrival"),
        ([window(arrivals=5, quarantined=1, row_count=4)], "# 4 rows of 5 arrivals, 1 quarantined"),
        (
            [window(arrivals=1_200, row_count=1_200), window(arrivals=1, source="mailbox", row_count=1)],
            "# 1,201 rows of 1,201 arrivals",
        ),
    ],
    ids=["nothing came", "one", "one is quarantined", "two sources"],
)
def test_a_window_of_the_inbox_tells_arrivals_and_no_files(reports: list[dict[str, Any]], said: str) -> None:
    lines = page(reports, _totals(reports), "arrival")
    assert lines[0] == said
    assert not any(re.search(r"\bfiles?\b", line) for line in lines)


def test_a_window_says_where_its_rejects_are():
    said = "\n".join(page([found := window(arrivals=3, row_count=3, rejects=3)], _totals([found]), "arrival"))
    assert "| source | arrivals | rows |" in said and "| api | 3 | 3 |" in said
    assert "| email | it is no address | Correct it | 3 | 1 |" in said
    assert "`sluice rejects list` shows the rows" in said and ".rejects.csv" not in said and "## Files" not in said


@pytest.mark.parametrize(
    ("many", "words", "verb"),
    [
        (0, "0 arrivals", "wait"),
        (1, "1 arrival", "waits"),
        (2, "2 arrivals", "wait"),
        (1_200, "1,200 arrivals", "wait"),
    ],
)
def test_a_number_has_its_noun(many: int, words: str, verb: str) -> None:
    assert (counted(many, "arrival"), waiting(many)) == (words, f"{words} {verb}")


def test_what_went_wrong_stands_before_what_went_well():
    bad = {"file": "broken.csv", "source": "webinar", "state": "broken", "error": "no"}
    odd = one(3, row_count=1, created=1) | {
        "expectations": [{"code": "too_few_rows", "text": "1 rows; at least 5 are expected"}]
    }
    said = text(one(1, row_count=5, created=5), one(2, row_count=5, rejects=5), odd, bad)
    files = re.findall(r"^\| ([\w-]+\.csv) \|", said.partition("## Files")[2], re.MULTILINE)
    assert files == ["broken.csv", "webinar-3.csv", "webinar-2.csv", "webinar-1.csv"]
    assert "| webinar | webinar-3.csv | 1 rows; at least 5 are expected |" in said
    assert "## ⚠ Not as expected" in said and "1 not taken in" in said


def test_ten_thousand_files_are_a_page_that_can_be_read():
    reports = [
        one(number, row_count=3, created=2, rejects=1, source=f"source-{number % 50}") for number in range(10_000)
    ]
    said = text(*reports)
    assert len(said) < 20_000 and said.startswith("# 30,000 rows of 10,000 files")
    assert "… and 9,975 more (29,925 rows: 19,950 created, 9,975 rejected)." in said


@pytest.mark.parametrize(
    "name",
    ["a|b.csv", "a\nb.csv", "[x](http://x.example).csv", "<img src=x onerror=alert(1)>.csv", "`x`.csv", "![x](x).csv"],
)
def test_a_files_name_cannot_write_on_the_page(name):
    said = text(one(file=name, row_count=1, created=1)).partition("## Files")[2]
    (line,) = [line for line in said.splitlines() if line.endswith("| |") or "csv" in line]
    assert line.count(" | ") == 8 and "<" not in line and "](" not in line.replace("\\]", "")


def test_the_chart_shows_each_number_and_is_a_picture():
    kind, _, data = chart("1,234 <rows>", {"created": 1_000, "rejected": 234, "flagged": 0}).partition(",")
    picture = base64.b64decode(data).decode()
    assert kind == "data:image/svg+xml;base64"
    assert all(words in picture for words in ("1,234 &lt;rows&gt;", "1,000 · 81.0%", "234 · 19.0%", "0 · 0.0%"))
    assert Counter(re.findall("<rect", picture))["<rect"] == 4
