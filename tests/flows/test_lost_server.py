"""R2, R5, R25 for the flow: its process is ended, its databases restart, the Prefect server is gone. The ledger is whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from flows.prefect_server import running
from sluice.settings import REPOSITORY, Settings
from sluice.store import embedded
from sluice.store.engine import Database
from sluice.store.migrate import migrate
from tests.bench.generate import write
from tests.conftest import create_database, open_database
from tests.faults.conftest import wait_for_rows
from tests.faults.oracle import all_in, whole
from tests.faults.proxy import proxied
from tests.faults.test_restarts import kill_postgres
from tests.prefect_desk import RUN, PrefectServer

ROWS = 300


@pytest.fixture(scope="module")
def leads_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough leads for a process to be caught at it."""
    return write(ROWS, 20261123, tmp_path_factory.mktemp("leads"))[0]


@pytest.fixture
def beside(prefect_server: PrefectServer) -> Generator[Database]:
    """A database of leads in the very cluster that holds Prefect's."""
    name = f"beside_{os.urandom(4).hex()}"
    create_database(prefect_server.cluster, name, template="template0")
    database = open_database(prefect_server.cluster, name)
    migrate(database)
    yield database
    database.dispose()


@contextmanager
def started(server: PrefectServer, path: Path, database: Database, **environ: str) -> Generator[subprocess.Popen[str]]:
    """A process that runs the flow in small slices."""
    ambient = {name: text for name, text in os.environ.items() if not name.startswith(("SLUICE_", "PREFECT_"))}
    told = {"SLUICE_HOME": str(server.home), "SLUICE_DATABASE_URL": database.url, "SLUICE_SLICE_ROWS": "15"}
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(path)],
        env={**ambient, **server.environ, **told, **environ},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process


def states(server: PrefectServer, path: Path) -> list[str]:
    """The states of the flow runs over a file, oldest first."""
    return server.ask("select state_type::text from flow_run where name = %s order by created", f"intake · {path.name}")


def completed(server: PrefectServer, path: Path, database: Database) -> None:
    """The next run completes the work; afterwards there is nothing to do."""
    done = server.flow(path, SLUICE_DATABASE_URL=database.url)
    assert done.code == 0, done.said
    whole(database)
    all_in(database, [path])
    assert server.flow(path, SLUICE_DATABASE_URL=database.url).totals["row_count"] == 0


def named(leads_file: Path, folder: Path) -> Path:
    """The file under a name of the test's own, by which its runs are found."""
    path = folder / f"leads-{os.urandom(3).hex()}.csv"
    path.write_bytes(leads_file.read_bytes())
    return path


def test_a_flow_process_that_is_asked_to_stop_leaves_no_run_running(
    prefect_server: PrefectServer, database: Database, leads_file: Path, tmp_path: Path
) -> None:
    """R2: by SIGTERM, as a worker, a container platform or an operator sends it."""
    path = named(leads_file, tmp_path)
    with started(prefect_server, path, database) as process:
        wait_for_rows(database)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=120)
    assert process.returncode != 0, said
    assert states(prefect_server, path) == ["CRASHED"], said
    completed(prefect_server, path, database)


def test_two_runs_over_one_file_at_once_count_it_once(
    prefect_server: PrefectServer, database: Database, leads_file: Path, tmp_path: Path
) -> None:
    """R25: a schedule that is there twice; the second run waits, and finds the content known."""
    path = named(leads_file, tmp_path)
    with started(prefect_server, path, database) as first, started(prefect_server, path, database) as second:
        said = [process.communicate(timeout=240)[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert sorted(text.partition('"row_count": ')[2].partition(",")[0].rstrip("}\n") for text in said) == [
        "0",
        str(ROWS),
    ]
    whole(database)
    all_in(database, [path])


def test_postgres_restarts_under_the_flow_and_under_prefect(
    prefect_server: PrefectServer, beside: Database, leads_file: Path, tmp_path: Path
) -> None:
    """R5: leads and Prefect's tables in one cluster that dies twice; the run survives, or the next one completes it."""
    path = named(leads_file, tmp_path)
    with started(prefect_server, path, beside) as process:
        wait_for_rows(beside)
        for _ in range(2):
            kill_postgres(prefect_server.cluster.data, prefect_server.home)
            time.sleep(0.5)
        process.communicate(timeout=240)
    print(f"the flow ended with {process.returncode}, its run is {states(prefect_server, path)}")
    completed(prefect_server, path, beside)


def test_without_its_server_a_flow_gets_all_rows_in(
    prefect_server: PrefectServer, database: Database, leads_file: Path, tmp_path: Path
) -> None:
    """R25: the server is lost in the middle. What it would have been told is in the ledger; the command needs no server."""
    path = named(leads_file, tmp_path)
    with proxied(prefect_server.environ["PREFECT_API_URL"]) as proxy:
        environ = {
            "PREFECT_API_URL": proxy.url(prefect_server.environ["PREFECT_API_URL"]),
            "PREFECT_CLIENT_MAX_RETRIES": "0",
        }
        with started(prefect_server, path, database, **environ) as process:
            wait_for_rows(database)
            proxy.is_open = False
            proxy.cut()
            said, _ = process.communicate(timeout=240)
    with database.connection() as connection:
        assert connection.exec_driver_sql("select state from receipts").scalars().all() == ["done"], said
    whole(database)
    all_in(database, [path])
    other = named(leads_file, tmp_path)
    other.write_text(other.read_text().replace(".example", ".test"))
    sluice = str(Path(sys.executable).with_name("sluice"))
    environ = {"SLUICE_DATABASE_URL": database.url, "PREFECT_API_URL": "http://127.0.0.1:9/api"}
    done = prefect_server.run(sluice, "import", str(other), **environ)
    assert done.code == 0, done.said


@pytest.mark.long
def test_prefects_server_and_all_it_knows_are_lost(
    make_home: Callable[[], Path], leads_file: Path, tmp_path: Path
) -> None:
    """R25: server and flow killed, Prefect's database dropped and made anew: the file is completed, and counted once."""
    home, path = make_home(), named(leads_file, tmp_path)
    with embedded.running(home) as cluster:
        create_database(cluster, "ours", template="template0")
        database = Database.open(Settings.read({"SLUICE_DATABASE_URL": cluster.url("ours")}))
        migrate(database)
        with running(home) as told:
            server = PrefectServer(home, told, cluster)
            with started(server, path, database) as process:
                wait_for_rows(database)
                process.kill()
            assert states(server, path) == ["RUNNING"], "only an automation can know better"
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
            connection.execute("drop database prefect with (force)")
        embedded.start(home).close()  # makes it anew
        with running(home) as told:
            server = PrefectServer(home, told, cluster)
            completed(server, path, database)
            assert states(server, path) == ["COMPLETED", "COMPLETED"]
        database.dispose()
