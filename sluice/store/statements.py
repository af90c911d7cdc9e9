"""Runs the queries of `sql/queries` by their names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from sluice.store.queries import query


def rows(connection: Connection, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
    """All rows of a query, as dictionaries."""
    return [dict(row) for row in connection.exec_driver_sql(query(name), parameters).mappings()]


def value(connection: Connection, name: str, /, **parameters: Any) -> Any:
    """The first column of the first row, or None."""
    return connection.exec_driver_sql(query(name), parameters).scalar()


def execute(connection: Connection, name: str, /, **parameters: Any) -> int:
    """Runs a query for its effect; how many rows it touched."""
    return connection.exec_driver_sql(query(name), parameters).rowcount
