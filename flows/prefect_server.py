"""A Prefect server of our own: what it and its clients are told, and one for as long as a process needs it."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sluice.errors import UserError
from sluice.settings import Settings
from sluice.store import embedded

START_SECONDS = 120
STOP_SECONDS = 15
LOOPBACK = "127.0.0.1"

RETENTION = {
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",  # without it, runs are kept for ever
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(60 * 86_400),  # of ended runs, with logs and artifacts
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P14D",
}
"""How long Prefect remembers: seconds, or ISO 8601; what became of leads is in the ledger and does not expire."""


def environment(home: Path, address: str, password: str) -> dict[str, str]:
    """What everybody who talks to the server is told: no ambient profile, no telemetry, one password."""
    return {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_URL": f"{address}/api",
        "PREFECT_API_AUTH_STRING": password,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "sluice",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_LOGGING_COLORS": "false",
        "PREFECT_CLIENT_RETRY_EXTRA_CODES": "500",  # what the server says while its database starts again
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # the automation "zombie run" reckons with it
    }


def server_environment(database_url: str, password: str, ambient: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the server alone is told; how long it remembers may be set from outside.

    Args:
        database_url: a Postgres URL of Prefect's own database.
        password: what the UI and the API ask for.
        ambient: where other periods of `RETENTION` may be stated.
    """
    place = database_url.partition("://")[2].replace("sslmode=", "ssl=")  # as asyncpg calls it
    return {
        **{name: ambient.get(name, value) for name, value in RETENTION.items()},
        "PREFECT_SERVER_API_AUTH_STRING": password,
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://{place}",
        "PREFECT_SERVER_UI_API_URL": "/api",  # by whatever name the server is reached
        "PREFECT_SERVER_UI_V2_ENABLED": "false",  # that one talks to a tracking service, whatever is set
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    }


def command(host: str, port: int) -> list[str]:
    """The program that serves; what is secret is in its environment, where other users do not see it."""
    return [sys.executable, "-m", "prefect", "server", "start", "--host", host, "--port", str(port)]


def ui_password(settings: Settings) -> str:
    """What the UI asks for: as set, else made once and kept in `home/ui.password`, readable by its owner only."""
    if settings.ui_password:
        return settings.ui_password
    path = settings.home / "ui.password"
    if not path.exists():
        settings.home.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"ui.password.{os.getpid()}")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"sluice:{secrets.token_urlsafe(18)}\n")
        with contextlib.suppress(FileExistsError):  # another process was quicker: its password holds
            os.link(unfinished, path)
        unfinished.unlink()
    return path.read_text(encoding="utf-8").strip()


def answers(address: str) -> bool:
    """Whether the server of an address takes requests."""
    try:
        with urllib.request.urlopen(f"{address}/api/health", timeout=2):  # noqa: S310 -- our own server
            return True
    except (urllib.error.URLError, OSError):
        return False


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@contextmanager
def running(home: Path) -> Generator[dict[str, str]]:
    """Runs a Prefect server on a free port of 127.0.0.1, with its database beside that of the leads.

    Yields:
        The environment under which a flow talks to it.

    Raises:
        UserError: it did not come up; the log says why.
    """
    with embedded.running(home) as cluster:
        port = _free_port()
        password = ui_password(Settings.read({"SLUICE_HOME": str(home)}))
        told = environment(home, f"http://{LOOPBACK}:{port}", password)
        log = home / "prefect-server.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                command(LOOPBACK, port),
                env={**os.environ, **told, **server_environment(cluster.url("prefect"), password)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            wait(f"http://{LOOPBACK}:{port}", log, lambda: process.poll() is None)
            yield told
        finally:
            _stop(process)


def wait(address: str, log: Path, lives: Callable[[], bool]) -> None:
    """Waits until the server answers.

    Raises:
        UserError: it ended, or took too long.
    """
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and lives():
        if answers(address):
            return
        time.sleep(0.2)
    raise UserError("the Prefect server", "it did not come up", fix=f"Read {log}, mend what it says, and try again")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
