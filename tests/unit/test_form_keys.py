"""Who may post by Standard Webhooks, a secret in the body, the URL or a header, or from a known network; handshakes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook

from sluice.form_rules import Signature
from sluice.sources.forms.refusal import Unauthenticated
from sluice.sources.forms.requests import Posted
from sluice.sources.forms.signatures import challenge
from tests.unit.forms import (
    SECONDS,
    SECRET,
    STANDARD,
    WHSEC,
    form,
    posted,
    refusal,
    standard,
)

OLD = "the-secret-before-0123456789abcd"
RIGHT = standard(b'{"a":1}').headers["webhook-signature"][0]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({}, None, id="right"),
        pytest.param({"webhook_signature": f"v1,{'A' * 43}= {RIGHT}"}, None, id="second of two"),
        pytest.param({"webhook_signature": f"v1a,abc {RIGHT}"}, None, id="beside one of a version that we do not read"),
        pytest.param({"webhook_id": "msg_2"}, "signature.mismatch", id="another id"),
        pytest.param({"webhook_timestamp": str(SECONDS + 1)}, "signature.mismatch", id="another time"),
        pytest.param({"webhook_timestamp": f"{SECONDS}.0"}, "timestamp.malformed", id="a fraction, which the library cuts off"),
        pytest.param({"webhook_timestamp": "9" * 15}, "timestamp.future", id="past the year 9999"),
        pytest.param({"webhook_signature": RIGHT.removeprefix("v1,")}, "signature.prefix", id="no comma: ValueError in the library"),
        pytest.param({"webhook_signature": RIGHT + ",x"}, "signature.not_base64", id="two commas: ValueError in the library"),
        pytest.param({"webhook_signature": "v1,"}, "signature.not_base64", id="nothing after the comma"),
        pytest.param({"webhook_signature": "v1,é"}, "header.not_ascii", id="not ASCII: ValueError in the library"),
        pytest.param({"webhook_signature": "v1,%%%%"}, "signature.not_base64", id="not Base64"),
        pytest.param({"webhook_signature": RIGHT.swapcase()}, "signature.prefix", id="wrong case"),
        pytest.param({"webhook_id": ""}, "header.empty", id="no id"),
    ],
)  # fmt: skip
def test_standard_webhooks(headers: dict[str, str], code: str | None) -> None:
    assert refusal(standard(b'{"a":1}', **headers), STANDARD, WHSEC) == code


def test_standard_webhooks_takes_what_the_library_takes() -> None:
    real_time = datetime.now(UTC)
    sent = standard(b'{"a":1}', int(real_time.timestamp()))
    Webhook(WHSEC).verify(sent.body, {name: value for name, (value,) in sent.headers.items()}, json_parse=False)
    assert refusal(sent, STANDARD, WHSEC, now=real_time) is None


@pytest.mark.parametrize(
    ("body", "secret", "code"),
    [
        pytest.param(b"\xff{}", WHSEC, "signature.not_utf8", id="a body that is not UTF-8"),
        pytest.param(b"no JSON", WHSEC, "signature.mismatch", id="a body that is no JSON"),
        pytest.param(b'{"a":1}', "whsec_", "secret.unusable", id="an empty secret"),
        pytest.param(b'{"a":1}', "whsec_a", "secret.unusable", id="a secret that is not Base64"),
        pytest.param(b'{"a":1}', b"\xff\xfe", "secret.unusable", id="a secret that is no text"),
    ],
)
def test_standard_webhooks_never_raises_what_the_library_raises(body: bytes, secret: str | bytes, code: str) -> None:
    assert refusal(replace(standard(b'{"a":1}'), body=body), STANDARD, secret) == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b'{"google_key": "' + SECRET.encode() + b'"}', None, id="right"),
        pytest.param(b'{"google_key": "wrong"}', "key.mismatch", id="wrong"),
        pytest.param(b'{"google_key": ""}', "key.missing", id="empty"),
        pytest.param(b'{"google_key": null}', "key.missing", id="null"),
        pytest.param(b'{"google_key": true}', "key.missing", id="true"),
        pytest.param(b'{"google_key": ["' + SECRET.encode() + b'"]}', "key.missing", id="a list"),
        pytest.param(b"{}", "key.missing", id="none"),
        pytest.param(b'{"google_key": "a", "google_key": "b"}', "key.missing", id="twice"),
        pytest.param(b"{" * 100_000, "key.missing", id="a bomb"),
        pytest.param(b"", "key.missing", id="no body"),
        pytest.param('{"google_key": "clé"}'.encode(), "key.mismatch", id="not ASCII"),
    ],
)
def test_a_key_in_the_body(body: bytes, code: str | None) -> None:
    assert refusal(posted(body), form("google-ads").signature) == code


def test_a_key_in_the_url() -> None:
    rules = form("jotform").signature
    assert refusal(posted(b""), rules) == "key.missing"
    assert refusal(posted(b"", {"key": ""}), rules) == "key.missing"
    assert refusal(posted(b"", {"KEY": SECRET}), rules) == "key.missing"
    assert refusal(posted(b"", {"key": SECRET.upper()}), rules) == "key.mismatch"
    assert refusal(Posted(query={"key": (SECRET, SECRET)}), rules) == "key.repeated"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(f"Bearer {SECRET}", None, id="right"),
        pytest.param(f"bearer {SECRET}", None, id="the scheme has no case"),
        pytest.param(SECRET, "signature.prefix", id="no scheme"),
        pytest.param(f"Basic {SECRET}", "signature.prefix", id="another scheme"),
        pytest.param(f"Bearer {SECRET.upper()}", "key.mismatch", id="wrong case"),
        pytest.param(f"Bearer {SECRET} x", "key.mismatch", id="more behind it"),
        pytest.param("Bearer", "signature.prefix", id="nothing behind it"),
    ],
)
def test_a_bearer(sent: str, code: str | None) -> None:
    assert refusal(posted(b"", authorization=sent), form("website-form").signature) == code


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("54.241.34.25", None),
        ("::ffff:54.241.34.25", None),
        ("2001:db8::7", None),
        ("2001:db8::7%eth0", None),
        ("54.241.34.26", "address.refused"),
        ("2001:db9::7", "address.refused"),
        ("", "address.unknown"),
        ("unix:", "address.unknown"),
    ],
)
def test_unsigned_bodies_come_from_known_networks(address: str, code: str | None) -> None:
    rules = Signature(scheme="unsigned", unsigned=True, allow_from=["54.241.34.25/32", "2001:db8::/32"])  # pyright: ignore
    assert refusal(Posted(b"{}", address=address), rules) == code


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param({}, "key.missing", id="nothing"),
        pytest.param({"hub.mode": "subscribe", "hub.verify_token": "wrong", "hub.challenge": "1"}, "key.mismatch", id="wrong token"),
        pytest.param({"hub.mode": "unsubscribe", "hub.verify_token": SECRET, "hub.challenge": "1"}, "handshake.mode", id="other mode"),
        pytest.param({"hub.mode": "subscribe", "hub.verify_token": SECRET}, "key.missing", id="no challenge"),
        pytest.param({"hub.mode": "subscribe", "hub.verify_token": SECRET, "hub.challenge": "<script>"}, "handshake.challenge", id="markup"),
        pytest.param({"hub.mode": "subscribe", "hub.verify_token": SECRET, "hub.challenge": "1" * 201}, "handshake.challenge", id="long"),
    ],
)  # fmt: skip
def test_handshakes_that_are_refused(query: dict[str, str], code: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        challenge(posted(b"", query), form("meta-lead-ads").signature, [SECRET.encode()])
    assert refused.value.code == code


def test_meta_gets_its_challenge_back() -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": SECRET, "hub.challenge": "1158201444"}
    rules = form("meta-lead-ads").signature
    assert challenge(posted(b"", query), rules, [OLD.encode(), SECRET.encode()]) == "1158201444"
    for secrets, other in (([], rules), ([SECRET.encode()], form("tally").signature)):
        with pytest.raises(Unauthenticated):
            challenge(posted(b"", query), other, secrets)
