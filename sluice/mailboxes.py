"""Reading all mailboxes at once, by one process at a time: a thread for each folder, woken by IDLE or every minute.

One account that is down holds up no other. What fails is tried again after a pause that grows, also across windows:
the log in Postgres knows since when. The cursors there are the truth, so that it does no harm if two read the same.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from sluice.errors import ConfigError, DatabaseUnavailable
from sluice.intake import Office
from sluice.keyring import Keyring
from sluice.mail_sync import Post, sync
from sluice.mailbox_rules import MailboxRules, load_mailboxes
from sluice.sources.imap import Mailbox, connected
from sluice.sources.imap_login import Login
from sluice.sources.imap_refusals import MailboxUnavailable
from sluice.store import mail_log
from sluice.store.queries import value
from sluice.windows import MAILBOXES, STAND_BY, Hours, held

POLL = 15.0
"""Seconds between two readings of a folder besides IDLE, for servers that tell nothing or forget to."""

PAUSES = (1.0, 5.0, 30.0, 120.0, 300.0)
"""Seconds before a folder is tried again, by how often in a row it has failed."""

_GLANCE = 1.0
_SHORT = 10.0  # seconds: a connection that is cut sooner is not opened again at once
_FAREWELL = 10.0  # seconds that threads get to end; one that hangs on a server does no harm


@dataclass
class Reader:
    """One folder's thread.

    Attributes:
        failures: readings that failed in a row.
        failed_ago: seconds since the last of them.
    """

    post: Post
    login: Login
    over: threading.Event
    failures: int = 0
    failed_ago: float = 0.0

    def run(self) -> None:
        """Reads until it is over; connects again after what went wrong."""
        if self.failures:
            self.over.wait(max(_pause(self.failures) - self.failed_ago, 0))
        while not self.over.is_set():
            began = time.monotonic()
            try:
                with ExitStack() as stack:
                    self._stay(stack)
            except (MailboxUnavailable, ConfigError):
                self.failures += 1
                if self.failures > 1 or time.monotonic() - began < _SHORT:
                    self.over.wait(_pause(self.failures))
            except DatabaseUnavailable:
                self.over.wait(PAUSES[1])

    def once(self) -> None:
        """Reads once; if that fails, the log says why."""
        with ExitStack() as stack:
            try:
                sync(self.post, lambda: self._connect(stack), self.over.is_set)
            except (MailboxUnavailable, ConfigError, DatabaseUnavailable):
                return

    def _stay(self, stack: ExitStack) -> None:
        mailbox: Mailbox | None = None

        def connect() -> Mailbox:
            nonlocal mailbox
            mailbox = mailbox or self._connect(stack)
            return mailbox

        while not self.over.is_set():
            sync(self.post, connect, self.over.is_set)
            self.failures = 0
            connect().wait(POLL, self.over.is_set)

    def _connect(self, stack: ExitStack) -> Mailbox:
        return stack.enter_context(connected(self.post.rules, self.login))


@contextmanager
def reading(
    office: Office, accounts: Sequence[MailboxRules], keyring: Keyring, *, once: bool = False
) -> Generator[list[threading.Thread]]:
    """Threads that read all folders, until the block ends; with `once`, each does so one time."""
    over, threads = threading.Event(), list[threading.Thread]()
    failed = {(row["account"], row["folder"]): row for row in mail_log.status(office.database, now())}
    for rules in accounts:
        login = Login(rules, keyring)
        for folder in rules.folders:
            reader = Reader(Post(office, rules, folder, now), login, over)
            row = failed.get((rules.name, folder))
            if row and row["failures"]:
                reader.failures, reader.failed_ago = row["failures"], float(row["failed_ago"])
            work = reader.once if once else reader.run
            threads.append(threading.Thread(target=work, name=f"mailbox {rules.name}/{folder}", daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        over.set()
        until = time.monotonic() + _FAREWELL
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0))


def window(office: Office, hours: Hours, on_wait: Callable[[], None] = lambda: None) -> None:
    """Waits for the mailboxes, reads them for a window, and hands them over.

    Raises:
        ConfigError: what mailboxes.yml says cannot be.
        DatabaseUnavailable: the database is away and the window is over.
    """
    accounts = declared(office)
    until = None if hours.at_most is None else time.monotonic() + hours.at_most
    while accounts:
        try:
            with held(office.database, MAILBOXES, on_wait) as connection:
                _read_until(office, accounts, _end(connection, hours))
                return
        except DatabaseUnavailable:
            if until is not None and time.monotonic() > until:
                raise
            time.sleep(_GLANCE)


def read_once(office: Office, names: Sequence[str] = ()) -> bool:
    """Reads all mailboxes, or some, one time; False if another process reads them already."""
    accounts = [rules for rules in declared(office) if not names or rules.name in names]
    with office.database.connection() as connection:
        if not value(connection, "window_lock", lock=MAILBOXES):
            return False
        try:
            with reading(office, accounts, keyring_of(office), once=True) as threads:
                for thread in threads:
                    thread.join()
        finally:
            connection.invalidate()  # ends the session, and the lock with it
    return True


def stand_in(office: Office, is_over: Callable[[], bool]) -> None:
    """Reads the mailboxes whenever nobody else does, until `is_over`."""
    while not is_over():
        try:
            accounts = declared(office)
            with office.database.connection() as connection:
                if accounts and value(connection, "window_lock", lock=MAILBOXES):
                    is_wanted = _end(connection, Hours(at_least=0, at_most=None))
                    try:
                        _read_until(office, accounts, lambda wanted=is_wanted: is_over() or wanted())
                    finally:
                        connection.invalidate()
        except (DatabaseUnavailable, ConfigError):
            pass  # both are looked at again below
        until = time.monotonic() + STAND_BY
        while time.monotonic() < until and not is_over():
            time.sleep(_GLANCE / 4)


def declared(office: Office) -> list[MailboxRules]:
    """The accounts of mailboxes.yml.

    Raises:
        ConfigError: it says what cannot be.
    """
    return list(load_mailboxes(office.settings.config).values())


def keyring_of(office: Office, environ: Mapping[str, str] = os.environ) -> Keyring:
    """The secrets of this installation."""
    return Keyring(office.settings.home, environ)


def now() -> datetime:
    """What time it is."""
    return datetime.now(UTC)


def _end(connection: Connection, hours: Hours) -> Callable[[], bool]:
    """Whether whoever holds the mailboxes is to leave."""
    began = time.monotonic()

    def is_over() -> bool:
        worked = time.monotonic() - began
        if hours.at_most is not None and worked > hours.at_most:
            return True
        return worked >= hours.at_least and bool(value(connection, "window_wanted", lock=MAILBOXES))

    return is_over


def _read_until(office: Office, accounts: Sequence[MailboxRules], is_over: Callable[[], bool]) -> None:
    with reading(office, accounts, keyring_of(office)):
        while not is_over():
            time.sleep(_GLANCE)


def _pause(failures: int) -> float:
    return PAUSES[min(failures, len(PAUSES)) - 1]
