"""API keys: what each opens, for whom, how long; and requests that are stored once because they say which they are."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sluice.api.keys import LOOK_PAUSE, Keys
from sluice.store import api_keys
from tests.doors import Door, opened, until

ANNA = {"id": "sub-1", "name": "Anna Petrova", "email": "anna.petrova@acme-cabling.example"}


@pytest.fixture(scope="module")
def door(clusters: Callable[[str], Any], make_home: Callable[[], Path]) -> Iterator[Door]:
    """A door that all tests of this module use, on a database of its own."""
    with opened(clusters("embedded"), make_home()) as door:
        yield door


def form(**changes: Any) -> bytes:
    """A filled form with an id of its own."""
    return json.dumps({**ANNA, "id": os.urandom(6).hex(), **changes}).encode()


class TestIdempotencyKeys:
    """draft-ietf-httpapi-idempotency-key-header."""

    def test_the_same_request_is_stored_once(self, door: Door) -> None:
        headers = door.key("leads:write") | {"Idempotency-Key": os.urandom(8).hex()}
        first, again = door.post("/v1/leads", [ANNA], headers), door.post("/v1/leads", [ANNA], headers)
        assert (first.status_code, again.status_code) == (202, 202)
        assert first.json()["receipt"] == again.json()["receipt"] and again.json()["replayed"]

    def test_another_body_is_refused_and_not_stored(self, door: Door) -> None:
        headers = door.key("leads:write") | {"Idempotency-Key": os.urandom(8).hex()}
        door.post("/v1/leads", ANNA, headers)
        before = door.ask("select count(*) from receipts")
        said = door.post("/v1/leads", ANNA | {"name": "Eve"}, headers)
        assert said.status_code == 422 and "Idempotency-Key" in said.json()["detail"]
        assert door.ask("select count(*) from receipts") == before

    def test_without_one_the_same_body_is_stored_once(self, door: Door) -> None:
        headers, body = door.key("leads:write"), form()
        found = [door.post("/v1/leads", body, headers).json() for _ in range(2)]
        assert found[0]["receipt"] == found[1]["receipt"] and found[1]["replayed"]
        assert door.ask(f"select source, kind from receipts where receipt_id = {found[0]['receipt']}") == [
            ("api", "api")
        ]

    @pytest.mark.parametrize("key", ["", "ä", "x" * 256, "a b"])
    def test_what_cannot_be_one_is_refused(self, key: str, door: Door) -> None:
        headers = {**door.key("leads:write"), "Idempotency-Key": key.encode()}
        assert door.client.post("/v1/leads", content=b"{}", headers=headers).status_code == 400  # type: ignore[arg-type]


class TestKeys:
    """What each key may do."""

    ASKED = (("POST", "/v1/leads"), ("POST", "/v1/events"), ("GET", "/v1/receipts/1"), ("POST", "/hooks/anything"))

    @pytest.mark.parametrize(
        ("scope", "statuses"),
        [
            ("leads:write", (202, 403, 403, 202)),
            ("events:write", (403, 202, 403, 403)),
            ("receipts:read", (403, 403, 200, 403)),
            ("metrics:read", (403, 403, 403, 403)),
        ],
    )
    def test_scopes(self, scope: str, statuses: tuple[int, ...], door: Door) -> None:
        door.signed(form())
        event = {
            "kind": "page_viewed",
            "email": "a@b.example",
            "occurred_at": "2026-01-01T00:00:00Z",
            "id": os.urandom(4).hex(),
        }
        headers = door.key(scope)
        found = [
            door.client.request(method, path, content=json.dumps(event) if method == "POST" else None, headers=headers)
            for method, path in self.ASKED
        ]
        assert tuple(said.status_code for said in found) == statuses

    def test_a_key_for_one_source_writes_to_that_one(self, door: Door) -> None:
        headers = door.key(source="shop")
        assert door.post("/v1/leads?source=other", b"{}", headers).status_code == 403
        assert door.post("/hooks/other", b"{}", headers).status_code == 403
        said = door.post("/v1/leads", form(), headers)
        assert door.ask(f"select source from receipts where receipt_id = {said.json()['receipt']}") == ["shop"]

    def test_one_that_is_outlived_or_revoked_opens_nothing(self, door: Door) -> None:
        outlived = door.key(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        assert door.post("/v1/leads", b"{}", outlived).status_code == 401
        text = door.key_text()
        headers = {"Authorization": f"Bearer {text}"}
        assert door.post("/v1/leads", b"{}", headers).status_code == 202
        api_keys.revoke(door.database, text.split("_")[1])
        until(lambda: door.post("/v1/leads", b"{}", headers).status_code == 401, 10)

    def test_a_changed_letter_opens_nothing(self, door: Door) -> None:
        text = door.key_text()
        wrong = text[:-1] + ("a" if text[-1] != "a" else "b")
        assert door.post("/v1/leads", b"{}", {"Authorization": f"Bearer {wrong}"}).status_code == 401

    def test_the_key_that_posted_may_ask_what_became_of_it(self, door: Door) -> None:
        own, other = door.key("leads:write"), door.key("leads:write")
        public = door.key("leads:write", origins=["https://www.example.com"])
        url = door.post("/v1/leads", form(), own).json()["status_url"]
        assert [door.client.get(url, headers=headers).status_code for headers in (own, other)] == [200, 403]
        mine = door.post("/v1/leads", form(), public).json()["status_url"]
        assert door.client.get(mine, headers=public).status_code == 403, "everybody can read a page's key"
        reader = door.key("receipts:read")
        assert [door.client.get(f"/v1/receipts/{n}", headers=reader).status_code for n in ("999999", "x", "0")] == [
            404
        ] * 3


class TestPages:
    """Forms of web pages: with a key that everybody can read."""

    ORIGIN = "https://www.example.com"

    def test_the_browser_that_asks_first_is_answered_for_listed_websites_only(self, door: Door) -> None:
        key = door.key("leads:write", origins=[self.ORIGIN])
        door.post("/v1/leads", b"{}", key)  # the door has seen the key
        asked = {"Origin": self.ORIGIN, "Access-Control-Request-Method": "POST"}
        for path in ("/v1/leads", "/v1/events", "/hooks/site"):
            said = door.client.options(path, headers=asked)
            assert said.status_code == 204 and said.headers["access-control-allow-origin"] == self.ORIGIN
            assert "Authorization" in said.headers["access-control-allow-headers"]
        other = door.client.options("/v1/leads", headers=asked | {"Origin": "https://evil.example"})
        assert other.status_code == 403 and "access-control-allow-origin" not in other.headers

    def test_a_key_that_was_just_made_opens_for_its_website_at_once(self, door: Door) -> None:
        """The browser asks before it sends the key: nothing but the website tells that there is a new one."""
        for _ in range(3):  # the door looks at its keys every two seconds besides, which may hide what is wrong once
            origin = f"https://{os.urandom(4).hex()}.example.com"
            time.sleep(LOOK_PAUSE)
            door.key("leads:write", origins=[origin])
            said = door.client.options("/v1/leads", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
            assert (said.status_code, said.headers.get("access-control-allow-origin")) == (204, origin)

    def test_a_flood_of_made_up_websites_takes_few_looks(self, door: Door) -> None:
        keys, began, looks = Keys(door.database), time.monotonic(), 0
        keys.refresh()
        for number in range(20_000):
            looks += keys.takes_look(f"https://{number}.example")
        assert 1 <= looks <= 1 + (time.monotonic() - began) / LOOK_PAUSE
        assert not keys.takes_look("")

    def test_a_flood_of_made_up_websites_does_not_shut_others_out(self, door: Door) -> None:
        asked = {"Access-Control-Request-Method": "POST"}
        found = {
            door.client.options("/v1/leads", headers=asked | {"Origin": f"https://{number}.example"}).status_code
            for number in range(300)
        }
        assert found == {403}
        assert door.post("/v1/leads", form(), door.key("leads:write")).status_code == 202, "a new key is looked up"

    def test_the_page_may_read_the_answer_also_a_refusal(self, door: Door) -> None:
        key = door.key("leads:write", origins=[self.ORIGIN])
        said = door.post("/v1/leads", form(), key | {"Origin": self.ORIGIN})
        assert (said.status_code, said.headers["access-control-allow-origin"]) == (202, self.ORIGIN)
        refused = door.post("/v1/leads", b"{}", {"Origin": self.ORIGIN})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, self.ORIGIN)
        elsewhere = door.post("/v1/leads", form(), key | {"Origin": "https://evil.example"})
        assert elsewhere.status_code == 403 and "access-control-allow-origin" not in elsewhere.headers

    @pytest.mark.parametrize(
        ("following", "goes"),
        [
            ("https://www.example.com/thanks?a=1", True),
            ("https://evil.example/", False),
            ("https://www.example.com.evil.example/", False),
            ("https://www.example.com@evil.example/", False),
            ("//evil.example/", False),
            ("https://www.example.com\\@evil.example/", False),
            ("javascript:alert(1)", False),
        ],
    )
    @pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
    def test_a_plain_form_goes_on_to_a_page_of_its_website(
        self, following: str, goes: bool, kind: str, door: Door
    ) -> None:
        text = door.key_text("leads:write", origins=[self.ORIGIN])
        fields = {"email": "anna@example.com", "key": text, "next": following, "n": os.urandom(4).hex()}
        posted = {"data": fields} if kind == "urlencoded" else {"files": {n: (None, v) for n, v in fields.items()}}
        said = door.client.post("/hooks/site", headers={"Origin": self.ORIGIN}, **posted)  # type: ignore[arg-type]
        assert said.status_code == (303 if goes else 202), said.text
        assert said.headers.get("location") == (following if goes else None)
        (kept,) = door.ask("select convert_from(body, 'UTF8') from receipts order by receipt_id desc limit 1")
        assert text not in kept and "anna" in kept

    def test_the_key_may_stand_in_the_url_and_is_not_stored(self, door: Door) -> None:
        text = door.key_text("leads:write", origins=[self.ORIGIN])
        said = door.client.post(f"/hooks/site?key={text}&utm_source=fair", data={"a": os.urandom(4).hex()})
        (envelope,) = door.ask(f"select envelope from receipts where receipt_id = {said.json()['receipt']}")
        assert envelope["query"] == {"utm_source": ["fair"]} and text not in json.dumps(envelope)
