"""Whether the door lives, whether it can store, and what it has counted."""

from __future__ import annotations

import shutil
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sluice.api import vouching
from sluice.api.answers import Refused, answer
from sluice.api.door import Door
from sluice.api.keys import is_loopback
from sluice.api.metrics import CONTENT_TYPE
from sluice.errors import DatabaseUnavailable
from sluice.store import arrivals
from sluice.store.faults import StoreError

RECENT = 5.0
"""Seconds for which a post that could not be stored makes the door not ready."""

RETRY_AFTER = 5

LOW_DISK = 64 << 20
"""Free bytes of the embedded database's disk below which the door is not ready."""


def health() -> Response:
    """The process lives and answers."""
    return answer({"status": "ok"})


async def ready(door: Door, request: Request) -> Response:
    """Whether what is posted now would be stored.

    Raises:
        Refused: 503, with what is wrong.
    """
    try:
        wrong = await door.ask(_wrong, door)
    except Refused as refused:
        wrong = refused.found
    details: dict[str, Any] = {
        "rules": door.rules.profile.hash[:12],
        "rules_mistake": _mistake(door, request),
        "queue": len(door.writer),
    }
    if wrong:
        raise Refused(503, wrong, fix="It becomes ready again by itself", retry_after=RETRY_AFTER, **details)
    return answer({"status": "ready", **details})


def _mistake(door: Door, request: Request) -> str:
    """What is wrong with the rules in the folder, while the old ones hold; strangers are only told that it is so."""
    if not door.rulebook.mistake or is_loopback(vouching.address(request, door)):
        return door.rulebook.mistake
    return "the rules in the config folder cannot be read; the log says why"


def _wrong(door: Door) -> str:
    """Why nothing can be stored; "" if it can."""
    trouble = door.writer.trouble
    if trouble and time.monotonic() - trouble[0] < RECENT:
        return f"The last post could not be stored: {trouble[1]}"
    cluster = door.database.cluster
    if cluster and shutil.disk_usage(cluster.data).free < LOW_DISK:
        return "The disk of the database is full"
    try:
        return "" if arrivals.check_writable(door.database) else "The database is a standby, which takes no writes"
    except DatabaseUnavailable as error:
        return f"The database cannot be used: {error.found}"
    except StoreError:
        return "The database cannot be written to"


async def metrics(door: Door, request: Request) -> Response:
    """What Prometheus reads; from this machine without a key.

    Raises:
        Refused: 401 or 403.
    """
    arrived = vouching.posted(request, b"", door)
    is_forwarded = "x-forwarded-for" in arrived.headers or "forwarded" in arrived.headers
    if is_forwarded or not is_loopback(arrived.address):
        await vouching.keyholder(door, arrived, "metrics:read")
    return Response(door.metrics.text(), headers={"cache-control": "no-store"}, media_type=CONTENT_TYPE)
