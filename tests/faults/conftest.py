"""Imports that can be killed, and servers that can go away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sluice.settings import REPOSITORY
from sluice.store import embedded
from sluice.store.engine import Database
from tests.bench.generate import write
from tests.conftest import create_database, open_database
from tests.faults.oracle import Acknowledgements, whole

ROWS, SLICE_ROWS = 500, 100
"""Five slices: a slice has a price of its own, whatever it holds."""
ORDER = {"mutant": None, "accident": None, "impatient": False}

LOOKS = 50 * 180
"""After which a test gives up waiting, at 0.02 s each: a busy machine takes its time, and nothing is measured."""


@dataclass(frozen=True)
class Workers:
    """Children that import; `log` holds what they print."""

    process: subprocess.Popen[str]
    log: Path

    def start(self, path: Path, database: Database | str, **order: Any) -> int:
        """Starts an import; its pid.

        Args:
            order: `crash_at` names a crash point, `mutant` a defect to be built in, `accident` a step that raises;
                `acks` is a file of acknowledgements, `environ` its settings; `impatient` gives up soon.
        """
        environ = {
            "SLUICE_DATABASE_URL": database if isinstance(database, str) else database.url,
            "SLUICE_SLICE_ROWS": str(SLICE_ROWS),
            "SLUICE_CRASH_AT": order.pop("crash_at", ""),
            "SLUICE_HOME": str(self.log.parent),
            **order.pop("environ", {}),
        }
        acks = str(order.pop("acks", self.log.with_suffix(".acks")))
        return self._ask({"do": "start", "path": str(path), "environ": environ, "acks": acks, **ORDER, **order})

    def wait(self, pid: int) -> int:
        """The wait status of an import: 0 for success, 9 for a kill."""
        return self._ask({"do": "wait", "pid": pid})

    def has_ended(self, pid: int) -> bool:
        """Whether an import has ended; it can still be waited for."""
        return bool(self._ask({"do": "ended", "pid": pid}))

    def clock(self) -> int:
        """The time that they think it is."""
        return self._ask({"do": "clock"})

    def run(self, path: Path, database: Database | str, **order: Any) -> int:
        """Starts an import and waits for it."""
        return self.wait(self.start(path, database, **order))

    def said(self) -> str:
        """What they printed last, for the message of a failure."""
        return self.log.read_text(errors="replace")[-4_000:]

    def _ask(self, order: dict[str, Any]) -> int:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@contextmanager
def hired(log: Path, **environ: str) -> Generator[Workers]:
    """A process that imports on demand; `environ` is the process's own, such as a clock that is wrong."""
    with log.open("a") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker"],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield Workers(process, log)
        finally:
            assert process.stdin and process.stdout
            process.stdin.close()
            process.wait(30)
            process.stdout.close()


@pytest.fixture(scope="session")
def workers(make_home: Callable[[], Path]) -> Iterator[Workers]:
    """Imports on demand."""
    with hired(make_home() / "workers.log") as found:
        yield found


@pytest.fixture(scope="session")
def leads_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """500 generated leads: duplicates, role mailboxes, shared phones, broken values; `truth.csv` lies beside it."""
    return write(ROWS, 20261122, tmp_path_factory.mktemp("leads"))[0]


@pytest.fixture(scope="session")
def several_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four small files, so that moving them is a good part of the work."""
    folder = tmp_path_factory.mktemp("several")
    for number in range(4):
        written, _ = write(100, 7_000 + number, folder / str(number))
        written.rename(folder / f"partners-{number}.csv")
        os.utime(folder / f"partners-{number}.csv", (1_700_000_000 + number * 3_600,) * 2)
    return sorted(folder.glob("*.csv"))


@pytest.fixture(scope="session")
def make_undisturbed(workers: Workers, clusters: Callable[[str], embedded.Cluster]) -> Callable[[Path], list[str]]:
    """The canonical dump of an import that nobody disturbed, of a file or a folder."""

    def make(path: Path) -> list[str]:
        name = f"undisturbed_{os.urandom(4).hex()}"
        create_database(clusters("embedded"), name, template="template_of_tests")
        database = open_database(clusters("embedded"), name)
        assert workers.run(path, database) == 0, workers.said()
        found = whole(database)
        database.dispose()
        return found

    return make


@pytest.fixture(scope="session")
def undisturbed(make_undisturbed: Callable[[Path], list[str]], leads_file: Path) -> list[str]:
    """The canonical dump of the file's import."""
    return make_undisturbed(leads_file)


@pytest.fixture
def acks(tmp_path: Path) -> Acknowledgements:
    """What importing processes are told."""
    return Acknowledgements(tmp_path / "acknowledged.txt")


@pytest.fixture
def bucket(tmp_path: Path, leads_file: Path) -> Path:
    """A folder with the file in its inbox."""
    return bucket_of([leads_file], tmp_path / "bucket")


def bucket_of(files: list[Path], place: Path) -> Path:
    """A folder with copies of the files in its inbox."""
    (place / "inbox").mkdir(parents=True)
    for path in files:
        shutil.copy2(path, place / "inbox" / path.name)
    return place


def wait_for_rows(database: Database, rows: int = 1) -> None:
    """Waits until so many rows are in."""
    with database.connection() as connection:
        for _ in range(LOOKS):
            if (connection.exec_driver_sql("select sum(checkpoint) from receipts").scalar() or 0) >= rows:
                return
            time.sleep(0.02)
    raise AssertionError(f"{rows} rows were not written in {LOOKS / 50:.0f} seconds")
