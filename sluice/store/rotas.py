"""Turns in the teams: read and written inside the load transaction, so that none is taken twice or lost."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from sluice.rota import Rotas
from sluice.store.queries import execute, rows


def take(connection: Connection) -> Rotas:
    """The levels of all rotas, locked until the transaction ends."""
    levels: dict[str, dict[str, float]] = {}
    for row in rows(connection, "rotas_read"):
        levels.setdefault(row["team"], {})[row["person"]] = row["level"]
    return levels


def give_back(connection: Connection, rotas: Rotas) -> None:
    """Stores the levels of the rotas that were asked."""
    flat = [(team, person, level) for team, people in rotas.items() for person, level in people.items()]
    if flat:
        teams, persons, levels = zip(*flat, strict=True)
        execute(connection, "rotas_write", teams=list(teams), persons=list(persons), levels=list(levels))


def away(connection: Connection, moment: datetime) -> Collection[str]:
    """Keys of the people who are away at a moment."""
    return frozenset(row["person"] for row in rows(connection, "absences_now", moment=moment))
