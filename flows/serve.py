"""`sluice up`: Postgres, Prefect server, watcher and runner on this machine, until somebody stops them.

supervisor ─┬─ Postgres, if it is ours (its keeper serves all commands of the home)
            ├─ server    the Prefect server, on its own database
            ├─ runner    serves the deployments of `deployments/prefect.yaml`, one process a run
            ├─ watcher   starts a run for what is dropped into a bucket
            ├─ door      stores what is posted to it
            └─ inbox     works that whenever no run of Prefect's does
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from flows import door, prefect_server
from flows.prefect_server import LOOPBACK
from flows.supervision import Crew, Part
from sluice.alarms import Targets
from sluice.errors import ConfigError, UserError
from sluice.settings import REPOSITORY, Settings
from sluice.store import embedded, locks

PARTS = ("server", "runner", "watcher", "door", "inbox")
READY = "SLUICE_RUNNER_READY"
"""The variable that names the file which the runner makes as soon as it takes runs."""

PORT, PORTS = 4200, range(4200, 4300)
PULSE = 0.2
"""Seconds between two looks at the parts."""

LOG_BYTES = 20 << 20
"""From which a log is put aside at the next start, in the place of the one that was."""


class AlreadyUp(UserError):
    """Another `sluice up` serves this home."""

    exit_code = 7


class Unusable(UserError):
    """A command of ours said why it cannot work; its exit code is ours."""

    def __init__(self, where: str, found: str, *, code: int) -> None:
        super().__init__(where, found)
        self.exit_code = code


@dataclass(frozen=True)
class Wishes:
    """What is to run, and where.

    Attributes:
        host: address that the Prefect server listens on.
        port: None for 4200, or the next free one.
        parts: all, or some of them; then the others run elsewhere.
        door_host: address that the HTTP door listens on.
        door_port: None for 4280, or the next free one.
    """

    host: str = LOOPBACK
    port: int | None = None
    parts: Sequence[str] = PARTS
    door_host: str = LOOPBACK
    door_port: int | None = None


def up(settings: Settings, wishes: Wishes, environ: Mapping[str, str] = os.environ) -> None:
    """Runs the parts until SIGINT, SIGTERM or SIGHUP; everything that it started has ended when it returns.

    Raises:
        AlreadyUp: another one serves this home.
        GivenUp: a part ended again and again.
        UserError: something cannot be started; the message says what to do.
    """
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    targets = Targets.read(environ)
    name = "up" if set(wishes.parts) == set(PARTS) else f"up-{'-'.join(sorted(wishes.parts))}"
    lock = locks.alone(settings.home / f"{name}.lock")
    if lock is None:
        raise _already(settings.home, name)
    try:
        stop = _Stop()
        _Up(settings, wishes, environ, name).run(stop, targets)
    finally:
        (settings.home / f"{name}.json").unlink(missing_ok=True)
        lock.close()


class _Stop:
    """Whether somebody asked us to end."""

    def __init__(self) -> None:
        self.is_wanted = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self.is_wanted = True


class _Up:
    """One `sluice up`, from its start to its end."""

    def __init__(self, settings: Settings, wishes: Wishes, environ: Mapping[str, str], name: str) -> None:
        self.settings, self.wishes, self.environ, self.name = settings, wishes, environ, name
        self.home = settings.home
        self.crew = Crew(self.home / name, _say)
        self.cluster: embedded.Cluster | None = None
        self.address = ""
        self.door = ""
        self.password = ""
        self.ready = self.home / "logs" / "runner.ready"

    def run(self, stop: _Stop, targets: Targets) -> None:
        """Starts the parts, says where they are, watches them, ends them."""
        began = time.monotonic()
        self.crew.begin()
        try:
            _say(f"Starting {', '.join(self.wishes.parts)} …")
            self._choose_address()
            if "door" in self.wishes.parts:
                self.door = door.choose(self.wishes.door_host, self.wishes.door_port, _say)
            self._start_postgres()
            self._start_parts()
            if set(self.wishes.parts) != {"server"}:
                self._check()
            while not stop.is_wanted and not self._is_ready():
                self._look()
            if not stop.is_wanted:
                _say(f"Ready after {time.monotonic() - began:.0f} s.\n{self._where(targets)}")
            while not stop.is_wanted:
                self._look()
        finally:
            _say("Stopping …")
            self.crew.stop()
            self.ready.unlink(missing_ok=True)
            if self.cluster:
                embedded.stop(self.cluster)
        _say("Stopped. What is committed stays; the next start goes on from there.")

    def _choose_address(self) -> None:
        """Where the server is: the one that we start, or the one that PREFECT_API_URL names."""
        if "server" not in self.wishes.parts:
            api = self.environ.get("PREFECT_API_URL", "")
            if not api and not door.WITHOUT_PREFECT.issuperset(self.wishes.parts):
                raise ConfigError(
                    "PREFECT_API_URL", "it is not set", "the address of the Prefect server's API, ending in /api"
                )
            self.address = api.rstrip("/").removesuffix("/api")
            self.password = self.environ.get("PREFECT_API_AUTH_STRING") or prefect_server.ui_password(self.settings)
            return
        host, wanted = self.wishes.host, self.wishes.port
        port = next((port for port in ([wanted] if wanted else PORTS) if prefect_server.is_free(host, port)), None)
        if port is None:
            found = f"another program uses it on {host}, or the address is not of this machine"
            raise UserError(f"port {wanted or PORT}", found, fix="Name another one with --port")
        if wanted is None and port != PORT:
            _say(f"Port {PORT} is taken by another program: the Prefect UI is on {port} this time (--port chooses).")
        if host not in (LOOPBACK, "::1", "localhost"):
            _say(
                f"The Prefect UI listens on {host}, without encryption: let a proxy with TLS stand before it, and let "
                "nobody else reach the port."
            )
        reached = LOOPBACK if host in ("0.0.0.0", "::") else host  # noqa: S104 -- compared, not bound
        self.address = f"http://{f'[{reached}]' if ':' in reached else reached}:{port}"
        self.port = port
        self.password = prefect_server.ui_password(self.settings)
        state = {"pid": os.getpid(), "ui": self.address}
        (self.home / f"{self.name}.json").write_text(json.dumps(state), encoding="utf-8")

    def _start_postgres(self) -> None:
        """Starts, or joins, the embedded Postgres, if anything lives in it."""
        has_server = "server" in self.wishes.parts and self.settings.prefect_database_url is None
        if has_server or self.settings.database_url is None:
            self.cluster = embedded.start(self.home)

    def _start_parts(self) -> None:
        self.ready.parent.mkdir(exist_ok=True, mode=0o700)
        self.ready.unlink(missing_ok=True)
        programs = {
            "server": (prefect_server.command(self.wishes.host, getattr(self, "port", PORT)), self._for_server, 8.0),
            "runner": ([sys.executable, "-m", "flows.runner"], self._for_all, 8.0),
            "watcher": ([sys.executable, "-m", "flows.watcher"], self._for_all, 8.0),
            "door": (door.command(self.door), self._for_all, 10.0),
            "inbox": ([sys.executable, "-m", "flows.standin"], self._for_all, 8.0),
        }
        for name in PARTS:
            if name in self.wishes.parts:
                program, told, patience = programs[name]
                self.crew.start(Part(name, program, told, _log(self.home, name), patience))

    def _for_all(self) -> dict[str, str]:
        """What every part is told."""
        ambient = {name: value for name, value in self.environ.items() if name != "PREFECT_PROFILE"}
        path = os.pathsep.join(filter(None, [str(REPOSITORY), ambient.get("PYTHONPATH")]))
        told = prefect_server.environment(self.home, self.address, self.password)
        return {**ambient, **told, "SLUICE_HOME": str(self.home), "PYTHONPATH": path, READY: str(self.ready)}

    def _for_server(self) -> dict[str, str]:
        url = self.settings.prefect_database_url or (self.cluster.url("prefect") if self.cluster else "")
        return {**self._for_all(), **prefect_server.server_environment(url, self.password, self.environ)}

    def _check(self) -> None:
        """Says at once, not in a log, what is wrong with rules or database; meanwhile the server starts.

        Raises:
            Unusable: the rules say something impossible, or the database cannot be reached or migrated.
        """
        for arguments in (("config", "check"), ("db", "migrate")):
            command = [sys.executable, "-m", "flows.cli", *arguments]
            done = subprocess.run(command, env=self._for_all(), capture_output=True, text=True, check=False)
            if done.returncode:
                said = (done.stdout + done.stderr).strip().removeprefix("Error: ").rstrip(".")
                raise Unusable(f"sluice {' '.join(arguments)}", said, code=done.returncode)

    def _is_ready(self) -> bool:
        is_served = "runner" not in self.wishes.parts or self.ready.exists()
        is_open = "door" not in self.wishes.parts or door.answers(self.door)
        return is_served and is_open and ("server" not in self.wishes.parts or prefect_server.answers(self.address))

    def _look(self) -> None:
        """Starts again what has died; a Postgres that came back elsewhere takes the server along."""
        self.crew.watch()
        if self.cluster and (gone := locks.alone(self.home / "server.lock")):
            gone.close()
            _say("Postgres ended; it is started again.")
            before, self.cluster = self.cluster, embedded.start(self.home)
            before.close()
            if self.cluster.port != before.port:
                for part in ("server", "door", "inbox"):  # they keep the address that they were started with
                    self.crew.restart(part)
        time.sleep(PULSE)

    def _where(self, targets: Targets) -> str:
        lines: list[tuple[str, str]] = []
        if "server" in self.wishes.parts:
            kept = "as in SLUICE_UI_PASSWORD" if self.settings.ui_password else f"in {self.home / 'ui.password'}"
            lines += [("Prefect UI", self.address), ("its password", f"{kept} (the whole line)")]
        if "watcher" in self.wishes.parts:
            lines += [("drop files into", place) for place in _places(self.settings)]
        if "door" in self.wishes.parts:
            lines += [("post leads to", f"{self.door}/hooks/<source> and {self.door}/v1/leads")]
        if "runner" in self.wishes.parts:
            lines += [("alarms", targets.in_words)]
        lines += [
            ("leads", _database(self.settings.database_url, self.cluster)),
            ("logs", f"{self.home / 'logs'}"),
            ("to stop", "Ctrl-C"),
        ]
        return "\n".join(f"  {what:<16} {where}" for what, where in lines)


def _places(settings: Settings) -> list[str]:
    """The inboxes that are watched, with their sources' folders in them."""
    from sluice.bucket_rules import load_buckets

    places: list[str] = []
    for bucket in load_buckets(settings.config, settings.home).values():
        folder = bucket.folder
        if folder is not None:
            (folder / "inbox").mkdir(mode=0o700, parents=True, exist_ok=True)  # leads are nobody else's business
        places.append(f"{folder or bucket.url}/inbox/<source>/")
    return places


def _database(url: str | None, cluster: embedded.Cluster | None) -> str:
    if url:
        return "the Postgres that SLUICE_DATABASE_URL names"
    return f"Postgres {cluster.version if cluster else ''} of its own, started with this"


def _log(home: Path, name: str) -> Path:
    """The log of a part; a long one is put aside."""
    log = home / "logs" / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(f"{name}.log.1"))
    return log


def _already(home: Path, name: str) -> AlreadyUp:
    try:
        state = json.loads((home / f"{name}.json").read_text(encoding="utf-8"))
        found = f"`sluice up` runs already, as process {state['pid']}, with its Prefect UI at {state['ui']}"
    except (OSError, ValueError, KeyError):
        found = "`sluice up` runs already, or is just ending"
    return AlreadyUp(str(home), found, fix="Use that one, stop it with Ctrl-C, or set SLUICE_HOME to another folder")


def _say(text: str) -> None:
    print(text, flush=True)
