"""R7: the session that holds a receipt's lock is ended while its process lives on, and another process takes over."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psycopg
import pytest

from sluice.store.engine import Database
from tests.faults.conftest import LOOKS, ROWS, Workers, wait_for_rows
from tests.faults.oracle import Acknowledgements, all_in, whole

HOLDER = "select pid from pg_locks where locktype = 'advisory' and classid = 7001 and granted"
FEW = 20
"""Rows of a slice: so many slices that the import is not over before it is stopped."""

QUEUE = "select pid from pg_locks where locktype = 'advisory' and classid = 0 and objid = 7002 and not granted"


@pytest.mark.parametrize("mutant", [None, "blind retry"])
def test_two_processes_at_work_on_one_receipt_load_every_row_once(
    mutant: str | None, workers: Workers, leads_file: Path, tmp_path: Path, database: Database, undisturbed: list[str]
) -> None:
    """The slice lock and the checkpoint decide; without the look at the checkpoint (the mutant) they would not."""
    order = {"mutant": mutant, "impatient": bool(mutant), "environ": {"SLUICE_SLICE_ROWS": str(FEW)}}
    told = [Acknowledgements(tmp_path / f"told-{number}.txt") for number in range(2)]
    with psycopg.connect(database.url, autocommit=True) as administrator:
        first = workers.start(leads_file, database, acks=told[0].path, **order)
        wait_for_rows(database)
        os.kill(first, signal.SIGSTOP)
        (holder,) = administrator.execute(HOLDER).fetchone() or (None,)
        assert holder, "the import was over before it could be stopped"
        administrator.execute("select pg_terminate_backend(%s)", [holder])
        second = workers.start(leads_file, database, acks=told[1].path, **order)
        _wait_for_the_second(administrator, told[1], holder)
        os.kill(first, signal.SIGCONT)
        ended = [workers.wait(pid) for pid in (first, second)]
    slices = [len(acks.lines("committed")) for acks in told]
    print(f"ended with {ended}, slices loaded: {slices}")
    if mutant:
        assert ended != [0, 0] or whole(database) != undisturbed
        return
    assert ended == [0, 0], workers.said()
    assert whole(database) == undisturbed
    all_in(database, [leads_file])
    assert sum(slices) == ROWS // FEW and min(slices) > 0


def _wait_for_the_second(administrator: psycopg.Connection, told: Acknowledgements, holder: int) -> None:
    """Until the second process has the receipt's lock and has loaded a slice, or waits for the lock of slices."""
    for _ in range(LOOKS):
        held = [row[0] for row in administrator.execute(HOLDER).fetchall()]
        if held and holder not in held and (told.lines("committed") or administrator.execute(QUEUE).fetchone()):
            return
        time.sleep(0.02)
    raise AssertionError("nobody took over")
