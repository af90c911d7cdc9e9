"""Who works the inbox, and for how long: windows that hand over to each other by a lock in Postgres.

The next window starts while this one works, and waits for the lock; whoever holds it looks whether somebody waits, and
leaves. Death frees the lock at once. A stand-in works the inbox only while nobody else does: an orchestrator that is
down delays no lead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from sluice.errors import ConfigError, DatabaseUnavailable
from sluice.fetching import Fetcher, beside
from sluice.inbox import Inbox
from sluice.intake import Office
from sluice.store.engine import Database, driver
from sluice.store.queries import execute, value

INBOX, MAILBOXES = 7003, 7004
"""Numbers of the locks: who works the inbox, and who reads the mailboxes."""

CHANNEL = "sluice_inbox"
"""What the HTTP door and the mailboxes notify when they have stored something."""

WINDOW = 300.0
"""Seconds between two windows."""

AT_LEAST = 30.0
"""Seconds that a window lasts, however early the next one comes."""

GATHER, POLL = 0.2, 1.0
"""Seconds for which more is gathered once something has come; and between two looks when nothing comes."""

STAND_BY = 5.0
"""Seconds between two looks of the stand-in."""


@dataclass(frozen=True)
class Hours:
    """How long a holder works.

    Attributes:
        at_least: seconds before it lets somebody else have the inbox.
        at_most: seconds after which it leaves though nobody waits; None: it stays until somebody does.
    """

    at_least: float = AT_LEAST
    at_most: float | None = 2 * WINDOW


def window(
    office: Office,
    inbox: Inbox,
    hours: Hours = Hours(),
    on_wait: Callable[[], None] = lambda: None,
    fetcher: Fetcher | None = None,
) -> None:
    """Waits for the inbox, works it for a window, and hands it over; what was announced is fetched beside it.

    A database that goes away for a while ends no window: it goes on when it is back.

    Raises:
        DatabaseUnavailable: it is away and the window is over.
    """
    until = None if hours.at_most is None else time.monotonic() + hours.at_most
    while True:
        try:
            with held(office.database, INBOX, on_wait) as connection:
                _listen(connection)
                with beside(fetcher):
                    _work(connection, inbox, hours)
                return
        except DatabaseUnavailable:
            if until is not None and time.monotonic() > until:
                raise
            time.sleep(POLL)


def drain(office: Office, inbox: Inbox, fetcher: Fetcher | None = None) -> bool:
    """Works what waits, fetches what is due, and leaves; False if another process works the inbox already."""
    with office.database.connection() as connection:
        if not value(connection, "window_lock", lock=INBOX):
            return False
        try:
            inbox.drain(lambda: False)
            if fetcher is not None and fetcher.fetch_due():
                inbox.drain(lambda: False)
        finally:
            _let_go(connection)
    return True


def stand_in(
    office: Office,
    inbox: Inbox,
    is_over: Callable[[], bool],
    fetcher: Fetcher | None = None,
    tell: Callable[[str], None] = lambda said: None,
) -> None:
    """Works the inbox whenever nobody else does, until `is_over`.

    Args:
        tell: hears what keeps it from its work: once, and again after it worked meanwhile.
    """
    trouble: DatabaseUnavailable | ConfigError | None = None

    def worked(settled: int) -> None:
        nonlocal trouble
        if settled or isinstance(trouble, DatabaseUnavailable):  # where nothing waits, rules and keys are not tried
            trouble = None

    while not is_over():
        try:
            with office.database.connection() as connection:
                if value(connection, "window_lock", lock=INBOX):
                    try:
                        _listen(connection)
                        with beside(fetcher):
                            _serve(connection, inbox, lambda held=connection: is_over() or _is_wanted(held), worked)
                    finally:
                        _let_go(connection)
        except (DatabaseUnavailable, ConfigError) as error:
            if str(error) != str(trouble):
                tell(str(error))
            trouble = error  # it is looked for again below; what is stored waits
        _rest(STAND_BY, is_over)


def is_wanted(database: Database, lock: int = INBOX) -> bool:
    """Whether somebody waits to take over."""
    with database.connection() as connection:
        return _is_wanted(connection, lock)


def _is_wanted(connection: Connection, lock: int = INBOX) -> bool:
    return bool(value(connection, "window_wanted", lock=lock))


@contextmanager
def held(database: Database, lock: int, on_wait: Callable[[], None] = lambda: None) -> Generator[Connection]:
    """Holds one of the locks on a session of its own, which ends with it; waits for whoever holds it."""
    with database.connection() as connection:
        if not value(connection, "window_lock", lock=lock):
            on_wait()
            execute(connection, "window_lock_wait", lock=lock)
        try:
            yield connection
        finally:
            _let_go(connection)


def _work(connection: Connection, inbox: Inbox, hours: Hours) -> None:
    began = time.monotonic()

    def is_over() -> bool:
        worked = time.monotonic() - began
        if hours.at_most is not None and worked > hours.at_most:
            return True
        return worked >= hours.at_least and _is_wanted(connection)

    _serve(connection, inbox, is_over)


def _serve(
    connection: Connection,
    inbox: Inbox,
    leave: Callable[[], bool],
    worked: Callable[[int], None] = lambda settled: None,
) -> None:
    while not leave():
        settled = inbox.drain(leave)
        worked(settled)
        if not settled:
            _await_news(connection)


def _await_news(connection: Connection) -> None:
    """Returns soon after something was stored, or after a moment."""
    raw = driver(connection)
    if any(True for _ in raw.notifies(timeout=POLL, stop_after=1)):
        time.sleep(GATHER)


def _listen(connection: Connection) -> None:
    driver(connection).execute(f"listen {CHANNEL}")


def _let_go(connection: Connection) -> None:
    """Ends the session: it listens, and its lock must not outlive this holder."""
    connection.invalidate()


def _rest(seconds: float, is_over: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not is_over():
        time.sleep(0.1)
