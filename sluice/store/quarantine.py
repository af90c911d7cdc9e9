"""What is kept apart and may be let in: arrivals that could not be read, and rows that look like spam."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import Connection

from sluice.errors import NotFound
from sluice.profiles import Profile
from sluice.store.engine import Database
from sluice.store.patience import patient
from sluice.store.queries import execute, rows
from sluice.store.receipts import remember_config


@patient
def listed(database: Database, most: int) -> list[dict[str, Any]]:
    """The latest that is kept apart, youngest first."""
    with database.connection() as connection:
        return rows(connection, "quarantine_list", most=most)


@patient
def release(database: Database, profile: Profile, receipt_id: int, row: int | None = None) -> list[int]:
    """Lets in what was kept apart; it is worked by the rules in force now.

    A row of spam becomes an arrival of its own, and the old one stays as it was, so that the ledger adds up.

    Args:
        row: of a receipt with several rows of spam, this one only.

    Returns:
        The receipts that wait to be worked now.

    Raises:
        NotFound: nothing of that receipt is kept apart.
    """
    with database.transaction() as connection:
        config_id = remember_config(connection, profile)
        let_in = rows(connection, "quarantine_readmit", receipt_id=receipt_id, source=None, config_id=config_id)
        found = [one["receipt_id"] for one in let_in] or _released(connection, receipt_id, row, config_id)
        if not found:
            raise NotFound(
                f"receipt {receipt_id}" + (f", row {row}" if row else ""),
                "nothing of it is kept apart",
                fix="`sluice quarantine list` shows what is",
            )
        execute(connection, "inbox_notify")
    return found


@patient
def release_unread(database: Database, profile: Profile, source: str) -> list[int]:
    """Lets in all arrivals of a source that could not be worked, after what was wrong with the rules was mended."""
    with database.transaction() as connection:
        config_id = remember_config(connection, profile)
        found = rows(connection, "quarantine_readmit", receipt_id=None, source=source, config_id=config_id)
        execute(connection, "inbox_notify")
    return [one["receipt_id"] for one in found]


def _released(connection: Connection, receipt_id: int, row: int | None, config_id: int) -> list[int]:
    made: list[int] = []
    for spam in rows(connection, "quarantine_spam", receipt_id=receipt_id, row_number=row):
        cells = dict(zip(spam["header"], spam["record"], strict=False))
        body = json.dumps(cells, ensure_ascii=False).encode("utf-8", "replace")
        found = rows(
            connection,
            "quarantine_release",
            source=spam["source"],
            key=f"released:{receipt_id}/{spam['row_number']}",
            kind=spam["kind"],
            name=f"{spam['name']}, released from quarantine",
            size_bytes=len(body),
            sha256=hashlib.sha256(body).digest(),
            body=body,
            envelope=json.dumps({"released": [receipt_id, spam["row_number"]]}),
            config_id=config_id,
            parent_id=receipt_id,
            occurred_at=spam["occurred_at"],
        )
        made += [one["receipt_id"] for one in found]
    return made
