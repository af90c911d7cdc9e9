"""`deployments/compose.yaml` without Docker: its services' commands as processes of this machine, and files through them.

Postgres and the Prefect server are those of the session; everything else runs as the file says, under its entry point,
with its variables and secrets; only the places are other ones. So this is the test of work pool and workers, too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml

from flows.prefect_server import _free_port
from sluice.intake import Order, intake
from sluice.settings import REPOSITORY, Settings
from sluice.store import api_keys
from sluice.store.engine import Database
from tests.bench.generate import write
from tests.desk import Desk
from tests.flows.conftest import PrefectServer

DEPLOYMENTS = REPOSITORY / "deployments"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOYMENTS / "compose.yaml").read_text(encoding="utf-8"))
PATIENCE = 240
ROWS = 600


@dataclass
class Host:
    """This machine in place of a Docker host.

    Attributes:
        home: in place of the volume `home`.
        secrets: in place of /run/secrets.
        door: in place of port 4280, which may be taken.
    """

    server: PrefectServer
    home: Path
    secrets: Path
    door: int = field(default_factory=_free_port)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, service: str, **environ: str) -> subprocess.Popen[bytes]:
        """Starts a service as `compose up` would, by its entry point; what it prints is in `log`."""
        ambient = {name: text for name, text in os.environ.items() if not name.startswith(("SLUICE_", "PREFECT_"))}
        said = {name: self._here(str(text)) for name, text in COMPOSE["services"][service]["environment"].items()}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        with self.log(service).open("ab") as output:
            process = subprocess.Popen(
                [DEPLOYMENTS / "entrypoint.sh", *map(self._here, COMPOSE["services"][service]["command"])],
                env={**ambient, "PREFECT_HOME": str(self.home / "prefect"), "PATH": path, **said, **environ},
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.started.append(process)
        return process

    def run(self, service: str) -> None:
        """Runs a service that ends by itself."""
        assert self.start(service).wait(PATIENCE) == 0, self.log(service).read_text()

    def log(self, service: str) -> Path:
        """What the service has printed."""
        return self.home / f"{service}.log"

    def stop(self) -> None:
        """Asks all to end, as `compose down` does."""
        for process in self.started:
            process.terminate()
        for process in self.started:
            process.wait(60)

    def _here(self, text: str) -> str:
        text = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", text)  # what compose fills in; here the variables are not set
        text = text.replace("/run/secrets", str(self.secrets)).replace("/var/lib/sluice", str(self.home))
        text = str(self.door) if text == "4280" else text
        return text.replace("http://server:4200/api", self.server.environ["PREFECT_API_URL"])


@pytest.fixture
def host(prefect_server: PrefectServer, home: Path, empty_database: Database) -> Iterator[Host]:
    """A host with secrets made by our script; what it deployed is taken away again."""
    secrets = home / "secrets"
    made = subprocess.run([DEPLOYMENTS / "secrets.sh", secrets], check=True, capture_output=True, text=True)
    assert str(secrets / "ui_password") in made.stdout
    for name, text in (
        ("database_url", empty_database.url),
        ("ui_password", prefect_server.environ.get("PREFECT_API_AUTH_STRING", "")),
    ):
        (secrets / name).chmod(0o600)
        (secrets / name).write_text(text, encoding="utf-8")
    host = Host(prefect_server, home, secrets)
    yield host
    host.stop()
    for known in ask(prefect_server, "POST", "/deployments/filter", {}):
        if known["work_pool_name"] == "sluice":
            ask(prefect_server, "DELETE", f"/deployments/{known['id']}")
    ask(prefect_server, "DELETE", "/work_pools/sluice")


@pytest.fixture
def at(settings: Settings, make_database: Callable[..., Database], tmp_path: Path) -> Callable[..., Desk]:
    """A desk at a database, or at one of its own."""
    return lambda database=None: Desk.at(settings, database or make_database("template_of_tests"), tmp_path)


def ask(server: PrefectServer, method: str, path: str, body: Any = None) -> Any:
    """What Prefect's API answers."""
    user, _, password = server.environ.get("PREFECT_API_AUTH_STRING", "").partition(":")
    url = server.environ["PREFECT_API_URL"] + path
    answer = httpx.request(method, url, json=body, auth=(user, password), timeout=60)
    return answer.json() if answer.content else None


def wait(until: Any, host: Host, *services: str) -> None:
    """Waits until something is so."""
    end = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < end, "\n".join(host.log(service).read_text() for service in services)
        time.sleep(0.5)


