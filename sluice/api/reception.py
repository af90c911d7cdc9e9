"""What every request passes first: how many there may be, how large and how slow, and what its answer always has."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sluice.api.answers import Refused, unavailable
from sluice.api.log import frames, say
from sluice.api.rules import DoorRules

_ALWAYS = [(b"x-content-type-options", b"nosniff")]
_CORS = [
    (b"vary", b"Origin"),
    (b"access-control-expose-headers", b"Idempotency-Replayed, Retry-After"),
]


class Reception:
    """Counts what is in the door at a time, and reads bodies.

    Args:
        rules: what is allowed at the moment.
    """

    def __init__(self, rules: Callable[[], DoorRules]) -> None:
        self._rules = rules
        self.in_flight = 0
        self.buffered = 0

    async def body(self, request: Request) -> bytes:
        """The whole body of a request, and `request.scope["held"]` bytes more in the door until it is answered.

        Raises:
            Refused: 413, 408, or 503 while too much is in the door.
            ClientDisconnect: the sender left before the end; nothing of it is kept.
        """
        rules = self._rules()
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > rules.body_bytes:
            raise _too_large(rules)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(rules.body_seconds):
                async for part in request.stream():
                    size += len(part)
                    if size > rules.body_bytes:  # a chunked body says nothing of its length before
                        raise _too_large(rules)
                    self._hold(request, len(part), rules)
                    parts.append(part)
        except TimeoutError:
            fix = "Send it faster, or in smaller parts"
            raise Refused(408, "The body did not arrive in time", f"{rules.body_seconds:g} s", fix) from None
        return b"".join(parts)

    def _hold(self, request: Request, size: int, rules: DoorRules) -> None:
        if self.buffered + size > rules.buffered_bytes:
            raise unavailable("Too much is being received at the moment", 1)
        self.buffered += size
        request.scope["held"] = request.scope.get("held", 0) + size


def _too_large(rules: DoorRules) -> Refused:
    return Refused(413, "The body is too large", f"{rules.body_bytes:,} bytes", "Send several smaller requests")


class Threshold:
    """The outermost layer: limits, answers to errors, headers that every answer has.

    Args:
        app: what answers requests.
        reception: counts them.
        rules: what is allowed at the moment.
        lists: whether pages of a website may read answers.
    """

    def __init__(
        self, app: ASGIApp, reception: Reception, rules: Callable[[], DoorRules], lists: Callable[[str], bool]
    ) -> None:
        self._app, self._reception, self._rules, self._lists = app, reception, rules, lists

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reply = _Reply(send, lambda: self._headers(scope))
        reception = self._reception
        if reception.in_flight >= self._rules().in_flight and scope["path"] not in ("/health", "/ready", "/metrics"):
            await unavailable("Too many requests are in the door", 1).answer(scope["path"])(scope, receive, reply)
            return
        reception.in_flight += 1
        try:
            await self._app(scope, receive, reply)
        except ClientDisconnect:
            pass
        except Exception as error:
            say("internal error", logging.ERROR, route=getattr(scope.get("route"), "path", ""), **frames(error))
            if not reply.has_begun:
                refused = Refused(500, "Nothing is wrong with the request", fix="Please report it")
                await refused.answer(scope["path"])(scope, receive, reply)
        finally:
            reception.in_flight -= 1
            reception.buffered -= scope.get("held", 0)

    def _headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        if origin is None or not self._lists(origin.decode("latin-1")):
            return _ALWAYS
        return [*_ALWAYS, *_CORS, (b"access-control-allow-origin", origin)]


class _Reply:
    """Sends an answer with further headers, and knows whether it has begun.

    Args:
        headers: asked when the answer begins: while it was made, the keys may have been read anew.
    """

    def __init__(self, send: Send, headers: Callable[[], list[tuple[bytes, bytes]]]) -> None:
        self._send, self._headers = send, headers
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            message["headers"] = [*message["headers"], *self._headers()]
        await self._send(message)
