"""Mails that are made to take long, to fill the memory or to raise: they are cut, with a warning, in time."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.sources.mail.message import LONGEST_TEXT, Mail, read
from sluice.sources.mail.parts import DEEPEST, MOST_PARTS


def within(seconds: float, raw: bytes) -> Mail:
    begun = time.process_time()
    mail = read(raw)
    assert time.process_time() - begun < seconds
    return mail


def multipart(subtype: str, *parts: str) -> bytes:
    return "\n".join([
        f'From: a@example.com\nContent-Type: multipart/{subtype}; boundary="=_b"\n', *(f"--=_b\n{part}" for part in parts), "--=_b--\n",
    ]).encode()  # fmt: skip


def test_a_thousand_nested_parts() -> None:
    raw = b"From: a@example.com\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (depth, depth) for depth in range(1_000)
    )
    mail = within(1, raw + b"\nHello\n")
    assert len(mail.parts) == DEEPEST + 1
    assert "parts:parts.too_deep" in mail.warnings


def test_a_million_parts() -> None:
    mail = within(2, multipart("mixed", "\nHello") + b"--=_b\n\n" + b"--=_b\n\nx\n" * 200_000)
    many = within(2, b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 300_000)
    assert mail.text == "Hello"
    assert len(many.parts) == MOST_PARTS
    assert "parts:parts.too_many" in many.warnings


def test_a_great_attachment_is_not_decoded() -> None:
    content = base64.encodebytes(b"\0" * 20_000_000).decode()
    part = f"Content-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n{content}"
    mail = within(2, multipart("mixed", "\nHello", part))
    assert (mail.text, mail.attachments[0].name) == ("Hello", "a.zip")
    assert len(mail.content(mail.attachments[0].index)) == 20_000_000


LONG = {
    "text": b"From: a@example.com\n\n" + b"word " * 2_000_000,
    "page": b"Content-Type: text/html\n\n" + b"<div>x" * 1_500_000,
    "deep page": b"Content-Type: text/html\n\n" + b"<b>" * 15_000 + b"x",
    "one tag": b"Content-Type: text/html\n\n<" + b"a " * 2_000_000,
    "comments": b"Content-Type: text/html\n\n" + b"<!--" * 500_000,
    "header": b"Subject: " + b"x" * 1_000_000 + b"\n\nHello",
    "folded header": b"Subject: x\n" + b" y\n" * 300_000 + b"\nHello",
    "headers": b"X-A: b\n" * 150_000 + b"\nHello",
    "addresses": b"To: " + b"a@example.com," * 70_000 + b"\n\nHello",
    "open brackets": b"From: " + b"<(\"" * 20_000 + b"\n\nHello",
    "open quote": b'From: "' + b"\\" * 60_000 + b"\n\nHello",
    "ids": b"References: " + b"<a@b> " * 10_000 + b"\n\nHello",
    "encoded words": b"Subject: " + b"=?utf-8?Q?=C3?= " * 4_000 + b"\n\nHello",
    "open words": b"Subject: " + b"=?" * 30_000 + b"\n\nHello",
    "parameters": b"Content-Type: text/plain" + b"; a=\"" * 10_000 + b"\n\nHello",
    "no line end": b"Hello" * 1_000_000,
    "line ends": b"\n" * 5_000_000,
    "colons": b":" * 3_000_000,
    "boundaries": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b" * 1_000_000,
}  # fmt: skip


@pytest.mark.parametrize("name", LONG)
def test_long_ones_are_cut_in_time(name: str) -> None:
    mail = within(2, LONG[name])
    assert len(mail.text) <= LONGEST_TEXT
    assert len(mail.subject) <= 1_000


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=2_000))
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    mail = read(raw)
    assert all(isinstance(mail.content(part.index), bytes) for part in mail.parts)
    assert "\x00" not in mail.text + mail.subject + mail.sender.name


TOKENS = [
    b"From: ", b"Content-Type: ", b"multipart/mixed; boundary=b", b"text/html", b"message/delivery-status", b"\n", b"\r\n", b"\r", b" ",
    b"--b", b"--", b"=?utf-8?B?", b"?=", b"charset=", b'"', b"<", b">", b"@", b"\xff", b"\x00", b";", b"Date: ", b"base64", b"utf-7", b"+2AA-",
    b"Content-Transfer-Encoding: ", b"Subject: ", b"quoted-printable", b"=0", b"a", b"filename*0*=", b"%C3",
]  # fmt: skip


@settings(deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(TOKENS), max_size=80))
def test_any_pieces_of_mails_are_a_mail(pieces: list[bytes]) -> None:
    mail = read(b"".join(pieces))
    assert isinstance(mail.text.encode(), bytes)  # no half of a surrogate
    assert isinstance(mail.subject.encode(), bytes)
    assert len(mail.fingerprint) == 64
