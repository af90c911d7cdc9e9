"""What is posted is stored before it is acknowledged, once, whoever vouches for it; and what is not, is refused."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sluice.store.engine import Database
from tests.doors import SECRET, Door, opened, signature, until

ANNA = {"id": "sub-1", "name": "Anna Petrova", "email": "anna.petrova@acme-cabling.example"}
CANARY = "vera.canary@canary.example"


@pytest.fixture(scope="module")
def door(clusters: Callable[[str], Any], make_home: Callable[[], Path]) -> Iterator[Door]:
    """A door that all tests of this module use, on a database of its own."""
    with opened(clusters("embedded"), make_home()) as door:
        yield door


def form(**changes: Any) -> bytes:
    """A filled form with an id of its own."""
    return json.dumps({**ANNA, "id": os.urandom(6).hex(), **changes}).encode()


def test_a_signed_form_is_stored_as_it_came(door: Door) -> None:
    body = form(name="Zoë\\u0000")
    said = door.signed(body)
    assert said.status_code == 202
    receipt = said.json()["receipt"]
    assert said.json() == {"receipt": receipt, "status_url": f"/v1/receipts/{receipt}", "replayed": False}
    columns = "source, kind, state, name, body, size_bytes, key, envelope, config_id is not null"
    ((source, kind, state, name, kept, size, key, envelope, is_pinned),) = door.ask(
        f"select {columns} from receipts where receipt_id = {receipt}"
    )
    assert (source, kind, state, name, bytes(kept), size) == (
        "signed",
        "form",
        "received",
        "POST /hooks/signed",
        body,
        len(body),
    )
    assert key == f"id:{json.loads(body)['id']}" and is_pinned
    assert envelope["vouched_by"] == "signature:hmac" and envelope["address"] == "127.0.0.1"
    assert "x-signature" not in envelope["headers"]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        pytest.param("/hooks/signed", b"x" * 2_000_000, {}, 413, id="size before signature"),
        pytest.param("/hooks/nobody", b"{}", {}, 401, id="unknown source, nobody vouches"),
        pytest.param("/hooks/..%2f..%2fetc", b"{}", {}, 404, id="no address"),
        pytest.param("/hooks/webinar", b"{}", {}, 401, id="a source of files"),
        pytest.param("/hooks/signed", b"{}", {}, 401, id="no signature"),
        pytest.param("/hooks/signed", b"{}", signature(b"{ }"), 401, id="signature of another body"),
        pytest.param("/hooks/signed", b"{}", signature(b"{}", b"wrong"), 401, id="signature of another secret"),
        pytest.param("/hooks/secretless", b"{}", signature(b"{}"), 503, id="no secret is set: nobody is let in"),
        pytest.param("/v1/leads", b"{}", {}, 401, id="no key"),
        pytest.param(
            "/v1/leads", b"{}", {"Authorization": "Bearer sluice_aaaaaaaa_" + 43 * "a"}, 401, id="unknown key"
        ),
        pytest.param("/v1/leads", b"{}", {"Authorization": "Bearer \xff\xfe"}, 401, id="odd key"),
        pytest.param("/v1/events", b"[]", {}, 401, id="events without a key"),
        pytest.param("/health", b"", {}, 405, id="not for posts"),
    ],
)
def test_what_is_refused_is_a_problem_and_leaves_nothing(
    path: str, body: bytes, headers: dict[str, str], status: int, door: Door
) -> None:
    before = door.ask("select count(*) from receipts")
    said = door.post(path, body, {name: value.encode("latin-1") for name, value in headers.items()})
    assert (said.status_code, said.headers["content-type"]) == (status, "application/problem+json")
    assert said.json()["status"] == status and said.json()["detail"]
    assert ("retry-after" in said.headers) == (status == 503) and ("www-authenticate" in said.headers) == (
        status == 401
    )
    assert door.ask("select count(*) from receipts") == before


def test_the_same_again_is_the_same_receipt(door: Door) -> None:
    body = form()
    first, again = door.signed(body), door.signed(body)
    assert first.json()["receipt"] == again.json()["receipt"]
    assert again.json()["replayed"] and again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    sql = f"select replays, replayed_at is not null from receipts where receipt_id = {first.json()['receipt']}"
    until(lambda: door.ask(sql) == [(1, True)])


def test_the_same_200_times_at_once_is_one_receipt(door: Door) -> None:
    body = form()
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: door.signed(body), range(200)))
    assert {said.status_code for said in found} == {202} and len({said.json()["receipt"] for said in found}) == 1
    assert sum(not said.json()["replayed"] for said in found) == 1
    until(lambda: door.ask(f"select replays from receipts where key = 'id:{json.loads(body)['id']}'") == [199])


def test_another_content_under_a_used_id_is_kept_beside_the_first(door: Door) -> None:
    identity = os.urandom(6).hex()
    first = door.signed(form(id=identity)).json()["receipt"]
    changed = [door.signed(form(id=identity, name="Eve")) for _ in range(2)]
    assert [said.status_code for said in changed] == [202, 202]
    assert changed[0].json()["receipt"] == changed[1].json()["receipt"] != first
    found = door.ask(
        f"select state, failure ->> 'found', body from receipts where receipt_id = {changed[0].json()['receipt']}"
    )
    assert found[0][0] == "failed" and "another content" in found[0][1] and b"Eve" in bytes(found[0][2])
    assert b"Anna" in bytes(door.ask(f"select body from receipts where receipt_id = {first}")[0])
    assert 'sluice_posts_total{outcome="changed",source="signed"} 2.0' in door.client.get("/metrics").text


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00\xff\xfe", id="bytes"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"id": ' + b"9" * 5_000 + b"}", id="digits"),
        pytest.param(b'{"id": NaN}', id="NaN"),
        pytest.param(b'{"id": "\\ud800"}', id="half a surrogate pair"),
        pytest.param(b'{"id": "\\u0000 1"}', id="NUL in the id"),
        pytest.param(b'{"id": "' + b"x" * 900_000 + b'"}', id="long id"),
        pytest.param(b'{"id": 1, "id": 2}', id="the id twice"),
        pytest.param(b"name=Anna&id=%00", id="NUL in a form"),
    ],
)
def test_whatever_is_signed_is_stored(body: bytes, door: Door) -> None:
    said = door.signed(body)
    assert said.status_code == 202
    assert [
        bytes(kept) for kept in door.ask(f"select body from receipts where receipt_id = {said.json()['receipt']}")
    ] == [body]
    assert door.signed(form()).status_code == 202


def test_the_secret_in_a_body_is_not_stored(door: Door) -> None:
    said = door.post("/hooks/inbody", {"lead_id": os.urandom(6).hex(), "google_key": SECRET.decode()})
    assert said.status_code == 202
    (kept,) = door.ask(f"select convert_from(body, 'UTF8') from receipts where receipt_id = {said.json()['receipt']}")
    assert SECRET.decode() not in kept and "lead_id" in kept


def test_an_unknown_form_of_a_known_sender_is_stored(door: Door) -> None:
    said = door.post("/hooks/brand-new", b"{}", door.key("leads:write"))
    assert said.status_code == 202
    assert door.ask(f"select source from receipts where receipt_id = {said.json()['receipt']}") == ["brand-new"]
    assert door.post("/hooks/Brand New", b"{}", door.key("leads:write")).status_code == 422


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("hub.mode=subscribe&hub.verify_token=hello-token&hub.challenge=1158201444", 200, "1158201444"),
        ("hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1158201444", 401, None),
        ("hub.mode=subscribe&hub.verify_token=hello-token&hub.challenge=<script>", 401, None),
        ("", 401, None),
    ],
)
def test_a_provider_that_asks_first_is_answered(query: str, status: int, text: str | None, door: Door) -> None:
    said = door.client.get(f"/hooks/meta?{query}")
    assert said.status_code == status and (text is None or said.text == text)
    assert door.client.get(f"/hooks/signed?{query}").status_code == 401


def test_a_receipt_tells_what_became_of_it_but_not_what_stood_in_it(door: Door) -> None:
    headers = door.key()
    number = door.post("/v1/leads", form(email=CANARY), headers).json()["receipt"]
    with door.database.transaction() as connection:
        connection.exec_driver_sql(
            "insert into rejects (receipt_id, row_number, line, record, problems) values (%(n)s, 1, 1, '{x}', %(p)s::jsonb)",
            {
                "n": number,
                "p": json.dumps([{"field": "email", "code": "invalid", "found": CANARY, "meaning": "m", "fix": "f"}]),
            },
        )
    said = door.client.get(f"/v1/receipts/{number}", headers=headers)
    assert said.json()["rows"] == [
        {
            "row": 1,
            "outcome": "rejected",
            "problems": [{"field": "email", "code": "invalid", "meaning": "m", "fix": "f"}],
        }
    ]
    assert CANARY not in said.text and said.json()["state"] == "received"


def test_its_log_holds_nothing_of_what_was_posted(door: Door) -> None:
    door.signed(form(email=CANARY))
    door.post(f"/hooks/{CANARY}?email={CANARY}", form(email=CANARY))
    door.post("/v1/leads", form(email=CANARY), {"Authorization": f"Bearer {CANARY}", "User-Agent": CANARY})
    until(lambda: '"code": "key.unknown"' in door.log, 15)
    assert CANARY not in door.log and SECRET.decode() not in door.log and "127.0.0.1 -" not in door.log
    assert all(json.loads(line)["event"] for line in door.log.splitlines() if line.startswith("{"))


def test_a_receipt_is_there_when_the_door_is_killed_right_after_the_answer(
    database: Database, make_home: Callable[[], Path]
) -> None:
    killed = Door.made(database, make_home()).open()
    number = killed.signed(form()).json()["receipt"]
    assert killed.end(signal.SIGKILL) == -9
    assert killed.ask("select receipt_id from receipts") == [number]
