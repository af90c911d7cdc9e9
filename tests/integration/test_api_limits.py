"""Slow, broken and greedy senders: they are refused in words, and others do not notice them."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.doors import SIGNED, Door, answer, head, opened, signature, until

RULES = """\
address: {per_second: 1, burst: 5}
source: {per_second: 200, burst: 400}
body_bytes: 65536
buffered_bytes: 1048576
head_seconds: 1
body_seconds: 1
"""


@pytest.fixture(scope="module")
def door(clusters: Callable[[str], Any], make_home: Callable[[], Path]) -> Iterator[Door]:
    """A door with little patience, behind a proxy that it trusts."""
    with opened(
        clusters("embedded"), make_home(), {"SLUICE_TRUSTED_PROXIES": "127.0.0.0/8, 10.0.0.0/8"}, RULES
    ) as door:
        yield door


def form() -> bytes:
    return json.dumps({"id": os.urandom(6).hex(), "email": "anna@example.com"}).encode()


def count(door: Door) -> int:
    return int(door.ask("select count(*) from receipts")[0])


@pytest.mark.parametrize(
    "declared",
    [pytest.param("Content-Length: 999999999", id="declared"), pytest.param("", id="chunked, without a length")],
)
def test_a_body_that_is_too_large_is_refused_before_it_is_all_there(declared: str, door: Door) -> None:
    lines = [declared] if declared else ["Transfer-Encoding: chunked"]
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    connection = door.raw(head("/hooks/signed", {}, lines), b"" if declared else chunk * 5)
    assert answer(connection)[0] == 413
    connection.close()


@pytest.mark.parametrize(
    ("lines", "body", "status"),
    [
        pytest.param(["Transfer-Encoding: chunked"], b"5\r\nhello\r\nZZ\r\n", 400, id="a chunk without a size"),
        pytest.param(
            ["Transfer-Encoding: chunked", "Content-Length: 5"], b"5\r\nhello\r\n0\r\n\r\n", 400, id="two lengths"
        ),
        pytest.param(["Content-Length: 5", "Content-Length: 6"], b"hello", 400, id="two content lengths"),
        pytest.param(["Content-Length: -5"], b"hello", 400, id="a negative length"),
        pytest.param(["Content-Length: 500"], b"hello", 408, id="less than declared, then silence"),
        pytest.param(["Transfer-Encoding: chunked"], b"5\r\nhello\r\n", 408, id="no last chunk, then silence"),
    ],
)
def test_lies_about_the_length_store_nothing(lines: list[str], body: bytes, status: int, door: Door) -> None:
    before = count(door)
    connection = door.raw(head("/hooks/signed", signature(b"hello"), lines), body)
    found, said = answer(connection)
    assert found == status, said
    assert (b"retry-after" in said) is False and (b"connection: close" in said)
    connection.close()
    assert count(door) == before


def test_a_body_that_is_cut_is_not_stored(door: Door) -> None:
    before, body = count(door), form()
    for cut in (0, 1, len(body) - 1):
        door.raw(head("/hooks/signed", signature(body) | {"Content-Length": len(body)}), body[:cut]).close()
    assert door.signed(form()).status_code == 202
    time.sleep(0.3)
    assert count(door) == before + 1


def test_a_sender_that_leaves_after_the_body_was_heard_all_the_same(door: Door) -> None:
    before, body = count(door), form()
    door.raw(head("/hooks/signed", signature(body) | {"Content-Length": len(body)}), body).close()
    until(lambda: count(door) == before + 1)
    assert door.signed(body).json()["replayed"]


def test_who_sends_no_head_is_shut_out_and_the_others_are_served(door: Door) -> None:
    slow = [door.raw(b"POST /hooks/signed HTTP/1.1\r\nHost: x\r\n") for _ in range(50)]
    silent = [door.raw() for _ in range(50)]
    for number in range(10):
        slow[0].sendall(f"X-{number}: y\r\n".encode())
        assert door.signed(form()).status_code == 202
    for connection in (*slow, *silent):
        connection.settimeout(20)  # the door waits for a head for a second here
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""
        connection.close()


def test_a_byte_now_and_then_does_not_keep_a_connection(door: Door) -> None:
    connection = door.raw(b"POST /hooks")
    with pytest.raises(OSError):
        for _ in range(60):
            connection.sendall(b"x")
            time.sleep(0.1)
    connection.close()


def test_a_head_without_end_is_refused(door: Door) -> None:
    connection = door.raw(b"POST /hooks/signed HTTP/1.1\r\n")
    try:
        for _ in range(100):
            connection.sendall(b"X-Long: " + b"y" * 4_000 + b"\r\n")
    except OSError:
        pass
    else:
        assert answer(connection)[0] in (431, 0)
    connection.close()
    assert door.client.get("/health").status_code == 200


def test_a_connection_is_used_again_and_again(door: Door) -> None:
    connection = door.raw()
    for _ in range(3):
        body = form()
        connection.sendall(head("/hooks/signed", signature(body) | {"Content-Length": len(body)}) + body)
        assert answer(connection)[0] == 202
    connection.close()


def test_a_connection_that_was_idle_takes_the_next_post(door: Door) -> None:
    """Programs and proxies keep theirs for five seconds and longer."""
    body = form()
    connection = door.raw(head("/hooks/signed", signature(body), [f"Content-Length: {len(body)}"]), body)
    assert answer(connection)[0] == 202
    time.sleep(6)
    connection.sendall(head("/hooks/signed", signature(body), [f"Content-Length: {len(body)}"]) + body)
    assert answer(connection)[0] == 202
    connection.close()


def test_a_refused_large_body_leaves_the_connection_usable(door: Door) -> None:
    connection, large, body = door.raw(), b"x" * 300_000, form()
    connection.sendall(head("/hooks/signed", {"Content-Length": len(large)}) + large)
    assert answer(connection)[0] == 413
    connection.sendall(head("/hooks/signed", signature(body) | {"Content-Length": len(body)}) + body)
    assert answer(connection)[0] == 202
    connection.close()


def test_who_asks_before_sending_is_told_to_go_on(door: Door) -> None:
    body = form()
    connection = door.raw(
        head("/hooks/signed", signature(body) | {"Content-Length": len(body), "Expect": "100-continue"})
    )
    assert connection.recv(1_000).startswith(b"HTTP/1.1 100 Continue")
    connection.sendall(body)
    assert answer(connection)[0] == 202
    connection.close()
    connection = door.raw(head("/hooks/signed", {"Content-Length": 9_999_999, "Expect": "100-continue"}))
    status, said = answer(connection)
    assert status == 413 and b"connection: close" in said
    connection.close()


class TestRates:
    """Token buckets."""

    def test_a_page_visitor_is_slowed_down_and_the_next_one_is_not(self, door: Door) -> None:
        key = door.key("leads:write", origins=["https://www.example.com"])
        found = [door.post("/v1/leads", form(), key | {"X-Forwarded-For": "203.0.113.7"}) for _ in range(8)]
        assert [said.status_code for said in found].count(202) == 5
        assert found[-1].status_code == 429 and int(found[-1].headers["retry-after"]) >= 1
        assert door.post("/v1/leads", form(), key | {"X-Forwarded-For": "203.0.113.8"}).status_code == 202

    @pytest.mark.parametrize(
        ("forwarded", "address"),
        [
            ("203.0.113.7", "203.0.113.7"),
            ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
            ("203.0.113.7, 10.1.2.3", "203.0.113.7"),
            ("nonsense", "127.0.0.1"),
            ("2001:db8::7", "2001:db8::7"),
        ],
    )
    def test_only_what_the_trusted_proxy_says_counts(self, forwarded: str, address: str, door: Door) -> None:
        said = door.post("/v1/leads", form(), door.key("leads:write") | {"X-Forwarded-For": forwarded})
        assert door.ask(f"select envelope ->> 'address' from receipts where receipt_id = {said.json()['receipt']}") == [
            address
        ]

    def test_one_noisy_source_does_not_slow_down_another(self, door: Door) -> None:
        key = door.key("leads:write")
        statuses = {door.post("/hooks/noisy", form(), key).status_code for _ in range(30)}
        assert statuses == {202}
        (door.config / "door.yml").write_text(RULES.replace("per_second: 200, burst: 400", "per_second: 1, burst: 3"))
        try:
            until(lambda: 429 in {door.post("/hooks/noisy", form(), key).status_code for _ in range(8)})
            assert door.post("/hooks/quiet", form(), key).status_code == 202
        finally:
            (door.config / "door.yml").write_text(RULES)
            until(lambda: {door.post("/hooks/noisy", form(), key).status_code for _ in range(20)} == {202})


class TestRules:
    """The config folder while the door is open."""

    def test_a_new_source_is_known_and_its_receipts_pin_the_new_rules(self, door: Door) -> None:
        old = door.ask(f"select config_id from receipts where receipt_id = {door.signed(form()).json()['receipt']}")
        assert door.signed(form(), "fresh").status_code == 401
        (door.config / "sources" / "fresh.yml").write_text(SIGNED)
        said = until(lambda: (found := door.signed(form(), "fresh")).status_code == 202 and found)
        assert door.ask(f"select config_id from receipts where receipt_id = {said.json()['receipt']}") > old

    def test_a_mistake_keeps_the_old_rules_and_is_said(self, door: Door) -> None:
        path = door.config / "sources" / "signed.yml"
        path.write_text("kind: nonsense\n")
        try:
            found = until(lambda: door.client.get("/ready").json()["rules_mistake"])
            assert "signed.yml" in found and '"event": "rules not read"' in door.log
            assert door.signed(form()).status_code == 202 and door.client.get("/ready").status_code == 200
        finally:
            path.write_text(SIGNED)
        until(lambda: door.client.get("/ready").json()["rules_mistake"] == "")

    def test_a_secret_changes_without_refusing_anybody(self, door: Door) -> None:
        path, new = door.home / "secrets" / "forms", b"the-new-one"
        old = path.read_bytes()
        assert door.signed(form(), secret=new).status_code == 401
        path.write_bytes(new + b"\n" + old)
        until(lambda: door.signed(form(), secret=new).status_code == 202)
        assert door.signed(form(), secret=old.strip()).status_code == 202, "both are valid"
        path.write_bytes(new + b"\n")
        until(lambda: door.signed(form(), secret=old.strip()).status_code == 401)
        assert door.signed(form(), secret=new).status_code == 202
        path.write_bytes(old)
        until(lambda: door.signed(form()).status_code == 202)


def test_metrics_are_what_prometheus_reads(door: Door) -> None:
    door.signed(form())
    door.post("/hooks/signed", b"{}")
    door.post("/hooks/strange-name-of-a-stranger", b"{}", door.key("leads:write"))
    until(lambda: "sluice_receipts_waiting 0.0" not in door.client.get("/metrics").text)
    families = {family.name: family for family in text_string_to_metric_families(door.client.get("/metrics").text)}
    posts = {(s.labels["source"], s.labels["outcome"]): s.value for s in families["sluice_posts"].samples}
    assert posts["signed", "new"] >= 1 and posts["signed", "401"] >= 1 and posts["other", "new"] >= 1
    assert not [source for source, _ in posts if source.startswith("strange")]
    (acknowledged,) = (s.value for s in families["sluice_acknowledgement_seconds"].samples if s.name.endswith("_count"))
    assert acknowledged >= 2
    values = {name: families[name].samples[0].value for name in families if len(families[name].samples) == 1}
    assert values["sluice_queue_length"] == 0 and values["sluice_receipts_quarantined"] == 0
    assert values["sluice_receipts_waiting"] > 0 and values["sluice_oldest_waiting_seconds"] > 0


def test_metrics_need_a_key_when_they_are_asked_for_from_elsewhere(door: Door) -> None:
    asked: list[tuple[dict[str, str], int]] = [
        ({"X-Forwarded-For": "203.0.113.7"}, 401),
        ({"X-Forwarded-For": "127.0.0.1"}, 401),
        ({"X-Forwarded-For": "203.0.113.7"} | door.key("metrics:read"), 200),
        ({"X-Forwarded-For": "203.0.113.7"} | door.key("leads:write"), 403),
        ({}, 200),
    ]
    assert [door.client.get("/metrics", headers=headers).status_code for headers, _ in asked] == [s for _, s in asked]


def test_what_is_not_http_is_refused(door: Door) -> None:
    for noise in (b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 100):
        connection = door.raw(noise)
        assert answer(connection)[0] in (400, 0)
        connection.close()
    assert door.signed(form()).status_code == 202
    assert "Traceback" not in door.log
