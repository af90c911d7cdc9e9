"""What people did, each event once: the input of behavioural scores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sluice.store.arrivals import PATIENCE_MS
from sluice.store.engine import Database
from sluice.store.queries import execute, rows


@dataclass(frozen=True)
class Event:
    """Something that a person did.

    Attributes:
        key: the sender's id, or a hash of the content.
        person_key: `mail:…` or `tel:…`, as identities are written.
        message: of a mail that was sent, its Message-ID and campaign.
    """

    source: str
    key: str
    kind: str
    person_key: str = field(repr=False)
    properties: Mapping[str, Any] = field(repr=False)
    occurred_at: datetime
    message: tuple[str, str] | None = None


def store(database: Database, events: Sequence[Event]) -> list[bool]:
    """Stores events in one transaction.

    Returns:
        For each, in order, whether it is new; of several with one key only the first can be.

    Raises:
        DatabaseUnavailable, Retry, StoreError: nobody knows whether they are stored; sent again, each is stored once.
    """
    first: dict[tuple[str, str], int] = {}
    for at, event in enumerate(events):
        first.setdefault((event.source, event.key), at)
    once = [events[at] for at in first.values()]
    sent = [event for event in once if event.message]
    with database.transaction() as connection:
        rows(connection, "lock_patience", milliseconds=PATIENCE_MS, in_transaction=True)
        made = rows(
            connection,
            "events_insert",
            sources=[event.source for event in once],
            keys=[event.key for event in once],
            kinds=[event.kind for event in once],
            people=[event.person_key for event in once],
            properties=[json.dumps(event.properties) for event in once],
            times=[event.occurred_at for event in once],
        )
        if sent:
            execute(
                connection,
                "messages_sent",
                message_ids=[event.message[0] for event in sent if event.message],
                campaigns=[event.message[1] for event in sent if event.message],
                times=[event.occurred_at for event in sent],
            )
    new = {row["event_key"] for row in made}
    return [event.key in new and first[event.source, event.key] == at for at, event in enumerate(events)]
