"""Which value survives when a person comes again."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from sluice.matching.survivorship import Golden, Rank, fold


def rank(*, edit: bool = False, trust: int = 50, day: int = 1, receipt: int = 1, row: int = 1) -> Rank:
    return Rank(edit, trust, pd.Timestamp(2026, 11, day, tz="UTC"), receipt, row)


OLD = rank(day=10)
CASES = [
    pytest.param({}, {}, OLD, {}, {}, id="nothing meets nothing"),
    pytest.param({"title": "CFO"}, {"title": None}, rank(day=20), {"title": "CFO"}, {}, id="empty replaces nothing"),
    pytest.param({"title": None}, {"title": "CFO"}, rank(day=1), {"title": "CFO"}, {"title": "fills a gap"}, id="an older word fills a gap"),
    pytest.param({"title": "CFO"}, {"title": "CEO"}, rank(day=20), {"title": "CEO"}, {"title": "more recent"}, id="newer"),
    pytest.param({"title": "CFO"}, {"title": "CEO"}, rank(day=1), {"title": "CFO"}, {}, id="older"),
    pytest.param({"title": "CFO"}, {"title": "CEO"}, rank(trust=40, day=20), {"title": "CFO"}, {}, id="newer, but less trusted"),
    pytest.param({"title": "CFO"}, {"title": "CEO"}, rank(trust=90), {"title": "CEO"}, {"title": "more trusted source"}, id="more trusted, though older"),
    pytest.param({"title": "CFO"}, {"title": "CEO"}, rank(edit=True, trust=0), {"title": "CEO"}, {"title": "a person's edit"}, id="a person wins"),
    pytest.param(
        {"street": "Lindenstr. 5", "city": "Berlin", "zip": "10969"},
        {"street": "Ringstr. 1", "city": "Bonn"},
        rank(day=20),
        {"street": "Ringstr. 1", "city": "Bonn", "zip": None},
        {"street": "more recent", "city": "more recent", "zip": "more recent"},
        id="an address moves as a whole",
    ),
    pytest.param({"city": "Berlin"}, {"city": "Berlin", "zip": "10969"}, rank(day=1), {"city": "Berlin", "zip": "10969"}, {"zip": "fills a gap"}, id="an agreeing address is completed"),
    pytest.param({"email": "anna@example.com"}, {"email": "ANNA@example.com"}, rank(day=20), {"email": "anna@example.com"}, {}, id="case is no news"),
    pytest.param({"lead_source": "Webinar"}, {"lead_source": "Website"}, rank(day=20), {"lead_source": "Webinar"}, {}, id="the first source stays"),
    pytest.param({"lead_source": "Webinar"}, {"lead_source": "Website"}, rank(day=1), {"lead_source": "Website"}, {"lead_source": "the earlier enquiry"}, id="an earlier enquiry arrives late"),
    pytest.param({"first_name": "Ana", "last_name": "Petrova"}, {"first_name": "Anna"}, rank(day=20), {"first_name": "Ana", "last_name": "Petrova"}, {}, id="a first name alone is no newer name"),
    pytest.param({"street": "Lindenstr. 5", "city": "Berlin", "country": "GB"}, {"country": "DE"}, rank(day=20), {"street": "Lindenstr. 5", "country": "GB"}, {}, id="a country alone is no newer address"),
    pytest.param({"tags": ["expo"]}, {"tags": ["webinar"]}, rank(day=1), {"tags": ["expo", "webinar"]}, {"tags": "collected"}, id="tags are collected"),
    pytest.param({"email_opt_out": True}, {"email_opt_out": False}, rank(day=20), {"email_opt_out": True}, {}, id="an opt-out stays (S001-16)"),
    pytest.param({"email_opt_out": False}, {"email_opt_out": True}, rank(day=1), {"email_opt_out": True}, {"email_opt_out": "the stricter wish"}, id="an old opt-out counts"),
]  # fmt: skip


@pytest.mark.parametrize(("known", "row", "word", "expected", "rules"), CASES)
def test_the_surviving_value(
    known: dict[str, Any], row: dict[str, Any], word: Rank, expected: dict[str, Any], rules: dict[str, str]
) -> None:
    golden = Golden(dict(known), OLD)
    changes = fold(golden, row, word)
    assert {name: golden.values.get(name) for name in expected} == expected
    assert {change.field: change.rule for change in changes} == rules


def test_a_persons_edit_outlives_every_later_file() -> None:
    golden = Golden({"title": "CFO"}, OLD)
    fold(golden, {"title": "Chief of Staff"}, rank(edit=True, day=11))
    assert fold(golden, {"title": "CFO"}, rank(trust=100, day=28)) == []
