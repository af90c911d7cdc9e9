"""`sluice up` as a person runs it: what it starts, what it survives, and that nothing stays behind."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from flows.definitions import definitions
from sluice.settings import REPOSITORY
from tests.prefect_desk import PATIENCE, until

PARTS = {
    "server": "prefect server start",
    "runner": "flows.runner",
    "watcher": "flows.watcher",
    "door": "flows.cli api",
    "inbox": "flows.standin",
    "keeper": "embedded_server",
}


class Hanging(BaseHTTPRequestHandler):
    """A webhook that takes a request and does not answer, so that the run which calls it goes on and on."""

    server: Hook

    def do_POST(self) -> None:
        self.server.called.set()
        self.server.released.wait(PATIENCE)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


class Hook(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.called, self.released = Event(), Event()
        super().__init__(("127.0.0.1", 0), Hanging)


@dataclass
class Up:
    """A `sluice up` of a home, and what can be asked of it."""

    home: Path
    port: int
    environ: dict[str, str]
    process: subprocess.Popen[str] = field(init=False)

    def start(self) -> None:
        with (self.home / "said.txt").open("w") as said:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).with_name("sluice")), "up", "--port", str(self.port)],
                env=self.environ,
                cwd="/",
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(lambda: "Ready" in self.said or self.process.poll() is not None)
        assert "Ready" in self.said, self.said + self.log("server") + self.log("runner")

    @property
    def said(self) -> str:
        return (self.home / "said.txt").read_text()

    def log(self, part: str) -> str:
        path = self.home / "logs" / f"{part}.log"
        return path.read_text()[-3000:] if path.exists() else ""

    def processes(self) -> dict[int, str]:
        """What belongs to this home, but for the supervisor: its programs by process number."""
        found: dict[int, str] = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                marks = (path / "environ").read_bytes()
                is_zombie = (path / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            except OSError:
                continue
            is_ours = str(self.home).encode() in marks or str(self.home) in command
            if is_ours and not is_zombie and int(path.name) != self.process.pid:
                found[int(path.name)] = command
        return found

    def part(self, name: str) -> int | None:
        return next((pid for pid, command in self.processes().items() if PARTS.get(name, name) in command), None)

    def worker(self, run: str) -> int | None:
        """The process of a run."""
        for pid, command in self.processes().items():
            with contextlib.suppress(OSError):
                if "prefect.engine" in command and run.encode() in Path(f"/proc/{pid}/environ").read_bytes():
                    return pid
        return None

    def ask(self, path: str, body: dict[str, Any] | None = None, password: str | None = None) -> Any:
        """What the API answers; None while it does not."""
        secret = password if password is not None else (self.home / "ui.password").read_text().strip()
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}",
        }
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api{path}", content, headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return None

    def run(self, deployment: str) -> str:
        """Starts a run in the runner; its id."""
        there = until(lambda: self.ask(f"/deployments/name/{deployment}"))
        return until(lambda: self.ask(f"/deployments/{there['id']}/create_flow_run", {}))["id"]

    def state(self, run: str) -> str | None:
        answer = self.ask(f"/flow_runs/{run}")
        return answer["state"]["type"] if isinstance(answer, dict) else None


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    """The webhook that hangs."""
    with Hook() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def up(make_home: Callable[[], Path], hook: Hook) -> Iterator[Up]:
    """The first start; what a test kills is there again for the next one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    home = make_home()
    ambient = {name: text for name, text in os.environ.items() if not name.startswith(("SLUICE_", "PREFECT_"))}
    target = f"http://127.0.0.1:{hook.server_address[1]}/"
    one = Up(home, port, {**ambient, "SLUICE_HOME": str(home), "SLUICE_ALARM_WEBHOOK_URL": target})
    one.start()
    yield one
    for pid in [one.process.pid, *one.processes()]:
        if one.process.poll() is None or pid != one.process.pid:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    one.process.wait()


def test_it_says_what_runs_where(up: Up) -> None:
    said = dict(re.findall(r"^  (\S.*?)  +(\S.*)$", up.said, re.MULTILINE))
    assert said["Prefect UI"] == f"http://127.0.0.1:{up.port}"
    assert said["drop files into"] == f"{up.home}/bucket/inbox/<source>/"
    assert str(up.home / "ui.password") in said["its password"]
    assert {name for name in PARTS if up.part(name)} == set(PARTS)


