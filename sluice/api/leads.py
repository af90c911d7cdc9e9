"""`/v1/leads` and `/v1/receipts/{id}`: programs that send leads, and ask what became of them."""

from __future__ import annotations

import re
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sluice.api import postings, vouching
from sluice.api.answers import Refused, answer
from sluice.api.door import Door
from sluice.api.hooks import acknowledged, check_source
from sluice.api.vouching import Voucher
from sluice.sources.forms.requests import Posted
from sluice.store.api_keys import ApiKey
from sluice.store.arrivals import Outcome, Stored
from sluice.store.engine import Database
from sluice.store.queries import rows

UNDECLARED = "api"
"""Source of what names none."""

MOST_ROWS = 1_000
"""Of one receipt that are told; a file may have millions."""

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


async def post(door: Door, request: Request) -> Response:
    """Takes leads in: one object, or an array of them."""
    body = await door.reception.body(request)
    began = time.monotonic()
    arrived = vouching.posted(request, body, door)
    key = await vouching.keyholder(door, arrived, "leads:write")
    source = source_of(arrived, key)
    declared = door.rules.profile.sources
    try:
        vouching.allowed(key, "leads:write", arrived, source)
        _check_idempotency(arrived)
        door.admit(source, arrived.address, is_public=key.is_public)
        posting = postings.of_api(door, source, arrived, Voucher(f"key:{key.key_id}", key))
        stored = await door.writer.store(posting, door.limits())
        _refuse_conflict(stored)
    except Refused as refused:
        door.metrics.refused_post(source, str(refused.status), declared)
        raise
    door.metrics.post(source, stored.outcome.value, declared, time.monotonic() - began)
    return acknowledged(posting, stored)


def source_of(arrived: Posted, key: ApiKey) -> str:
    """The source that a request is for: what it names, the key's own, or `api`.

    Raises:
        Refused: 422, it names what can be none.
    """
    named = arrived.query.get("source", ())
    if len(named) > 1:
        raise Refused(422, "The URL names several sources", "one `source`")
    source = named[0] if named else key.source or UNDECLARED
    check_source(source)
    return source


def _check_idempotency(arrived: Posted) -> None:
    given = arrived.headers.get("idempotency-key", ())
    if len(given) > 1 or any(not _IDEMPOTENCY_KEY.fullmatch(value) for value in given):
        allowed = "one header of 1 to 255 visible ASCII characters, such as a UUID"
        raise Refused(400, "The Idempotency-Key cannot be one", allowed)


def _refuse_conflict(stored: Stored) -> None:
    """As draft-ietf-httpapi-idempotency-key-header says: one key, one content."""
    if stored.outcome is Outcome.CONFLICT:
        raise Refused(
            422,
            "The Idempotency-Key was used with another body; nothing of this one was stored",
            "the same body again, or another key",
            "Use a new key for a new request",
        )


async def receipt(door: Door, request: Request, number: str) -> Response:
    """Says what became of a receipt: nothing that stood in it."""
    key = await vouching.keyholder(door, vouching.posted(request, b"", door))
    found = await door.ask(_told, door.database, int(number)) if _NUMBER.fullmatch(number) else None
    is_own = found is not None and found[1] == f"key:{key.key_id}" and not key.is_public
    if "receipts:read" not in key.scopes and not is_own:
        raise Refused(403, "The key lacks a scope", "receipts:read, or the key that posted the receipt")
    if found is None:
        raise Refused(404, "There is no receipt of that number", fix="Take the number from the answer to your post")
    return answer(found[0])


def _told(database: Database, number: int) -> tuple[dict[str, Any], str | None] | None:
    """What a receipt has become, and who vouched for it."""
    with database.connection() as connection:
        found = rows(connection, "receipt_by_id", receipt_id=number)
        if not found:
            return None
        counts = rows(connection, "receipt_counts", receipt_id=number)
        told = rows(connection, "receipt_rows", receipt_id=number, most=MOST_ROWS)
        vouched_by = rows(connection, "receipt_envelope", receipt_id=number)[0]["vouched_by"]
    kept = found[0]
    names = ("source", "kind", "state", "received_at", "finished_at", "duplicate_of", "failure")
    return {
        "receipt": kept["receipt_id"],
        **{name: kept[name] for name in names},
        "counts": {name: count or 0 for name, count in (counts[0] if counts else {}).items()},
        "rows": [_row(row) for row in told],
    }, vouched_by


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """What became of one row; of problems the codes and what to do, not what stood there."""
    said: dict[str, Any] = {"row": row["row_number"], "outcome": row["outcome"]}
    if row["lead_id"] is not None:
        said |= {"lead": row["lead_id"], "owner": row["owner"], "team": row["team"]}
    if row["kind"] is not None:
        said["kind"] = row["kind"]
    if row["problems"] is not None:
        shown = ("field", "code", "meaning", "fix")
        said["problems"] = [{name: problem[name] for name in shown if name in problem} for problem in row["problems"]]
    return said
