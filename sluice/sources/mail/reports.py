"""What delivery reports (RFC 3464) and complaints (RFC 5965) say, and about whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sluice.sources.mail.addresses import read_addresses
from sluice.sources.mail.headers import Headers, read_headers
from sluice.sources.mail.message import Mail
from sluice.sources.mail.parts import Part, content

DELIVERY = ("message/delivery-status", "message/global-delivery-status", "message/x-delivery-status")
RECEIPT = ("message/disposition-notification", "message/global-disposition-notification")
COMPLAINT = ("message/feedback-report",)

_LONGEST = 65_536
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_SMTP = re.compile(r"(?<![\d.])([45])\d\d(?=[ -])")
_FULL_OR_BUSY = re.compile(
    r"quota|mailbox (?:is )?full|too (?:many|much)|try again|temporar|greylist|delayed", re.IGNORECASE
)
_QUOTED_ADDRESS = re.compile(r"[<\s\"'(:]([^\s<>@\"'(),:;]{1,64}@[^\s<>@\"'(),:;]{1,255})[>\s\"'),:;]")
_KIND = re.compile(r"(?:notificationType|eventType)\W{1,12}(\w+)", re.IGNORECASE)
_RECIPIENT = re.compile(r"emailAddress\W{1,12}([^\s\"\\]{3,320})")
_OFFICES = frozenset({"postmaster", "mailer-daemon", "abuse", "support", "helpdesk", "admin", "noreply", "no-reply"})
_SOFT_THOUGH_FINAL = frozenset({"2"})  # x.2.x is the mailbox: 5.2.2 (full) ends a delivery, but not the address


@dataclass(frozen=True)
class Bounced:
    """Who did not get a mail, or complained about one.

    Attributes:
        kind: `hard`: never again; `soft`: not now; `complaint`: the person called it spam.
        status: RFC 3463's code such as 5.1.1; "" if none was given.
    """

    address: str
    kind: Literal["hard", "soft", "complaint"]
    status: str


def has(mail: Mail, media_types: tuple[str, ...]) -> bool:
    """Whether one of the mail's parts is of one of these kinds."""
    return any(part.media_type in media_types for part in mail.parts)


def report_type(mail: Mail) -> str:
    """The report-type of a multipart/report, in lower case."""
    return mail.whole.parameters.get("report-type", "").strip().lower()


def actions(mail: Mail) -> tuple[str, ...]:
    """What a delivery report says became of the mail, of each recipient: failed, delayed, delivered and so on."""
    said = (block.header("action") for block in _blocks(mail, DELIVERY))
    return tuple(action.split("(")[0].strip().lower() for action in said if action)


def bounced_address(mail: Mail) -> Bounced | None:
    """Whom a bounce or a complaint is about; the first, if there are several. See `bounced_addresses`."""
    return next(bounced_addresses(mail), None)


def bounced_addresses(mail: Mail) -> Iterator[Bounced]:
    """Everyone that a bounce or a complaint is about. The caller has classified the mail as one."""
    if complained := _complained(mail):
        yield from complained
        return
    ways = (_reported, _told_in_headers, _told_by_amazon, _told_in_text, _told_by_original)
    seen = next((found for found in (list(way(mail)) for way in ways) if found), [])
    yield from {one.address.lower(): one for one in reversed(seen)}.values()


def _complained(mail: Mail) -> list[Bounced]:
    blocks = list(_blocks(mail, COMPLAINT))
    if not blocks:  # Hotmail's own form
        said = [address for headers in _originals(mail) for address in headers.all("x-hmxmroriginalrecipient")]
        return [Bounced(one.address, "complaint", "") for text in said for one in read_addresses(text) if one.address]
    said = [
        address for block in blocks for name in ("original-rcpt-to", "removal-recipient") for address in block.all(name)
    ]
    said = said or [address for headers in _originals(mail) for address in headers.all("to")[:1]]
    found = [one.address for text in said for one in read_addresses(text)]
    return [Bounced(address, "complaint", "") for address in dict.fromkeys(found) if address]


