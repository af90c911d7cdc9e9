"""Connections that waste no time of others: a request must arrive within a time, and its head has a size.

uvicorn has no such limits (https://github.com/Kludex/uvicorn/issues/157): `timeout_keep_alive` starts only after an
answer, and the first byte that follows takes it away for good.
"""

from __future__ import annotations

from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sluice.api.answers import Refused

HEAD_BYTES = 64 << 10
"""The longest head of a request, its URL included; most are below a thousand bytes."""

DRAIN_BYTES = 8 << 20
"""What is read, and thrown away, after an answer that came before the end of its request: so the sender sees it."""

GRACE = 5.0
"""Seconds beyond the time for a body, in which the door itself says that it was too slow."""


class DoorConfig(uvicorn.Config):
    """uvicorn's, with the limits of the door.

    Args:
        head_seconds: until a request's head must be there.
        body_seconds: until its body must be there.
        most_connections: further ones are told to come again.
    """

    def __init__(self, *, head_seconds: float, body_seconds: float, most_connections: int, **more: Any) -> None:
        super().__init__(http=DoorProtocol, loop="uvloop", ws="none", **more)
        self.head_seconds, self.body_seconds, self.most_connections = head_seconds, body_seconds, most_connections


class DoorProtocol(HttpToolsProtocol):
    """A connection with a time until which the request that has begun must be there."""

    deadline: float | None = None
    _head_bytes = 0
    _is_in_head = True
    _unread_bytes = 0

    @property
    def _limits(self) -> DoorConfig:
        return cast("DoorConfig", self.config)

    def connection_made(self, transport: Any) -> None:
        """Begins to wait for the first head."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.most_connections:
            self._leave(Refused(503, "too many connections are open", retry_after=1))
            return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Reads on; a head that grows without end is refused."""
        if self.transport.is_closing():
            return
        if self._is_in_head:
            if self.deadline is None:  # a further request on this connection
                self._await_head()
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES + (1 << 18) or (self._head_bytes > HEAD_BYTES and b"\r\n\r\n" not in data):
                self._leave(Refused(431, "the head is longer than 64 KiB", "a shorter head"))
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """The head is there: now the body has its time."""
        self._is_in_head = False
        self.deadline = self.loop.time() + self._limits.body_seconds + GRACE
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Takes a part of the body; of one that was answered already only so much."""
        if self.cycle.response_complete:
            self._unread_bytes += len(body)
            if self._unread_bytes > DRAIN_BYTES:
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there."""
        self.deadline = None
        self._is_in_head, self._head_bytes, self._unread_bytes = True, 0, 0
        super().on_message_complete()

    def close_if_late(self, now: float) -> None:
        """Closes a connection whose request is not there in time."""
        if self.deadline is not None and now > self.deadline and not self.transport.is_closing():
            self.transport.close()

    def _await_head(self) -> None:
        self.deadline = self.loop.time() + self._limits.head_seconds

    def _leave(self, refused: Refused) -> None:
        said = refused.answer("")
        head = "".join(f"{name}: {value}\r\n" for name, value in said.headers.items())
        line = f"HTTP/1.1 {said.status_code} {'Unavailable' if said.status_code == 503 else 'Refused'}\r\n"
        self.transport.write(f"{line}{head}connection: close\r\n\r\n".encode() + bytes(said.body))
        self.transport.close()


class DoorServer(uvicorn.Server):
    """uvicorn's server, which looks at all connections once a second."""

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        if counter % 10 == 0 and self.server_state.connections:
            connections = [one for one in self.server_state.connections if isinstance(one, DoorProtocol)]
            for connection in connections:
                connection.close_if_late(connection.loop.time())
        return await super().on_tick(counter)
