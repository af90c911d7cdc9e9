"""Defects that are built in on purpose (R26): a fault test that passes with one of them proves nothing."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from sluice import buckets, crash, pipeline
from sluice.batch import Batch
from sluice.inbox import Inbox
from sluice.intake import Office, Order, intake
from sluice.pipeline import Job
from sluice.sources import stored
from sluice.store import inbox, queries, receipts
from sluice.store.engine import Database
from sluice.store.queries import execute
from tests.faults.oracle import TOLD_AT


def checkpoint_outside() -> None:
    """The checkpoint is written after the commit, in a transaction of its own."""
    whole = pipeline._land_slice

    def nothing(connection: Connection, job: Job, reached: int, last: int) -> None:
        return None

    def land_slice(database: Database, job: Job, part: Batch, last: int) -> None:
        whole(database, job, part, last)
        with database.transaction() as connection:
            number = job.receipt.receipt_id
            execute(connection, "receipt_checkpoint", receipt_id=number, row=last, expected=last - len(part))

    pipeline._advance, pipeline._land_slice = nothing, land_slice


def told_before_commit() -> None:
    """Whoever waits is told that a slice is in before it is."""
    TOLD_AT["before_commit"] = TOLD_AT.pop("after_commit")


def moved_before_stored() -> None:
    """The file leaves the inbox before anything of it is stored."""

    def moved_first(office: Office, order: Order) -> Any:
        place = order.path.parent.parent / "done" / order.path.name
        shutil.move(order.path, place)
        return intake(office, replace(order, path=place))

    buckets.intake = moved_first


def every_try_anew() -> None:
    """A receipt has no natural key: each try to store it is another one."""
    claim = receipts._claim

    def anew(connection: Connection, arrival: Any, config_id: int, *, key: str, **facts: Any) -> Any:
        return claim(connection, arrival, config_id, key=f"{key}~{os.urandom(4).hex()}", **facts)

    receipts._claim = anew


def blind_retry() -> None:
    """A process counts for itself what is in, and does not look: neither at a try that failed, nor at others' work."""
    standing, whole = receipts.standing, pipeline._land_slice
    counted: dict[int, int] = {}

    def blind(connection: Connection, receipt_id: int) -> Any:
        reached, now = standing(connection, receipt_id)
        return counted.setdefault(receipt_id, reached), now

    def land_slice(database: Database, job: Job, part: Batch, last: int) -> None:
        whole(database, job, part, last)
        counted[job.receipt.receipt_id] = last

    receipts.standing, pipeline._land_slice = blind, land_slice


def no_unique_claim() -> None:
    """Two processes may claim one content: the index is gone (the test drops it), and nothing asks for it."""
    query, lookup = queries.query, queries.query("receipt_insert").partition("on conflict")

    def without(name: str, folder: Path = queries.FOLDER) -> str:
        return f"{lookup[0]} returning receipt_id" if name == "receipt_insert" else query(name, folder)

    queries.query = without


def deadly_body() -> None:
    """A body of a kind that kills whoever reads it."""
    opened = stored.opened

    def read(body: Any, *others: Any) -> Any:
        if b"deadly" in body.raw:
            os.kill(os.getpid(), signal.SIGKILL)
        return opened(body, *others)

    stored.opened = read


def settled_outside() -> None:
    """Small receipts are closed after the commit, in a transaction of their own."""
    land, settle = Inbox._land, inbox.settle

    def later(self: Inbox, prepared: Any, *others: Any) -> Any:
        inbox.settle = lambda connection, settled: None
        left = land(self, prepared, *others)
        crash.point("between")
        with self.office.database.transaction() as connection:
            settle(connection, [one.settled for one in prepared[1]])
        return left

    Inbox._land = later


MUTANTS: dict[str, Callable[[], None]] = {
    "checkpoint outside": checkpoint_outside,
    "told before commit": told_before_commit,
    "moved before stored": moved_before_stored,
    "every try anew": every_try_anew,
    "blind retry": blind_retry,
    "no unique claim": no_unique_claim,
    "deadly body": deadly_body,
    "settled outside": settled_outside,
}
