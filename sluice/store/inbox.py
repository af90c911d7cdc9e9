"""The receipts of forms, API and mailboxes: which of them wait, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from sluice.store.engine import Database
from sluice.store.patience import patient
from sluice.store.queries import execute, rows
from sluice.store.tables import array_text

MOST, BYTES = 500, 16 << 20
"""Receipts that are worked together, and the bytes of their bodies: more would hold the others up."""


@dataclass(frozen=True)
class Waiting:
    """A stored arrival that is still to be worked.

    Attributes:
        envelope: how it came.
        attempts: how often it was begun and not finished.
    """

    receipt_id: int
    source: str
    kind: str
    name: str
    config_id: int
    body: bytes
    envelope: dict[str, Any]
    attempts: int
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True)
class Settled:
    """What a worked receipt is to keep.

    Attributes:
        survey: as a file's pre-pass is kept.
    """

    receipt_id: int
    rows: int
    header: tuple[str, ...]
    survey: dict[str, Any]


@patient
def waiting(database: Database) -> list[Waiting]:
    """What waits to be worked, oldest first."""
    with database.connection() as connection:
        found = rows(connection, "inbox_waiting", most=MOST, bytes=BYTES)
    return [
        Waiting(
            receipt_id=row["receipt_id"],
            source=row["source"],
            kind=row["kind"],
            name=row["name"],
            config_id=row["config_id"],
            body=bytes(row["body"]),
            envelope=row["envelope"] or {},
            attempts=row["attempts"],
            occurred_at=row["occurred_at"],
            received_at=row["received_at"],
        )
        for row in found
    ]


@patient
def begin(database: Database, receipt_ids: Sequence[int], pauses: Sequence[float]) -> None:
    """Counts an attempt of each before it is made, since it may kill its worker.

    Args:
        database: where they wait.
        receipt_ids: of which the attempt is made.
        pauses: seconds until one is looked at again that was begun before: after the second attempt, the third …
    """
    with database.transaction() as connection:
        connection.exec_driver_sql("set local synchronous_commit = off")  # only a crash of ours has to remember it
        execute(connection, "inbox_begin", receipt_ids=list(receipt_ids), pauses=list(pauses))


@patient
def put_back(database: Database, receipt_ids: Sequence[int]) -> None:
    """Takes back an attempt that was counted and could not be made."""
    with database.transaction() as connection:
        execute(connection, "inbox_put_back", receipt_ids=list(receipt_ids))


@patient
def sent(database: Database, message_ids: Sequence[str]) -> dict[str, str | None]:
    """Of some message ids those that are known, with the campaign of those that went out."""
    with database.connection() as connection:
        found = rows(connection, "messages_known", message_ids=list(message_ids))
    return {row["message_id"]: row["campaign"] for row in found}


def still_open(connection: Connection, receipt_ids: Sequence[int]) -> tuple[set[int], datetime]:
    """Those that nobody has worked meanwhile, held until the transaction ends, and the database's time."""
    found = rows(connection, "inbox_open", receipt_ids=list(receipt_ids))
    now = found[0]["decided_at"].astimezone(UTC) if found else datetime.min.replace(tzinfo=UTC)
    return {row["receipt_id"] for row in found}, now


def settle(connection: Connection, settled: Sequence[Settled]) -> None:
    """Closes receipts in the transaction of their rows; of an erased person not even the bytes are kept."""
    receipt_ids = [one.receipt_id for one in settled]
    execute(
        connection,
        "inbox_done",
        receipt_ids=receipt_ids,
        rows=[one.rows for one in settled],
        headers=[json.dumps(one.header) for one in settled],
        surveys=[json.dumps(one.survey) for one in settled],
    )
    execute(connection, "inbox_scrub", receipt_ids=receipt_ids)


def opt_out(connection: Connection, wishes: Sequence[tuple[str, int, int]]) -> None:
    """Keeps that people asked by mail not to be written to; it counts for all their leads.

    Args:
        wishes: key of the address, receipt, row.
    """
    if not wishes:
        return
    keys, receipt_ids, numbers = (list(part) for part in zip(*wishes, strict=True))
    execute(connection, "consents_opt_out", keys=keys, receipt_ids=receipt_ids, rows=numbers)
    execute(connection, "consents_apply_email", keys=array_text(keys))


@patient
def give_up(database: Database, receipt_id: int, failure: dict[str, str]) -> None:
    """Quarantines a receipt with the reason; its bytes stay, and `sluice quarantine release` lets it in again."""
    with database.transaction() as connection:
        execute(connection, "inbox_failed", receipt_id=receipt_id, failure=json.dumps(failure))


@patient
def try_later(database: Database, receipt_id: int, seconds: float, why: str) -> None:
    """Leaves a receipt alone for a while; `sluice receipt` says why."""
    with database.transaction() as connection:
        execute(connection, "inbox_later", receipt_id=receipt_id, seconds=seconds, why=why)
