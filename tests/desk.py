"""A desk at which tests take files in: rows written as text, and what the store says of them afterwards."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sluice.intake import Office, Order, intake
from sluice.profiles import load_profile, load_sources
from sluice.reports import report
from sluice.rules import SourceRules
from sluice.settings import Settings
from sluice.store.engine import Database
from sluice.store.ledger import canonical, verify
from sluice.store.receipts import Receipt
from sluice.store.suppressions import Guard

LONG_AGO = 1_700_000_000
"""November 2023, in seconds: files get a stated age, so that recency never depends on the test's speed."""


@dataclass
class Desk:
    """An office of the test's own, and the folder that its files lie in."""

    office: Office
    folder: Path
    filed: int = 0

    @classmethod
    def at(cls, settings: Settings, database: Database, folder: Path) -> Desk:
        """A desk with the rules that `settings` name, on a migrated database."""
        profile = load_profile(settings.config, settings.profile)
        database = replace(database, guard=Guard(settings.home))  # whose key lies in the test's own home
        return cls(Office(settings, database, profile, load_sources(settings.config)), folder)

    @property
    def database(self) -> Database:
        """Where the leads are."""
        return self.office.database

    def with_slices(self, rows: int) -> Desk:
        """The same desk with at most so many rows in a slice."""
        return replace(self, office=replace(self.office, settings=replace(self.office.settings, slice_rows=rows)))

    def with_source(self, name: str, **changes: Any) -> Desk:
        """The same desk, a declared source changed; the profile keeps a copy of the sources, which changes too."""
        rules = SourceRules.model_validate({**self.office.sources[name].model_dump(), **changes})
        changed = {**self.office.sources, name: rules}
        profile = replace(self.office.profile, sources=changed)
        return replace(self, office=replace(self.office, profile=profile, sources=changed))

    def file(self, content: str | bytes, name: str = "") -> Path:
        """A file with that content; each is an hour younger than the one before."""
        self.filed += 1
        path = self.folder / (name or f"leads-{self.filed}.csv")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (LONG_AGO + 3600 * self.filed,) * 2)
        return path

    def take(
        self, content: str | bytes | Path, source: str = "files", *, name: str = "", again: bool = False
    ) -> Receipt:
        """Takes a content in; its settled receipt."""
        path = content if isinstance(content, Path) else self.file(content, name)
        return intake(self.office, Order(path, source, again))[0]

    def counts(self, receipt: Receipt) -> dict[str, int]:
        """What became of a receipt's rows: only the numbers that are not 0."""
        counts = report(self.database, receipt)["counts"]
        return {name: count for name, count in counts.items() if count and name not in ("row_count", "touches")}

    def ask(self, sql: str) -> list[Any]:
        """The rows of a query, as tuples; of one column, its values."""
        with self.database.connection() as connection:
            found = [tuple(row) for row in connection.exec_driver_sql(sql)]
        return [row[0] for row in found] if found and len(found[0]) == 1 else found

    def do(self, sql: str) -> None:
        """Changes something behind Sluice's back."""
        with self.database.transaction() as connection:
            connection.exec_driver_sql(sql)

    def whole(self) -> list[str]:
        """The canonical dump, after every invariant was proven."""
        assert broken(self.database) == {}
        return sorted(canonical(self.database))


def broken(database: Database) -> dict[str, int]:
    """The invariants that do not hold, and how often."""
    return {check.name: check.violations for check in verify(database) if check.violations}
