"""Task: one window of the inbox, with a progress artifact while it works and a summary when it ends."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import Any

from prefect import get_run_logger, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE

from sluice.fetching import Fetcher
from sluice.inbox import Inbox
from sluice.intake import Office
from sluice.keyring import Keyring
from sluice.outcomes import OUTCOMES
from sluice.store.queries import rows
from sluice.windows import Hours, is_wanted, window
from tasks.counted import counted
from tasks.discreet import discreet
from tasks.look_out import tell
from tasks.quoted import quoted
from tasks.telling import Telling

TOLD_EVERY = 15.0
"""Seconds between two tellings of progress; each is a request to the server."""


def work_inbox(office: Office, minutes: float) -> list[dict[str, Any]]:
    """Works what forms, API and mailboxes leave, until the next window takes over.

    Returns:
        What became of it, a report for each source; none if another run waits for the inbox already.
    """
    if is_wanted(office.database):
        get_run_logger().info("another run waits for the inbox already; this one is not needed")
        return []
    return _work(quoted(office), minutes * 60)


@task(name="work the inbox", cache_policy=NO_CACHE, persist_result=False)
def _work(office: Office, seconds: float) -> list[dict[str, Any]]:
    logger, progress = get_run_logger(), _Progress(seconds)
    inbox, fetcher = Inbox(office, progress), Fetcher(office, Keyring(office.settings.home, os.environ))
    hours = Hours(at_least=min(seconds, Hours.at_least), at_most=2 * seconds)
    with discreet():
        window(office, inbox, hours, lambda: logger.info("another run works the inbox; waiting for it"), fetcher)
        reports = became(office, inbox)
    for source, text in fetcher.troubles.items():
        logger.warning(f"source {source}: {text}")
        tell("sluice.fetch.refused", f"sluice.source.{source}", source, {"text": text})
    for found in reports:
        if found["quarantined"]:
            many = counted(found["quarantined"], "arrival")
            text = f"{many} of {found['source']}; `sluice quarantine list` says why"
            logger.warning(f"quarantined: {text}")
            tell("sluice.receipt.quarantined", f"sluice.source.{found['source']}", found["source"], {"text": text})
    logger.info(f"{counted(len(inbox.worked), 'arrival')} worked, {len(inbox.quarantined):,} quarantined")
    return reports


class _Progress:
    """Tells now and then how many arrivals were worked; a window has no number of rows to be compared with."""

    def __init__(self, seconds: float) -> None:
        self._telling, self._began, self._told = Telling(), time.monotonic(), 0.0
        self._seconds = seconds
        self._artifact: Any = self._telling(
            lambda: create_progress_artifact(0.0, description="the window of the inbox")
        )

    def __call__(self, many: int) -> None:
        now = time.monotonic()
        if self._artifact and now - self._told >= TOLD_EVERY:
            self._told = now
            done = min(100.0, 100.0 * (now - self._began) / self._seconds)
            said = f"{counted(many, 'arrival')} so far"
            self._telling(lambda: update_progress_artifact(self._artifact, done, description=said))


def became(office: Office, inbox: Inbox) -> list[dict[str, Any]]:
    """What became of a holder's receipts: per source a report such as files have."""
    asked = {"receipt_ids": [*inbox.worked, *inbox.quarantined]}
    with office.database.connection() as connection:
        sources = rows(connection, "inbox_became", **asked)
        leads = rows(connection, "inbox_leads", **asked)
        reasons = rows(connection, "inbox_reasons", **asked)
    return [_report(found, leads, reasons) for found in sources]


def _report(found: dict[str, Any], leads: list[dict[str, Any]], reasons: list[dict[str, Any]]) -> dict[str, Any]:
    source, theirs = found["source"], [row for row in leads if row["source"] == found["source"]]
    counted: dict[str, Counter[str]] = {"band": Counter(), "owner": Counter()}
    for row in theirs:
        for name, counts in counted.items():
            counts[row[name]] += row["leads"]
    return {
        "source": source,
        "arrivals": found["receipts"],
        "was_known": False,
        "counts": {name: found[name] for name in ("row_count", *OUTCOMES)},
        "quarantined": found["quarantined"],
        "rejects": [row for row in reasons if row["source"] == source],
        "bands": dict(counted["band"]),
        "owners": dict(counted["owner"]),
    }
