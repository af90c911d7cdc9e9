"""Each provider's quirks, on an invented body of it: answers, ids, what is sent again, tests and leads to be fetched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sluice.sources.forms.adapters import announced, fetched, identified, submissions
from sluice.sources.forms.bodies import decoded
from tests.unit.forms import BODIES, JSON, declaration, form, invented, posted, read

CELLS: dict[str, dict[str, str]] = {
    "typeform": {
        "What's your full name?": "Zoë Okafor",
        "Email": "zoe@okafor.example",
        "Phone number": "+442079460123",
        "Which plan?": "Business",
        "Which topics?": "Routing; Scoring; Mail",
        "May we write to you?": "yes",
        "How many seats?": "12.50",
        "When?": "2027-01-15",
        "Your site": "https://okafor.example",
        "Brief": "https://files.example/brief.pdf",
        "Deposit": "amount: $100, name: Zoë Okafor, success: yes",
        "old_question": "of a deleted question",
        "utm_campaign": "autumn",
        "utm_source": "newsletter",
        "form_name": "Ask for a demo",
        "landed_at": "2026-11-20T18:07:02Z",
        "submitted_at": "2026-11-20T18:17:02Z",
    },
    "tally": {
        "Full Name": "Zoë Okafor",
        "Email": "zoe@okafor.example",
        "Plan": "Business",
        "Topics": "Routing; Mail",
        "Country": "",
        "Seats": "12",
        "Brief": "brief.pdf",
        "utm_campaign": "autumn",
        "How well?": "Import: Good",
        "May we write to you?": "yes",
        "form_name": "Ask for a demo",
        "submitted_at": "2026-11-20T10:00:00.000Z",
    },
    "jotform": {
        "Full Name": "Zoë Okafor",
        "E-mail": "zoe@okafor.example",
        "Phone Number": "(202) 555-0123",
        "start": "2026-11-30",
        "Topics": "Routing; Scoring",
        "address.addr_line1": "1 Main St",
        "address.addr_line2": "",
        "address.city": "Springfield",
        "address.state": "IL",
        "address.postal": "62701",
        "Anything else?": "Yes, please, call me",
        "signature": "data:image/png",
        "form_name": "Ask for a demo",
        "form_id": "203112345678901",
    },
    "webflow": {
        "First Name": "Zoë",
        "Last Name": "Okafor",
        "Email": "zoe@okafor.example",
        "Phone": "+44 20 7946 0123",
        "Topics": "Routing; Scoring",
        "Newsletter": "yes",
        "Message": "Please call.",
        "form_name": "Contact",
        "submitted_at": "2026-11-20T14:30:00.000Z",
    },
    "google-ads": {
        "FULL_NAME": "Zoë Okafor",
        "EMAIL": "zoe@okafor.example",
        "COMPANY_NAME": "Okafor Ltd",
        "Which showroom is nearest?": "Leeds",
        "QUESTION_2": "12",
        "campaign_id": "9007199254740993",
        "form_id": "40000000000",
        "adgroup_id": "20000000000",
        "gcl_id": "Cj0KClick",
        "submitted_at": "2026-11-20T12:30:00Z",
    },
    "unbounce": {
        "name": "Zoë Okafor",
        "email": "zoe@okafor.example",
        "topics": "Routing; Scoring",
        "time_submitted": "04:17 PM UTC",
        "date_submitted": "2026-11-20",
        "page_name": "Autumn demo",
        "page_url": "https://pages.example/demo",
    },
    "contact-form-7": {
        "your-name": "Zoë Okafor",
        "your-email": "zoe@okafor.example",
        "your-subject": "Demo",
        "your-message": "Please call\nme back.",
        "interests": "Routing; Scoring",
        "website-2": "",
        "seconds-taken": "41",
        "submission_id": "9b2f",
    },
    "website-form": {
        "name": "Zoë Okafor",
        "email": "zoe@okafor.example",
        "organisation": "Okafor & Sons",
        "interests": "Routing; Scoring",
        "message": "Please call\r\nme back.",
        "website_url": "",
        "seconds_taken": "41",
        "utm_campaign": "autumn",
    },
}
KEYS = {
    "typeform": "id:a3a12ec67a1365927098a606107fac15",
    "tally": "id:s-1",
    "jotform": "id:5123456789012345678",
    "webflow": "id:65a5d3c8f7e2b40012345678",
    "google-ads": "id:CjwKLeadOne",
    "unbounce": "content:",
    "contact-form-7": "id:9b2f",
    "website-form": "content:",
}


@pytest.mark.parametrize("source", CELLS)
def test_an_invented_body_of_each_provider(source: str) -> None:
    (submission,) = read(*invented(source), form(source))
    assert dict(submission.cells) == CELLS[source]
    assert (submission.aside, submission.problems, submission.warnings) == (None, (), ())


@pytest.mark.parametrize("source", CELLS)
def test_its_answers_are_mapped(source: str) -> None:
    """A shipped declaration knows name, address and company of a body as its provider sends it."""
    (submission,) = read(*invented(source), form(source))
    mapping = {theirs.casefold(): ours for theirs, ours in declaration(source)["fields"].items()}
    mapped = {mapping.get(name.casefold(), name): value for name, value in submission.cells.items()}
    assert mapped["email"] == "zoe@okafor.example"
    assert mapped.get("full_name", f"{mapped.get('first_name')} {mapped.get('last_name')}") == "Zoë Okafor"


@pytest.mark.parametrize("source", KEYS)
def test_the_provider_s_id_is_the_key(source: str) -> None:
    body, kind = invented(source)
    value = decoded(body, kind).value
    found = identified(value, posted(body), form(source))
    assert found.key.startswith(KEYS[source])
    assert found == identified(json.loads(json.dumps(value)), posted(b""), form(source)), "the bytes do not matter"


def changed(value: Any, path: str, to: Any) -> Any:
    copy = json.loads(json.dumps(value))
    *steps, last = path.split(".")
    inside = copy
    for step in steps:
        inside = inside[int(step) if isinstance(inside, list) else step]
    inside[int(last) if isinstance(inside, list) else last] = to
    return copy


@pytest.mark.parametrize(
    ("source", "path"),
    [("typeform", "event_id"), ("tally", "eventId"), ("tally", "createdAt"), ("google-ads", "google_key")],
)
def test_what_is_sent_again_is_the_same(source: str, path: str) -> None:
    body, kind = invented(source)
    value = decoded(body, kind).value
    again = changed(value, path, "another")
    assert identified(again, posted(b""), form(source)) == identified(value, posted(b""), form(source))


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("typeform", "form_response.answers.0.text"),
        ("tally", "data.fields.1.value"),
        ("google-ads", "user_column_data.1.string_value"),
        ("webflow", "payload.data.Email"),
    ],
)
def test_another_answer_under_the_same_id_shows(source: str, path: str) -> None:
    body, kind = invented(source)
    value = decoded(body, kind).value
    one, two = (identified(each, posted(b""), form(source)) for each in (value, changed(value, path, "x@y.example")))
    assert one.key == two.key
    assert one.fingerprint != two.fingerprint


def test_google_s_test_data_and_meta_s() -> None:
    body, kind = invented("google-ads")
    (google,) = read(body.replace(b'"is_test": false', b'"is_test": true'), kind, form("google-ads"))
    assert google.aside is not None and google.aside[0] == "test_lead"
    graph = {"id": "1", "field_data": [{"name": "full_name", "values": ["<test lead: dummy data for full_name>"]}]}
    (meta,) = submissions(graph, form("meta-lead-ads").model_copy(update={"items": None}))
    assert meta.aside is not None and meta.aside[0] == "test_lead"


def test_meta_announces_leads() -> None:
    body, kind = invented("meta-lead-ads")
    found = announced(decoded(body, kind).value, form("meta-lead-ads"))
    assert [(one.lead_id, one.kept) for one in found] == [
        ("123123123123", {"page_id": "153125381133"}),
        ("", {}),
        ("456456456456", {"page_id": "153125381133"}),
    ]
    assert [(one["code"], one["found"]) for one in found[1].problems] == [("element.other_kind", "feed")]
    with pytest.raises(ValueError, match="no fetch"):
        announced({}, form("tally"))


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"entry": 1},
        {"entry": ["x"]},
        {"entry": [{"changes": [{"field": "leadgen", "value": {"leadgen_id": []}}]}]},
    ],
)
def test_a_notification_that_names_no_lead(value: Any) -> None:
    found = announced(value, form("meta-lead-ads"))
    assert all(not one.lead_id and one.problems for one in found)


def test_meta_s_leads_as_they_are_fetched() -> None:
    body, kind = invented("meta-lead-ads")
    with_rules = form("meta-lead-ads")
    first = announced(decoded(body, kind).value, with_rules)[0]
    found = fetched(decoded((BODIES / "meta-graph.json").read_bytes(), JSON).value, first, with_rules)
    assert dict(found.cells) == {
        "page_id": "153125381133",
        "full_name": "Zoë Okafor",
        "email": "zoe@okafor.example",
        "which_topics?": "Routing; Scoring",
        "leadgen_id": "123123123123",
        "submitted_at": "2026-11-20T10:00:00+0000",
        "campaign_name": "Autumn demo",
        "form_id": "12312312312",
        "platform": "ig",
        "is_organic": "no",
    }
    assert found.problems == ()
    for answer in ({}, {"error": {"message": "expired", "code": 190}}, [], None, "x"):
        assert fetched(answer, first, with_rules).problems


def test_jotform_s_answers_without_a_readable_copy() -> None:
    raw = {
        "q3_name": {"first": "Kin", "last": "Lane"},
        "q4_phone": {"area": "202", "phone": "5550123"},
        "event_id": "1",
    }
    (found,) = submissions({"submissionID": "1", "rawRequest": raw}, form("jotform"))
    assert dict(found.cells) == {"name": "Kin Lane", "phone": "202 5550123"}


def test_jotform_s_readable_copy_is_only_taken_where_it_fits() -> None:
    raw = {"q1_a": "x", "q2_b": "", "q3_c": "y", "q4_d": "Other, E:z", "q5_e": "z"}
    pretty = "First, of all:x, Third:y, Fourth:Other, E:z, Fifth:z"
    (found,) = submissions({"rawRequest": raw, "pretty": pretty}, form("jotform"))
    assert dict(found.cells) == {"First, of all": "x", "b": "", "Third": "y", "Fourth": "Other, E:z", "Fifth": "z"}
