"""The condition language: which leads a `when:` holds for, and what is said about one that cannot be asked."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from pydantic import ValidationError

from sluice.conditions import Condition, describe, mask, problems, usable
from sluice.schema import FieldRules, Fields

LEADS = pd.DataFrame(
    {
        "who": ["Ana", "Ben", "Cleo", "Dan"],
        "title": pd.Series(["Chief of Staff", "VP, Sales", "Chiefly an advisor", None], dtype="str"),
        "country": pd.Series(["BG", "US", "us", None], dtype="str"),
        "zip": pd.Series(["6100", "62999-1234", "60614", None], dtype="str"),
        "employees": pd.Series([12, 1000, None, 250], dtype="Int64"),
        "budget": pd.Series([None, 2.5, 7.0, float("nan")], dtype="Float64"),
        "email_is_free": pd.Series([True, False, None, False], dtype="boolean"),
        "tags": pd.Series([["Expo", "beta"], [], None, ["beta tester"]], dtype=object),
        "created_at": pd.to_datetime(pd.Series(["2026-11-20T08:00Z", "2026-10-01T00:00Z", None, "2027-01-01T00:00Z"])),
        "notes": pd.Series([None, None, None, None], dtype=object),
    }
)
AS_OF = datetime(2026, 11, 22, 12, tzinfo=UTC)


def holds(when: object, leads: pd.DataFrame = LEADS) -> list[str]:
    return leads["who"][mask(Condition.model_validate(when), leads, AS_OF)].tolist()


@pytest.mark.parametrize(
    ("when", "who"),
    [
        pytest.param({}, ["Ana", "Ben", "Cleo", "Dan"], id="an empty condition holds for everyone"),
        pytest.param({"country": "US"}, ["Ben", "Cleo"], id="a bare value means equals, case does not count"),
        pytest.param({"country": ["BG", "US"]}, ["Ana", "Ben", "Cleo"], id="a bare list means in"),
        pytest.param({"title": {"has_word": ["chief", "vp"]}}, ["Ana", "Ben"], id="a word is a whole word"),
        pytest.param({"title": {"has_word": "of staff"}}, ["Ana"], id="a phrase counts as a word"),
        pytest.param({"title": {"contains": "chief"}}, ["Ana", "Cleo"], id="contains looks inside words (S000-18)"),
        pytest.param({"title": {"matches": "^vp\\b"}}, ["Ben"], id="a regular expression"),
        pytest.param({"zip": {"between": ["60000", "62999"]}}, ["Ben", "Cleo"], id="a ZIP+4 is in its range, a foreign 4-digit code is not"),
        pytest.param({"employees": {"at_least": 250}}, ["Ben", "Dan"], id="at least"),
        pytest.param({"employees": {"at_most": 250}}, ["Ana", "Dan"], id="at most"),
        pytest.param({"employees": {"between": [12, 250]}}, ["Ana", "Dan"], id="both bounds belong"),
        pytest.param({"employees": {"at_least": 13, "at_most": 999}}, ["Dan"], id="two operators must both hold"),
        pytest.param({"employees": [12, 250]}, ["Ana", "Dan"], id="a list of numbers"),
        pytest.param({"budget": {"at_least": 2.5}}, ["Ben", "Cleo"], id="NaN is missing"),
        pytest.param({"email_is_free": False}, ["Ben", "Dan"], id="an unknown boolean is not false"),
        pytest.param({"tags": "BETA"}, ["Ana"], id="one of the tags, whole"),
        pytest.param({"tags": ["expo", "beta tester"]}, ["Ana", "Dan"], id="any of several tags"),
        pytest.param({"tags": {"is_empty": True}}, ["Ben", "Cleo"], id="no tags and an empty list are the same"),
        pytest.param({"country": {"is_empty": True}}, ["Dan"], id="missing can be asked for"),
        pytest.param({"country": {"is_empty": False}}, ["Ana", "Ben", "Cleo"], id="given can be asked for"),
        pytest.param({"not": {"country": "US"}}, ["Ana"], id="a missing value does not match under not either"),
        pytest.param({"any": [{"not": {"country": "US"}}, {"country": {"is_empty": True}}]}, ["Ana", "Dan"], id="not or missing"),
        pytest.param({"any": []}, [], id="any of nothing is never"),
        pytest.param({"all": [{"country": "US"}, {"employees": {"at_least": 1}}]}, ["Ben"], id="all"),
        pytest.param({"country": "US", "any": [{"title": {"has_word": "vp"}}]}, ["Ben"], id="fields and any together"),
        pytest.param({"created_at": {"within_days": 30}}, ["Ana"], id="recent, and a future date is not"),
        pytest.param({"shoe_size": 42}, [], id="a column that was not mapped is missing"),
        pytest.param({"shoe_size": {"is_empty": True}}, ["Ana", "Ben", "Cleo", "Dan"], id="and so it is empty"),
        pytest.param({"notes": "x"}, [], id="a column of nothing"),
    ],
)  # fmt: skip
def test_mask(when: object, who: list[str]) -> None:
    assert holds(when) == who
    assert holds(when, LEADS.iloc[:0]) == []
    assert holds(when, LEADS.iloc[::-1]) == who[::-1]


@pytest.mark.parametrize(
    ("word", "title", "found"),
    [
        pytest.param("ceo", "CEO/Founder", True, id="a slash ends a word"),
        pytest.param("leiter", "Vertriebsleiter", False, id="the end of a compound is not a word"),
        pytest.param("geschäftsführer", "GESCHÄFTSFÜHRER", True, id="umlauts in capitals"),
        pytest.param("chef", "chefé", False, id="an accented letter belongs to the word"),
        pytest.param("директор", "Директор продажби", True, id="Cyrillic"),
        pytest.param("c++", "Head of C++ (core)", True, id="signs of regular expressions are plain text"),
        pytest.param("r & d", "Director R & D", True, id="spaces and ampersand"),
    ],
)
def test_has_word(word: str, title: str, found: bool) -> None:
    leads = pd.DataFrame({"title": pd.Series([title], dtype="str")})
    assert mask(Condition.model_validate({"title": {"has_word": word}}), leads).tolist() == [found]


@pytest.mark.parametrize(
    ("when", "message"),
    [
        pytest.param({"title": {"has_words": ["vp"]}}, "unknown operator 'has_words'; did you mean 'has_word'?", id="operator"),
        pytest.param({"title": {"matches": "(a"}}, "a regular expression in RE2 syntax", id="pattern"),
        pytest.param({"title": {"matches": "(?=a)b"}}, "a regular expression in RE2 syntax", id="backtracking is refused"),
        pytest.param({"zip": {"between": ["62999", "60000"]}}, "the lower one first", id="bounds the wrong way round"),
        pytest.param({"employees": {"at_least": "many"}}, "it takes a number", id="not a number"),
        pytest.param({"country": []}, "it takes a list of values", id="nothing listed"),
        pytest.param({"country": None}, "found nothing to compare with", id="nothing written"),
        pytest.param({"title": {"has_word": [" "]}}, "a word or a list of words", id="a blank would match everything"),
        pytest.param({"any": {"country": "BG"}}, "it takes a list of conditions", id="any without a list"),
        pytest.param(["country"], "a condition is a mapping", id="not a mapping"),
    ],
)  # fmt: skip
def test_a_condition_that_cannot_be_read_is_refused(when: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace("?", r"\?")):
        Condition.model_validate(when)


FIELDS = Fields(
    fields={
        "title": FieldRules(type="title", label="Title", group="company"),
        "tin": FieldRules(type="tin", label="TIN", group="company"),
        "growth": FieldRules(type="number", label="Growth", group="company"),
        "budget": FieldRules(type="money", label="Budget", group="qualification", enabled=False),
    }
)


@pytest.mark.parametrize(
    ("when", "found"),
    [
        pytest.param({"title": {"has_word": "vp"}, "growth": {"at_least": 5}, "tin": "12"}, [], id="all is well"),
        pytest.param({"contry": "BG"}, ["there is no field 'contry', or it is switched off; did you mean 'country'?"], id="unknown field"),
        pytest.param({"budget": {"at_least": 1}}, ["there is no field 'budget', or it is switched off"], id="switched off"),
        pytest.param({"zip": {"between": [60000, 62999]}}, ["zip holds a text, found 60000; write it in quotes", "zip holds a text, found 62999; write it in quotes"], id="a ZIP without quotes"),
        pytest.param({"not": {"any": [{"employees": {"has_word": "x"}}]}}, ["employees holds a number and cannot be asked 'has_word'; it can be asked equals, in, at_least, at_most, between, is_empty"], id="wrong operator, deep inside"),
        pytest.param({"email_is_free": "true"}, ["email_is_free holds a boolean, found 'true'"], id="a text for a boolean"),
        pytest.param({"employees": True}, ["employees holds a number, found True"], id="a boolean for a number"),
        pytest.param({"tags": "vip"}, [], id="a tag is a text"),
        pytest.param({"created_at": {"is_empty": True}}, [], id="emptiness can be asked of all"),
    ],
)  # fmt: skip
def test_problems(when: object, found: list[str]) -> None:
    assert problems(Condition.model_validate(when), usable(FIELDS, "score")) == found


def test_score_and_band_are_known_to_routing_only() -> None:
    asked = Condition.model_validate({"band": "hot", "score": {"at_least": 60}})
    assert problems(asked, usable(FIELDS, "route")) == []
    assert len(problems(asked, usable(FIELDS, "score"))) == 2


@pytest.mark.parametrize(
    ("when", "words"),
    [
        pytest.param({}, "always", id="empty"),
        pytest.param({"country": ["BG", "RO"], "employees": {"at_least": 1000}}, "country is BG or RO and employees is at least 1000", id="and"),
        pytest.param({"any": [{"email_is_free": False}, {"title": {"has_word": "vp"}}]}, "(email_is_free is not true or title has the word vp)", id="any"),
        pytest.param({"not": {"state": {"is_empty": True}}}, "not (state is missing)", id="not"),
        pytest.param({"zip": {"between": ["60000", "62999"]}, "created_at": {"within_days": 30}}, "zip is between 60000 and 62999 and created_at is at most 30 days ago", id="ranges"),
    ],
)  # fmt: skip
def test_describe(when: object, words: str) -> None:
    assert describe(Condition.model_validate(when)) == words


@pytest.mark.parametrize(
    ("when", "always"),
    [
        pytest.param({}, True, id="empty"),
        pytest.param({"all": [{}]}, True, id="all of always"),
        pytest.param({"any": [{"country": "BG"}, {}]}, True, id="any with an always"),
        pytest.param({"any": []}, False, id="never"),
        pytest.param({"country": "BG"}, False, id="a criterion"),
        pytest.param({"not": {"country": "BG"}}, False, id="not"),
    ],
)
def test_always(when: object, always: bool) -> None:
    assert Condition.model_validate(when).always is always
