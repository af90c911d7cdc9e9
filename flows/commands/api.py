"""`sluice api` and `sluice key`: the HTTP door alone, and the keys that open it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

import typer

from flows.commands import opening
from flows.commands.terminal import bare, say, show, show_json, table

app = typer.Typer(help="Keys of the HTTP API.", no_args_is_help=True, rich_markup_mode=None)

Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[
    int | None, typer.Option("--port", min=1, max=65_535, help="Port to listen on; 4280, or the next free one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def api(host: Host = "127.0.0.1", port: Port = None) -> None:
    """Run the HTTP door alone, until Ctrl-C: it stores what is posted; `sluice up` or another machine works it.

    It speaks HTTP without encryption: let a proxy with TLS stand before it, and name that in SLUICE_TRUSTED_PROXIES.
    """
    from sluice.api import server

    server.serve(opening.settings(), (host, port), lambda address: say(f"The HTTP door is open at {address}"))


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Of whom it is, such as a program or a website.")],
    scope: Annotated[
        list[str],
        typer.Option("--scope", help="leads:write, events:write, receipts:read or metrics:read; may be repeated."),
    ],
    source: Annotated[
        str | None, typer.Option("--source", help="The only source that it may write to; a declared one.")
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            "--origin", help="Website whose pages may use it, such as https://www.example.com; then it is no secret."
        ),
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="How long it is valid; for ever without it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it: once, for only its hash is kept."""
    from sluice.store import api_keys

    grant = api_keys.Grant(
        name=name,
        scopes=_scopes(scope),
        source=_source(source),
        origins=[_origin(text) for text in origin or []],
        expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
    )
    with opening.ledger() as database:
        key = api_keys.create(database, grant)
    if as_json:
        show_json({"key": key, "key_id": key.split("_")[1]})
        return
    print(key)
    say(
        "Keep it as you keep a password; it is not shown again." if not grant.origins else "It may stand in your pages."
    )


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show all keys: whose they are and what they may do, not the keys themselves."""
    from sluice.store import api_keys

    with opening.ledger() as database:
        keys = api_keys.every(database)
    if as_json:
        names = ("key_id", "name", "source", "created_at", "expires_at", "revoked_at")
        show_json(
            [
                {
                    **{name: getattr(key, name) for name in names},
                    "scopes": sorted(key.scopes),
                    "origins": sorted(key.origins),
                }
                for key in keys
            ]
        )
        return
    now = datetime.now(UTC)
    lines = [
        (
            key.key_id,
            key.name,
            "valid" if key.is_valid(now) else "revoked" if key.revoked_at else "expired",
            ", ".join(sorted(key.scopes)),
            key.source or "every",
            ", ".join(sorted(key.origins)),
            f"{key.expires_at:%Y-%m-%d}" if key.expires_at else "",
        )
        for key in keys
    ]
    show(table(("id", "name", "state", "scopes", "source", "websites", "until"), lines))


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, as `sluice key list` shows it.")]) -> None:
    """End a key for good; the HTTP door refuses it within ten seconds."""
    from sluice.store import api_keys

    with opening.ledger() as database:
        api_keys.revoke(database, key_id)
    show(f"Key {bare(key_id)} is revoked.")


def _scopes(named: list[str]) -> list[str]:
    from sluice.errors import UserError
    from sluice.store.api_keys import SCOPES

    if wrong := [scope for scope in named if scope not in SCOPES]:
        raise UserError("--scope", f"there is no scope {wrong[0]!r}", ", ".join(SCOPES))
    return sorted(set(named))


def _source(named: str | None) -> str | None:
    from sluice.criteria import suggest
    from sluice.errors import NotFound, UserError
    from sluice.profiles import names_of_sources

    if named is None:
        return None
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", named):
        raise UserError("--source", f"{named!r} cannot be the name of a source", "a-z, 0-9, - and _, at most 63")
    config = opening.settings().config
    declared = names_of_sources(config)
    if named not in declared:
        found = f"there is no {named}.yml in {config / 'sources'}{suggest(named, declared)}".rstrip("?")
        raise NotFound(f"source {named!r}", found, ", ".join(declared), "Name one of these, or declare it first")
    return named


def _origin(text: str) -> str:
    """A website as browsers name it: scheme, host and port."""
    from sluice.errors import UserError

    parts = urlsplit(text.rstrip("/").lower())
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.path or parts.query or "@" in parts.netloc:
        raise UserError("--origin", f"{text!r} is no origin", "https://www.example.com, without a path")
    return f"{parts.scheme}://{parts.netloc}"
