"""The embedded Postgres as its clients see it: started by the first, shared by all, gone soon after the last."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from sluice.errors import DatabaseUnavailable
from sluice.settings import REPOSITORY
from sluice.store import locks
from sluice.store.embedded_server import read_state
from sluice.store.postmaster import ROLE

_PATIENCE = 60.0  # seconds for a server that somebody else starts or ends
_MISSING = "select n from unnest(%s::text[]) as n where n not in (select datname from pg_database)"


class _Unreachable(DatabaseUnavailable):
    """Nobody answers on the server's port."""


class Urls(NamedTuple):
    """The two databases of the cluster."""

    leads: str
    prefect: str


@dataclass(frozen=True)
class Cluster:
    """A running embedded server, and our part in keeping it running.

    Attributes:
        home: `SLUICE_HOME`.
        port: on 127.0.0.1.
        data: its data folder; not in `home` if the user that runs Postgres cannot reach that.
        binaries: folder of its programs.
        version: such as "18.6".
        user: the user that runs it in root's stead, or None.
    """

    home: Path
    port: int
    data: Path
    binaries: Path
    version: str
    user: str | None
    password: str = field(repr=False)
    _lock: locks.Lock = field(repr=False)

    def url(self, database: str) -> str:
        """The URL of one of its databases, with the password."""
        return f"postgresql://{ROLE}:{self.password}@127.0.0.1:{self.port}/{database}"

    def close(self) -> None:
        """Lets go of the server; it ends some seconds after its last client did."""
        self._lock.close()


@dataclass(frozen=True)
class Wishes:
    """How to run the server, if it is not running yet.

    Attributes:
        durable: False trades the safety of data for speed, in tests.
        binaries: folder of the programs; None finds them.
        idle_seconds: how long it stays without clients.
    """

    durable: bool = True
    binaries: Path | None = None
    idle_seconds: float = 5.0


def start(home: Path, wishes: Wishes | None = None) -> Cluster:
    """Starts the server of `home`, or joins the one that runs; its databases `leads` and `prefect` are there then.

    Raises:
        DatabaseUnavailable: it cannot be started; the message says why and what to do.
    """
    home = home.absolute()
    try:
        # Root's home may be entered, not listed: the user that runs Postgres in root's stead must reach its folder.
        home.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        lock = locks.shared(home / "clients.lock")
    except OSError as error:
        raise DatabaseUnavailable(
            str(home), f"it cannot be written to ({error.strerror})", fix="Set SLUICE_HOME to a folder of yours"
        ) from None
    try:
        with locks.one_at_a_time(home / "start.lock"):
            return _reached(home, wishes or Wishes(), lock)
    except BaseException:
        lock.close()
        raise


def stop(cluster: Cluster) -> None:
    """Lets go of the server, and ends it at once unless another process uses it."""
    cluster.close()
    state = read_state(cluster.home)
    if _is_kept(cluster.home):
        os.kill(state["keeper"], signal.SIGTERM)
    patience = time.monotonic() + _PATIENCE
    in_use = time.monotonic() + 2
    while _is_kept(cluster.home) and time.monotonic() < patience:
        if time.monotonic() > in_use and read_state(cluster.home)["ready"]:
            return
        time.sleep(0.02)


@contextmanager
def running(home: Path, wishes: Wishes | None = None) -> Generator[Cluster]:
    """The server of `home` for the time of a block; it is ended afterwards unless another process uses it."""
    cluster = start(home, wishes)
    try:
        yield cluster
    finally:
        stop(cluster)


def urls(cluster: Cluster) -> Urls:
    """The URLs of the leads and of Prefect's own tables."""
    return Urls(cluster.url("leads"), cluster.url("prefect"))


def _reached(home: Path, wishes: Wishes, lock: locks.Lock) -> Cluster:
    patience = time.monotonic() + _PATIENCE
    while True:
        state = _running(home) or _started(home, wishes)
        cluster = Cluster(
            home=home,
            port=state["port"],
            data=Path(state["data"]),
            binaries=Path(state["binaries"]),
            version=state["version"],
            user=state["user"],
            password=_password(home),
            _lock=lock,
        )
        try:
            _make_databases(cluster)
            return cluster
        except _Unreachable:  # killed a moment ago, and its keeper did not notice yet
            if time.monotonic() > patience:
                raise
            time.sleep(0.1)


def _is_kept(home: Path) -> bool:
    lock = locks.alone(home / "server.lock")
    if lock is None:
        return True
    lock.close()
    return False


def _running(home: Path) -> dict[str, Any] | None:
    """What the keeper of `home` says, once it is ready; None if there is no keeper."""
    patience = time.monotonic() + _PATIENCE
    while _is_kept(home):
        state = read_state(home)
        if state.get("ready"):
            return state
        if time.monotonic() > patience:
            raise DatabaseUnavailable(
                str(home), "its Postgres neither starts nor ends", fix=f"Look into {home / 'postgres.log'}"
            )
        time.sleep(0.05)
    return None


def _started(home: Path, wishes: Wishes) -> dict[str, Any]:
    options = {
        "durable": wishes.durable,
        "binaries": str(wishes.binaries) if wishes.binaries else None,
        "idle_seconds": wishes.idle_seconds,
    }
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "sluice.store.embedded_server", str(home), json.dumps(options)]
    with os.fdopen(os.open(home / "postgres.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
        said = subprocess.run(
            command,
            cwd="/",
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            check=False,
        ).stdout
    answer = json.loads(said or "{}")
    if "error" in answer:
        raise DatabaseUnavailable(*answer["error"])
    if not answer:
        raise DatabaseUnavailable(str(home), "its Postgres did not start", fix=f"Look into {home / 'postgres.log'}")
    return read_state(home)


def _password(home: Path) -> str:
    path = home / "postgres.password"
    try:
        return path.read_text().strip()
    except OSError as error:
        raise DatabaseUnavailable(
            str(path),
            f"it cannot be read ({error.strerror})",
            fix="Bring it back from a backup: it is the key to the data",
        ) from None


def _make_databases(cluster: Cluster) -> None:
    with _connected(cluster, "postgres") as connection:
        missing = [name for (name,) in connection.execute(_MISSING, [list(Urls._fields)])]
        if "prefect" in missing:
            # Under another name until it has what Prefect needs: a crash between the two leaves no half database.
            connection.execute("drop database if exists prefect_unfinished")
            connection.execute("create database prefect_unfinished")
            with _connected(cluster, "prefect_unfinished") as other:
                other.execute("create extension pg_trgm")
            connection.execute("alter database prefect_unfinished rename to prefect")
        if "leads" in missing:
            connection.execute("create database leads")


@contextmanager
def _connected(cluster: Cluster, database: str) -> Generator[psycopg.Connection]:
    try:
        connection = psycopg.connect(cluster.url(database), autocommit=True, sslmode="disable", options="")
    except psycopg.OperationalError as error:
        if "password" in str(error):
            path = cluster.home / "postgres.password"
            raise DatabaseUnavailable(
                str(path), "the database refuses the password in it", fix="Bring the file back from a backup"
            ) from None
        raise _Unreachable(
            f"127.0.0.1:{cluster.port}", "the embedded Postgres cannot be reached", fix=f"Look into {cluster.home}"
        ) from None
    with connection:
        yield connection
