"""What a healthy source looks like: files that are not as expected, and sources that have fallen silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from sluice.expectations import Arrived, broken, silence
from sluice.rules import Expectation

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
COLUMNS = ["Name", "Email"]
H, D = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("expected", "arrived", "before", "codes"),
    [
        pytest.param({}, Arrived(0, 0, COLUMNS), None, [], id="the empty file, of which nothing is expected"),
        pytest.param({"min_rows": 1}, Arrived(0, 0, COLUMNS), None, ["too_few_rows"], id="no row where one is expected"),
        pytest.param({"min_rows": 10}, Arrived(10, 0, COLUMNS), None, [], id="just enough rows"),
        pytest.param({"max_reject_share": 0.3}, Arrived(10, 3, COLUMNS), None, [], id="just as many rejects as allowed"),
        pytest.param({"max_reject_share": 0.3}, Arrived(10, 4, COLUMNS), None, ["too_many_rejects"], id="a reject too many"),
        pytest.param({"max_reject_share": 0}, Arrived(10, 0, COLUMNS), None, [], id="none allowed, none there"),
        pytest.param({}, Arrived(2, 0, ["Email", "Name"]), COLUMNS, [], id="another order of columns is no matter"),
        pytest.param({}, Arrived(2, 0, ["Name"]), COLUMNS, ["columns_changed"], id="a column is gone"),
        pytest.param({}, Arrived(2, 0, [*COLUMNS, "Fax"]), COLUMNS, ["columns_changed"], id="a column is new"),
        pytest.param({}, Arrived(2, 0, ["sluice_line", "sluice_fix", *COLUMNS]), COLUMNS, [], id="a rejects file's own columns do not count"),
        pytest.param({"same_columns": False}, Arrived(2, 0, ["A"]), COLUMNS, [], id="a source whose columns vary"),
        pytest.param({"min_rows": 5, "max_reject_share": 0.1}, Arrived(4, 4, ["A"]), COLUMNS, ["too_few_rows", "too_many_rejects", "columns_changed"], id="all at once"),
    ],
)  # fmt: skip
def test_a_file_is_as_expected_or_not(expected, arrived, before, codes):
    assert [found["code"] for found in broken(Expectation(**expected), arrived, before)] == codes


def test_it_is_said_in_words_with_both_numbers():
    found = broken(
        Expectation(min_rows=1_000, max_reject_share=0.25), Arrived(40, 20, [*COLUMNS, "Fax"]), [*COLUMNS, "Telefon"]
    )
    assert [one["text"] for one in found] == [
        "40 rows; at least 1,000 are expected",
        "50% of the rows were rejected; at most 25% are expected",
        "its columns are not those of the file before; new: 'Fax'; gone: 'Telefon'",
    ]


def test_a_header_that_is_somebodys_row_is_not_quoted():
    (found,) = broken(Expectation(), Arrived(2, 0, ["vera@canary.example", "+1 202-555-0187", "Fax"]), COLUMNS)
    assert found["text"].startswith("its columns are not those of the file before; new: column 1, column 2, 'Fax'")


@pytest.mark.parametrize(
    ("ages", "every", "is_silent"),
    [
        pytest.param([], None, False, id="never heard of"),
        pytest.param([], D, False, id="promised and never heard of"),
        pytest.param([30 * H], D, False, id="promised daily, a few hours late"),
        pytest.param([40 * H], D, True, id="promised daily, a day and a half ago"),
        pytest.param([20 * D], None, False, id="one file is no habit"),
        pytest.param([n * D for n in (2, 3, 4, 5, 6)], None, False, id="usually daily, two days ago"),
        pytest.param([n * D for n in (4, 5, 6, 7, 8)], None, True, id="usually daily, four days ago"),
        pytest.param([n * D for n in (4, 7, 8, 9, 10, 11, 14)], None, False, id="weekends are no silence: four days, when three have been"),
        pytest.param([n * H for n in (100, 100.2, 100.4, 100.6, 100.8)], None, False, id="five files at once are one arrival"),
        pytest.param([n * D for n in (91, 92, 93, 94, 95)], None, False, id="given up long ago"),
        pytest.param([n * D for n in (91, 92, 93, 94, 95)], 7 * D, True, id="promised, so never given up"),
    ],
)  # fmt: skip
def test_a_source_is_silent_or_not(ages, every, is_silent):
    assert (silence(NOW, [NOW - age for age in ages], every) is not None) == is_silent


def test_silence_is_said_in_words():
    found = silence(NOW, [NOW - 40 * H], D)
    assert found and found.text == "no leads for 40 h (since 2026-11-20 20:00 UTC); one is expected every 24 h"


@pytest.mark.parametrize(("every", "interval"), [(None, None), ("12h", 12 * H), ("1d", D), ("2w", 14 * D)])
def test_every_is_a_span(every, interval):
    assert Expectation(every=every).interval == interval


@pytest.mark.parametrize(
    "wrong",
    [{"every": "daily"}, {"every": "0d"}, {"every": "1m"}, {"every": 1}, {"min_row": 1}, {"max_reject_share": 30}],
)
def test_what_cannot_be_expected_is_refused(wrong):
    with pytest.raises(ValidationError):
        Expectation.model_validate(wrong)
