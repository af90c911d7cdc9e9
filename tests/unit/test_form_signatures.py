"""Who may post: every way to prove it, and every way in which a proof can be wrong."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.form_rules import Signature
from sluice.sources.forms.refusal import Unauthenticated
from sluice.sources.forms.requests import Posted
from sluice.sources.forms.signatures import verify
from tests.unit.forms import (
    NOW,
    SECONDS,
    SECRET,
    SOURCES,
    STANDARD,
    WHSEC,
    digest,
    form,
    invented,
    posted,
    refusal,
    signed,
    standard,
)

OLD = "the-secret-before-0123456789abcd"
HMAC_SOURCES = ("typeform", "tally", "webflow", "meta-lead-ads")
HEADERS = {
    "typeform": "typeform-signature",
    "tally": "tally-signature",
    "webflow": "x-webflow-signature",
    "meta-lead-ads": "x-hub-signature-256",
    "unbounce": "x-sluice-key",
    "contact-form-7": "authorization",
    "website-form": "authorization",
}
T_V1 = Signature(scheme="hmac", secret="s", header="formspree-signature", layout="t_v1", signed="{timestamp}.{body}")


def request(source: str, secret: str = SECRET, at: int = SECONDS) -> Posted:
    body, _ = invented(source)
    return signed(source, body, secret, at)


def with_header(sent: Posted, name: str, *values: str) -> Posted:
    headers = {**sent.headers, name: values}
    return replace(sent, headers={key: value for key, value in headers.items() if value})


@pytest.mark.parametrize("source", SOURCES)
def test_the_provider_is_let_in(source: str) -> None:
    assert refusal(request(source), form(source).signature) is None


@pytest.mark.parametrize("source", SOURCES)
def test_while_a_secret_is_changed_both_are_valid(source: str) -> None:
    rules = form(source).signature
    assert refusal(request(source, OLD), rules, SECRET, OLD) is None
    assert refusal(request(source), rules, SECRET, OLD) is None
    assert refusal(request(source, OLD), rules, SECRET) in ("signature.mismatch", "key.mismatch")
    assert refusal(request(source, OLD), rules, SECRET, "another", OLD) in ("signature.mismatch", "key.mismatch")


@pytest.mark.parametrize("source", SOURCES)
def test_without_a_secret_nobody_is_let_in(source: str) -> None:
    rules = form(source).signature
    for secrets in ([], [b""], [b"", b""]):
        with pytest.raises(Unauthenticated) as refused:
            verify(request(source, ""), rules, secrets, NOW)
        assert refused.value.code == "secret.missing"


@pytest.mark.parametrize("source", HMAC_SOURCES)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda body: body[:-1], id="cut"),
        pytest.param(lambda body: body.replace(b"a", b"b", 1), id="a byte changed"),
        pytest.param(lambda body: body + b"\n", id="a byte more"),
        pytest.param(lambda body: json.dumps(json.loads(body)).encode(), id="serialised again"),
        pytest.param(lambda body: b"", id="empty"),
    ],
)
def test_another_body(source: str, change: Any) -> None:
    sent = request(source)
    assert refusal(replace(sent, body=change(sent.body)), form(source).signature) == "signature.mismatch"


@pytest.mark.parametrize("source", [*HEADERS])
def test_headers_that_are_not_as_they_should_be(source: str) -> None:
    sent, name, rules = request(source), HEADERS[source], form(source).signature
    right = sent.headers[name][0]
    assert refusal(with_header(sent, name), rules) == "header.missing"
    assert refusal(with_header(sent, name, right, right), rules) == "header.repeated"
    assert refusal(with_header(sent, name, ""), rules) == "header.empty"
    assert refusal(with_header(sent, name, "  "), rules) == "header.empty"
    assert refusal(with_header(sent, name, right + "é"), rules) == "header.not_ascii"
    assert refusal(with_header(sent, name, right[:-1]), rules) is not None
    assert refusal(with_header(sent, name, right + "=" * 100_000), rules) is not None


@pytest.mark.parametrize(
    ("source", "sent", "code"),
    [
        pytest.param("typeform", digest(b"{}", "base64"), "signature.prefix", id="no prefix"),
        pytest.param("typeform", "SHA256=" + digest(b"{}", "base64"), "signature.prefix", id="prefix in capitals"),
        pytest.param("typeform", "sha1=" + digest(b"{}", "base64"), "signature.prefix", id="prefix of another hash"),
        pytest.param("typeform", "sha256=" + digest(b"{}", "hex"), "signature.not_base64", id="hex for Base64"),
        pytest.param("typeform", "sha256=" + digest(b"{}", "base64").rstrip("="), "signature.not_base64", id="unpadded"),
        pytest.param("typeform", "sha256=" + digest(b"{}", "base64").replace("/", "_").replace("+", "-").replace("=", "."), "signature.not_base64", id="other alphabet"),
        pytest.param("typeform", "sha256=" + digest(b"{}", "base64").swapcase(), "signature.mismatch", id="Base64 in the wrong case"),
        pytest.param("tally", "sha256=" + digest(b"{}", "base64"), "signature.not_base64", id="a prefix too many"),
        pytest.param("meta-lead-ads", "sha256=" + digest(b"{}", "hex").upper(), "signature.not_hex", id="hex in capitals"),
        pytest.param("meta-lead-ads", "sha256=" + digest(b"{}", "base64"), "signature.not_hex", id="Base64 for hex"),
        pytest.param("meta-lead-ads", "sha256= " + digest(b"{}", "hex"), "signature.not_hex", id="a blank inside"),
        pytest.param("meta-lead-ads", "sha256=" + digest(b"{}", "hex")[:32], "signature.not_hex", id="half a signature"),
        pytest.param("meta-lead-ads", "sha256=" + "0" * 64, "signature.mismatch", id="zeros"),
        pytest.param("meta-lead-ads", "sha256=", "signature.not_hex", id="only the prefix"),
    ],
)  # fmt: skip
def test_signatures_that_are_written_wrongly(source: str, sent: str, code: str) -> None:
    rules = form(source).signature
    assert refusal(posted(b"{}", **{HEADERS[source].replace("-", "_"): sent}), rules) == code


def test_two_texts_never_stand_for_one_signature() -> None:
    right = digest(b"{}", "base64")
    last = right[-2]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = right[:-2] + alphabet[alphabet.index(last) ^ 1] + "="
    assert base64.b64decode(twin) == base64.b64decode(right)
    assert refusal(posted(b"{}", tally_signature=twin), form("tally").signature) == "signature.not_base64"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (0, None),
        (-300, None),
        (300, None),
        (-301, "timestamp.stale"),
        (301, "timestamp.future"),
        (-86_400, "timestamp.stale"),
        (86_400, "timestamp.future"),
    ],
)
def test_a_signed_time_is_near_ours(seconds: int, code: str | None) -> None:
    assert refusal(request("webflow", at=SECONDS + seconds), form("webflow").signature) == code
    assert refusal(t_v1(b"{}", SECONDS + seconds), T_V1) == code
    assert refusal(standard(b"{}", SECONDS + seconds), STANDARD, WHSEC) == code


def test_our_clock_is_what_the_caller_says() -> None:
    assert refusal(request("webflow"), form("webflow").signature, now=NOW + timedelta(seconds=300)) is None
    late = NOW + timedelta(seconds=300, microseconds=1)
    assert refusal(request("webflow"), form("webflow").signature, now=late) == "timestamp.stale"


@pytest.mark.parametrize(
    ("time", "code"),
    [
        pytest.param(str(SECONDS), "timestamp.unit", id="seconds for milliseconds"),
        pytest.param(str(SECONDS * 1_000_000), "timestamp.malformed", id="microseconds"),
        pytest.param("1795262400000.5", "timestamp.malformed", id="a fraction"),
        pytest.param("-1795262400000", "timestamp.malformed", id="before 1970"),
        pytest.param("+1795262400000", "timestamp.malformed", id="a sign"),
        pytest.param("1e12", "timestamp.malformed", id="exponent"),
        pytest.param("0", "timestamp.stale", id="1970"),
        pytest.param("999999999999999", "timestamp.future", id="the year 33658"),
        pytest.param("9" * 5000, "timestamp.malformed", id="5,000 digits"),
        pytest.param("nan", "timestamp.malformed", id="nan"),
    ],
)
def test_times_that_are_none(time: str, code: str) -> None:
    body = b"{}"
    sent = posted(body, x_webflow_timestamp=time, x_webflow_signature=digest(f"{time}:{{}}".encode(), "hex"))
    assert refusal(sent, form("webflow").signature) == code


def test_a_signed_time_cannot_be_replaced() -> None:
    sent = with_header(request("webflow", at=SECONDS - 900), "x-webflow-timestamp", str(SECONDS * 1000))
    assert refusal(sent, form("webflow").signature) == "signature.mismatch"
    assert (
        refusal(with_header(request("webflow"), "x-webflow-timestamp"), form("webflow").signature) == "header.missing"
    )


def test_who_cannot_sign_learns_nothing_of_our_clock() -> None:
    assert refusal(request("webflow", OLD, SECONDS - 900), form("webflow").signature) == "signature.mismatch"


def t_v1(body: bytes, at: int, *more: str) -> Posted:
    signature = digest(f"{at}.".encode() + body, "hex")
    return posted(body, formspree_signature=",".join([f"t={at}", *more, f"v1={signature}"]))


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(t_v1(b"{}", SECONDS), None, id="right"),
        pytest.param(t_v1(b"{}", SECONDS, "v1=" + "0" * 64), None, id="one of two signatures, while the secret changes"),
        pytest.param(t_v1(b"{}", SECONDS, f"t={SECONDS}"), "signature.prefix", id="two times"),
        pytest.param(t_v1(b"{}", SECONDS * 1000), "timestamp.unit", id="milliseconds for seconds"),
        pytest.param(posted(b"{}", formspree_signature=f"t={SECONDS}"), "signature.prefix", id="no signature"),
        pytest.param(posted(b"{}", formspree_signature="v1=" + "0" * 64), "signature.prefix", id="no time"),
        pytest.param(posted(b"{}", formspree_signature="," * 50_000), "signature.prefix", id="commas"),
        pytest.param(posted(b"{}", formspree_signature=f"t={SECONDS},v0=" + "0" * 64), "signature.prefix", id="other version"),
        pytest.param(replace(t_v1(b"{}", SECONDS), body=b"{ }"), "signature.mismatch", id="another body"),
    ],
)  # fmt: skip
def test_time_and_signature_in_one_header(sent: Posted, code: str | None) -> None:
    assert refusal(sent, T_V1) == code


TEXTS = st.text(max_size=80) | st.sampled_from(["t=1,v1=", "v1,", "sha256=", "Bearer ", "v1,AAAA v1,", str(SECONDS)])


@given(
    st.sampled_from([*(form(source).signature for source in SOURCES), T_V1, STANDARD]),
    st.binary(max_size=200),
    st.lists(TEXTS, min_size=5, max_size=5),
    st.lists(st.binary(max_size=40), max_size=3),
)
def test_whatever_a_stranger_sends_he_is_refused(
    rules: Signature, body: bytes, texts: list[str], secrets: list[bytes]
) -> None:
    names = ["authorization", "formspree-signature", "webhook-signature", "webhook-timestamp", "webhook-id"]
    headers = {name: (value,) for name, value in zip(names, texts, strict=True)}
    headers |= {name: (texts[0],) for name in HEADERS.values()} | {"x-webflow-timestamp": (texts[1],)}
    with pytest.raises(Unauthenticated):
        verify(Posted(body, headers, {"key": (texts[2],)}), rules, [b"made-up-" + secret for secret in secrets], NOW)
