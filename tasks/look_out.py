"""Task: what should have happened and did not, as events that automations make alarms of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event

from sluice.expectations import silence
from sluice.intake import UNDECLARED, Office
from sluice.store.queries import rows
from tasks.counted import counted, waiting
from tasks.discreet import discreet
from tasks.quoted import quoted

HOUR = timedelta(hours=1)
"""Since the last look."""

LATEST = 20
"""Arrivals of a source that tell its habit."""

LONG = timedelta(hours=1)
"""After which unfinished work that nobody holds is stuck: four sweeps have passed it by."""


def look_out(office: Office) -> dict[str, int]:
    """Finds silent sources, stuck receipts and what was quarantined, and raises an event for each.

    Returns:
        How many of each there are.
    """
    now = datetime.now(UTC)
    return {
        "silent_sources": _silent_sources(quoted(office), now),
        "stuck_receipts": _stuck_receipts(quoted(office), now),
        "quarantined": _quarantined(quoted(office), now),
    }


def tell(event: str, resource: str, name: str, payload: dict[str, Any]) -> None:
    """Raises an event about one of our own things; automations match on `sluice.<kind>.<id>`."""
    emit_event(
        event=event,
        resource={"prefect.resource.id": resource, "prefect.resource.name": name},
        payload=payload,
    )


@task(name="silent sources", cache_policy=NO_CACHE, persist_result=False)
def _silent_sources(office: Office, now: datetime) -> int:
    logger, found = get_run_logger(), 0
    with discreet(), office.database.connection() as connection:
        latest = {row["source"]: row["arrivals"] for row in rows(connection, "sources_arrivals", most=LATEST)}
    for name in sorted(set(latest) & set(office.sources) - {UNDECLARED}):
        quiet = silence(now, latest[name], office.sources[name].expect.interval)
        if quiet is not None:
            found += 1
            logger.warning(f"source {name}: {quiet.text}")
            payload = {"text": quiet.text, "since": quiet.since.isoformat()}
            tell("sluice.source.silent", f"sluice.source.{name}", name, payload)
    return found


@task(name="stuck receipts", cache_policy=NO_CACHE, persist_result=False)
def _stuck_receipts(office: Office, now: datetime) -> int:
    logger = get_run_logger()
    with discreet(), office.database.connection() as connection:
        stuck = rows(connection, "receipts_stuck", before=now - LONG)
    for receipt in stuck:
        number = receipt["receipt_id"]
        done = f"{receipt['checkpoint']:,} of {receipt['row_count'] or 'its'} rows are in"
        since = f"{receipt['received_at']:%Y-%m-%d %H:%M} UTC"
        text = (
            f"receipt {number} of {receipt['source']} was begun at {since}, {done}, and nobody works on it. "
            "Is its file still where it was? Importing it again goes on from there."
        )
        logger.warning(text)
        tell("sluice.receipt.stuck", f"sluice.receipt.{number}", receipt["name"], {"text": text})
    with discreet(), office.database.connection() as connection:
        inbox = rows(connection, "inbox_count")[0]
    if (inbox["seconds"] or 0) > LONG.total_seconds():
        text = (
            f"{waiting(inbox['waiting'])} to be worked, the oldest for {inbox['seconds'] / 60:,.0f} minutes. "
            "Does `sluice up` run, or `sluice inbox`? Whoever works the inbox goes on from there."
        )
        logger.warning(text)
        tell("sluice.receipt.stuck", "sluice.receipt.inbox", "the inbox", {"text": text})
        return len(stuck) + 1
    return len(stuck)


@task(name="quarantined", cache_policy=NO_CACHE, persist_result=False)
def _quarantined(office: Office, now: datetime) -> int:
    """What the doors quarantined by themselves, too: a window tells of its own at once."""
    with discreet(), office.database.connection() as connection:
        found = rows(connection, "quarantine_recent", since=now - HOUR)
    for one in found:
        many = counted(one["arrivals"], "arrival")
        text = f"{many} of {one['source']} in the last hour; `sluice quarantine list` says why"
        get_run_logger().warning(f"quarantined: {text}")
        tell("sluice.receipt.quarantined", f"sluice.source.{one['source']}", one["source"], {"text": text})
    return len(found)
