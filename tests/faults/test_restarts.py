"""R5: Postgres is stopped without a farewell and started again, over and over, while a file is imported."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sluice.settings import Settings
from sluice.store import embedded
from sluice.store.embedded_server import read_state
from sluice.store.engine import Database
from sluice.store.migrate import migrate
from tests.bench.generate import write
from tests.faults.conftest import SLICE_ROWS, Workers
from tests.faults.oracle import Acknowledgements, acknowledged_is_stored, all_in, true_persons, whole
from tests.faults.own_server import own_server, restart

RESTARTS = int(os.environ.get("SLUICE_RESTARTS") or 4)
"""Of a server, while a file is imported; the long run has 20."""


def test_a_server_that_restarts_again_and_again(
    home: Path, workers: Workers, make_undisturbed: Callable[[Path], list[str]], tmp_path: Path, acks: Acknowledgements
) -> None:
    """The import survives, or the next one completes it; what a process was told is there."""
    seed, rows, statuses = random.randrange(2**32), 250 * RESTARTS, list[int]()
    path, truth = write(rows, 5, tmp_path)
    undisturbed = make_undisturbed(path)
    with own_server(home) as server:
        url = server.create("leads")
        database = Database.open(Settings.read({"SLUICE_DATABASE_URL": url}))
        migrate(database)
        storm_is_over = threading.Event()

        def imports() -> None:
            while not storm_is_over.is_set():
                statuses.append(workers.run(path, url, acks=acks.path))

        with ThreadPoolExecutor(1) as pool:
            importing = pool.submit(imports)
            restart(server, RESTARTS, random.Random(seed))
            storm_is_over.set()
            importing.result()
        print(f"seed {seed}: {RESTARTS} restarts, imports ended with {statuses}")
        acknowledged_is_stored(database, acks, SLICE_ROWS, rows)
        assert workers.run(path, url) == 0, workers.said()
        assert whole(database) == undisturbed
        all_in(database, [path])
        true_persons(database, truth)
        database.dispose()


def test_the_embedded_server_comes_back_however_often_it_dies(
    home: Path, workers: Workers, leads_file: Path, undisturbed: list[str]
) -> None:
    """More deaths in a row than a server should have; the import gets through, or the next one completes it."""
    with embedded.running(home) as cluster:
        database = Database.open(Settings.read({"SLUICE_DATABASE_URL": cluster.url("leads")}))
        migrate(database)
        pid = workers.start(leads_file, database)
        died = {kill_postgres(cluster.data, home) for _ in range(5)}
        assert len(died) == 5
        print(f"the import ended with {workers.wait(pid)}")
        assert workers.run(leads_file, database) == 0, workers.said()
        assert whole(database) == undisturbed
        database.dispose()


def kill_postgres(data: Path, home: Path) -> int:
    """Ends Postgres without a farewell, and waits until its keeper has another one."""
    pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        lines = (data / "postmaster.pid").read_text().splitlines() if (data / "postmaster.pid").exists() else [""]
        if lines[0] not in ("", str(pid)) and read_state(home).get("ready"):
            return pid
        time.sleep(0.02)
    raise AssertionError("the embedded Postgres did not come back in 30 seconds")
