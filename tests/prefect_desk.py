"""A Prefect server for tests: flows run against it in a process of theirs, and the runner serves what is deployed."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from flows.prefect_server import running
from flows.serve import READY
from sluice.settings import REPOSITORY
from sluice.store import embedded

PATIENCE = 180.0
"""Seconds that a loaded machine may take; nothing is measured."""

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

    def api(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the server's API answers."""
        secret = base64.b64encode(self.environ["PREFECT_API_AUTH_STRING"].encode()).decode()
        headers = {"Content-Type": "application/json", "Authorization": f"Basic {secret}"}
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.environ['PREFECT_API_URL']}{path}", content, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def deploy(self, deployment: str, *tags: str, **parameters: Any) -> None:
        """Starts a run of a deployment, as the UI does."""
        known = self.api(f"/deployments/name/{deployment}")
        wanted = {"parameters": parameters, "tags": tags, "enforce_parameter_schema": True}
        self.api(f"/deployments/{known['id']}/create_flow_run", wanted)

    def ask(self, sql: str, *parameters: Any) -> list[Any]:
        """Rows of Prefect's own database, as tuples; of one column, its values."""
        with psycopg.connect(self.cluster.url("prefect")) as connection:
            found = connection.execute(sql.encode(), parameters).fetchall()
        return [row[0] for row in found] if found and len(found[0]) == 1 else found


@contextmanager
def serving(server: PrefectServer, folder: Path, **environ: str) -> Generator[None]:
    """The runner, alone, for a while; it has written the deployments and automations when the block begins."""
    ambient = {name: text for name, text in os.environ.items() if not name.startswith(("SLUICE_", "PREFECT_"))}
    told = {"SLUICE_HOME": str(server.home), READY: str(folder / "ready"), **environ}
    log = folder / "runner.log"
    with log.open("w") as output:
        runner = subprocess.Popen(
            [sys.executable, "-m", "flows.runner"],
            env={**ambient, **server.environ, **told},
            cwd=REPOSITORY,
            stdout=output,
            stderr=output,
        )
    try:
        until(lambda: (folder / "ready").exists() or runner.poll() is not None)
        assert runner.poll() is None, log.read_text()[-3000:]
        yield
    finally:
        runner.terminate()
        runner.wait()


def until(true: Callable[[], Any], told: Callable[[], str] = lambda: "it never came") -> Any:
    """Waits for something to be there; what it answers. If it never comes, `told` says what there is instead."""
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end, told()
        time.sleep(0.2)
    return found


@pytest.fixture(scope="session")
def prefect_server(make_home: Callable[[], Path]) -> Iterator[PrefectServer]:
    """A server for all tests of flows; it takes some 20 seconds to start."""
    home = make_home()
    with embedded.running(home, embedded.Wishes(durable=False)) as cluster, running(home) as told:
        yield PrefectServer(home, told, cluster)
