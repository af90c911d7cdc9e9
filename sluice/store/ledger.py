"""`sluice verify`: the invariants of the ledger, proven by SQL (reliability I1–I7), and its canonical dump."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sluice.store.engine import Database
from sluice.store.queries import FOLDER, query, rows

SHOWN = 20
"""Most violations of one invariant that are listed; all are counted."""


@dataclass(frozen=True)
class Check:
    """One invariant, checked.

    Attributes:
        name: of the query `verify_<name>`.
        invariant: I1 … I7, or "explained".
        meaning: what a violation is, in words.
        violations: how many there are.
        examples: the first of them: numbers only, no personal data.
    """

    name: str
    invariant: str
    meaning: str
    violations: int
    examples: list[dict[str, Any]]


def verify(database: Database) -> list[Check]:
    """Checks every invariant, all on one state of the database."""
    with database.connection() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        checks: list[Check] = []
        for path in sorted(FOLDER.glob("verify_*.sql")):
            found = rows(connection, path.stem)
            invariant, _, meaning = query(path.stem).splitlines()[0].removeprefix("-- ").partition(": ")
            name = path.stem.removeprefix("verify_")
            checks.append(Check(name, invariant, meaning, len(found), found[:SHOWN]))
        return checks


def canonical(database: Database) -> Iterator[str]:
    """Everything that is known, without ids, times, owners and review items: the same inputs give the same lines."""
    with database.connection() as connection:
        for name in ("canonical_companies", "canonical_leads", "canonical_rows", "canonical_consents"):
            for row in rows(connection, name):
                yield f"{row['kind']} {row['line']}"
