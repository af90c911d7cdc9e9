"""The HTTP door as a process: uvicorn with our limits, until somebody ends it."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from types import FrameType

from sluice.api import log
from sluice.api.app import create_app
from sluice.api.door import opened
from sluice.api.protocol import DoorConfig, DoorServer
from sluice.errors import UserError
from sluice.settings import Settings

LOOPBACK = "127.0.0.1"
PORT, PORTS = 4280, range(4280, 4380)
BACKLOG = 2_048

KEEP_ALIVE = 75
"""Seconds that an idle connection stays open: longer than proxies and programs keep theirs (60 s at most by default),
since a post on a connection that we are just closing is reset, and nobody sends it again by itself."""

TERMINATED = 143

SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter while another waits: with Python's 5 ms there are a third fewer posts."""

SPARE_FILES = 64
"""Files that are open besides connections."""

MOST_FILES = 1 << 16
"""Files that a door may have open, where the machine lets it: idle connections count, too."""


def serve(
    settings: Settings,
    place: tuple[str, int | None],
    tell: Callable[[str], None],
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Serves until SIGINT or SIGTERM; what was acknowledged is stored.

    Args:
        settings: where the database and the rules are.
        place: the host to listen on, and the port; None for 4280, or the next free one.
        tell: told the address as soon as it is served.
        environ: secrets and trusted proxies.

    Raises:
        UserError: the port is taken.
        ConfigError, DatabaseUnavailable: said plainly.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    signal.signal(signal.SIGTERM, _leave)  # uvicorn hands it on when it has ended
    with contextlib.closing(listener(*place)) as listening, opened(settings, environ) as door:
        limits = door.limits()
        config = DoorConfig(
            head_seconds=limits.head_seconds,
            body_seconds=limits.body_seconds,
            most_connections=_open_files() - SPARE_FILES,
            app=create_app(door),
            log_config=log.CONFIG,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            lifespan="off",
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=8,
        )
        host, port = listening.getsockname()[:2]
        log.say("open", port=port)
        tell(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        gc.freeze()  # what is loaded stays: looking through it for garbage held posts up for 100 ms now and then
        DoorServer(config).run([listening])


def listener(host: str, port: int | None) -> socket.socket:
    """A socket that listens.

    Raises:
        UserError: no port is free there, or the address is not of this machine.
    """
    for wanted in PORTS if port is None else [port]:
        with contextlib.suppress(OSError):
            return _listening(host, wanted)
    found = f"another program uses it on {host}, or the address is not of this machine"
    raise UserError(f"port {PORT if port is None else port}", found, fix="Name another one with --port")


def _open_files() -> int:
    """How many files this process may have open, raised as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft < most:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(TERMINATED)
