"""A Postgres of a test's own, durable as in production, which the test may stop and start."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from sluice.store import postmaster
from sluice.store.embedded_server import Keeper
from sluice.store.postmaster import ROLE


@dataclass
class OwnServer:
    """A server that is there or not."""

    server: postmaster.Server
    process: subprocess.Popen[bytes]
    port: int
    password: str

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://{ROLE}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """A new database, empty; its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {database}".encode())
        return self.url(database)

    def stop(self) -> None:
        """As `pg_ctl stop -m immediate`: no farewell to clients, no checkpoint; the next start recovers from the WAL."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)

    def start(self) -> None:
        """Starts it again, on the same port."""
        self.process, self.port = postmaster.launch(self.server, self.port)


@contextmanager
def own_server(home: Path) -> Generator[OwnServer]:
    """A server of the test's own."""
    server = Keeper(home, {"durable": True, "binaries": None, "idle_seconds": 0}).prepare()
    process, port = postmaster.launch(server, None)
    found = OwnServer(server, process, port, (home / "postgres.password").read_text().strip())
    try:
        yield found
    finally:
        postmaster.stop(found.process)


def restart(server: OwnServer, times: int, chance: random.Random) -> None:
    """Restarts a server so many times, every 0.3 to 0.9 s.

    To be called by the main thread: a server ends with the thread that launched it (`PR_SET_PDEATHSIG`).
    """
    for _ in range(times):
        time.sleep(chance.uniform(0.3, 0.9))
        server.stop()
        server.start()
