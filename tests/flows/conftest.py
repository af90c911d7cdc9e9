"""A Prefect server of our own, and flows that run against it in a process of theirs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from flows.prefect_server import running
from sluice.settings import REPOSITORY
from sluice.store import embedded

RUN = "import json, sys; from flows.intake import intake; print('totals', json.dumps(intake(sys.argv[1])))"


@dataclass(frozen=True)
class Finished:
    """A process that has ended; `said` is everything it printed."""

    code: int
    said: str

    @property
    def totals(self) -> dict[str, int]:
        """What the flow returned."""
        return json.loads(self.said.partition("totals ")[2].splitlines()[0])


@dataclass(frozen=True)
class PrefectServer:
    """A running server.

    Attributes:
        home: `SLUICE_HOME` of its Postgres, which also has a database for leads.
        environ: what a flow is told.
        cluster: its Postgres.
    """

    home: Path
    environ: dict[str, str]
    cluster: embedded.Cluster

    def run(self, *arguments: str, **environ: str) -> Finished:
        """Runs a Python program of ours in a process that knows the server; no ambient Sluice settings reach it."""
        ambient = {name: text for name, text in os.environ.items() if not name.startswith(("SLUICE_", "PREFECT_"))}
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**ambient, **self.environ, "SLUICE_HOME": str(self.home), **environ},
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Finished(done.returncode, done.stdout)

    def flow(self, path: Path, **environ: str) -> Finished:
        """Runs the flow `intake` over a path."""
        return self.run("-c", RUN, str(path), **environ)

    def ask(self, sql: str, *parameters: Any) -> list[Any]:
        """Rows of Prefect's own database, as tuples; of one column, its values."""
        with psycopg.connect(self.cluster.url("prefect")) as connection:
            found = connection.execute(sql.encode(), parameters).fetchall()
        return [row[0] for row in found] if found and len(found[0]) == 1 else found


@pytest.fixture(scope="session")
def prefect_server(make_home: Callable[[], Path]) -> Iterator[PrefectServer]:
    """A server for all tests of flows; it takes some 20 seconds to start."""
    home = make_home()
    with embedded.running(home, embedded.Wishes(durable=False)) as cluster, running(home) as told:
        yield PrefectServer(home, told, cluster)
