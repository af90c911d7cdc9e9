"""A mail as bytes → a `Mail` that can be read, whatever was sent: nothing raises, and nothing grows without bound."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sluice.sources.mail.addresses import Address, read_addresses, read_date, read_ids
from sluice.sources.mail.charsets import clean, decode
from sluice.sources.mail.headers import Headers
from sluice.sources.mail.hypertext import as_text, declared_charset
from sluice.sources.mail.parts import Part, Splitting, content

LONGEST_TEXT = 262_144
_MOST_ENCODED = 4_000_000  # bytes of a text part that are decoded at all
_BLANK_LINES = re.compile(rb"(?:[ \t]{0,1000}[\r\n]){1,1000}")
_MBOX_LINE = re.compile(rb">?From (?! *:)")
_CHUNK = 1_000_000
_BODY_TYPES = frozenset({"text/plain", "text/html", "text/enriched", "text/richtext"})
_STUB = 200  # a plain part below this length gives way to HTML if it only says that HTML cannot be shown
_STUB_WORDS = ("html", "mime")


@dataclass(frozen=True)
class Attachment:
    """A part that is no text of the mail.

    Attributes:
        index: `Mail.content(index)` has its bytes.
        name: as sent, without folders; None if it has none.
        size: bytes as sent, its transfer encoding included.
    """

    index: int
    name: str | None
    media_type: str
    size: int


@dataclass(frozen=True)
class Mail:
    """What a mail says.

    Attributes:
        sender: of From, else of Sender; name and address may be missing.
        message_id: in angle brackets; None if missing, empty or broken.
        date: UTC; without a zone it is taken for UTC; None if there is no possible one. One of more than a day after
            the mail was received by its last server is that time instead.
        text: the plain part, else HTML as text; at most `LONGEST_TEXT` characters.
        fingerprint: sha256 of what was written and attached, the same wherever and however often the mail lies.
        warnings: `field:code`.
    """

    raw: bytes = field(repr=False)
    whole: Part = field(repr=False)
    sender: Address
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    subject: str
    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    date: datetime | None
    text: str = field(repr=False)
    attachments: tuple[Attachment, ...]
    fingerprint: str
    warnings: tuple[str, ...] = ()

    @property
    def headers(self) -> Headers:
        """`header(name)` and `all(name)` of the mail itself."""
        return self.whole.headers

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part in the order of the mail, multiparts included."""
        return tuple(self.whole.walk())

    def content(self, index: int) -> bytes:
        """The bytes of a part, decoded; none for an index that there is not."""
        return next((content(self.raw, part) for part in self.whole.walk() if part.index == index), b"")

    def part_text(self, part: Part) -> str:
        """A part's bytes as text, for reports and the like."""
        return _part_text(self.raw, part)[0]


def read(raw: bytes) -> Mail:
    """The mail. What cannot be read is missing from it and named in its warnings."""
    raw = _as_lines(raw)
    splitting = Splitting(raw)
    whole = splitting.split(0, len(raw))
    headers = whole.headers
    warnings = [*(f"headers:{code}" for code in headers.warnings), *dict.fromkeys(splitting.warnings)]
    body, chosen = _body(raw, whole, warnings)
    senders = (*read_addresses(headers.raw("from")), *read_addresses(headers.raw("sender")))
    sender = next((one for one in senders if one.address), senders[0] if senders else Address())
    if sender.address is None:
        warnings.append("from:missing")
    message_ids = read_ids(headers.header("message-id"))
    if not message_ids:
        warnings.append("message_id:missing")
    answered = read_ids(headers.header("in-reply-to"))
    subject = (headers.header("subject") or "")[:1_000]
    date = _date(headers, warnings)
    return Mail(
        raw, whole, sender,
        tuple(one for one in read_addresses(headers.raw("reply-to")) if one.address),
        tuple(one for name in ("to", "cc") for one in read_addresses(headers.raw(name)) if one.address),
        subject,
        message_ids[0] if message_ids else None,
        answered[0] if answered else None,
        read_ids(" ".join(headers.all("references"))),
        date,
        body,
        tuple(_attachments(whole, chosen)),
        _fingerprint(raw, whole, chosen, (sender.address or sender.name, subject, str(date), *message_ids[:1])),
        tuple(dict.fromkeys(warnings)),
    )  # fmt: skip


