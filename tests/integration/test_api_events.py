"""Events: each is stored once and stands for itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doors import Door, opened

VIEW = {"kind": "page_viewed", "email": "anna@example.com", "occurred_at": "2026-11-20T09:30:00Z"}


@pytest.fixture(scope="module")
def door(clusters: Callable[[str], Any], make_home: Callable[[], Path]) -> Iterator[Door]:
    """A door on a database of its own."""
    with opened(clusters("embedded"), make_home()) as door:
        yield door


@pytest.fixture(scope="module")
def key(door: Door) -> dict[str, str]:
    return door.key("events:write")


@pytest.mark.parametrize(
    ("who", "person"),
    [
        ({"email": " Anna.Petrova+news@Example.COM "}, "mail:anna.petrova@example.com"),
        ({"email": "Anna <anna@bücher.example>"}, "mail:anna@xn--bcher-kva.example"),
        ({"phone": "+1 202-555-0143"}, "tel:+12025550143"),
        ({"email": "anna@example.com", "phone": "+1 202-555-0143"}, "mail:anna@example.com"),
    ],
)
def test_the_person_is_written_as_identities_are(
    who: dict[str, str], person: str, door: Door, key: dict[str, str]
) -> None:
    event = {"kind": "x", "occurred_at": VIEW["occurred_at"], "id": os.urandom(4).hex(), **who}
    assert door.post("/v1/events", event, key).json()["stored"] == 1
    assert door.ask(f"select person_key from events where event_key = 'id:{event['id']}'") == [person]


def test_the_same_is_stored_once_by_its_id_or_its_content(door: Door, key: dict[str, str]) -> None:
    named, plain = VIEW | {"id": os.urandom(4).hex()}, VIEW | {"properties": {"page": f"/{os.urandom(4).hex()}"}}
    found = [door.post("/v1/events", [named, plain, named], key).json() for _ in range(2)]
    assert [[result["status"] for result in said["results"]] for said in found] == [
        ["stored", "stored", "known"],
        ["known", "known", "known"],
    ]
    elsewhere = door.post("/v1/events?source=other", [named], key).json()
    assert elsewhere["stored"] == 1, "another source has ids of its own"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": None}, "kind"),
        ({"kind": "Page viewed"}, "kind"),
        ({"email": None}, "email"),
        ({"email": "no address"}, "email"),
        ({"email": None, "phone": "12"}, "phone"),
        ({"email": ["a@b.example"]}, "email"),
        ({"occurred_at": None}, "occurred_at"),
        ({"occurred_at": "2026-11-20T09:30:00"}, "occurred_at"),
        ({"occurred_at": "2126-11-20T09:30:00Z"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"id": "x" * 201}, "id"),
        ({"properties": []}, "properties"),
        ({"properties": {"a": "x" * 20_000}}, "properties"),
        ({"score": 100}, "score"),
        ({"kind": "mail_sent"}, "properties.message_id"),
        ({"kind": "mail_sent", "properties": {"message_id": "<a@b>"}}, "properties.campaign"),
    ],
)
def test_what_is_wrong_is_named_and_the_others_are_stored(
    changes: dict[str, Any], field: str, door: Door, key: dict[str, str]
) -> None:
    wrong = {name: value for name, value in (VIEW | changes).items() if value is not None}
    said = door.post("/v1/events", [wrong, VIEW | {"id": os.urandom(4).hex()}], key)
    assert said.status_code == 202 and (said.json()["stored"], said.json()["refused"]) == (1, 1)
    result = said.json()["results"][0]
    assert (result["index"], result["status"], result["field"]) == (0, "refused", field) and result["allowed"]
    alone = door.post("/v1/events", wrong, key)
    assert alone.status_code == 422 and alone.json()["results"][0]["field"] == field


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="none"),
        pytest.param(b"1", id="a number"),
        pytest.param(b"[" * 50_000, id="deep"),
        pytest.param(b"[" + b"{}," * 1_000 + b"{}]", id="1,001"),
        pytest.param(b'[{"kind": NaN}]', id="NaN"),
        pytest.param(b"\xff\x00", id="bytes"),
        pytest.param(b"kind=x&email=a@b.example", id="a form"),
    ],
)
def test_what_holds_no_events_is_refused(body: bytes, door: Door, key: dict[str, str]) -> None:
    assert door.post("/v1/events", body, key).status_code == 422


def test_a_thousand_at_once(door: Door, key: dict[str, str]) -> None:
    events = [VIEW | {"id": f"{number}-{os.urandom(4).hex()}"} for number in range(1_000)]
    assert door.post("/v1/events", events, key).json()["stored"] == 1_000


def test_odd_characters_in_properties_are_no_trouble(door: Door, key: dict[str, str]) -> None:
    body = (
        b'[{"kind":"x","email":"a@b.example","occurred_at":"2026-11-20T09:30:00Z","properties":{"a":"\\u0000\\ud800"}}]'
    )
    assert door.post("/v1/events", body, key).json()["stored"] == 1


def test_a_mail_that_was_sent_is_found_by_its_message_id(door: Door, key: dict[str, str]) -> None:
    sent = VIEW | {"kind": "mail_sent", "properties": {"message_id": "915.news@mail.example.com", "campaign": "news"}}
    for _ in range(2):
        assert door.post("/v1/events", sent, key).status_code == 202
    assert door.ask("select message_id, campaign, sent_at is not null from messages") == [
        ("<915.news@mail.example.com>", "news", True)
    ]
