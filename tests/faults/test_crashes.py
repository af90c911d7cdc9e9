"""R1, R3: killed at each named point, and started together."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from sluice.crash import POINTS
from sluice.store.engine import Database
from tests.faults.conftest import Workers, wait_for_rows
from tests.faults.oracle import whole

KILLED = signal.SIGKILL
LATER = {"before_commit": ":3", "after_commit": ":4"}


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_named_point_the_next_run_completes_it(
    point: str, workers: Workers, bucket: Path, database: Database, undisturbed: list[str]
) -> None:
    """R1."""
    assert workers.run(bucket, database, crash_at=point + LATER.get(point, "")) == KILLED
    assert workers.run(bucket, database) == 0, workers.said()
    assert whole(database) == undisturbed
    assert [path.name for path in (bucket / "inbox").iterdir()] == []
    assert (bucket / "done" / "leads.csv").exists()


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_on_one_file_load_it_once(
    processes: int, workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """R3: whoever comes second waits, and finds the work done."""
    pids = [workers.start(leads_file, database) for _ in range(processes)]
    assert [workers.wait(pid) for pid in pids] == [0] * processes, workers.said()
    assert whole(database) == undisturbed


def test_a_killed_process_is_succeeded_by_the_one_that_waits(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """R3: the lock dies with its holder."""
    first, second = (workers.start(leads_file, database) for _ in range(2))
    wait_for_rows(database)
    os.kill(first, signal.SIGKILL)
    assert workers.wait(first) in (0, KILLED)
    assert workers.wait(second) == 0, workers.said()
    assert whole(database) == undisturbed


def test_one_content_under_two_names_at_once(
    workers: Workers, leads_file: Path, tmp_path: Path, database: Database, undisturbed: list[str]
) -> None:
    """R3: the other name is a receipt of its own, without rows."""
    copy = Path(shutil.copy2(leads_file, tmp_path / "leads of yesterday.csv"))
    pids = [workers.start(path, database) for path in (leads_file, copy)]
    assert [workers.wait(pid) for pid in pids] == [0, 0], workers.said()
    assert whole(database) == undisturbed
    assert _receipts(database) == [("done", 0), ("duplicate", 1)]


def test_one_name_with_changed_content(workers: Workers, leads_file: Path, tmp_path: Path, database: Database) -> None:
    """R3: each content is loaded once."""
    path = tmp_path / leads_file.name
    lines = leads_file.read_text().splitlines(keepends=True)
    for content in (lines[:301], lines[:601]):
        path.write_text("".join(content))
        assert workers.run(path, database) == 0, workers.said()
    whole(database)
    assert _receipts(database) == [("done", 0), ("done", 0)]


def _receipts(database: Database) -> list[tuple[str, int]]:
    with database.connection() as connection:
        found = connection.exec_driver_sql("select state, (duplicate_of is not null)::int from receipts order by 1")
        return [(row[0], row[1]) for row in found]
