"""Arrivals: claimed once, worked by one process at a time, finished when every row has become something."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from sluice.errors import BrokenPromise, NotFound, UserError
from sluice.profiles import Profile
from sluice.store.engine import Database
from sluice.store.patience import patient
from sluice.store.queries import execute, rows, value


@dataclass(frozen=True)
class Arrival:
    """What is known of an arrival before it is stored.

    Attributes:
        key: sha256 of a file's content, a submission id, or another name that the source never gives twice.
        sha256: of the content, hex.
        occurred_at: when the source says it happened; for a file the time it was last written.
        body: the bytes, but for a file, which lies at `object_url`.
        parent_id: the receipt whose rejected rows this one corrects.
    """

    source: str
    key: str
    kind: str
    name: str
    sha256: str
    size: int
    occurred_at: datetime
    object_url: str | None = None
    body: bytes | None = None
    parent_id: int | None = None


@dataclass(frozen=True)
class Receipt:
    """A stored arrival, as far as working it needs."""

    receipt_id: int
    source: str
    name: str
    state: str
    config_id: int
    occurred_at: datetime
    received_at: datetime
    checkpoint: int
    sha256: str
    object_url: str | None
    row_count: int | None
    survey: dict[str, Any] | None
    header: tuple[str, ...]
    duplicate_of: int | None
    moved_to: str | None
    config_hash: str = ""
    parent_id: int | None = None

    @property
    def is_settled(self) -> bool:
        """True if no work is left in it."""
        return self.state in ("done", "duplicate", "failed", "undone")


def remember_config(connection: Connection, profile: Profile) -> int:
    """The number under which the profile's content is kept, so that its decisions can be explained for ever."""
    if known := rows(connection, "config_version_known", hash=profile.hash):
        return int(known[0]["config_id"])
    parameters = {"hash": profile.hash, "profile": profile.name, "content": json.dumps(profile.content)}
    while True:  # another process may be storing the very same content: then the second look finds it
        found = rows(connection, "config_version_put", **parameters)
        if found:
            return int(found[0]["config_id"])


@patient
def receive(database: Database, arrival: Arrival, profile: Profile, *, again: bool = False) -> Receipt:
    """Stores an arrival; from here on it is acknowledged.

    The first receipt of a content claims it. The same name again is that receipt; another name is a receipt of its own
    that is a `duplicate_of` the first and has no rows. `again` makes a new claim beside the old one.

    Returns:
        The receipt to work, which may be settled already.
    """
    with database.transaction() as connection:
        config_id = remember_config(connection, profile)
        first, is_new = _claim(connection, arrival, config_id, key=arrival.key)
        if is_new or (again and not first.is_settled):
            return first
        if again:
            return _receive_again(connection, arrival, config_id, first.receipt_id)
        if first.name == arrival.name:
            return first
        duplicate = {"state": "duplicate", "duplicate_of": first.receipt_id}
        return _claim(connection, arrival, config_id, key=f"{arrival.key}@{arrival.name}", **duplicate)[0]


def _claim(connection: Connection, arrival: Arrival, config_id: int, *, key: str, **facts: Any) -> tuple[Receipt, bool]:
    """The receipt that holds the claim on a key, and whether it is a new one."""
    while True:  # a claim that is given up between the two looks is free for us
        made = _insert(connection, arrival, config_id, key=key, **facts)
        if made is not None:
            return get(connection, made), True
        known = rows(connection, "receipt_by_key", source=arrival.source, key=key)
        if known:
            return get(connection, known[0]["receipt_id"]), False


def _receive_again(connection: Connection, arrival: Arrival, config_id: int, first: int) -> Receipt:
    """A new claim beside the old ones; or the last one, if it was interrupted: `--again` then goes on with that."""
    for times in range(2, 1_000):
        claimed, is_new = _claim(connection, arrival, config_id, key=f"{arrival.key}#{times}", again_of=first)
        if is_new or not claimed.is_settled:
            return claimed
    raise UserError(arrival.name, "it has been imported 1,000 times", fix="Import a file of another content")


def _insert(connection: Connection, arrival: Arrival, config_id: int, *, key: str, **facts: Any) -> int | None:
    stored = {"state": "received", "duplicate_of": None, "again_of": None, "parent_id": arrival.parent_id, **facts}
    made = rows(
        connection,
        "receipt_insert",
        source=arrival.source,
        key=key,
        kind=arrival.kind,
        name=arrival.name,
        object_url=arrival.object_url,
        size_bytes=arrival.size,
        sha256=bytes.fromhex(arrival.sha256),
        body=arrival.body,
        config_id=config_id,
        occurred_at=arrival.occurred_at,
        **stored,
    )
    return int(made[0]["receipt_id"]) if made else None


