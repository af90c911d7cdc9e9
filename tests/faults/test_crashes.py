"""R1, R3, R26: killed anywhere, started together, and with a defect built in."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from sluice.crash import POINTS
from sluice.store.engine import Database
from tests.faults.conftest import Workers, whole

KILLS = int(os.environ.get("SLUICE_KILLS") or 10)
"""Random kills of a run; the long run has 300 and more."""

KILLED = signal.SIGKILL
LATER = {"prepared": "", "before_commit": ":7", "after_commit": ":12"}


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_named_point_the_next_run_completes_it(
    point: str, workers: Workers, bucket: Path, database: Database, undisturbed: list[str]
) -> None:
    """R1."""
    assert workers.run(bucket, database, crash_at=point + LATER.get(point, "")) == KILLED
    assert workers.run(bucket, database) == 0, workers.log.read_text()
    assert whole(database) == undisturbed
    assert [path.name for path in (bucket / "inbox").iterdir()] == []
    assert (bucket / "done" / "leads.csv").exists()


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_any_moment_the_next_run_completes_it(
    number: int, workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """R1: between the first row written and the exit, uniformly."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    pid = workers.start(leads_file, database)
    _wait_for_first_row(database)
    time.sleep(random.Random(seed).uniform(0, 3))
    os.kill(pid, signal.SIGKILL)  # a child that has ended is still there to be waited for
    assert workers.wait(pid) in (0, KILLED)
    assert workers.run(leads_file, database) == 0, workers.log.read_text()
    assert whole(database) == undisturbed


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_on_one_file_load_it_once(
    processes: int, workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """R3: whoever comes second waits, and finds the work done."""
    pids = [workers.start(leads_file, database) for _ in range(processes)]
    assert [workers.wait(pid) for pid in pids] == [0] * processes, workers.log.read_text()
    assert whole(database) == undisturbed


def test_a_killed_process_is_succeeded_by_the_one_that_waits(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """R3: the lock dies with its holder."""
    first, second = (workers.start(leads_file, database) for _ in range(2))
    _wait_for_first_row(database)
    os.kill(first, signal.SIGKILL)
    assert workers.wait(first) in (0, KILLED)
    assert workers.wait(second) == 0, workers.log.read_text()
    assert whole(database) == undisturbed


def test_one_content_under_two_names_at_once(
    workers: Workers, leads_file: Path, tmp_path: Path, database: Database, undisturbed: list[str]
) -> None:
    """R3: the other name is a receipt of its own, without rows."""
    copy = Path(shutil.copy2(leads_file, tmp_path / "leads of yesterday.csv"))
    pids = [workers.start(path, database) for path in (leads_file, copy)]
    assert [workers.wait(pid) for pid in pids] == [0, 0], workers.log.read_text()
    assert whole(database) == undisturbed
    assert _receipts(database) == [("done", 0), ("duplicate", 1)]


def test_one_name_with_changed_content(workers: Workers, leads_file: Path, tmp_path: Path, database: Database) -> None:
    """R3: each content is loaded once."""
    path = tmp_path / leads_file.name
    lines = leads_file.read_text().splitlines(keepends=True)
    for content in (lines[:1_001], lines[:2_001]):
        path.write_text("".join(content))
        assert workers.run(path, database) == 0, workers.log.read_text()
    whole(database)
    assert _receipts(database) == [("done", 0), ("done", 0)]


def test_a_checkpoint_outside_the_transaction_is_found_out(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """R26: the tests above can fail."""
    workers.run(leads_file, database, crash_at="after_commit:5", mutant="checkpoint outside")
    with pytest.raises(AssertionError):
        assert workers.run(leads_file, database, mutant="checkpoint outside") == 0
        assert whole(database) == undisturbed


def test_a_missing_identity_index_is_found_out(workers: Workers, leads_file: Path, database: Database) -> None:
    """R26: the tests above can fail."""
    with database.transaction() as connection:
        connection.exec_driver_sql("drop index leads_identity_key")
    with pytest.raises(AssertionError):
        assert workers.run(leads_file, database) == 0
        whole(database)


def _wait_for_first_row(database: Database) -> None:
    with database.connection() as connection:
        for _ in range(600):
            if connection.exec_driver_sql("select max(checkpoint) from receipts").scalar():
                return
            time.sleep(0.05)
    raise AssertionError("no row was written in 30 seconds")


def _receipts(database: Database) -> list[tuple[str, int]]:
    with database.connection() as connection:
        found = connection.exec_driver_sql("select state, (duplicate_of is not null)::int from receipts order by 1")
        return [(row[0], row[1]) for row in found]
