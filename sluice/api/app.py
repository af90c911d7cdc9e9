"""The addresses of the HTTP door, and what is answered where something is wrong."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from sluice.api import events, health, hooks, leads
from sluice.api.answers import TITLES, Refused
from sluice.api.door import Door
from sluice.api.log import frames, say
from sluice.api.reception import Threshold
from sluice.errors import DatabaseUnavailable

DESCRIPTION = Path(__file__).with_name("openapi.yml")
"""What the door promises, written by hand; tests compare it with what the door does."""

_PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "Authorization, Content-Type, Idempotency-Key",
    "access-control-max-age": "600",
}

_Answer = Callable[[Request, Exception], Awaitable[Response]]


def create_app(door: Door) -> ASGIApp:
    """The door as an ASGI application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url="/openapi.json", redirect_slashes=False)
    app.openapi = description
    _add_routes(app, door)
    _answer_mistakes(app, door)
    return Threshold(app, door.reception, door.limits, door.keys.lists)


@cache
def description() -> dict[str, Any]:
    """The OpenAPI description."""
    return yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))


def _add_routes(app: FastAPI, door: Door) -> None:
    """The addresses; plain routes, for what FastAPI would do for a parameter costs more than all that we do."""

    async def post_form(request: Request) -> Response:
        return await hooks.post(door, request, request.path_params["source"])

    async def greet(request: Request) -> Response:
        return hooks.greet(door, request, request.path_params["source"])

    async def post_leads(request: Request) -> Response:
        return await leads.post(door, request)

    async def post_events(request: Request) -> Response:
        return await events.post(door, request)

    async def get_receipt(request: Request) -> Response:
        return await leads.receipt(door, request, request.path_params["receipt"])

    async def get_health(_request: Request) -> Response:
        return health.health()

    async def get_ready(request: Request) -> Response:
        return await health.ready(door, request)

    async def get_metrics(request: Request) -> Response:
        return await health.metrics(door, request)

    async def preflight(request: Request) -> Response:
        return await _preflight(door, request)

    routes: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
        ("POST", "/hooks/{source}", post_form),
        ("GET", "/hooks/{source}", greet),
        ("POST", "/v1/leads", post_leads),
        ("POST", "/v1/events", post_events),
        ("GET", "/v1/receipts/{receipt}", get_receipt),
        ("GET", "/health", get_health),
        ("GET", "/ready", get_ready),
        ("GET", "/metrics", get_metrics),
        ("OPTIONS", "/hooks/{source}", preflight),
        ("OPTIONS", "/v1/leads", preflight),
        ("OPTIONS", "/v1/events", preflight),
    ]
    for method, path, endpoint in routes:
        app.add_route(path, endpoint, methods=[method], include_in_schema=False)


async def _preflight(door: Door, request: Request) -> Response:
    """Answers a browser that asks before it posts; it sends no key, so any key that lists the website is enough."""
    origin = request.headers.get("origin", "")
    if door.keys.takes_look(origin):
        await door.ask(door.keys.refresh)
    if not door.keys.lists(origin):
        raise Refused(403, "No key lists this website", fix="Create a key with its origin: `sluice key create`")
    return Response(status_code=204, headers=_PREFLIGHT)


def _answer_mistakes(app: FastAPI, door: Door) -> None:
    """Every answer to something wrong is a problem as RFC 9457 writes it."""

    async def refuse(request: Request, error: Exception) -> Response:
        refused = error if isinstance(error, Refused) else Refused(500, "Nothing is wrong with the request")
        door.metrics.refusal(refused.status)
        said = refused.answer(request.url.path)
        if refused.status == 408 or (refused.status == 413 and "expect" in request.headers):
            said.headers["connection"] = "close"  # what is left of the body, if it ever comes, is nothing to us
        return said

    async def unknown(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = (error.headers or {}) if isinstance(error, HTTPException) else {}
        found = {404: "There is no such address", 405: "The address does not take this method"}
        status = status if status in TITLES else 400
        said = Refused(status, found.get(status, TITLES[status])).answer(request.url.path)
        door.metrics.refusal(status)
        said.headers.update(headers)
        return said

    async def away(request: Request, error: Exception) -> Response:
        say("cannot ask", logging.ERROR, **frames(error))
        return await refuse(request, Refused(503, "The database does not answer", retry_after=2))

    handlers: list[tuple[type[Exception], _Answer]] = [
        (Refused, refuse),
        (HTTPException, unknown),
        (DatabaseUnavailable, away),
    ]
    for kind, handler in handlers:
        app.add_exception_handler(kind, handler)
