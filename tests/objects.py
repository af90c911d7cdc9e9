"""An S3 API on loopback: moto's server, behind a gate at which answers can be refused, cut or disturbed."""

from __future__ import annotations

import http.client
import os
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

REFUSAL = '<?xml version="1.0"?><Error><Code>{code}</Code><Message>made up for a test</Message></Error>'
NO_ANSWER = (0, "")
"""A refusal: the connection is closed, as when the network is gone."""


@dataclass
class Gate:
    """A proxy in front of the server.

    Attributes:
        refuse: of (method, path) the status and S3 error code to answer with, or `NO_ANSWER`, or None.
        before: told (method, path) before a request is passed on.
        cut_after: bytes of a body of a GET of an object after which the connection is closed.
    """

    url: str
    server: str
    refuse: Callable[[str, str], tuple[int, str] | None] = lambda method, path: None
    before: Callable[[str, str], object] = lambda method, path: None
    cut_after: int | None = None
    passed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        """What a process must be told to find it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "AKIAMADEUPFORATEST",
            "AWS_SECRET_ACCESS_KEY": "canary-secret-of-a-test",
        }

    def put(self, key: str, content: bytes, bucket: str = "leads") -> None:
        """Writes an object past the gate: under any name, and quick enough for thousands."""
        _backend().put_object(bucket, key, content)

    def clear(self, bucket: str = "leads") -> None:
        """Deletes all objects."""
        _backend().buckets[bucket].keys.clear()

    def delete(self, key: str, bucket: str = "leads") -> None:
        """Deletes an object, past the gate."""
        _backend().delete_object(bucket, key)

    def get(self, key: str, bucket: str = "leads") -> bytes:
        """Reads an object, past the gate."""
        return _backend().get_object(bucket, key).value

    def keys(self, bucket: str = "leads") -> list[str]:
        """The names of all objects."""
        return sorted(_backend().buckets[bucket].keys)


def _backend() -> Any:
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]


@contextmanager
def known(store: Gate, environ: pytest.MonkeyPatch) -> Generator[Gate]:
    """The server with an empty bucket, named in the environment as AWS names it; afterwards its gate is open again."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        environ.delenv(name)
    for name, text in store.environ.items():
        environ.setenv(name, text)
    yield store
    store.refuse, store.before, store.cut_after = (lambda *_: None), (lambda *_: None), None
    store.clear()


@contextmanager
def gated() -> Iterator[Gate]:
    """A server and its gate, both on free ports of 127.0.0.1, with the empty bucket `leads`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    proxy.daemon_threads = True
    gate = Gate(f"http://127.0.0.1:{proxy.server_port}", f"{host}:{port}")
    proxy.gate = gate  # pyright: ignore[reportAttributeAccessIssue]
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
    thread.start()
    try:
        _backend().create_bucket("leads", "eu-central-1")
        yield gate
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
        server.stop()
        gate.clear()
        _backend().delete_bucket("leads")  # the stores of a process are all one


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def _pass(self) -> None:
        gate: Gate = self.server.gate
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        gate.passed.append((self.command, self.path))
        if refusal := gate.refuse(self.command, self.path):
            status, code = refusal
            if refusal == NO_ANSWER:
                self.close_connection = True
                return
            self._answer(status, [("Content-Type", "application/xml")], REFUSAL.format(code=code).encode())
            return
        gate.before(self.command, self.path)
        connection = http.client.HTTPConnection(gate.server)
        headers = {name: text for name, text in self.headers.items() if name.lower() not in ("host", "connection")}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        said = answer.read()
        kept = [
            (name, text)
            for name, text in answer.getheaders()
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "server", "date")
        ]
        if self.command == "HEAD":
            kept.append(("Content-Length", answer.getheader("Content-Length") or "0"))
        connection.close()
        self._answer(answer.status, kept, said)

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        gate: Gate = self.server.gate
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        is_object = self.command == "GET" and "list-type" not in self.path
        if self.command == "HEAD":
            return
        if is_object and gate.cut_after is not None:
            self.wfile.write(body[: gate.cut_after])
            self.close_connection = True
            return
        self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""
