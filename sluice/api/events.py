"""`/v1/events`: what people did, told by websites and mailers; each event stands for itself."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sluice.api import vouching
from sluice.api.answers import Refused, answer
from sluice.api.door import Door
from sluice.api.leads import source_of
from sluice.normalization.emails import email_key, read_email
from sluice.normalization.phones import read_phone
from sluice.normalization.rules import EmailReading
from sluice.sources.forms.bodies import decoded
from sluice.sources.forms.refusal import UnreadableBody
from sluice.store import events
from sluice.store.events import Event

MOST = 1_000
"""Events of one request."""

PROPERTIES_BYTES = 16 << 10
AHEAD = timedelta(days=1)
"""How far a sender's clock may be ahead of ours."""

SENT = "mail_sent"
"""The kind that also says which campaign a reply to that mail belongs to."""

_FIELDS = ("kind", "email", "phone", "occurred_at", "id", "properties")
_KIND = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
_MESSAGE_ID = re.compile(r"<?([^<>\s]{1,900})>?")


class _Wrong(Exception):
    """What is wrong with a field of an event."""

    def __init__(self, field: str, found: str, allowed: str) -> None:
        self.said = {"field": field, "found": found, "allowed": allowed}
        super().__init__(field)


async def post(door: Door, request: Request) -> Response:
    """Stores events, each once; those that cannot be stored are named, and the others are stored all the same."""
    body = await door.reception.body(request)
    arrived = vouching.posted(request, body, door)
    key = await vouching.keyholder(door, arrived, "events:write")
    source = source_of(arrived, key)
    vouching.allowed(key, "events:write", arrived, source)
    door.admit(source, arrived.address, is_public=key.is_public)
    try:
        value = decoded(body, "application/json").value
    except UnreadableBody as error:
        raise Refused(422, f"The body cannot be read: {error.found}", error.allowed, error.fix) from None
    elements = value if isinstance(value, list) else [value]
    if not 1 <= len(elements) <= MOST:
        raise Refused(422, f"The body holds {len(elements)} events", f"1 to {MOST}")
    now, rules = datetime.now(UTC), door.rules.profile.normalization.email
    read = [_read(element, source, rules, now) for element in elements]
    found = [event for event in read if isinstance(event, Event)]
    new = iter(await door.ask(events.store, door.database, found) if found else [])
    results = [_result(at, event, new) for at, event in enumerate(read)]
    counts = {
        status: sum(result["status"] == status for result in results) for status in ("stored", "known", "refused")
    }
    for status, times in counts.items():
        door.metrics.events(status, times)
    if not found:
        raise Refused(422, "None of the events can be stored", fix="Mend what `results` names", results=results)
    return answer({**counts, "results": results}, 202)


def _result(at: int, event: Event | dict[str, str], new: Any) -> dict[str, Any]:
    if isinstance(event, Event):
        return {"index": at, "status": "stored" if next(new) else "known"}
    return {"index": at, "status": "refused", **event}


def _read(element: Any, source: str, rules: EmailReading, now: datetime) -> Event | dict[str, str]:
    """The event, or what is wrong with it: field, what was found, what is allowed."""
    try:
        if not isinstance(element, dict):
            raise _Wrong("", "it is no object", "an object with kind, occurred_at, and email or phone")
        if unknown := [name for name in element if name not in _FIELDS]:
            raise _Wrong(unknown[0][:100], "there is no such field", ", ".join(_FIELDS))
        kind, person = _text(element, "kind"), _person(element, rules)
        if not _KIND.fullmatch(kind):
            raise _Wrong("kind", "it is no name", "a-z, then a-z, 0-9, _, . and -, at most 63, such as page_viewed")
        properties, occurred_at = _properties(element), _time(element, now)
        identity = _text(element, "id") if element.get("id") is not None else ""
    except _Wrong as wrong:
        return wrong.said
    if len(identity) > 200:
        return _Wrong("id", "it is too long", "at most 200 characters").said
    said = json.dumps([kind, person, occurred_at.isoformat(), properties], sort_keys=True)
    key = f"id:{identity}" if identity else f"content:{hashlib.sha256(said.encode()).hexdigest()}"
    try:
        message = _message(properties) if kind == SENT else None
    except _Wrong as wrong:
        return wrong.said
    return Event(source, key, kind, person, properties, occurred_at, message)


def _text(element: Mapping[str, Any], field: str) -> str:
    found = element.get(field)
    if not isinstance(found, str) or not found.strip():
        raise _Wrong(field, "it is missing" if found is None else "it is no text, or an empty one", "a text")
    return found.strip()


def _person(element: Mapping[str, Any], rules: EmailReading) -> str:
    """The person as identities are written; the e-mail counts more."""
    if element.get("email") is not None:
        address = read_email(_text(element, "email")[:400], rules).value
        if address is None:
            raise _Wrong("email", "it is no address", "an address such as anna@example.com")
        return f"mail:{email_key(address, rules)}"
    if element.get("phone") is None:
        raise _Wrong("email", "neither email nor phone is there", "one of them")
    number = read_phone(_text(element, "phone")[:100], []).value
    if number is None:
        raise _Wrong("phone", "it is no number", "a number with its country code, such as +1 202 555 0143")
    return f"tel:{number}"


def _time(element: Mapping[str, Any], now: datetime) -> datetime:
    allowed = "ISO 8601 with an offset, such as 2026-11-22T09:30:00Z, and not in the future"
    try:
        found = datetime.fromisoformat(_text(element, "occurred_at"))
    except ValueError:
        raise _Wrong("occurred_at", "it is no time", allowed) from None
    if found.tzinfo is None:
        raise _Wrong("occurred_at", "it has no offset from UTC", allowed)
    try:
        found = found.astimezone(UTC)
    except OverflowError:
        raise _Wrong("occurred_at", "it is no time", allowed) from None
    if found > now + AHEAD:
        raise _Wrong("occurred_at", "it lies in the future", allowed)
    return found


def _properties(element: Mapping[str, Any]) -> dict[str, Any]:
    found = element.get("properties")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise _Wrong("properties", "they are no object", "an object")
    if len(json.dumps(found)) > PROPERTIES_BYTES:
        raise _Wrong("properties", "they are too large", f"{PROPERTIES_BYTES:,} bytes of JSON")
    return found


def _message(properties: Mapping[str, Any]) -> tuple[str, str]:
    """Message-ID in angle brackets, as mails are stored, and campaign of a mail that was sent."""
    named, campaign = properties.get("message_id"), properties.get("campaign")
    found = _MESSAGE_ID.fullmatch(named.strip()) if isinstance(named, str) else None
    if found is None:
        raise _Wrong("properties.message_id", "it is missing, or no Message-ID", "as the mail's header says it")
    if not isinstance(campaign, str) or not 1 <= len(campaign.strip()) <= 200:
        raise _Wrong("properties.campaign", "it is missing, or no name", "a text of at most 200 characters")
    return f"<{found[1]}>", campaign.strip()
