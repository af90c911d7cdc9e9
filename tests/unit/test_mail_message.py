"""Mails as bytes → what they say; whatever is sent, nothing raises and nothing takes long."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sluice.settings import REPOSITORY
from sluice.sources.mail.addresses import Address, read_addresses, read_date, read_ids
from sluice.sources.mail.headers import decoded, parameters
from sluice.sources.mail.message import read

DATA = REPOSITORY / "tests/data/mail"
PLAIN = b"""\
From: Ana Example <ana@example.com>
To: sales@supplier.example
Subject: A question
Date: Tue, 3 Nov 2026 10:04:00 +0100
Message-ID: <1@example.com>

Do you ship to Canada?
"""


def test_a_plain_mail() -> None:
    mail = read(PLAIN)
    assert (mail.sender, mail.subject) == (Address("Ana Example", "ana@example.com"), "A question")
    assert (mail.message_id, mail.date) == ("<1@example.com>", datetime(2026, 11, 3, 9, 4, tzinfo=UTC))
    assert (mail.text, mail.attachments, mail.warnings) == ("Do you ship to Canada?", (), ())


def test_a_mail_with_everything() -> None:
    mail = read((DATA / "enquiry-outlook.eml").read_bytes())
    assert mail.sender == Address("Jörg Beispiel", "j.beispiel@pumpen.example")
    assert mail.subject == "Angebot für Kreiselpumpen – dringend"
    assert mail.references == ("<camp-7.441@mail.supplier.example>", "<x2@pumpen.example>")
    assert "12 Kreiselpumpen" in mail.text and "<b>" not in mail.text
    (sheet,) = mail.attachments
    assert (sheet.name, sheet.media_type) == ("Stückliste 2026.csv", "text/csv")
    assert mail.content(sheet.index).decode() == "Artikel;Menge\nKP-80;12\n"
    assert mail.content(999) == b""


ADDRESSES = {
    "plain": ("ana@example.com", Address("", "ana@example.com")),
    "name": ("Ana Example <ana@example.com>", Address("Ana Example", "ana@example.com")),
    "comma in quotes": ('"Example, Ana" <ana@example.com>', Address("Example, Ana", "ana@example.com")),
    "encoded comma": ("=?utf-8?Q?Example=2C_Ana?= <ana@example.com>", Address("Example, Ana", "ana@example.com")),
    "comment as name": ("ana@example.com (Ana Example)", Address("Ana Example", "ana@example.com")),
    "comments inside": ("Pete(his \\) name) <pete(x)@example.com(host)>", Address("Pete", "pete@example.com")),
    "name is the address": ("ana@example.com <ana@example.com>", Address("", "ana@example.com")),
    "domain in capitals": ("Ana@EXAMPLE.COM", Address("", "Ana@example.com")),
    "two @": ("Ana <a@b@example.com>", Address("Ana", None)),
    "mailto": ("<mailto:ana@example.com>", Address("", "ana@example.com")),
    "no address": ("Mail Delivery System", Address("Mail Delivery System", None)),
    "group": ("Team: ana@example.com, b@example.com;", Address("", "ana@example.com")),
    "quote never closed": ('"Ana <ana@example.com>', Address("Ana", "ana@example.com")),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_addresses(name: str) -> None:
    written, expected = ADDRESSES[name]
    assert read_addresses(written)[0] == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("Tue, 3 Nov 2026 10:04:00 +0100", datetime(2026, 11, 3, 9, 4, tzinfo=UTC), id="zone"),
        pytest.param("Tue, 3 Nov 2026 10:04:00", datetime(2026, 11, 3, 10, 4, tzinfo=UTC), id="no zone is UTC"),
        pytest.param("3 Nov 26 10:04 EST", datetime(2026, 11, 3, 15, 4, tzinfo=UTC), id="short"),
        pytest.param("Tue, 31 Feb 2026 10:04:00 +0100", None, id="no such day"),
        pytest.param("Tue, 3 Nov 2026 10:04:00 +9999999999", None, id="no such zone"),
        pytest.param("3 Nov 20260 10:04:00 +0000", None, id="year 20260"),
        pytest.param("yesterday", None, id="words"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="missing"),
    ],
)
def test_dates(written: str | None, expected: datetime | None) -> None:
    assert read_date(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("<a@b>", ("<a@b>",), id="plain"),
        pytest.param("<a@b>\t<c@d> <a@b>", ("<a@b>", "<c@d>"), id="several, once each"),
        pytest.param("< a @ b >", ("<a@b>",), id="spaces"),
        pytest.param("a@b", ("<a@b>",), id="no brackets"),
        pytest.param("Ana's mail of Tuesday", (), id="words"),
        pytest.param("<>", (), id="empty"),
        pytest.param(None, (), id="missing"),
    ],
)
def test_message_ids(written: str | None, expected: tuple[str, ...]) -> None:
    assert read_ids(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("=?utf-8?B?w4RwZmVs?=", "Äpfel", id="base64"),
        pytest.param("=?utf-8?B?w4Q=?= =?utf-8?B?cGZlbA==?=", "Äpfel", id="side by side"),
        pytest.param("=?utf-8?B?ww==?= =?utf-8?B?hHBmZWw=?=", "Äpfel", id="a letter cut between words"),
        pytest.param("Re: =?iso-8859-1?Q?=C4pfel_und?= more", "Re: Äpfel und more", id="within"),
        pytest.param("=?x-unknown?Q?=C4pfel?=", "Äpfel", id="unknown charset"),
        pytest.param("=?utf-8?Q?a=0D=0ABcc:_b@example.com?=", "a Bcc: b@example.com", id="injected header"),
        pytest.param("=?utf-8?Q?a=00b?=", "ab", id="NUL"),
        pytest.param("=?utf-8?X?abc?=", "=?utf-8?X?abc?=", id="no such encoding"),
    ],
)
def test_encoded_words(written: str, expected: str) -> None:
    assert decoded(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param('text/plain; charset="utf-8"; name=a.txt', {"charset": "utf-8", "name": "a.txt"}, id="plain"),
        pytest.param("a/b; name*=utf-8''St%C3%BCck.csv", {"name": "Stück.csv"}, id="RFC 2231"),
        pytest.param('a/b; name*0="St"; name*1="ueck"', {"name": "Stueck"}, id="in pieces"),
        pytest.param("a/b; name*1*=%C3%BCck; name*0*=utf-8''St", {"name": "Stück"}, id="pieces out of order"),
        pytest.param('a/b; name="=?utf-8?B?w4Q=?="', {"name": "Ä"}, id="encoded word where none may be"),
        pytest.param('a/b; name="never closed', {"name": "never closed"}, id="quote never closed"),
    ],
)
def test_parameters(written: str, expected: dict[str, str]) -> None:
    assert parameters(written) == expected


CHARSETS = {
    "declared": (b"text/plain; charset=koi8-r", "Привет".encode("koi8-r"), "Привет", ()),
    "latin is cp1252": (b"text/plain; charset=iso-8859-1", b"\x93Caf\xe9\x94", "“Café”", ()),
    "unknown": (b"text/plain; charset=x-none", b"Caf\xe9 in town", "Café in town", ("text:charset.unknown",)),
    "no text codec": (b"text/plain; charset=rot13", b"Cafe", "Cafe", ("text:charset.unknown",)),
    "8 bit in ASCII": (b"text/plain; charset=us-ascii", "Café".encode(), "Café", ()),
    "wrong": (b"text/plain; charset=utf-8", b"Caf\xe9 au lait", "Café au lait", ("text:bytes.undecodable",)),
    "NUL": (b"text/plain", b"a\x00b", "ab", ("text:nul",)),
    "page's own": (b"text/html", '<meta charset="koi8-r"><p>Привет</p>'.encode("koi8-r"), "Привет", ()),
}


@pytest.mark.parametrize("name", CHARSETS)
def test_charsets(name: str) -> None:
    content_type, body, text, warnings = CHARSETS[name]
    mail = read(
        b"From: a@example.com\nDate: 3 Nov 2026 10:04 +0000\nMessage-ID: <1@x>\nContent-Type: "
        + content_type
        + b"\n\n"
        + body
    )
    assert (mail.text, mail.warnings) == (text, warnings)


def multipart(subtype: str, *parts: str) -> bytes:
    return "\n".join([
        f'From: a@example.com\nContent-Type: multipart/{subtype}; boundary="=_b"\n', *(f"--=_b\n{part}" for part in parts), "--=_b--\n",
    ]).encode()  # fmt: skip


BODIES = {
    "plain wins": (multipart("alternative", "\nPlain", "Content-Type: text/html\n\n<p>Page</p>"), "Plain"),
    "page if plain is blank": (multipart("alternative", "\n  ", "Content-Type: text/html\n\n<p>Page</p>"), "Page"),
    "page if plain is a stub": (
        multipart("alternative", "\nPlease use an HTML reader", "Content-Type: text/html\n\n<p>Page</p>"),
        "Page",
    ),
    "texts around a picture": (multipart("mixed", "\nOne", "Content-Type: image/png\n\nx", "\nTwo"), "One\nTwo"),
    "attached text is none": (multipart("mixed", "\nOne", "Content-Disposition: attachment\n\nTwo"), "One"),
    "no part at all": (b"From: a@example.com\nContent-Type: multipart/mixed; boundary=x\n\nHello", "Hello"),
    "no boundary": (b"From: a@example.com\nContent-Type: multipart/mixed\n\n--x\n\nHello\n--x--\n", "Hello"),
    "end missing": (b"From: a@example.com\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nHello", "Hello"),
    "table": (
        b"From: a@example.com\nContent-Type: text/html\n\n<table><tr><td>Name</td><td>Ana</td></tr></table>",
        "Name  Ana",
    ),
    "script": (
        b"From: a@example.com\nContent-Type: text/html\n\n<script>alert(1)</script><style>p{}</style><p>Hi</p>",
        "Hi",
    ),
    "no headers": (b"Hello\n\nthere", "Hello\n\nthere"),
    "mbox line": (b"From ana@example.com Tue Nov  3 10:04:00 2026\nSubject: x\n\nHello", "Hello"),
    "old Mac": (b"Subject: x\r\rHello\rthere", "Hello\nthere"),
    "a line that is no header": (b"Subject: x\n__\nTo: b@example.com\n\nHello", "Hello"),
    "no blank line": (b"Subject: x\nHello\nthere", "Hello\nthere"),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(name: str) -> None:
    raw, text = BODIES[name]
    assert read(raw).text.strip() == text


def test_the_fingerprint_is_of_what_was_written() -> None:
    elsewhere = (
        b"Received: from a by b; Tue, 3 Nov 2026 10:05:00 +0100\nX-Seen: 1\nStatus: RO\nDelivered-To: c@example.com\n"
    )
    same = read((elsewhere + PLAIN).replace(b"\n", b"\r\n"))
    assert same.fingerprint == read(PLAIN).fingerprint
    for old, new in [
        (b"Canada", b"Peru"),
        (b"A question", b"Question"),
        (b"<1@", b"<2@"),
        (b"ana@", b"eva@"),
        (b"10:04", b"10:05"),
    ]:
        assert read(PLAIN.replace(old, new)).fingerprint != same.fingerprint, new


def test_attachments_make_a_difference_to_the_fingerprint() -> None:
    one, other = (multipart("mixed", "\nHello", f"Content-Type: application/pdf\n\n{text}") for text in ("aa", "ab"))
    assert read(one).fingerprint == read(one.replace(b"\n", b"\r\n")).fingerprint != read(other).fingerprint


def test_nothing_at_all() -> None:
    mail = read(b"")
    assert (mail.sender, mail.subject, mail.text, mail.message_id, mail.date) == (Address(), "", "", None, None)
    assert mail.warnings == ("from:missing", "message_id:missing", "date:missing")


def test_a_date_after_its_arrival_gives_way_to_it() -> None:
    mail = read(b"Received: from a by b; Tue, 3 Nov 2026 10:05:00 +0000\nDate: Tue, 3 Nov 2065 10:05:00 +0000\n\nx")
    assert mail.date == datetime(2026, 11, 3, 10, 5, tzinfo=UTC)
    assert "date:out_of_range" in mail.warnings
