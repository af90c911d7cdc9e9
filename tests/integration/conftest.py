"""What the tests on a database share."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.settings import Settings
from sluice.store.engine import Database
from tests.desk import Desk


@pytest.fixture
def desk(settings: Settings, database: Database, tmp_path: Path) -> Desk:
    """A desk with the standard rules, on a database of the test's own."""
    return Desk.at(settings, database, tmp_path)
