"""The installed `sluice` as a process: quick to help, quiet when its reader leaves, plain when it is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sluice.settings import Settings
from sluice.store.engine import Database
from sluice.store.queries import query

SLUICE = str(Path(sys.executable).with_name("sluice"))
LEADS = "full_name,email\n" + "".join(f"Ivo Horak {n},ivo.{n}@horak.example\n" for n in range(1, 400))


@pytest.fixture
def environ(settings: Settings, tmp_path: Path) -> dict[str, str]:
    """The environment of a process that works on the test's own database."""
    (tmp_path / "leads.csv").write_text(LEADS, encoding="utf-8")
    return os.environ | {"SLUICE_HOME": str(settings.home), "SLUICE_DATABASE_URL": str(settings.database_url)}


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys, flows.cli; print(*sorted({'pandas', 'sqlalchemy', 'prefect', 'pydantic'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_a_reader_that_leaves_is_no_error(environ: dict[str, str], tmp_path: Path) -> None:
    subprocess.run([SLUICE, "import", "leads.csv"], env=environ, cwd=tmp_path, check=True, capture_output=True)
    command = f"{SLUICE} verify --canonical | head -n 1"
    done = subprocess.run(["sh", "-c", command], env=environ, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stderr, len(done.stdout.splitlines())) == ("", 1)


def test_interrupted_it_says_so_and_the_same_command_goes_on(
    environ: dict[str, str], tmp_path: Path, database: Database
) -> None:
    command = [SLUICE, "import", "leads.csv"]
    with database.transaction() as connection:
        connection.exec_driver_sql(query("slice_lock"))  # the import waits for its first slice
        process = subprocess.Popen(
            command, env=environ, cwd=tmp_path, stderr=subprocess.PIPE, text=True, preexec_fn=_heed_interrupts
        )
        _wait_for_a_waiter(database)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "Interrupted. What is committed stays; the same command goes on from there.\n"
    assert subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    with database.connection() as connection:
        assert connection.exec_driver_sql("select count(*) from leads").scalar() == 399


def _heed_interrupts() -> None:
    """A test run that was started in the background ignores SIGINT, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_psql_hands_on_its_arguments_and_its_exit_code(environ: dict[str, str]) -> None:
    done = subprocess.run(
        [SLUICE, "db", "psql", "-A", "-t", "-c", "select count(*) from leads"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "0")
    failed = subprocess.run([SLUICE, "db", "psql", "-c", "nonsense"], env=environ, capture_output=True, check=False)
    assert failed.returncode == 1


@pytest.mark.parametrize(
    ("api", "words"),
    [
        pytest.param("", "PREFECT_API_URL: it is not set", id="no server named"),
        pytest.param("http://127.0.0.1:9/api", "does not answer", id="no server there"),
    ],
)
def test_watch_without_a_server_is_said_plainly(environ: dict[str, str], tmp_path: Path, api: str, words: str) -> None:
    environ = environ | {"PREFECT_API_URL": api, "PREFECT_HOME": str(tmp_path)}
    done = subprocess.run(
        [SLUICE, "import", "leads.csv", "--watch"],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (5, "")
    assert words in done.stderr and "Traceback" not in done.stderr


def _wait_for_a_waiter(database: Database) -> None:
    for _ in range(600):
        with database.connection() as connection:
            sql = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
            if connection.exec_driver_sql(sql).scalar():
                return
        time.sleep(0.05)
    pytest.fail("the import never came to its first slice")