def test_it_listens_on_loopback_only_and_asks_for_the_password(up: Up) -> None:
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if line.split()[3] == "0A"]
    assert [place for place in listening if place.endswith(f":{up.port:04X}")] == [f"0100007F:{up.port:04X}"]
    assert up.ask("/flows/count", {}, password="sluice:guessed") == 401
    assert up.ask("/flows/count", {}) >= 3


def test_the_password_is_its_owners_secret(up: Up) -> None:
    """R: nowhere but in its file; other users see neither that nor the environment of our processes."""
    file = up.home / "ui.password"
    assert file.stat().st_mode & 0o777 == 0o600
    password = file.read_text().strip()
    assert len(password) > 20 and password not in up.said + "".join(up.processes().values())
    assert [path for path in (up.home / "logs").iterdir() if password in path.read_text()] == []


def test_runs_and_events_are_not_kept_for_ever_and_nobody_is_told_of_us(up: Up) -> None:
    server = up.ask("/admin/settings")["server"]
    vacuum = server["services"]["db_vacuum"]
    assert set(vacuum["enabled"]) == {"events", "flow_runs"} and vacuum["retention_period"] == "P60D"
    assert server["events"]["retention_period"] == "P14D"
    assert server["analytics_enabled"] is False


def test_the_deployments_are_those_of_the_file(up: Up) -> None:
    served = {one["name"]: one for one in up.ask("/deployments/filter", {})}
    defined = {one.name: one for one in definitions()}
    assert served.keys() == defined.keys()
    for name, one in served.items():
        assert one["description"] == defined[name].description and sorted(one["tags"]) == sorted(defined[name].tags)
        assert len(one["schedules"]) == len(defined[name].schedules)
    form = served["file"]["parameter_openapi_schema"]["properties"]
    assert {"webinar", "trade-show"} <= set(form["source"]["enum"])
    assert all(
        field["description"]
        for one in served.values()
        for field in one["parameter_openapi_schema"]["properties"].values()
    )


def test_schedules_create_runs(up: Up) -> None:
    """Guards the pin of SQLAlchemy: with 2.1 a schedule creates none, and nobody is told."""

    def waiting(name: str) -> int:
        return up.ask(
            "/flow_runs/count",
            {"deployments": {"name": {"any_": [name]}}, "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}},
        )

    assert until(lambda: waiting("sweep") > 1) and until(lambda: waiting("watch") > 1)


def test_a_second_one_says_that_there_is_a_first(up: Up) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "up"], env=up.environ, cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 7
    assert f"as process {up.process.pid}" in done.stderr and f"http://127.0.0.1:{up.port}" in done.stderr


def test_what_is_killed_comes_back(up: Up, hook: Hook) -> None:
    """`kill -9` of each part, and of a run's process: the supervisor starts it again, and nothing is left of the old."""
    run = up.run("alarm/send")
    until(hook.called.wait)
    worker = until(lambda: up.worker(run))
    os.kill(worker, signal.SIGKILL)
    until(lambda: up.state(run) == "CRASHED")  # the runner saw its process die

    hook.called.clear()
    run = up.run("alarm/send")
    until(hook.called.wait)
    worker = until(lambda: up.worker(run))
    killed = {name: up.part(name) for name in PARTS}
    for pid in killed.values():
        assert pid
        os.kill(pid, signal.SIGKILL)
    until(lambda: all(up.part(name) not in (None, pid) for name, pid in killed.items()))
    until(lambda: worker not in up.processes())  # its runner was gone
    assert until(lambda: up.ask("/flows/count", {})) >= 3
    assert up.process.poll() is None


def test_ctrl_c_ends_everything_after_a_kill_of_the_supervisor_too(up: Up, hook: Hook) -> None:
    """The supervisor's own death ends its parts; a second start works; SIGINT and SIGTERM end all, with exit code 0."""
    hook.called.clear()
    up.run("alarm/send")
    until(hook.called.wait)
    until(lambda: (up.home / "logs" / "runner.ready").exists())
    up.process.kill()
    up.process.wait()
    until(lambda: not up.processes(), lambda: str(up.processes()))

    up.start()
    assert {name for name in PARTS if up.part(name)} == set(PARTS)
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(PATIENCE) == 0
    assert up.processes() == {}
    assert up.said.splitlines()[-1].startswith("Stopped.")
    assert not (up.home / "up.json").exists()
