"""A Prefect server of our own, on the embedded Postgres, for as long as a process needs it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sluice.errors import UserError
from sluice.store import embedded

START_SECONDS = 120
STOP_SECONDS = 15


def environment(home: Path, port: int) -> dict[str, str]:
    """What Prefect is told: our server, our folder, no ambient profile, no telemetry."""
    return {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "sluice",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    }


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
        told = environment(home, port)
        log = home / "prefect-server.log"
        url = cluster.url("prefect").replace("postgresql://", "postgresql+asyncpg://")
        arguments = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        with log.open("ab") as output:
            process = subprocess.Popen(
                arguments,
                env={**os.environ, **told, "PREFECT_SERVER_DATABASE_CONNECTION_URL": url},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            _wait(process, told["PREFECT_API_URL"], log)
            yield told
        finally:
            _stop(process)


def _wait(process: subprocess.Popen[bytes], api: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{api}/health", timeout=2):  # noqa: S310 -- our own server on loopback
                return
        except (urllib.error.URLError, OSError):
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
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
