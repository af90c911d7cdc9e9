"""Brings the tables of a database to what this version of Sluice needs.

Numbered files run once, in order, each in a transaction of its own; the views are dropped before and made anew after.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import Connection

from sluice.errors import ConfigError
from sluice.settings import REPOSITORY
from sluice.store.engine import Database, driver
from sluice.store.faults import StoreError, scrubbed
from sluice.store.queries import execute

_LOCK = 5_830_127  # any number, the same in every version: two runners wait for each other
_TABLE = "create table if not exists sluice.migrations (name text primary key, sha256 text not null, applied_at timestamptz not null default now())"  # noqa: E501 (one statement, one line)
_RECORD = "insert into sluice.migrations (name, sha256) values (%s, %s)"
_VIEWS = "select string_agg(format('sluice.%%I', viewname), ', ') from pg_views where schemaname = 'sluice'"
_VIEWS_ENTRY = "views"  # the row of sluice.migrations that says which views are there


@dataclass(frozen=True)
class Scripts:
    """The files of `sql/`: name → text, in order."""

    migrations: dict[str, str]
    views: dict[str, str]

    @classmethod
    def read(cls, folder: Path = REPOSITORY / "sql") -> Scripts:
        """The files in `folder`.

        Raises:
            ConfigError: a file is not named `NNNN_name.sql`, or a number is missing or used twice.
        """
        migrations = _texts(folder / "migrations")
        for number, name in enumerate(migrations, start=1):
            if not re.fullmatch(rf"{number:04}_[a-z0-9_]+", name):
                raise ConfigError(
                    str(folder / "migrations" / f"{name}.sql"),
                    "its name or number does not follow the file before it",
                    f"{number:04}_name.sql, numbers without gaps",
                    "Name it so, or bring the missing file back",
                )
        return cls(migrations, _texts(folder / "views"))


def migrate(database: Database, scripts: Scripts | None = None) -> list[str]:
    """Applies what is missing and answers the names of the migrations applied; [] if there was nothing to do.

    Two at once: the second waits for the first, then finds nothing to do.

    Raises:
        ConfigError: an applied file was changed or is gone, or a newer Sluice migrated this database.
        DatabaseUnavailable, StoreError: as `Database.transaction`.
    """
    scripts = scripts or Scripts.read()
    with database.connection() as connection:
        if _is_up_to_date(scripts, _applied(connection)):
            return []
        connection.exec_driver_sql("select pg_advisory_lock(%s)", (_LOCK,))
        try:
            return _apply(database, scripts, _applied(connection))
        finally:
            connection.exec_driver_sql("select pg_advisory_unlock(%s)", (_LOCK,))


def _apply(database: Database, scripts: Scripts, applied: dict[str, str]) -> list[str]:
    missing = _missing(scripts, applied)
    if _is_up_to_date(scripts, applied):
        return []
    with _alone(database) as connection:
        connection.exec_driver_sql("create schema if not exists sluice")
        connection.exec_driver_sql(_TABLE)
        connection.exec_driver_sql("delete from sluice.migrations where name = %s", (_VIEWS_ENTRY,))
        if views := connection.exec_driver_sql(_VIEWS).scalar():
            connection.exec_driver_sql(f"drop view {views}".replace("%", "%%"))
    for name in missing:
        with _alone(database) as connection:
            _execute(connection, name, scripts.migrations[name])
            connection.exec_driver_sql(_RECORD, (name, _hash(scripts.migrations[name])))
    with _alone(database) as connection:
        for name, text in scripts.views.items():
            _execute(connection, name, text)
        connection.exec_driver_sql(_RECORD, (_VIEWS_ENTRY, _views_hash(scripts)))
    return missing


@contextmanager
def _alone(database: Database) -> Generator[Connection]:
    """A transaction that waits for the slice being loaded and holds the next one up.

    An import that is running goes on with the changed tables, and neither meets the other's locks half-way.
    """
    with database.transaction() as connection:
        execute(connection, "slice_lock")
        yield connection


def _applied(connection: Connection) -> dict[str, str]:
    try:
        rows = driver(connection).execute("select name, sha256 from sluice.migrations").fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return {}
    return dict(rows)


def _missing(scripts: Scripts, applied: dict[str, str]) -> list[str]:
    for name in sorted(applied.keys() - {_VIEWS_ENTRY}):
        if name not in scripts.migrations:
            newest = max(scripts.migrations, default="none")
            newer = name > newest
            raise ConfigError(
                f"migration {name}",
                "this database was migrated by a newer Sluice" if newer else "it was applied, and its file is gone",
                f"migrations up to {newest}",
                "Update Sluice" if newer else "Bring the file back from the repository",
            )
        if applied[name] != _hash(scripts.migrations[name]):
            raise ConfigError(
                f"sql/migrations/{name}.sql",
                "it was changed after it was applied to this database",
                "the text that was applied",
                "Restore that text, and put the change into a new migration",
            )
    return [name for name in scripts.migrations if name not in applied]


def _is_up_to_date(scripts: Scripts, applied: dict[str, str]) -> bool:
    return not _missing(scripts, applied) and applied.get(_VIEWS_ENTRY) == _views_hash(scripts)


def _execute(connection: Connection, name: str, text: str) -> None:
    try:
        driver(connection).execute(text.encode())  # many statements, no parameters: percent signs are themselves
    except psycopg.Error as error:
        plain = scrubbed(error)
        if type(plain) is StoreError:
            detail = f"{name}.sql: {plain.detail}"
            raise StoreError(plain.sqlstate, plain.constraint, plain.table, detail) from None
        raise


def _texts(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _views_hash(scripts: Scripts) -> str:
    return _hash("\0".join(part for view in scripts.views.items() for part in view))
