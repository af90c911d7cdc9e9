"""From JSON to submissions: ids, batches with poison, values and names of cells, and any JSON at all."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.form_rules import Form
from sluice.problems import CODES
from sluice.schema import SET_ASIDE_KINDS
from sluice.sources.forms.adapters import announced, identified, submissions
from sluice.sources.forms.answers import cells, flat, text
from sluice.sources.forms.paths import at, elements
from sluice.sources.forms.requests import Posted
from tests.unit.forms import SOURCES, form, posted, read, rules


@pytest.mark.parametrize(
    ("declared", "value", "headers", "key"),
    [
        pytest.param("id", {"id": "a"}, {}, "id:a", id="a path"),
        pytest.param("id", {"id": 7}, {}, "id:7", id="a number"),
        pytest.param(["no", "data.id"], {"data": {"id": "a"}}, {}, "id:a", id="the first that is there"),
        pytest.param(["a", "b"], {"a": " ", "b": "c"}, {}, "id:c", id="a blank one is none"),
        pytest.param("header:webhook-id", {"id": "a"}, {"webhook_id": "msg_1"}, "id:msg_1", id="a header"),
        pytest.param("uri + event", {"uri": "u", "event": "created"}, {}, "id:u|created", id="two parts"),
        pytest.param("uri + event", {"uri": "u"}, {}, "content:", id="one of two parts"),
        pytest.param("id", {"id": ["a"]}, {}, "content:", id="a list is none"),
        pytest.param("id", {"id": True}, {}, "content:", id="true is none"),
        pytest.param("id", {}, {}, "content:", id="none"),
        pytest.param("id", {"id": "x" * 201}, {}, "id:sha256:", id="a long one"),
        pytest.param("id", {"id": "a\nb"}, {}, "id:sha256:", id="one with a line break"),
        pytest.param("id", [{"id": "a"}], {}, "id:a", id="of a list of one"),
        pytest.param("id", [{"id": "a"}, {"id": "b"}], {}, "content:", id="of a list of two"),
        pytest.param("id", [], {}, "content:", id="of an empty list"),
        pytest.param("id", None, {}, "content:", id="of nothing"),
    ],
)
def test_ids(declared: Any, value: Any, headers: dict[str, str], key: str) -> None:
    assert identified(value, posted(b"", **headers), rules(id=declared)).key.startswith(key)


def test_a_header_that_was_sent_twice_is_no_id() -> None:
    sent = Posted(headers={"webhook-id": ("a", "b")})
    assert identified({"a": "b"}, sent, rules(id="header:webhook-id")).key.startswith("content:")


def test_without_an_id_the_answers_are_the_key() -> None:
    with_rules = rules(resent=["attempt"])
    keys = [
        identified(value, posted(b""), with_rules).key
        for value in ({"a": "1", "b": "2", "attempt": "1"}, {"b": "2", "a": "1", "attempt": "2"}, {"a": "1", "b": "3"})
    ]
    assert keys[0] == keys[1] != keys[2]


def test_one_poisoned_element_does_not_cost_the_others() -> None:
    batch: list[Any] = [{"email": f"lead{place}@example.com"} for place in range(1, 101)]
    batch[56] = "poison"
    found = submissions(batch, rules())
    assert [place for place, one in enumerate(found, 1) if one.problems] == [57]
    assert found[56].problems[0]["found"] == "element 57: a text"
    assert [dict(one.cells) for one in found if not one.problems] == [each for each in batch if each != "poison"]


@pytest.mark.parametrize(
    ("value", "items", "expected"),
    [
        ({"a": 1}, None, [{"a": 1}]),
        ([1, {}], None, [1, {}]),
        ({"leads": [{"a": 1}, 2]}, "leads", [{"a": 1}, 2]),
        ({"entry": [{"changes": [1, 2]}, "x", {"changes": 3}]}, "entry.changes", [1, 2, None, 3]),
        ({"other": 1}, "leads", [None]),
        ({"leads": []}, "leads", []),
        ([], None, []),
    ],
)
def test_elements(value: Any, items: str | None, expected: list[Any]) -> None:
    assert elements(value, items) == expected


@pytest.mark.parametrize(
    ("value", "path", "found"),
    [
        ({"a": {"b": 1}}, "a.b", 1),
        ({"data.json": {"email": 1}}, "data.json.email", 1),
        ({"data.json": 1, "data": {"json": 2}}, "data.json", 1),
        ({"a": [{"b": 1}]}, "a.0.b", 1),
        ({"a": [1]}, "a.1", None),
        ({"a": [1]}, "a.²", None),
        ({"a": 1}, "a.b", None),
        (None, "a", None),
    ],
)
def test_paths(value: Any, path: str, found: Any) -> None:
    assert at(value, path) == found


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("as it is ", "as it is "),
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (12, "12"),
        pytest.param(10**5000, hex(10**5000), id="5,001 digits"),
        (["a", None, "", "b"], "a; b"),
        ({"first": "Zoë", "last": "Okafor"}, "Zoë Okafor"),
        ({"prefix": "Dr.", "first": "", "last": "Okafor"}, "Dr. Okafor"),
        ({"year": "2026", "month": "3", "day": 7}, "2026-03-07"),
        ({"year": "", "month": "", "day": ""}, ""),
        ({"id": "1", "label": "Business"}, "Business"),
        ({"hour": "10", "ampm": "AM"}, "hour: 10; ampm: AM"),
        ({}, ""),
        ("data:image/png;base64,AAAA", "data:image/png"),
        ("data: none;base64,", "data: none"),
    ],
)
def test_values_as_people_read_them(value: Any, shown: str) -> None:
    assert text(value) == shown


def test_names_of_cells() -> None:
    answers = [
        ("a\n b", "1"),
        ("a b", "2"),
        ("a b", "3"),
        ("", "4"),
        ("campaign", "made up"),
        ("form", "F"),
        ("x" * 300, "5"),
    ]
    found = cells(answers, [("campaign", "autumn"), ("form", "F"), ("nothing", None)])
    assert found.values == {
        "a b": "1", "a b (2)": "2", "a b (3)": "3", "field_4": "4", "campaign (2)": "made up", "x" * 200: "5",
        "campaign": "autumn", "form": "F",
    }  # fmt: skip


def test_nested_answers() -> None:
    value = {"a": {"b": {"c": "1"}, "d": ["x", "y"]}, "e": [{"f": "2"}, "z"], "g": {}}
    assert dict(flat(value)) == {"a.b.c": "1", "a.d": ["x", "y"], "e.0.f": "2", "e.1": "z", "g": {}}


def test_too_much_for_a_form() -> None:
    (long,) = read(b"message=" + b"x" * 131_073, "", rules())
    assert [(found["field"], found["code"]) for found in long.problems] == [("message", "cell.too_long")]
    assert len(long.cells["message"]) == 131_072
    (many,) = submissions({f"field {place}": "x" for place in range(501)}, rules())
    assert [(found["code"], found["found"]) for found in many.problems] == [("fields.too_many", "1 more")]
    assert len(many.cells) == 500


def test_a_long_key_is_not_copied_for_each_value_inside_it() -> None:
    begin = time.process_time()
    (found,) = submissions({"k" * 900_000: {str(place): "" for place in range(20_000)}}, rules())
    assert found.problems[0]["code"] == "fields.too_many"
    assert time.process_time() - begin < 2, "0.1 s is usual"


@pytest.mark.parametrize(
    ("answers", "value"),
    [
        ({"format": "typeform", "path": "form_response"}, {"form_response": {"token": "t"}}),
        ({"format": "typeform", "path": "form_response"}, {"form_response": {"answers": ["x"]}}),
        ({"format": "typeform", "path": "form_response"}, {"event_type": "form_response_partial"}),
        ({"format": "tally", "path": "data.fields"}, {"data": {"fields": {"a": 1}}}),
        ({"format": "jotform"}, {"submissionID": "1"}),
        ({"format": "jotform"}, {"rawRequest": "{broken"}),
        ({"format": "google_ads", "path": "user_column_data"}, {"lead_id": "1"}),
        ({"format": "pairs", "path": "field_data"}, {"field_data": [1]}),
        ({"format": "flat", "path": ["payload.data", "data"]}, {"data": "text"}),
    ],
)
def test_answers_that_are_not_where_they_should_be(answers: Any, value: Any) -> None:
    (found,) = submissions(value, rules(answers=answers))
    assert [complaint["code"] for complaint in found.problems] == ["answers.missing"]


@pytest.mark.parametrize(
    ("tests", "value", "reason"),
    [
        pytest.param([{"path": "is_test"}], {"is_test": True}, "is_test is 'true'", id="true"),
        pytest.param([{"path": "is_test"}], {"is_test": "True"}, "is_test is 'True'", id="as a text"),
        pytest.param([{"path": "is_test"}], {"is_test": False}, None, id="false"),
        pytest.param([{"path": "is_test"}], {}, None, id="not there"),
        pytest.param([{"cell": "email", "equals": ["Test@Meta.com"]}], {"email": " test@meta.com "}, "email is 'test@meta.com'", id="a cell"),
        pytest.param([{"cell": "*", "contains": ["<test lead: dummy"]}], {"a": "x", "b": "<test lead: dummy data for b>"}, "b holds '<test lead: dummy'", id="any cell"),
        pytest.param([{"cell": "*", "contains": ["<test lead"]}], {"a": "yes"}, None, id="yes is no test if a text is asked for"),
    ],
)  # fmt: skip
def test_test_leads_are_set_aside(tests: Any, value: Any, reason: str | None) -> None:
    (found,) = submissions(value, rules(test=tests))
    assert found.aside == (("test_lead", f"The sender marks it as a test: {reason}") if reason else None)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=12), inside, max_size=4),
    max_leaves=15,
)
KNOWN_KEYS = st.sampled_from(
    "answers definition fields field type choices labels hidden data options rows columns value key rawRequest pretty "
    "q1_a user_column_data column_id entry changes leadgen_id field_data values form_response payload data.json".split()
)
LIKELY_JSON = st.recursive(
    ANY_JSON,
    lambda inside: st.dictionaries(KNOWN_KEYS, inside | st.lists(inside, max_size=3), max_size=5),
    max_leaves=20,
)


@given(st.sampled_from([form(source) for source in SOURCES] + [rules(items="data.fields", id="a + b")]), LIKELY_JSON)
@settings(max_examples=300, deadline=None)
def test_any_json_has_submissions_and_a_key(with_rules: Form, value: Any) -> None:
    for submission in submissions(value, with_rules):
        assert all(isinstance(name, str) and isinstance(said, str) for name, said in submission.cells.items())
        assert all(complaint["code"] in CODES for complaint in submission.problems)
        assert all(warning.rpartition(":")[2] in CODES for warning in submission.warnings)
        assert submission.aside is None or submission.aside[0] in SET_ASIDE_KINDS
    found = identified(value, posted(b""), with_rules)
    assert found == identified(value, posted(b""), with_rules)
    assert found.key.partition(":")[0] in ("id", "content")
    assert len(found.key) < 300
    if with_rules.fetch:
        assert all(bool(one.lead_id) != bool(one.problems) for one in announced(value, with_rules))


def test_json_of_any_depth() -> None:
    deep_list: Any = "x"
    deep_object: Any = "x"
    for _ in range(5000):
        deep_list, deep_object = [deep_list], {"a": deep_object}
    for value in (
        deep_list,
        deep_object,
        {"data": deep_list},
        {"form_response": {"definition": deep_object, "answers": []}},
    ):
        for source in SOURCES:
            assert isinstance(submissions(value, form(source)), list)
            assert identified(value, posted(b""), form(source)).fingerprint
