"""`/hooks/{source}`: where providers and web pages post their forms."""

from __future__ import annotations

import logging
import re
import time
from urllib.parse import unquote_plus, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from sluice.api import postings, vouching
from sluice.api.answers import Refused, answer
from sluice.api.door import Door
from sluice.api.log import say
from sluice.api.vouching import Voucher
from sluice.sources.forms.requests import Posted
from sluice.store.arrivals import Outcome, Posting, Stored

SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

_NEXT_FIELD = re.compile(rb'(?:^|&)next=([^&\s]{1,2000})|name="?next"?\r\n\r\n([^\r\n]{1,2000})\r\n')


async def post(door: Door, request: Request, source: str) -> Response:
    """Takes a form in: size, body, voucher, receipt, commit, 202. What it says is read afterwards."""
    body = await door.reception.body(request)
    began = time.monotonic()
    arrived = vouching.posted(request, body, door)
    declared = door.rules.profile.sources
    try:
        voucher = await vouching.vouched(door, source, arrived)
        check_source(source)
        door.admit(source, arrived.address, is_public=voucher.is_public)
        posting = await postings.of_hook(door, source, arrived, voucher)
        stored = await door.writer.store(posting, door.limits())
    except Refused as refused:
        door.metrics.refused_post(source, str(refused.status), declared)
        raise
    door.metrics.post(source, stored.outcome.value, declared, time.monotonic() - began)
    if stored.outcome is Outcome.CHANGED:
        say("another content under a used id", logging.WARNING, receipt=stored.receipt_id, source=source)
    return _back_to_page(arrived, voucher) or acknowledged(posting, stored)


def greet(door: Door, request: Request, source: str) -> Response:
    """Answers a provider that asks whether the address is ours."""
    arrived = vouching.posted(request, b"", door)
    return PlainTextResponse(vouching.greeted(door, source, arrived), headers={"cache-control": "no-store"})


def check_source(source: str) -> None:
    """Passes what can be the name of a source.

    Raises:
        Refused: 422.
    """
    if not SOURCE.fullmatch(source):
        raise Refused(422, "This cannot be the name of a source", "a-z, 0-9, - and _, at most 63 characters")


def acknowledged(posting: Posting, stored: Stored) -> Response:
    """202: the receipt is committed. Whoever sent it before gets the receipt of that time."""
    is_replayed = stored.outcome is Outcome.REPLAYED
    said = {
        "receipt": stored.receipt_id,
        "status_url": f"/v1/receipts/{stored.receipt_id}",
        "replayed": is_replayed,
    }
    return answer(said, 202, {"idempotency-replayed": "true"} if is_replayed else None)


def _back_to_page(arrived: Posted, voucher: Voucher) -> Response | None:
    """Sends a browser that posted a plain form on to the page that the form names, if its website may use the key."""
    if voucher.key is None or not arrived.content_type.startswith(("application/x-www-form-url", "multipart/form")):
        return None
    wanted = next(iter(arrived.query.get("next", ())), "")
    if not wanted and (found := _NEXT_FIELD.search(arrived.body)):
        wanted = unquote_plus(found[1].decode("latin-1")) if found[1] else found[2].decode("utf-8", "replace")
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return None
    is_listed = f"{parts.scheme}://{parts.netloc}" in voucher.key.origins
    if not is_listed or not wanted.isascii() or not wanted.isprintable() or "\\" in wanted:
        return None
    return RedirectResponse(wanted, 303, {"cache-control": "no-store"})
