"""The queries of `sql/queries/`, one per file, by the file's name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from sluice.settings import REPOSITORY

FOLDER = REPOSITORY / "sql" / "queries"
_AT_A_TIME = 2_000


@cache
def query(name: str, folder: Path = FOLDER) -> str:
    """The text of `sql/queries/<name>.sql`; its parameters are written `%(name)s`, a percent sign `%%`."""
    return (folder / f"{name}.sql").read_text(encoding="utf-8")


def rows(connection: Connection, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
    """All rows of a query, as dictionaries."""
    names, found = table(connection, name, **parameters)
    return [dict(zip(names, row, strict=True)) for row in found]


def table(connection: Connection, name: str, /, **parameters: Any) -> tuple[list[str], Sequence[Sequence[Any]]]:
    """The names of a query's columns and all its rows, fetched at once: for lookups of thousands."""
    found = connection.exec_driver_sql(query(name), parameters)
    return list(found.keys()), found.fetchall()


def streamed(connection: Connection, name: str, /, **parameters: Any) -> Iterator[dict[str, Any]]:
    """All rows of a query, as dictionaries, some at a time: for answers that may be as long as a file.

    Args:
        connection: in a transaction, which lasts until the last row is read.
    """
    found = connection.execution_options(stream_results=True).exec_driver_sql(query(name), parameters)
    names = list(found.keys())
    for part in found.partitions(_AT_A_TIME):
        for row in part:
            yield dict(zip(names, row, strict=True))


def value(connection: Connection, name: str, /, **parameters: Any) -> Any:
    """The first column of the first row, or None."""
    return connection.exec_driver_sql(query(name), parameters).scalar()


def execute(connection: Connection, name: str, /, **parameters: Any) -> int:
    """Runs a query for its effect; how many rows it touched."""
    return connection.exec_driver_sql(query(name), parameters).rowcount
