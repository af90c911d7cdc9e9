"""Imports that can be killed, and what must be true afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sluice.settings import REPOSITORY
from sluice.store import embedded
from sluice.store.engine import Database
from sluice.store.ledger import canonical, verify
from tests.bench.generate import write
from tests.conftest import create_database, open_database

ROWS = 2_500
SLICE_ROWS = 200


@dataclass(frozen=True)
class Workers:
    """Children that import; `log` holds what they print."""

    process: subprocess.Popen[str]
    log: Path

    def start(self, path: Path, database: Database, **order: Any) -> int:
        """Starts an import; its pid. `crash_at` names a crash point, `mutant` a defect to be built in."""
        environ = {
            "SLUICE_DATABASE_URL": database.url,
            "SLUICE_SLICE_ROWS": str(SLICE_ROWS),
            "SLUICE_CRASH_AT": order.get("crash_at", ""),
            "SLUICE_HOME": str(self.log.parent),
        }
        told = {"do": "start", "path": str(path), "environ": environ, "folder": path.is_dir()}
        return self._ask(told | {"mutant": order.get("mutant")})

    def wait(self, pid: int) -> int:
        """The wait status of an import: 0 for success, 9 for a kill."""
        return self._ask({"do": "wait", "pid": pid})

    def run(self, path: Path, database: Database, **order: Any) -> int:
        """Starts an import and waits for it."""
        return self.wait(self.start(path, database, **order))

    def _ask(self, order: dict[str, Any]) -> int:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@pytest.fixture(scope="session")
def workers(make_home: Callable[[], Path]) -> Iterator[Workers]:
    """A process that imports on demand."""
    log = make_home() / "workers.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker"],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        yield Workers(process, log)
        assert process.stdin
        process.stdin.close()
        process.wait(30)
        assert process.stdout
        process.stdout.close()


@pytest.fixture(scope="session")
def leads_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,500 generated leads: duplicates, role mailboxes, shared phones, broken values."""
    return write(ROWS, 20261122, tmp_path_factory.mktemp("leads"))[0]


@pytest.fixture(scope="session")
def undisturbed(workers: Workers, leads_file: Path, clusters: Callable[[str], embedded.Cluster]) -> Iterator[list[str]]:
    """The canonical dump of an import that nobody disturbed."""
    create_database(clusters("embedded"), "undisturbed", template="template_of_tests")
    database = open_database(clusters("embedded"), "undisturbed")
    assert workers.run(leads_file, database) == 0, workers.log.read_text()
    yield whole(database)
    database.dispose()


@pytest.fixture
def bucket(tmp_path: Path, leads_file: Path) -> Path:
    """A folder with the file in its inbox."""
    (tmp_path / "inbox").mkdir()
    shutil.copy2(leads_file, tmp_path / "inbox" / leads_file.name)
    return tmp_path


def whole(database: Database) -> list[str]:
    """The canonical dump, after every invariant was proven."""
    broken = [check for check in verify(database) if check.violations]
    assert not broken, broken
    return sorted(canonical(database))
