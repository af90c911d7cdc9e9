"""An HTTP door of a test's own: a process, on a free port, with sources that are signed in several ways."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from sluice.settings import REPOSITORY
from sluice.store import api_keys
from sluice.store.embedded import Cluster
from sluice.store.engine import Database
from tests.conftest import create_database, open_database

SECRET = b"a-secret-that-only-the-provider-knows"
SCOPES = ("leads:write", "events:write", "receipts:read", "metrics:read")

SIGNED = """\
kind: form
description: A form whose provider signs
fields: {name: full_name, email: email}
form:
  signature: {scheme: hmac, secret: forms, header: x-signature, encoding: base64, prefix: sha256=}
  id: id
"""
TYPED = SIGNED.replace("header: x-signature, encoding: base64, prefix: sha256=", "header: x-hex")
META = """\
kind: form
description: A provider that asks first
form:
  signature: {scheme: hmac, secret: forms, header: x-hub, handshake: {kind: meta, secret: hello}}
"""
SECRETLESS = SIGNED.replace("secret: forms", "secret: nowhere")
IN_BODY = """\
kind: form
description: A provider whose key stands in the body
form:
  signature: {scheme: body_key, secret: forms, path: google_key}
  id: lead_id
"""
KEPT = ("files", "manual", "webinar")
"""Of the shipped sources those that stay; a test's own are beside them."""

SOURCES = {"signed": SIGNED, "typed": TYPED, "meta": META, "secretless": SECRETLESS, "inbody": IN_BODY}


@dataclass
class Door:
    """A door that runs, or ran."""

    database: Database
    home: Path
    config: Path
    port: int
    environ: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20, trust_env=False)

    @classmethod
    def made(cls, database: Database, folder: Path, environ: dict[str, str] | None = None, url: str = "") -> Door:
        """A door with rules and a home below a folder; not yet open."""
        shutil.copytree(REPOSITORY / "config", folder / "config")
        for path in (folder / "config" / "sources").glob("*.yml"):
            if path.stem not in KEPT:
                path.unlink()
        for name, text in SOURCES.items():
            (folder / "config" / "sources" / f"{name}.yml").write_text(text)
        (folder / "home" / "secrets").mkdir(parents=True)
        for name, secret in {"forms": SECRET, "hello": b"hello-token"}.items():
            path = folder / "home" / "secrets" / name
            path.touch(0o600)
            path.write_bytes(secret + b"\n")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        told = {
            "SLUICE_DATABASE_URL": url or database.url,
            "SLUICE_HOME": str(folder / "home"),
            "SLUICE_CONFIG": str(folder / "config"),
        }
        return cls(database, folder / "home", folder / "config", port, {**told, **(environ or {})})

    def open(self) -> Door:
        """Starts it, and waits until it answers."""
        with (self.home / "door.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flows.cli", "api", "--port", str(self.port)],
                env=os.environ | self.environ,
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: self.process is None or self.process.poll() is not None or self._answers())
        assert self.process.poll() is None, self.log
        return self

    def _answers(self) -> bool:
        try:
            return self.client.get("/health").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def log(self) -> str:
        """All that it has said."""
        return (self.home / "door.log").read_text()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ends it; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(20)
        self.client.close()
        return code

    def key(self, *scopes: str, **grant: Any) -> dict[str, str]:
        """The header with a new API key."""
        return {"Authorization": f"Bearer {self.key_text(*scopes, **grant)}"}

    def key_text(self, *scopes: str, **grant: Any) -> str:
        """A new API key."""
        return api_keys.create(self.database, api_keys.Grant("test", scopes or SCOPES, **grant))

    def post(self, path: str, body: bytes | Any, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        """Posts a body."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(path, content=content, headers=headers, **more)

    def signed(self, body: bytes | Any, source: str = "signed", secret: bytes = SECRET) -> httpx.Response:
        """Posts a body with the signature that the source declares."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.post(f"/hooks/{source}", content, signature(content, secret))

    def ask(self, sql: str) -> list[Any]:
        """The rows of a query, as tuples; of one column, its values."""
        with self.database.connection() as connection:
            found = [tuple(row) for row in connection.exec_driver_sql(sql)]
        return [row[0] for row in found] if found and len(found[0]) == 1 else found

    def raw(self, *parts: bytes, seconds: float = 5) -> socket.socket:
        """A connection on which some bytes were sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), seconds)
        for part in parts:
            connection.sendall(part)
        return connection


@contextmanager
def opened(
    cluster: Cluster, folder: Path, environ: dict[str, str] | None = None, rules: str | None = None
) -> Generator[Door]:
    """A door that is open, on a database of its own; for all tests of a module."""
    name = f"door_{os.urandom(4).hex()}"
    create_database(cluster, name, template="template_of_tests")
    with ExitStack() as undo:
        database = open_database(cluster, name)
        undo.callback(database.dispose)
        door = Door.made(database, folder, environ)
        undo.callback(door.client.close)
        if rules is not None:
            (door.config / "door.yml").write_text(rules)
        door.open()
        undo.callback(door.end)
        yield door


def signature(body: bytes, secret: bytes = SECRET) -> dict[str, str]:
    """The header of the source `signed`."""
    return {"X-Signature": "sha256=" + base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()}


def head(path: str, headers: dict[str, Any], lines: Sequence[str] = ()) -> bytes:
    """The head of a POST, for those who write HTTP by hand."""
    said = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        *(f"{name}: {value}" for name, value in headers.items()),
        *lines,
    ]
    return ("\r\n".join(said) + "\r\n\r\n").encode()


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """Status and the rest of one answer; 0 if the connection ended without any."""
    found = b""
    while b"\r\n\r\n" not in found and (part := connection.recv(65_536)):
        found += part
    before, _, rest = found.partition(b"\r\n\r\n")
    sizes = [line.split(b":")[1] for line in before.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while sizes and len(rest) < int(sizes[0]) and (part := connection.recv(65_536)):
        rest += part
    return (int(before.split()[1]), before + b"\r\n\r\n" + rest) if before else (0, b"")


def until(is_so: Any, seconds: float = 20) -> Any:
    """Waits until something is so; what it was."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := is_so():
            return found
        time.sleep(0.05)
    pytest.fail(f"it was not so for {seconds} s")
