"""What a command opens before it works, and closes afterwards."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sluice.settings import Settings

if TYPE_CHECKING:
    from sluice.intake import Office
    from sluice.store.engine import Database


def settings() -> Settings:
    """What the environment says.

    Raises:
        ConfigError: it says something impossible.
    """
    return Settings.read(os.environ)


@contextmanager
def database() -> Generator[Database]:
    """The database as it is, its tables untouched.

    Raises:
        ConfigError, DatabaseUnavailable: said plainly.
    """
    from sluice.store.engine import Database

    found = Database.open(settings())
    try:
        yield found
    finally:
        found.dispose()


@contextmanager
def ledger() -> Generator[Database]:
    """The database with the tables of this version; no rules are read.

    Raises:
        ConfigError, DatabaseUnavailable: said plainly.
    """
    from sluice.store.migrate import migrate

    with database() as found:
        migrate(found)
        yield found


@contextmanager
def office() -> Generator[Office]:
    """Database and rules in force.

    Raises:
        ConfigError, DatabaseUnavailable: said plainly.
    """
    from sluice.intake import opened

    with opened(settings()) as found:
        yield found
