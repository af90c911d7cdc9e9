"""What the door answers: JSON, and problems as RFC 9457 writes them, with what is allowed and what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response

PROBLEM = "application/problem+json"
RETRY_SECONDS = 2
"""What `Retry-After` says when the door expects to work again soon."""

TITLES = {
    400: "The request is not as it must be",
    401: "Nobody vouches for the request",
    403: "The key may not do this",
    404: "There is no such thing",
    405: "The address does not take this method",
    408: "The request took too long to arrive",
    413: "The body is too large",
    422: "The request cannot be carried out",
    429: "Too many requests",
    431: "The head of the request is too large",
    500: "An error of ours",
    503: "Nothing can be stored at the moment",
}


class Refused(Exception):
    """The answer to a request that is not carried out.

    Args:
        status: HTTP status, one of `TITLES`.
        found: what was there; never a value that the sender gave.
        allowed: what may be there.
        fix: what to do.
        more: further members of the problem; `retry_after` (seconds) also becomes a header.
    """

    def __init__(self, status: int, found: str, allowed: str = "", fix: str = "", **more: Any) -> None:
        self.status, self.found, self.allowed, self.fix, self.more = status, found, allowed, fix, more
        super().__init__(status, found)

    def answer(self, where: str) -> Response:
        """The problem, about the place `where`."""
        said = {
            "type": "about:blank",
            "title": TITLES[self.status],
            "status": self.status,
            "detail": self.found,
            "instance": where,
        }
        said |= {name: text for name, text in (("allowed", self.allowed), ("fix", self.fix)) if text} | self.more
        headers = {"cache-control": "no-store"}
        if self.status == 401:
            headers["www-authenticate"] = 'Bearer realm="sluice"'
        if "retry_after" in self.more:
            headers["retry-after"] = str(self.more["retry_after"])
        return Response(as_json(said), self.status, headers, PROBLEM)


def unavailable(found: str, seconds: int = RETRY_SECONDS) -> Refused:
    """Nothing was stored, as far as we know; the sender may send the same again, which is stored once."""
    return Refused(503, found, fix="Send the same again later; it is stored once", retry_after=seconds)


def busy(found: str, seconds: int = 1) -> Refused:
    """The sender is too quick."""
    return Refused(429, found, fix="Send it again after the time in Retry-After", retry_after=seconds)


def answer(said: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer as JSON that nobody keeps."""
    return Response(as_json(said), status, {"cache-control": "no-store", **(headers or {})}, "application/json")


def as_json(said: Any) -> bytes:
    """JSON in UTF-8; times as ISO 8601."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), default=_as_text).encode("utf-8", "replace")


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
