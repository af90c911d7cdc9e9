"""What comes in by HTTP: many postings stored by one statement, each once, whoever else stores the same."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, exc

from sluice.store.engine import Database
from sluice.store.faults import Retry, translated
from sluice.store.queries import execute, rows

PATIENCE_MS = 5_000
"""How long one statement may take: longer, and the senders were told long ago to come again."""

QUIET_SECONDS = 1.0
"""After such a pause a connection is asked whether it still is one."""


@dataclass(frozen=True)
class Posting:
    """One POST as it is to be stored.

    Attributes:
        key: what the source never gives twice: a submission's id, an idempotency key, or a hash of the content.
        fingerprint: sha256 of what must be the same when the key is: 32 bytes.
        config_id: of the rules it will be worked by.
        is_exclusive: another content under the same key is refused, not stored beside the first.
    """

    source: str
    key: str
    kind: str
    name: str
    fingerprint: bytes
    body: bytes = field(repr=False)
    envelope: Mapping[str, Any] = field(repr=False)
    config_id: int
    occurred_at: datetime
    is_exclusive: bool = False
    failure: Mapping[str, str] | None = None

    @property
    def claim(self) -> tuple[str, str]:
        """What there is one receipt of."""
        return self.source, self.key


class Outcome(Enum):
    """What became of a posting."""

    NEW = "new"
    REPLAYED = "replayed"
    CHANGED = "changed"
    """Another content came under a key that is taken: stored beside the first, as one that a person must look at."""
    CONFLICT = "conflict"
    """As CHANGED, but the sender was promised that it is refused."""


@dataclass(frozen=True)
class Stored:
    """The receipt of a posting; of a conflict, the one that holds the claim."""

    receipt_id: int
    outcome: Outcome


class Session:
    """A connection of one writer's own: most postings then cost one statement, which commits by itself.

    Args:
        database: reached when the first posting comes, and again after a failure.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._open = ExitStack()
        self._used_at = 0.0

    def store(self, postings: Sequence[Posting]) -> list[Stored]:
        """Stores postings; when it returns, they are committed.

        Returns:
            What became of each, in order.

        Raises:
            DatabaseUnavailable, Retry, StoreError: nobody knows whether they are stored; the same postings sent again
                are stored once.
        """
        with translated(self._database.where):
            try:
                stored = _store(self._connected(), postings)
            except BaseException:
                self.close()
                raise
        self._used_at = time.monotonic()
        return stored

    def close(self) -> None:
        """Ends the connection; the next posting opens another one."""
        if self._connection is not None:
            self._connection.invalidate()  # its settings are its own
        self._connection = None
        self._open.close()

    def _connected(self) -> Connection:
        if self._connection is not None and time.monotonic() - self._used_at > QUIET_SECONDS:
            try:
                self._connection.exec_driver_sql("select 1")
            except exc.DBAPIError:  # it was cut while nothing was posted
                self.close()
        if self._connection is None:
            self._connection = self._open.enter_context(self._database.connection())
            rows(self._connection, "lock_patience", milliseconds=PATIENCE_MS, in_transaction=False)
        return self._connection


def _store(connection: Connection, postings: Sequence[Posting]) -> list[Stored]:
    held = _claimed(connection, postings)
    stored = [_settled(posting, *held[posting.claim]) for posting in postings]
    news = set[int]()
    for at, found in enumerate(stored):  # only the first of those that share a new receipt has made it
        if found.outcome is Outcome.NEW and found.receipt_id in news:
            stored[at] = Stored(found.receipt_id, Outcome.REPLAYED)
        news.add(found.receipt_id)
    changed = {at: _beside(postings[at]) for at, found in enumerate(stored) if found.outcome is Outcome.CHANGED}
    if changed:
        beside = _claimed(connection, list(changed.values()))
        for at, posting in changed.items():
            stored[at] = Stored(beside[posting.claim][0], Outcome.CHANGED)
    return stored