def _as_lines(raw: bytes) -> bytes:
    """Without an mbox's first line, a mark of the encoding and blank lines; old Macs' line ends as ours."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    blank = _BLANK_LINES.match(raw)
    raw = raw[blank.end() :] if blank else raw
    if b"\n" not in raw[:65_536]:
        raw = raw.replace(b"\r", b"\n")
    if _MBOX_LINE.match(raw):
        raw = raw.partition(b"\n")[2]
    return raw


def _date(headers: Headers, warnings: list[str]) -> datetime | None:
    date = read_date(headers.header("date"))
    if date is None:
        warnings.append("date:invalid" if headers.header("date") else "date:missing")
        return None
    received = read_date((headers.header("received") or "").rpartition(";")[2])
    if received is not None and date > received + timedelta(days=1):
        warnings.append("date:out_of_range")
        return received
    return date


def _body(raw: bytes, whole: Part, warnings: list[str]) -> tuple[str, set[int]]:
    """The text, and the parts that it is of."""
    said: list[str] = []
    chosen = list(_body_parts(raw, whole, whole)) or _inline_text(whole)
    length = 0
    for part in chosen:
        if length > LONGEST_TEXT:
            break
        text, codes = _part_text(raw, part)
        warnings += [f"text:{code}" for code in codes]
        said.append(text)
        length += len(text)
    text = "\n".join(part.strip("\n") for part in said).strip()
    if len(text) > LONGEST_TEXT:
        warnings.append("text:too_long")
    return text[:LONGEST_TEXT], {part.index for part in chosen}


def _body_parts(raw: bytes, part: Part, root: Part) -> Iterator[Part]:
    if part.children:
        if part.media_type == "multipart/alternative":
            choices = [list(_body_parts(raw, child, root)) for child in part.children]
            yield from _best(raw, [choice for choice in choices if choice])
            return
        children = part.children[:1] if part.media_type == "multipart/report" else part.children
        for child in children:
            yield from _body_parts(raw, child, root)
    elif part is root:
        if part.media_type.startswith(("text/", "multipart/")) and part.media_type != "text/calendar":
            yield part
    elif part.media_type in _BODY_TYPES and not _is_file(part):
        yield part


def _inline_text(whole: Part) -> list[Part]:
    """Some programs give the text of the mail itself a name."""
    shown = (part for part in whole.walk() if part.media_type in _BODY_TYPES and part.disposition != "attachment")
    return list(shown)[:1]


def _is_file(part: Part) -> bool:
    return part.disposition == "attachment" or part.name is not None


def _best(raw: bytes, choices: list[list[Part]]) -> list[Part]:
    """Of several versions the plain one, unless it is blank or only tells that there is another."""
    for choice in choices:
        if all(part.media_type != "text/html" for part in choice):
            text = " ".join(_part_text(raw, part)[0] for part in choice).strip()
            stub = len(text) < _STUB and any(word in text.lower() for word in _STUB_WORDS) and len(choices) > 1
            if text and not stub:
                return choice
    return choices[-1] if choices else []


def _part_text(raw: bytes, part: Part) -> tuple[str, list[str]]:
    data = content(raw, part, _MOST_ENCODED)
    is_cut = part.end - part.start > _MOST_ENCODED
    is_page = part.media_type == "text/html"
    declared = part.parameters.get("charset") or (declared_charset(data) if is_page else None)
    text, code = decode(data, declared, cut=is_cut)
    text, unwanted = clean(text)
    codes = [found for found in (code, unwanted, "too_long" if is_cut else None) if found]
    return as_text(text) if is_page else text, codes


def _attachments(whole: Part, chosen: set[int]) -> Iterator[Attachment]:
    """Every leaf that is not the text, nor another version of it."""
    for part in whole.walk():
        is_version = part.media_type in ("text/plain", "text/html") and not _is_file(part)
        if part.children or part.index in chosen or is_version or part.media_type.startswith("multipart/"):
            continue
        if part.end > part.start:
            yield Attachment(part.index, part.name, part.media_type, part.end - part.start)


def _fingerprint(raw: bytes, whole: Part, chosen: set[int], said: tuple[str, ...]) -> str:
    """Line ends, and how a text was encoded on its way, make no difference; bytes of attachments are not decoded."""
    total = hashlib.sha256("\0".join(said).encode("utf-8", "replace"))
    for part in whole.walk():
        if part.children:
            continue
        one = hashlib.sha256()
        if part.index in chosen and part.end - part.start <= _CHUNK:
            one.update(b"".join(content(raw, part).split()))
        else:
            for place in range(part.start, part.end, _CHUNK):
                one.update(raw[place : min(place + _CHUNK, part.end)].translate(None, b" \t\r\n"))
        total.update(one.digest())
    return total.hexdigest()
