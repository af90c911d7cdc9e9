"""Postgres for tests: one server for the session, one database for each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sluice.settings import REPOSITORY, Settings
from sluice.store import embedded
from sluice.store.engine import Database
from sluice.store.migrate import migrate
from tests.prefect_desk import prefect_server  # noqa: F401 -- a fixture: one server for the whole session

POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")  # Debian's: the oldest server that we promise to work with
SERVERS = ["embedded", "postgres-15"]


def pytest_configure(config: pytest.Config) -> None:
    """Declares our own markers."""
    config.addinivalue_line("markers", "both_servers: runs on the embedded Postgres and on Postgres 15")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Shares the tests among the workers of `make test`."""
    from tests.sharing import Sharing  # what it is made of is there only while there are workers

    return Sharing(config, log)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test marked `both_servers` runs once per server."""
    if metafunc.definition.get_closest_marker("both_servers"):
        metafunc.parametrize("server", SERVERS, indirect=True)


def absent(part: str) -> None:
    """Skips for want of a part of the system, or fails where CI demands all of them."""
    if os.environ.get("SLUICE_REQUIRE_PARTS"):
        pytest.fail(f"{part} is missing, and SLUICE_REQUIRE_PARTS is set")
    pytest.skip(f"{part} is missing")


@pytest.fixture(scope="session")
def make_home() -> Iterator[Callable[[], Path]]:
    """Folders for `SLUICE_HOME` that the user who runs Postgres in root's stead can reach; pytest's own are closed."""
    with ExitStack() as stack:

        def make() -> Path:
            path = Path(tempfile.mkdtemp(prefix="sluice-test-"))
            path.chmod(0o711)
            stack.callback(shutil.rmtree, path, ignore_errors=True)
            return path

        yield make


@pytest.fixture(scope="session")
def clusters(make_home: Callable[[], Path]) -> Iterator[Callable[[str], embedded.Cluster]]:
    """The servers of the session by name, started when first asked for, each with a migrated template database."""
    with ExitStack() as stack:
        started: dict[str, embedded.Cluster] = {}

        def get(name: str) -> embedded.Cluster:
            if name == "postgres-15" and not (POSTGRES_15 / "initdb").exists():
                absent(f"{POSTGRES_15} (Debian's package postgresql-15)")
            if name not in started:
                binaries = POSTGRES_15 if name == "postgres-15" else None
                cluster = stack.enter_context(
                    embedded.running(make_home(), embedded.Wishes(durable=False, binaries=binaries))
                )
                create_database(cluster, "template_of_tests", template="template0")
                database = open_database(cluster, "template_of_tests")
                migrate(database)
                database.dispose()
                started[name] = cluster
            return started[name]

        yield get


@pytest.fixture
def server(request: pytest.FixtureRequest) -> str:
    """Which server the test runs on."""
    return str(getattr(request, "param", SERVERS[0]))


@pytest.fixture
def cluster(server: str, clusters: Callable[[str], embedded.Cluster]) -> embedded.Cluster:
    """A running server, shared by all tests."""
    return clusters(server)


@pytest.fixture
def make_database(server: str, clusters: Callable[[str], embedded.Cluster]) -> Iterator[Callable[..., Database]]:
    """Databases of the test's own, from "template_of_tests" (migrated) or "template0" (empty)."""
    with ExitStack() as stack:

        def make(template: str, on: str = server) -> Database:
            cluster = clusters(on)
            name = f"test_{os.urandom(6).hex()}"
            create_database(cluster, name, template=template)
            stack.callback(_on_server, cluster, f"drop database {name} with (force)")
            database = open_database(cluster, name)
            stack.callback(database.dispose)
            return database

        yield make


@pytest.fixture
def template(cluster: embedded.Cluster) -> Iterator[Database]:
    """The migrated, empty database that others are copied from: quicker than `database`, for tests that write nothing."""
    database = open_database(cluster, "template_of_tests")
    yield database
    database.dispose()


@pytest.fixture
def database(make_database: Callable[..., Database]) -> Database:
    """A migrated, empty database of the test's own."""
    return make_database("template_of_tests")


@pytest.fixture
def empty_database(make_database: Callable[..., Database]) -> Database:
    """A database without any table."""
    return make_database("template0")


@pytest.fixture
def home(make_home: Callable[[], Path]) -> Path:
    """An empty `SLUICE_HOME`."""
    return make_home()


@pytest.fixture
def settings(home: Path, database: Database) -> Settings:
    """Settings with the test's own home and database, and the standard configuration."""
    return Settings.read({"SLUICE_HOME": str(home), "SLUICE_DATABASE_URL": database.url})


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of test material that is not part of the repository."""
    path = Path(os.environ.get("SLUICE_CORPORA") or REPOSITORY.parent / "shared")
    if not path.is_dir():
        absent(f"the folder {path} (SLUICE_CORPORA)")
    return path


def create_database(cluster: embedded.Cluster, name: str, *, template: str) -> None:
    """Makes a database on `cluster`."""
    _on_server(cluster, f"create database {name} template {template}")


def open_database(cluster: embedded.Cluster, name: str) -> Database:
    """Opens a database of `cluster` as if it were a server of the user's own."""
    return Database.open(Settings.read({"SLUICE_DATABASE_URL": cluster.url(name)}))


def _on_server(cluster: embedded.Cluster, statement: str) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())