def _reported(mail: Mail) -> Iterator[Bounced]:
    for block in _blocks(mail, DELIVERY):
        action = (block.header("action") or "failed").split("(")[0].strip().lower()
        written = block.header("final-recipient") or block.header("original-recipient") or ""
        address = _address(written.rpartition(";")[2]) or _address(
            (block.header("original-recipient") or "").rpartition(";")[2]
        )
        if address and action in ("failed", "delayed"):
            diagnosis = block.header("diagnostic-code") or ""
            yield _judged(address, action, block.header("status") or "", diagnosis)


def _told_in_headers(mail: Mail) -> Iterator[Bounced]:
    for written in mail.headers.all("x-failed-recipients"):
        for one in read_addresses(written):
            if one.address:
                yield _judged(one.address, "failed", "", mail.text[:_LONGEST])


def _told_in_text(mail: Mail) -> Iterator[Bounced]:
    """The first address in the text of a bounce that nobody made for machines; never `hard` without a code."""
    text = mail.text[:8_192]
    ours = {one.address for one in (*mail.to, mail.sender)}
    for found in _QUOTED_ADDRESS.finditer(f" {text} "):
        address = _address(found[1])
        if address and address not in ours and address.partition("@")[0].lower() not in _OFFICES:
            has_code = _STATUS.search(text) or _SMTP.search(text)
            yield _judged(address, "failed", "", text[found.end() :]) if has_code else Bounced(address, "soft", "")
            return


def _told_by_amazon(mail: Mail) -> Iterator[Bounced]:
    """SES tells by mail in JSON, sometimes as a text within JSON."""
    if mail.text[:1] == "{":
        is_complaint = "complaint" in (_KIND.findall(mail.text[:_LONGEST]) or [""])[0].lower()
        for found in _RECIPIENT.findall(mail.text[:_LONGEST])[:100]:
            if address := _address(found):
                judged = _judged(address, "failed", "", mail.text[:_LONGEST])
                yield Bounced(address, "complaint", "") if is_complaint else judged


def _told_by_original(mail: Mail) -> Iterator[Bounced]:
    """Whom the mail that came back was for, if it was for one; never `hard` without a code."""
    for headers in _originals(mail):
        found = [one.address for one in read_addresses(headers.raw("to")) if one.address]
        if len(found) == 1:
            code = _STATUS.search(mail.text[:_LONGEST])
            judged = _judged(found[0], "failed", code[0] if code else "", mail.text[:_LONGEST])
            yield judged if code else Bounced(found[0], "soft", "")


def _judged(address: str, action: str, status: str, diagnosis: str) -> Bounced:
    code = _STATUS.search(status)
    if code is None or code[0] in ("5.0.0", "4.0.0"):
        code = _STATUS.search(diagnosis) or code
    reply = _SMTP.search(diagnosis)
    first = code[1] if code else reply[1] if reply else "5"
    soft = action == "delayed" or first == "4" or bool(code and code[2] in _SOFT_THOUGH_FINAL and code[3] == "2")
    soft = soft or (code is None and bool(_FULL_OR_BUSY.search(diagnosis)))
    return Bounced(address, "soft" if soft else "hard", code[0] if code else "")


def _blocks(mail: Mail, media_types: tuple[str, ...]) -> Iterator[Headers]:
    """The groups of fields of a report's parts: one for the mail, then one for each recipient."""
    for part in mail.parts:
        if part.media_type in media_types:
            data = content(mail.raw, part, _LONGEST).strip()
            place = 0
            while place < len(data):
                block, behind = read_headers(data, place, len(data))
                if behind <= place:
                    break
                yield block
                place = behind


def _originals(mail: Mail) -> Iterator[Headers]:
    """The headers of the mails that a report encloses."""
    for part in mail.parts:
        if part.media_type in ("message/rfc822", "text/rfc822-headers", "message/global"):
            yield enclosed(mail, part)


def enclosed(mail: Mail, part: Part) -> Headers:
    """The headers of a mail that is a part of another."""
    data = content(mail.raw, part, _LONGEST).lstrip(b"\r\n")
    return read_headers(data, 0, len(data))[0]


def original_ids(mail: Mail) -> tuple[str, ...]:
    """Message ids of the mails that a report encloses: which of ours it is about."""
    said = (headers.header("message-id") for headers in _originals(mail))
    return tuple(one.strip() for one in said if one)


def _address(text: str) -> str | None:
    return next((one.address for one in read_addresses(text.strip()) if one.address), None)
