"""What a report says of a file that is not as expected, and what the store knows of habits and of stuck work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sluice.reports import report
from sluice.settings import Settings
from sluice.store import receipts
from sluice.store.engine import Database
from sluice.store.queries import rows
from tests.desk import Desk

HEADER = "First Name,Last Name,Email Address\n"
GOOD = "Bo,Lee,bo@lee.example\n"
BAD = "Anna,Petrova,anna at acme\n"


@pytest.fixture
def desk(settings: Settings, database: Database, tmp_path: Path) -> Desk:
    """A desk with the standard rules: webinar expects a row, and at most 20 % rejects."""
    return Desk.at(settings, database, tmp_path)


def codes(desk: Desk, receipt: Any) -> list[str]:
    return [found["code"] for found in report(desk.database, receipt)["expectations"]]


def test_files_that_are_as_expected_say_nothing(desk: Desk) -> None:
    assert codes(desk, desk.take(HEADER + GOOD, "webinar")) == []
    assert codes(desk, desk.take(HEADER + GOOD + GOOD, "webinar")) == []


def test_a_file_is_held_against_its_source_and_the_file_before(desk: Desk) -> None:
    desk.take(HEADER + GOOD, "webinar")
    found = report(
        desk.database, desk.take("First Name,Email Address,Fax\nAnna,anna at acme,\nBo,bo@lee.example,\n", "webinar")
    )
    assert {one["code"]: one["text"] for one in found["expectations"]} == {
        "too_many_rejects": "50% of the rows were rejected; at most 20% are expected",
        "columns_changed": "its columns are not those of the file before; new: 'Fax'; gone: 'Last Name'",
    }
    again = desk.take("First Name,Email Address,Fax\nCy,cy@lee.example,\n", "webinar")
    assert codes(desk, again) == []  # the new columns are what is usual now


def test_a_file_with_too_few_rows_says_so(desk: Desk) -> None:
    desk = desk.with_source("webinar")
    receipt = desk.take(HEADER + GOOD, "webinar")
    desk.do(
        "update config_versions set content = jsonb_set(content, '{sources/webinar.yml}', to_jsonb('expect: {min_rows: 2}'::text))"
    )
    assert codes(desk, receipt) == ["too_few_rows"]


def test_another_sources_columns_do_not_matter(desk: Desk) -> None:
    desk.take("full_name,email\nBo Lee,bo@lee.example\n", "website-export")
    assert codes(desk, desk.take(HEADER + GOOD, "webinar")) == []
    assert codes(desk, desk.take("company,phone\nAcme,+1 202-555-0143\n", "files")) == []
    assert codes(desk, desk.take("company,email\nAcme,info@acme.example\n", "files")) == []  # undeclared: they vary


def test_the_rules_are_those_that_were_in_force(desk: Desk) -> None:
    receipt = desk.take(HEADER + GOOD + BAD, "webinar")
    desk.do(
        "update config_versions set content = jsonb_set(content, '{sources/webinar.yml}', to_jsonb('kind: file'::text))"
    )
    assert codes(desk, receipt) == []


def test_arrivals_with_rows_are_signs_of_life_youngest_first(desk: Desk) -> None:
    for number in range(3):
        desk.take(HEADER + GOOD.replace("bo@", f"bo{number}@"), "webinar")
    desk.take(HEADER + GOOD.replace("bo@", "bo0@"), "webinar")  # known already: no sign of life
    desk.do("update receipts set received_at = received_at - receipt_id * interval '1 day'")
    with desk.database.connection() as connection:
        (found,) = rows(connection, "sources_arrivals", most=2)
    assert found["source"] == "webinar" and len(found["arrivals"]) == 2
    assert found["arrivals"][0] > found["arrivals"][1]


def test_work_that_nobody_holds_is_stuck(desk: Desk) -> None:
    receipt = desk.take(HEADER + GOOD, "webinar")
    desk.do("update receipts set state = 'working', received_at = now() - interval '2 hours'")

    def stuck() -> list[int]:
        with desk.database.connection() as connection:
            before = datetime.now(UTC) - timedelta(hours=1)
            return [row["receipt_id"] for row in rows(connection, "receipts_stuck", before=before)]

    assert stuck() == [receipt.receipt_id]
    with receipts.held(desk.database, receipt.receipt_id, lambda: None):
        assert stuck() == []
    desk.do("update receipts set received_at = now()")
    assert stuck() == []
