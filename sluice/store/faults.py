"""What Postgres complains about, said without personal data.

A driver's error quotes rows ("Key (identity_key)=(mail:…) already exists"). None of that may reach a log, so only the
kind of the error, the constraint and the table are kept.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from sqlalchemy import exc

from sluice.errors import DatabaseUnavailable, SluiceError

_AGAIN = "Nothing was lost: run the command again when that is mended"
# The first two letters of a sqlstate (https://www.postgresql.org/docs/current/errcodes-appendix.html), or all five.
_UNAVAILABLE = {
    "53100": ("its disk is full", "Free some space on the database's disk, then run the command again"),
    "53200": ("it is out of memory", _AGAIN),
    "53300": ("it has no free connection", "Raise its max_connections, or close other clients, then try again"),
    "57014": ("it cancelled our statement", "Raise its time limits for this user, or ask who cancelled it. " + _AGAIN),
    "25P03": ("it cut a transaction that was idle for too long", "Raise its time limits for this user. " + _AGAIN),
    "25P04": ("it cut a transaction that took too long", "Raise its time limits for this user. " + _AGAIN),
    "58": ("it cannot read or write its files", "Look into its log. " + _AGAIN),
    "57P": ("it is stopping, starting or was stopped", _AGAIN),
    "08": ("the connection broke", _AGAIN),
    "25006": ("it is read-only", "Point SLUICE_DATABASE_URL at the primary server"),
    "28": ("it refuses the user or the password", "Correct SLUICE_DATABASE_URL"),
    "3D000": ("there is no such database", "Create it (createdb), or correct SLUICE_DATABASE_URL"),
    "42501": ("the user lacks a right on it", "Grant the user the schema sluice, or use its owner"),
}
_REFUSES = ("25006", "28", "3D000", "42501")
"""Of those, what no waiting mends."""
_TRY_AGAIN = ("40001", "40P01", "23505", "55P03")
# A refused connection has no sqlstate: libpq says it in words.
_WORDS = {
    "password authentication failed": "28",
    "no password supplied": "28",
    "no pg_hba.conf entry": "28",
    "does not exist": "3D000",
    "too many": "53300",  # clients, or connections for a role or a database
    "connection slots": "53300",
    "starting up": "57P",
    "shutting down": "57P",
}


class StoreError(SluiceError):
    """Postgres refused a statement: our bug, unless a caller expects it.

    Attributes:
        sqlstate: five letters, or "" if the driver refused the value before Postgres saw it.
        constraint: the constraint that was broken, or "".
        table: the table it belongs to, or "".
        detail: the kind of the error, or what is wrong with our own SQL.
    """

    def __init__(self, sqlstate: str, constraint: str = "", table: str = "", detail: str = "") -> None:
        self.sqlstate, self.constraint, self.table, self.detail = sqlstate, constraint, table, detail
        super().__init__(sqlstate, constraint, table, detail)

    def __str__(self) -> str:
        """Kind, constraint and table, never a value."""
        named = [f"{name} {value}" for name, value in (("constraint", self.constraint), ("table", self.table)) if value]
        return ", ".join([f"Postgres error {self.sqlstate or 'of the driver'} ({self.detail})", *named])


class DatabaseRefuses(DatabaseUnavailable):
    """It answers, and will go on to say no: the user, a right, the database's name, a server that is read-only."""


def forgotten(where: str, receipt_id: int, reached: int) -> DatabaseRefuses:
    """The error for a checkpoint that lies before rows which the database has acknowledged: going on would leave a gap.

    A fail-over to a standby that lags behind does that, and so does a crash with `synchronous_commit` off.
    """
    return DatabaseRefuses(
        where,
        f"it has lost rows of receipt {receipt_id} that it had acknowledged: it knows {reached:,} of them",
        "a server that keeps what it acknowledged: synchronous_commit on, standbys that are synchronous",
        "Run the command again: it goes on from there; then import what came shortly before once more",
    )


class Retry(StoreError):
    """Another transaction was in the way (serialization, deadlock, lock, unique key): try the same work again."""


def scrubbed(error: BaseException, where: str = "the database") -> SluiceError:
    """What `error` of psycopg or SQLAlchemy means, without any value of a row.

    Args:
        error: as it was raised.
        where: the database's host and name, for the message.
    """
    driver = getattr(error, "orig", None) or error
    if isinstance(driver, exc.TimeoutError):
        return DatabaseUnavailable(where, "all connections of this process are in use", fix=_AGAIN)
    if not isinstance(driver, psycopg.Error):
        return StoreError("", detail=type(driver).__name__)
    state = driver.sqlstate or _state_in_words(driver)
    for key in (state, state[:3], state[:2]):
        if key in _UNAVAILABLE:
            found, fix = _UNAVAILABLE[key]
            return (DatabaseRefuses if key in _REFUSES else DatabaseUnavailable)(where, found, fix=fix)
    if not state and isinstance(driver, psycopg.OperationalError):
        return DatabaseUnavailable(
            where,
            "it cannot be reached",
            fix="Run the command again; if that does not help, start the server, or correct SLUICE_DATABASE_URL",
        )
    kind = Retry if state in _TRY_AGAIN else StoreError
    detail = type(driver).__name__
    if state.startswith("42"):  # about our own SQL (a column that is not there): it helps to mend it
        detail = driver.diag.message_primary or detail
    elif not state and isinstance(driver, psycopg.ProgrammingError):  # about our own call (a parameter that is missing)
        detail = str(driver)
    return kind(state, driver.diag.constraint_name or "", driver.diag.table_name or "", detail)


def _state_in_words(error: psycopg.Error) -> str:
    if not isinstance(error, psycopg.OperationalError):
        return ""
    words = str(error)
    return next((state for word, state in _WORDS.items() if word in words), "08" if "closed" in words else "")


@contextmanager
def translated(where: str = "the database") -> Generator[None]:
    """Turns what the driver raises inside into a `SluiceError` without personal data.

    Raises:
        DatabaseUnavailable: the connection, disk, memory or rights of the server.
        Retry: another transaction was in the way.
        StoreError: any other refusal.
    """
    try:
        yield
    except (exc.StatementError, exc.TimeoutError, psycopg.Error, UnicodeEncodeError) as error:
        raise scrubbed(error, where) from None
