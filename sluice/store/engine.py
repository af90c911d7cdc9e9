"""Reaching Postgres: one engine, transactions, COPY."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from sluice.errors import ConfigError, DatabaseUnavailable
from sluice.settings import Settings
from sluice.store import embedded
from sluice.store.faults import translated
from sluice.store.suppressions import Guard

OLDEST_MAJOR = 15
# What a role or a database sets would cut our waits for other loaders: how long they last is for us to say. A client
# that hangs in a transaction, or whose machine is gone, gives its locks up after some minutes. Each slice builds on
# those before, so that a COMMIT must last.
_SESSION = (
    "-c search_path=sluice -c timezone=UTC -c statement_timeout=0 -c lock_timeout=0 -c idle_session_timeout=0"
    r" -c synchronous_commit=on -c default_transaction_isolation=read\ committed"
    " -c idle_in_transaction_session_timeout=10min"
    " -c tcp_keepalives_idle=60 -c tcp_keepalives_interval=20 -c tcp_keepalives_count=3"
)
_SERVER = "select current_setting('server_version_num')::int / 10000, pg_encoding_to_char(encoding) from pg_database"


@dataclass(frozen=True)
class Database:
    """The database of the leads.

    Attributes:
        url: `postgresql://…`, with the password.
        engine: SQLAlchemy's, over psycopg 3.
        cluster: the embedded server if it is that, else None.
        server_major: 15 or newer.
        guard: the key of the suppression list.
    """

    url: str = field(repr=False)
    engine: Engine = field(repr=False)
    cluster: embedded.Cluster | None
    server_major: int
    guard: Guard

    @classmethod
    def open(cls, settings: Settings) -> Database:
        """Reaches the server of `settings.database_url`, or starts the embedded one; changes no table.

        Raises:
            ConfigError: the URL cannot be read.
            DatabaseUnavailable: no server there, wrong password, older than Postgres 15, or not UTF-8.
        """
        cluster = None if settings.database_url else embedded.start(settings.home)
        url = settings.database_url or (cluster.url("leads") if cluster else "")
        with ExitStack() as undo:
            if cluster:
                undo.callback(cluster.close)
            engine = _engine(_parsed(url), is_embedded=cluster is not None)
            undo.callback(engine.dispose)
            guard = Guard(settings.home, settings.suppression_key)
            database = cls(url, engine, cluster, _server_major(engine), guard)
            undo.pop_all()
        return database

    @property
    def where(self) -> str:
        """Host, port and name, for messages: without user and password."""
        return _where(self.engine.url)

    @contextmanager
    def connection(self) -> Generator[Connection]:
        """A connection on which each statement commits by itself: for reads and for session locks.

        Raises:
            DatabaseUnavailable, Retry, StoreError: as `sluice.store.faults.translated`.
        """
        with translated(self.where), self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """A transaction: all of the block, or nothing. If its COMMIT raises, it may still have happened.

        Raises:
            DatabaseUnavailable, Retry, StoreError: as `sluice.store.faults.translated`.
        """
        with translated(self.where), self.engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Closes all connections, and lets go of the embedded server."""
        self.engine.dispose()
        if self.cluster:
            self.cluster.close()

    def stop(self) -> None:
        """As `dispose`, and ends the embedded server at once unless another process uses it."""
        self.engine.dispose()
        if self.cluster:
            embedded.stop(self.cluster)


def driver(connection: Connection) -> psycopg.Connection[tuple[Any, ...]]:
    """The psycopg connection under `connection`, in the same transaction."""
    found = connection.connection.driver_connection
    if not isinstance(found, psycopg.Connection):
        raise TypeError(f"the driver is {type(found)}, not psycopg")
    return found


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        if parsed.port is not None and not 0 < parsed.port < 65_536:
            raise ValueError
        return parsed.set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise ConfigError(
            "SLUICE_DATABASE_URL",
            "it cannot be read as a URL",
            "postgresql://user:password@host:5432/database, special characters of the password as %XX",
            "Correct it",
        ) from None


def _engine(url: URL, *, is_embedded: bool) -> Engine:
    given = url.query.get("options", "")
    options = {
        "application_name": "sluice",
        "client_encoding": "utf8",
        "connect_timeout": 10,
        "options": f"{given if isinstance(given, str) else ' '.join(given)} {_SESSION}".strip(),
    }
    if is_embedded:
        options["sslmode"] = "disable"  # it has no TLS, whatever PGSSLMODE says
    # Parameters are rows: they stay out of messages.
    return create_engine(url, connect_args=options, hide_parameters=True, pool_pre_ping=True)


def _server_major(engine: Engine) -> int:
    where = _where(engine.url)
    with translated(where), engine.connect() as connection:
        major, encoding = connection.exec_driver_sql(f"{_SERVER} where datname = current_database()").one()
    if major < OLDEST_MAJOR:
        raise DatabaseUnavailable(
            where, f"it is Postgres {major}", f"Postgres {OLDEST_MAJOR} or newer", "Use a newer server"
        )
    if encoding != "UTF8":
        raise DatabaseUnavailable(
            where,
            f"its encoding is {encoding}",
            "UTF8",
            "Create one with: createdb --encoding=UTF8 --locale=C --template=template0 NAME",
        )
    return int(major)


def _where(url: URL) -> str:
    return f"database {url.host or 'localhost'}:{url.port or 5432}/{url.database or ''}"