def _settled(posting: Posting, receipt_id: int, fingerprint: bytes, is_new: bool) -> Stored:
    if fingerprint != posting.fingerprint:
        return Stored(receipt_id, Outcome.CONFLICT if posting.is_exclusive else Outcome.CHANGED)
    return Stored(receipt_id, Outcome.NEW if is_new else Outcome.REPLAYED)


def _beside(posting: Posting) -> Posting:
    """The posting under a key of its own, as a failed receipt: what is stored is never overwritten."""
    failure = {
        "found": "the sender gave an id that it had given before, with another content",
        "allowed": "the same content, or another id",
        "fix": "Compare it with the receipt of that id; if both are enquiries, enter the second with `sluice lead add`",
    }
    return replace(posting, key=f"{posting.key}@{posting.fingerprint.hex()[:16]}", failure=failure)


def _claimed(connection: Connection, postings: Sequence[Posting]) -> dict[tuple[str, str], tuple[int, bytes, bool]]:
    """Receipt, fingerprint and whether it is new, by claim."""
    wanted: dict[tuple[str, str], Posting] = {}
    for posting in postings:
        wanted.setdefault(posting.claim, posting)
    held: dict[tuple[str, str], tuple[int, bytes, bool]] = {}
    for _ in range(10):  # a claim that is given up between the two looks is free for us
        open_ = [posting for claim, posting in wanted.items() if claim not in held]
        if not open_:
            return held
        for made in rows(connection, "arrivals_insert", **_columns(open_)):
            claim = made["source"], made["key"]
            held[claim] = made["receipt_id"], wanted[claim].fingerprint, True
        taken = [posting.claim for posting in open_ if posting.claim not in held]
        for known in _known(connection, taken):
            held[known["source"], known["key"]] = known["receipt_id"], bytes(known["sha256"]), False
    raise Retry("40001", detail="claims came and went")


def _known(connection: Connection, claims: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    sources, keys = [list(part) for part in zip(*claims, strict=True)] or ([], [])
    return rows(connection, "arrivals_known", sources=sources, keys=keys) if keys else []


def _columns(postings: Sequence[Posting]) -> dict[str, list[Any]]:
    failures = [None if p.failure is None else json.dumps(p.failure) for p in postings]
    return {
        "sources": [p.source for p in postings],
        "keys": [p.key for p in postings],
        "kinds": [p.kind for p in postings],
        "states": ["received" if p.failure is None else "failed" for p in postings],
        "names": [p.name for p in postings],
        "sizes": [len(p.body) for p in postings],
        "fingerprints": [p.fingerprint for p in postings],
        "bodies": [p.body for p in postings],
        "envelopes": [json.dumps(p.envelope) for p in postings],
        "config_ids": [p.config_id for p in postings],
        "failures": failures,
        "times": [p.occurred_at for p in postings],
    }


def count_replays(database: Database, times: Mapping[int, int]) -> None:
    """Notes how often receipts came again; a statistic, so it waits for nobody.

    Raises:
        DatabaseUnavailable, Retry, StoreError: nothing may be counted; try again later.
    """
    with database.transaction() as connection:
        rows(connection, "lock_patience", milliseconds=500, in_transaction=True)
        execute(connection, "arrivals_replayed", receipt_ids=list(times), times=list(times.values()))


@dataclass(frozen=True)
class Waiting:
    """What the inbox has before it.

    Attributes:
        oldest_seconds: how long the oldest has waited; 0 if none does.
        quarantined: receipts of forms, API and mails that could not be read.
    """

    waiting: int
    oldest_seconds: float
    quarantined: int


def waiting(database: Database) -> Waiting:
    """How much waits for the inbox."""
    with database.connection() as connection:
        return Waiting(**rows(connection, "arrivals_waiting")[0])


def check_writable(database: Database) -> bool:
    """Whether the database takes writes and makes them last; False on a standby.

    Raises:
        DatabaseUnavailable, Retry, StoreError: it does not.
    """
    with database.transaction() as connection:
        rows(connection, "lock_patience", milliseconds=PATIENCE_MS, in_transaction=True)
        return not rows(connection, "writable")[0]["is_standby"]
