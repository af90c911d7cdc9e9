"""Leads that a provider only announced, until they are fetched: each an arrival of its own, without a body yet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from sluice.store.engine import Database
from sluice.store.patience import patient
from sluice.store.queries import execute, rows

MOST = 20
"""Leads that are fetched between two looks at the list."""


@dataclass(frozen=True)
class Due:
    """A lead to be fetched now.

    Attributes:
        lead_id: the provider's.
        attempts: how often it was asked for.
        seconds: since it was announced.
    """

    receipt_id: int
    source: str
    config_id: int
    lead_id: str
    attempts: int
    seconds: float


@dataclass(frozen=True)
class Announcement:
    """Where announced leads come from: the receipt of the message that names them."""

    receipt_id: int
    source: str
    config_id: int
    occurred_at: datetime


def announce(connection: Connection, by: Announcement, leads: Sequence[tuple[str, Mapping[str, str]]]) -> int:
    """Stores announced leads, each once however often it is announced; says how many are new.

    Args:
        leads: the provider's id, and the cells that only the announcement has.
    """
    return len(
        rows(
            connection,
            "fetches_announce",
            source=by.source,
            config_id=by.config_id,
            parent_id=by.receipt_id,
            occurred_at=by.occurred_at,
            keys=[f"id:{lead_id}" for lead_id, _ in leads],
            names=[f"lead announced by receipt {by.receipt_id}" for _ in leads],
            fingerprints=[hashlib.sha256(lead_id.encode()).digest() for lead_id, _ in leads],
            envelopes=[
                json.dumps({"content_type": "application/json", "fetch": {"id": lead_id, "kept": dict(kept)}})
                for lead_id, kept in leads
            ],
        )
    )


@patient
def due(database: Database) -> list[Due]:
    """What is to be fetched now, the longest due first."""
    with database.connection() as connection:
        return [Due(**row) for row in rows(connection, "fetches_due", most=MOST)]


@patient
def arrived(database: Database, receipt_id: int, body: bytes) -> None:
    """Keeps a fetched lead; whoever works the inbox is told."""
    with database.transaction() as connection:
        execute(connection, "fetches_done", receipt_id=receipt_id, body=body, size_bytes=len(body))
        execute(connection, "inbox_notify")


@patient
def later(database: Database, receipt_id: int, seconds: float, why: str) -> None:
    """Notes that a lead could not be fetched, and when it is asked for again."""
    with database.transaction() as connection:
        execute(connection, "fetches_later", receipt_id=receipt_id, seconds=seconds, why=why)