def get(connection: Connection, receipt_id: int) -> Receipt:
    """One receipt.

    Raises:
        NotFound: there is none of that number.
    """
    found = rows(connection, "receipt_by_id", receipt_id=receipt_id)
    if not found:
        raise NotFound(f"receipt {receipt_id}", "there is none of that number", fix="`sluice status` lists the latest")
    row = found[0]
    return Receipt(
        receipt_id=row["receipt_id"],
        source=row["source"],
        name=row["name"],
        state=row["state"],
        config_id=row["config_id"],
        occurred_at=row["occurred_at"],
        received_at=row["received_at"],
        checkpoint=row["checkpoint"],
        sha256=bytes(row["sha256"]).hex(),
        object_url=row["object_url"],
        row_count=row["row_count"],
        survey=row["survey"],
        header=tuple(row["header"] or ()),
        duplicate_of=row["duplicate_of"],
        moved_to=row["moved_to"],
        config_hash=row["config_hash"],
        parent_id=row["parent_id"],
    )


@patient
def find(database: Database, receipt_id: int) -> Receipt | None:
    """One receipt, or None if there is none of that number."""
    with database.connection() as connection:
        return get(connection, receipt_id) if rows(connection, "receipt_by_id", receipt_id=receipt_id) else None


def standing(connection: Connection, receipt_id: int) -> tuple[int, datetime]:
    """The last row of a receipt that is in, and the database's time: no two machines have quite the same.

    Raises:
        UserError: another run gave the receipt up; nothing may be added to it.
    """
    found = rows(connection, "receipt_read_checkpoint", receipt_id=receipt_id)
    if not found:
        raise UserError(f"receipt {receipt_id}", "another run gave it up meanwhile", fix="Run the command again")
    return int(found[0]["checkpoint"]), found[0]["decided_at"].astimezone(UTC)


@contextmanager
def held(database: Database, receipt_id: int, on_wait: Callable[[], None]) -> Generator[Receipt]:
    """Holds a receipt while it is worked, on a connection of its own: death frees it at once.

    Whoever comes second waits: then the work is done already, or the first one died and it goes on from there.

    Args:
        on_wait: told when another process holds it; what it raises ends the wait before it begins.

    Yields:
        The receipt as it stands when it is held.
    """
    with _locked(database, receipt_id, on_wait) as connection:
        try:
            yield get(connection, receipt_id)
        except BaseException:
            connection.invalidate()  # ends the session, and the lock with it, whatever state it is in
            raise
        _let_go(connection, receipt_id)


def _let_go(connection: Connection, receipt_id: int) -> None:
    """Frees the lock and keeps the session for the next receipt: opening one costs more than a small file."""
    try:
        execute(connection, "receipt_unlock", receipt_id=receipt_id)
    except Exception:  # the session was cut, and the lock went with it
        connection.invalidate()


@patient
def _locked(database: Database, receipt_id: int, on_wait: Callable[[], None]) -> AbstractContextManager[Connection]:
    """A session that has the lock of a receipt.

    If it is cut, another process may work the receipt beside us. Each slice asks for the checkpoint under the slice
    lock, so that both together load every row once.
    """
    with ExitStack() as undo:
        connection = undo.enter_context(database.connection())
        if not value(connection, "receipt_lock", receipt_id=receipt_id):
            on_wait()
            execute(connection, "receipt_lock_wait", receipt_id=receipt_id)
        kept = undo.pop_all()
        return _closing(kept, connection)


@contextmanager
def _closing(kept: ExitStack, connection: Connection) -> Generator[Connection]:
    with kept:
        yield connection


@patient
def surveyed(database: Database, receipt_id: int, survey: dict[str, Any], header: tuple[str, ...], rows_: int) -> None:
    """Keeps what the pre-pass found; a resumed receipt keeps what it has."""
    with database.transaction() as connection:
        execute(
            connection,
            "receipt_surveyed",
            receipt_id=receipt_id,
            survey=json.dumps(survey),
            header=list(header),
            row_count=rows_,
        )


@patient
def finish(database: Database, receipt_id: int) -> None:
    """Closes a receipt whose rows are all in; of a corrected file, the rows that it completes are marked as such."""
    with database.transaction() as connection:
        finished = rows(connection, "receipt_finish", receipt_id=receipt_id)
        if not finished and get(connection, receipt_id).state != "done":
            raise BrokenPromise(f"receipt {receipt_id} has rows that are not in")
        if finished and finished[0]["parent_id"] is not None:
            while execute(connection, "receipt_complete", receipt_id=receipt_id):  # and so on, up the chain
                pass


@patient
def fail(database: Database, receipt_id: int, failure: dict[str, str]) -> None:
    """Gives a receipt up as a whole, with the reason; its content may be claimed again."""
    with database.transaction() as connection:
        execute(connection, "receipt_fail", receipt_id=receipt_id, failure=json.dumps(failure))


@patient
def moved(database: Database, receipt_id: int, to: str) -> None:
    """Notes where the file lies now."""
    with database.transaction() as connection:
        execute(connection, "receipt_moved", receipt_id=receipt_id, moved_to=to)
