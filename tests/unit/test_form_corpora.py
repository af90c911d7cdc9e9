"""Real bodies of providers become the right cells: the shipped ones' by their declaration, the others' by a few lines.

Through an adapter of their own: typeform, tally, webflow-v1, webflow-v2, google-ads, jotform-multipart, jotform-api, the nine
of Unbounce, meta-leadgen. By a mapping of the generic one: calendly (2), netlify, hubspot (3).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sluice.form_rules import Form
from sluice.sources.forms.adapters import announced, identified
from sluice.sources.forms.bodies import decoded
from sluice.submissions import Submission
from tests.unit.forms import FORM, JSON, form, multipart, posted, read, rules

FOLDER = Path(os.environ.get("SLUICE_CORPORA") or Path(__file__).parents[3] / "shared") / "corpora" / "webhook-payloads"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the corpora are not part of the repository; SLUICE_CORPORA says where they are"
)

CALENDLY = rules(
    id="payload.uri + event",
    answers={"format": "pairs", "path": "payload.questions_and_answers", "name": "question", "value": "answer"},
    context={"name": "payload.name", "email": "payload.email", "starts": "payload.scheduled_event.start_time"},
)
CANCELED = rules(id="payload.uri + event", answers={"path": "payload"})
NETLIFY = rules(answers={"path": "data"}, context={"form_name": "form_name"})
HUBSPOT = rules(id="objectId + occurredAt + subscriptionType", resent=["eventId", "attemptNumber"])
PAGE = {"page_name": "Test-Webhook", "page_url": "http://unbouncepages.com/test-webhook-1"}
CLICK = {"email": "test@snowplowanalytics.com", "ip_address": "200.121.220.179", "time_submitted": "04:17 PM UTC"}


def body_of(name: str) -> tuple[bytes, str]:
    body = (FOLDER / name).read_bytes().strip()
    if name == "jotform-multipart-fields.json":
        return multipart(json.loads(body))
    return body, JSON if name.endswith(".json") else FORM


def read_file(name: str, with_rules: Form) -> list[Submission]:
    return read(*body_of(name), with_rules)


@pytest.mark.parametrize(
    ("name", "with_rules", "key", "cells"),
    [
        ("typeform.pipedream.json", "typeform", "id:20gh4opy9jh1jh6s0bd2n20gh4fy4rf4", {
            "What's your full name?": "NAME NAME", "form_name": "Your typeform", "landed_at": "2030-01-01T00:00:00Z",
            "submitted_at": "2030-01-01T00:00:01Z"}),
        ("tally.json", "tally", "id:xyz789", {
            "Full Name": "David Cohen", "Phone Number": "0501234567", "Email": "david@example.com",
            "Which plan interests you?": "Business", "form_name": "Lead Generation Form",
            "submitted_at": "2026-04-11T10:00:00.000Z"}),
        ("webflow-v1.pipedream.json", "webflow", "id:6434d9d6071644bc075238ab", {
            "Name": "Pipedream Test", "Email": "pipedream@test", "Message": "This is a test", "form_name": "Email Form",
            "submitted_at": "2023-04-11T03:53:58.624Z"}),
        ("webflow-v2.hookdeck.json", "webflow", "id:65a5d3c8f7e2b40012345678", {
            "First Name": "John", "Last Name": "Doe", "email": "john.doe@example.com",
            "message": "I'd like to learn more about your services", "form_name": "Contact Us Form",
            "submitted_at": "2024-01-15T14:30:00.000Z"}),
        ("google-ads-lead-form.json", "google-ads", "id:TeSt_LeAd_iD", {
            "FULL_NAME": "Jane Doe", "EMAIL": "jane@example.com", "PHONE_NUMBER": "+18005551212", "POSTAL_CODE": "77433",
            "What age?": "Child", "campaign_id": "987654321", "form_id": "123456789", "gcl_id": "..."}),
        ("jotform-multipart-fields.json", "jotform", "id:5123456789012345678", {
            "name": "Kin Lane", "email": "kin@example.com", "form_id": "203112345678901"}),
        ("jotform-api-submission.pipedream.json", "jotform", "id:5747236631235621087", {
            "Full Name": "Johnny Kennedy", "Mail": "johnny@cloudpipe.com", "form_id": "238526153693011"}),
        ("unbounce-json.api-evangelist.json", "unbounce", "content:", {
            "email": "test@test.com", "ip_address": "1.1.1.1", "page_uuid": "a2838d98-4cf4-11df-a3fd-00163e372d58",
            "variant": "a", "time_submitted": "10:57 PM UTC", "date_submitted": "2023-06-06",
            "page_name": "My Landing Page", "page_url": "http://my-landing-page.ca/"}),
        ("unbounce-urlencoded-0.snowplow.txt", "unbounce", "content:", {**CLICK, **PAGE}),
        ("unbounce-urlencoded-1.snowplow.txt", "unbounce", "content:", {**CLICK, "page_name": "Test-Webhook"}),
        ("unbounce-urlencoded-2.snowplow.txt", "unbounce", "content:", {
            "page_id": "f7afd389-65a3-45fa-8bad-b7a42236044c", "variant": "a", **PAGE}),
        ("unbounce-urlencoded-3.snowplow.txt", "unbounce", "content:", {
            "page_id": "f7afd389-65a3-45fa-8bad-b7a42236044c", "variant": "a", "data.json": "", **PAGE}),
        ("unbounce-urlencoded-4.snowplow.txt", "unbounce", "content:", {**CLICK, **PAGE}),
        ("unbounce-urlencoded-6.snowplow.txt", "unbounce", "content:", {**CLICK, "page_url": PAGE["page_url"]}),
        ("unbounce-urlencoded-7.snowplow.txt", "unbounce", "content:", {
            "userfield1": "asdfasdf", "ip_address": "85.73.39.163", "page_uuid": "7648177d-7323-4330-b4f9-9951a52138b6",
            "variant": "a", "time_submitted": "11:45 AM UTC", "date_submitted": "2017-11-15", "page_name": "Wayfaring",
            "page_url": "http://unbouncepages.com/wayfaring-147/"}),
        ("calendly-invitee.created.json", CALENDLY,
         "id:https://api.calendly.com/scheduled_events/EVT123/invitees/INV456|invitee.created", {
            "Law firm name": "Prospect & Co LLP", "Clio rep name": "Sam Rep", "Clio rep email": "sam@clio.test",
            "What do you want to migrate?": "Full GL", "name": "Dana Prospect", "email": "dana@lawfirm.test",
            "starts": "2026-07-01T15:00:00Z"}),
        ("calendly-invitee.canceled.json", CANCELED,
         "id:https://api.calendly.com/scheduled_events/EVT123/invitees/INV456|invitee.canceled", {
            "uri": "https://api.calendly.com/scheduled_events/EVT123/invitees/INV456", "name": "Dana Prospect",
            "email": "dana@lawfirm.test", "status": "canceled", "cancellation.reason": "Conflict",
            "cancellation.canceler_type": "invitee"}),
        ("netlify.json", NETLIFY, "content:", {
            "name": "John Doe", "email": "john@example.com", "message": "Hello!", "form_name": "contact"}),
        ("hubspot-webhook-1.snowplow.json", HUBSPOT, "id:123|1539145399845|contact.creation", {
            "eventId": "1", "subscriptionId": "25458", "portalId": "4737818", "occurredAt": "1539145399845",
            "subscriptionType": "contact.creation", "attemptNumber": "0", "objectId": "123", "changeSource": "CRM",
            "changeFlag": "NEW", "appId": "177698"}),
        ("hubspot-webhook-2.snowplow.json", HUBSPOT, "content:", {"subscriptionType": "company.change", "eventId": "16"}),
    ],
)  # fmt: skip
def test_a_real_body(name: str, with_rules: Any, key: str, cells: dict[str, str]) -> None:
    with_rules = form(with_rules) if isinstance(with_rules, str) else with_rules
    (submission,) = read_file(name, with_rules)
    assert dict(submission.cells) == cells
    assert (submission.aside, submission.problems) == (None, ())
    assert identified(decoded(*body_of(name)).value, posted(b""), with_rules).key.startswith(key)


def test_a_body_of_unbounce_whose_answers_are_broken() -> None:
    name = "unbounce-urlencoded-5.snowplow.txt"
    assert decoded(*body_of(name)).warnings == ("data.json:unreadable",)
    (submission,) = read_file(name, form("unbounce"))
    assert [complaint["code"] for complaint in submission.problems] == ["answers.missing"]


def test_a_real_notification_of_meta() -> None:
    value = decoded(*body_of("meta-leadgen.json")).value
    (one,) = announced(value, form("meta-lead-ads"))
    assert (one.lead_id, one.kept, one.problems) == ("6276465415920", {"page_id": "561823650667842"}, ())
    assert identified(value, posted(b""), form("meta-lead-ads")).key == "id:6276465415920"


def test_another_attempt_of_hubspot_is_the_same() -> None:
    value = decoded(*body_of("hubspot-webhook-0.snowplow.json")).value
    again = [{**event, "attemptNumber": "1", "eventId": "2"} for event in value]
    assert identified(again, posted(b""), HUBSPOT) == identified(value, posted(b""), HUBSPOT)
