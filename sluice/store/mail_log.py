"""The log of reading mailboxes, what is still to be done in them, and what their mails said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sluice.store.engine import Database
from sluice.store.mail import Place
from sluice.store.patience import patient
from sluice.store.queries import execute, rows, value


@patient
def open_chores(database: Database, place: Place, most: int) -> list[int]:
    """Mails that are stored and still to be moved or marked, oldest first."""
    with database.connection() as connection:
        return [row["uid"] for row in rows(connection, "mail_chores_open", **place.whole, most=most)]


@patient
def chores_done(database: Database, place: Place, uids: Sequence[int]) -> None:
    """Notes that mails were moved or marked."""
    with database.transaction() as connection:
        execute(connection, "mail_chores_done", **place.whole, uids=list(uids))


@patient
def begin(database: Database, account: str, folder: str) -> int:
    """A new line of the log."""
    with database.transaction() as connection:
        return int(value(connection, "mail_sync_begin", account=account, folder=folder))


@patient
def end(
    database: Database, sync_id: int, note: str | None = None, failure: str | None = None, needs_person: bool = False
) -> None:
    """Closes a line of the log; of readings that found nothing only the last stays."""
    with database.transaction() as connection:
        execute(connection, "mail_sync_end", sync_id=sync_id, note=note, failure=failure, needs_person=needs_person)


@patient
def status(database: Database, since: datetime) -> list[dict[str, Any]]:
    """Each folder that was read: how far, when, what came `since`, and what fails."""
    with database.connection() as connection:
        return rows(connection, "mail_status", since=since)


@patient
def last(database: Database, many: int) -> list[tuple[int, bytes]]:
    """The latest stored mails, youngest first: number of the receipt and raw bytes."""
    found: list[tuple[int, bytes]] = []
    with database.connection() as connection:
        while len(found) < many:
            before = found[-1][0] if found else 1 << 62
            more = rows(connection, "mail_last", before=before)
            if not more:
                break
            found.append((more[0]["receipt_id"], bytes(more[0]["body"])))
    return found
