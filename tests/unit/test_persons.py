"""Who a row is: rows-as-examples, decided one after the other (S002-38, S000-26, S000-27)."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pytest

from sluice.matching.persons import Claim, Person, Registry, judge
from sluice.matching.rules import PersonRules
from sluice.matching.survivorship import Golden, Rank
from sluice.rules import MatchPolicy

RANK = Rank(False, 50, pd.Timestamp("2026-11-01", tz="UTC"), 1, 1)


@dataclass(frozen=True)
class Row:
    """A row as `judge` sees it."""

    email: str | None
    phone_and_name: str | None = None
    name: str = ""


ANNA = "+493023125001|anna schmidt"
CASES = [
    pytest.param([], [], id="no rows"),
    pytest.param([Row("anna@example.com")], ["created"], id="nobody known"),
    pytest.param([Row("anna@example.com"), Row("anna@example.com")], ["created", "met 1"], id="same e-mail"),
    pytest.param([Row("anna@example.com", ANNA), Row(None, ANNA)], ["created", "met 1"], id="one side has an e-mail"),
    pytest.param([Row(None, ANNA), Row("anna@example.com", ANNA)], ["created", "met 1"], id="the e-mail comes later"),
    pytest.param(
        [Row(None, ANNA), Row("anna@example.com", ANNA), Row("anna@example.com")],
        ["created", "met 1", "met 1"],
        id="found by the e-mail that came later",
    ),
    pytest.param(
        [Row("anna@example.com", ANNA), Row("a.schmidt@example.org", ANNA)],
        ["created", "flagged of 1"],
        id="both have one: a person decides",
    ),
    pytest.param(
        [Row("anna@example.com", ANNA), Row("a.schmidt@example.org", ANNA), Row("a.schmidt@example.org", ANNA)],
        ["created", "flagged of 1", "met 2"],
        id="flagged once, not again and again",
    ),
    pytest.param([Row("anna@example.com", ANNA), Row("anna@example.org")], ["created", "created"], id="e-mail only"),
]


@pytest.mark.parametrize(("rows", "expected"), CASES)
def test_rows_are_judged_in_order(rows: list[Row], expected: list[str]) -> None:
    assert _judged(rows, PersonRules(), MatchPolicy()) == expected


def test_a_source_may_have_every_match_flagged() -> None:
    """S000-27: on creation a match is flagged, a person merges."""
    rows = [Row("anna@example.com"), Row("anna@example.com")]
    assert _judged(rows, PersonRules(), MatchPolicy(open="flag")) == ["created", "flagged of 1"]


@pytest.mark.parametrize(
    ("closed", "expected"),
    [
        pytest.param("reopen", "reopened 7", id="reopen"),
        pytest.param("new_lead", "created after 7", id="a new enquiry"),
        pytest.param("touch_only", "touched 7", id="only noted"),
    ],
)
def test_a_closed_lead_is_met_as_the_source_says(closed: str, expected: str) -> None:
    old = _person(7, "mail:anna@example.com", None)
    old.is_open = False
    registry = Registry.of([old])
    verdict = judge(
        _claim(1, Row("anna@example.com")), registry, PersonRules(), MatchPolicy.model_validate({"closed": closed})
    )
    after = (
        f" after {verdict.person.previous_lead_id}" if verdict.person.previous_lead_id else f" {verdict.person.lead_id}"
    )
    assert verdict.outcome + after == expected


def _judged(rows: list[Row], rules: PersonRules, policy: MatchPolicy) -> list[str]:
    registry, told = Registry(), list[str]()
    for number, row in enumerate(rows, start=1):
        verdict = judge(_claim(number, row), registry, rules, policy)
        flagged = f" of {verdict.person.flagged_of}"
        ends = {"created": "", "flagged": flagged}
        told.append(verdict.outcome + ends.get(verdict.outcome, f" {verdict.person.lead_id}"))
    return told


def _claim(number: int, row: Row) -> Claim:
    identity = f"mail:{row.email}" if row.email else f"tel:{row.phone_and_name}"
    new = _person(number, identity, row.phone_and_name)
    return Claim(identity, row.phone_and_name, row.email, {}, new)


def _person(number: int, identity: str, person_key: str | None) -> Person:
    return Person(number, identity, person_key, Golden({}, RANK), (1, number), is_new=True)