def test_two_workers_take_in_two_dropped_files_at_once(
    host: Host, empty_database: Database, at: Callable[..., Desk], tmp_path: Path
) -> None:
    """Both files know the same people; in the end all is as if one had come after the other, whichever was first."""
    files = overlapping(tmp_path / "files")
    host.run("migrate")
    host.run("deploy")
    pool = ask(host.server, "GET", "/work_pools/sluice")
    assert pool["type"] == "process"
    inbox = host.home / "bucket" / "inbox"
    inbox.mkdir(parents=True)
    for file in files:
        (inbox / file.name).write_bytes(file.read_bytes())
    ports = [str(_free_port()), str(_free_port())]
    with psycopg.connect(empty_database.url, autocommit=True) as administrator:
        administrator.execute("select pg_advisory_lock(7002)")  # no slice gets in before both runs have begun
        host.start("watcher")
        for port in ports:
            near = {"PREFECT_WORKER_WEBSERVER_HOST": "127.0.0.1", "PREFECT_WORKER_WEBSERVER_PORT": port}
            host.start("worker", PREFECT_WORKER_QUERY_SECONDS="1", **near)  # by default it asks every 10 s
        wait(lambda: [run["state_type"] for run in runs(host)] == ["RUNNING"] * 2, host, "watcher", "worker")
    done = host.home / "bucket" / "done"
    wait(lambda: len(list(done.glob("*.report.json"))) == len(files), host, "watcher", "worker")
    wait(lambda: len(runs(host)) == 2 and all(run["end_time"] for run in runs(host)), host, "worker")
    first, second = runs(host)
    assert first["start_time"] < second["end_time"] and second["start_time"] < first["end_time"]
    assert [run["state_type"] for run in (first, second)] == ["COMPLETED", "COMPLETED"]
    assert {run["name"] for run in (first, second)} == {f"intake · {file.name}" for file in files}
    for port in ports:
        assert healthy("worker", port) == 0
    assert at(empty_database).whole() in [in_turn(at, order) for order in (files, files[::-1])]


def test_what_is_posted_to_the_door_becomes_a_lead_by_a_worker(host: Host, empty_database: Database) -> None:
    """The door needs no more than its own variables; the flow `inbox` of the workers does the rest."""
    host.run("migrate")
    host.run("deploy")
    host.start("door")
    wait(lambda: healthy("door", str(host.door)) == 0, host, "door")
    key = api_keys.create(empty_database, api_keys.Grant("shop", ["leads:write"]))
    url, headers = f"http://127.0.0.1:{host.door}", {"Authorization": f"Bearer {key}"}
    lead = {"full_name": "Cleo Novak", "email": "cleo@novak.example"}
    said = httpx.post(f"{url}/v1/leads", json=lead, headers=headers, timeout=20)
    assert said.status_code == 202, said.text
    worker = {"HOST": "127.0.0.1", "PORT": str(_free_port())}
    host.start(
        "worker",
        PREFECT_WORKER_QUERY_SECONDS="1",
        **{f"PREFECT_WORKER_WEBSERVER_{name}": text for name, text in worker.items()},
    )
    found = ask(host.server, "GET", "/deployments/name/inbox/inbox")
    ask(host.server, "POST", f"/deployments/{found['id']}/create_flow_run", {"parameters": {"minutes": 0.1}})
    status = f"{url}{said.json()['status_url']}"
    wait(lambda: httpx.get(status, headers=headers, timeout=20).json()["state"] == "done", host, "door", "worker")
    (row,) = httpx.get(status, headers=headers, timeout=20).json()["rows"]
    assert row["outcome"] == "created"


def in_turn(at: Callable[..., Desk], files: list[Path]) -> list[str]:
    """The canonical dump after the files were taken in one after the other."""
    desk = at()
    for file in files:
        intake(desk.office, Order(file))
    return desk.whole()


def overlapping(folder: Path) -> list[Path]:
    """Two files of over a megabyte, so that each is a run of its own; a third of the people are in both."""
    folder.mkdir()
    header, *lines = write(ROWS, 20261122, folder)[0].read_text(encoding="utf-8").splitlines()
    remark = "called back, sent the price list, asked for a visit in spring; " * 40
    files = [folder / "fair-hall-1.csv", folder / "fair-hall-2.csv"]
    for file, part in zip(files, (lines[: 2 * ROWS // 3], lines[ROWS // 3 :]), strict=True):
        rows = [f"{header},Remarks", *(f'{line},"{remark}"' for line in part)]
        file.write_text("\n".join(rows) + "\n", encoding="utf-8")
        assert file.stat().st_size > 1 << 20
    return files


def runs(host: Host) -> list[dict[str, Any]]:
    """The runs that the watcher has started."""
    of = {"deployments": {"name": {"any_": ["bucket"]}}, "work_pools": {"name": {"any_": ["sluice"]}}}
    return ask(host.server, "POST", "/flow_runs/filter", of)


def healthy(service: str, port: str) -> int:
    """The exit code of the service's health check."""
    kind, *command = COMPOSE["services"][service]["healthcheck"]["test"]
    assert kind == "CMD"
    command = [sys.executable if part == "python" else re.sub(r":\d{4}/", f":{port}/", part) for part in command]
    return subprocess.run(command, check=False).returncode
