"""A way to Postgres that can be cut: it swallows the answer to a COMMIT, so that nobody knows whether it happened."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

SIZE = 1 << 16
COMMIT = b"COMMIT"


@dataclass
class Proxy:
    """A listener on 127.0.0.1 that passes everything on to a server, until it is told not to.

    Attributes:
        port: where it listens.
        is_lost: asked at each COMMIT, with what clients said since the one before, whether its answer is to be lost.
        commits: how many there were.
        lost: how many answers were lost.
        is_open: False refuses new connections, as a server does that is not there.
    """

    server: tuple[str, int]
    is_lost: Callable[[bytes], bool] = lambda said: False
    port: int = 0
    commits: int = 0
    lost: int = 0
    is_open: bool = True
    _said: bytes = b""
    _pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)

    def url(self, direct: str) -> str:
        """The URL of a database, by way of this proxy."""
        return direct.replace(f"{self.server[0]}:{self.server[1]}", f"127.0.0.1:{self.port}")

    def cut(self) -> None:
        """Breaks all connections that there are."""
        for pair in self._pairs:
            for end in pair:
                _shut(end)

    def serve(self, listener: socket.socket) -> None:
        """Takes connections until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                if not self.is_open:
                    client.close()
                    continue
                pair = client, socket.create_connection(self.server)
                self._pairs.append(pair)
                swallow = threading.Event()
                for source, sink in (pair, pair[::-1]):
                    threading.Thread(target=self._pass_on, args=(source, sink, client, swallow), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, client: socket.socket, swallow: Any) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(SIZE):
                self._said += block if source is client else b""
                if source is client and COMMIT in block:
                    self.commits, said, self._said = self.commits + 1, self._said, b""
                    if self.is_lost(said):
                        swallow.set()  # before it is passed on: the answer may be quicker than we are
                elif source is not client and swallow.is_set():
                    self.lost += 1
                    break
                sink.sendall(block)
        for end in (source, sink):
            _shut(end)


def _shut(end: socket.socket) -> None:
    """Ends both directions; `close` alone would leave a thread that reads from it, and its peer, waiting."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxied(direct: str) -> Generator[Proxy]:
    """A proxy before the server of a URL."""
    parts = urlsplit(direct)
    proxy = Proxy((parts.hostname or "127.0.0.1", parts.port or 5432))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.port = listener.getsockname()[1]
        accepting = threading.Thread(target=proxy.serve, args=(listener,), daemon=True)
        accepting.start()
        try:
            yield proxy
        finally:
            _shut(listener)
            proxy.cut()
            accepting.join(5)
            for end in (end for pair in proxy._pairs for end in pair):
                end.close()
