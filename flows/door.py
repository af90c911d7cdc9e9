"""The HTTP door as a part of `sluice up`: where it listens, and whether it answers."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from urllib.parse import urlsplit

from flows.prefect_server import LOOPBACK, is_free
from sluice.errors import UserError

PORT, PORTS = 4280, range(4280, 4380)

WITHOUT_PREFECT = frozenset({"door", "inbox"})
"""Parts that work where no Prefect server is."""


def choose(host: str, wanted: int | None, tell: Callable[[str], None]) -> str:
    """The address of the door; told, where it is not the usual one.

    Raises:
        UserError: no port is free there, or the address is not of this machine.
    """
    port = next((port for port in ([wanted] if wanted else PORTS) if is_free(host, port)), None)
    if port is None:
        found = f"another program uses it on {host}, or the address is not of this machine"
        raise UserError(f"port {wanted or PORT}", found, fix="Name another one with --door-port")
    if wanted is None and port != PORT:
        tell(f"Port {PORT} is taken by another program: the HTTP door is on {port} this time (--door-port chooses).")
    if host not in (LOOPBACK, "::1", "localhost"):
        tell(f"The HTTP door listens on {host}, without encryption: let a proxy with TLS stand before it.")
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def command(address: str) -> list[str]:
    """The program that serves an address."""
    place = urlsplit(address)
    host, port = place.hostname or LOOPBACK, str(place.port or PORT)
    return [sys.executable, "-m", "flows.cli", "api", "--host", host, "--port", port]


def answers(address: str) -> bool:
    """Whether the door of an address takes requests."""
    reached = address.replace("://0.0.0.0:", "://127.0.0.1:").replace("://[::]:", "://[::1]:")  # all addresses
    try:
        with urllib.request.urlopen(f"{reached}/health", timeout=2):  # noqa: S310 -- our own server
            return True
    except (urllib.error.URLError, OSError):
        return False
