"""Who vouches for a request: an API key, or the signature of a declared source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from starlette.requests import Request

from sluice.api.answers import Refused, unavailable
from sluice.api.door import Door
from sluice.api.keys import sender
from sluice.api.metrics import OTHER
from sluice.errors import ConfigError
from sluice.form_rules import Form
from sluice.sources.forms.refusal import Unauthenticated
from sluice.sources.forms.requests import Posted
from sluice.sources.forms.signatures import challenge, verify
from sluice.store.api_keys import KEY, ApiKey, Scope

MOST_PARAMETERS = 200
SLOW_RETRY = 300
"""Seconds after which a sender may try again when somebody must mend the configuration first."""

_KEY_FIELD = re.compile(
    rb"""(?:^|&)key=(sluice_[a-z0-9]{8}_[A-Za-z0-9_-]{43})(?=&|\s*$)"""
    rb"""|name="?key"?\r\n\r\n(sluice_[a-z0-9]{8}_[A-Za-z0-9_-]{43})\r\n"""
)
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True)
class Voucher:
    """Who vouches.

    Attributes:
        by: `key:<id>` or `signature:<scheme>`.
        key: None for a signature.
        secrets: what must not be stored.
    """

    by: str
    key: ApiKey | None = None
    secrets: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def is_public(self) -> bool:
        """Whether anybody who reads a web page can vouch so."""
        return self.key is not None and self.key.is_public


def posted(request: Request, body: bytes, door: Door) -> Posted:
    """The request as the adapters of sources take it."""
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in request.headers.items():
        headers[name] = (*headers.get(name, ()), value)
    query: dict[str, tuple[str, ...]] = {}
    for name, value in _pairs(request.scope["query_string"].decode("latin-1")):
        query[name] = (*query.get(name, ()), value)
    return Posted(body, headers, query, address(request, door))


def address(request: Request, door: Door) -> str:
    """The sender's address."""
    peer = request.client.host if request.client else ""
    return sender(peer, ",".join(request.headers.getlist("x-forwarded-for")), door.proxies)


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS) if query else []
    except ValueError:
        raise Refused(400, "The URL has too many parameters", f"at most {MOST_PARAMETERS}") from None


async def key_of(door: Door, arrived: Posted, *, in_form: bool = False) -> tuple[ApiKey | None, str]:
    """The valid API key of a request, and its text; "" if it brings none at all.

    Args:
        door: knows the keys.
        arrived: the request.
        in_form: whether the key may also be a parameter of the URL, or a field of the form.

    Raises:
        Refused: 503, the keys cannot be looked up.
    """
    scheme, _, text = next(iter(arrived.headers.get("authorization", ())), "").partition(" ")
    text = text.strip() if scheme.lower() == "bearer" and len(arrived.headers["authorization"]) == 1 else ""
    if in_form and not KEY.fullmatch(text):
        text = _key_in_form(arrived)
    if not KEY.fullmatch(text):
        return None, text
    if door.keys.needs_look(text):
        await door.look_at_keys()
    return door.keys.find(text), text


def _key_in_form(arrived: Posted) -> str:
    """A plain HTML form can send no header: its key is a hidden field, or a parameter of the URL it posts to."""
    text = next(iter(arrived.query.get("key", ())), "")
    if not text and arrived.content_type.startswith(_FORMS):
        found = _KEY_FIELD.search(arrived.body)
        text = (found[1] or found[2]).decode("ascii") if found else ""
    return text


def allowed(key: ApiKey, scope: Scope, arrived: Posted, source: str | None = None) -> None:
    """Passes a key that may do what it is used for.

    Raises:
        Refused: 403.
    """
    if scope not in key.scopes:
        raise Refused(403, "The key lacks a scope", scope, "Create a key with this scope: `sluice key create`")
    if source is not None and key.source not in (None, source):
        raise Refused(403, "The key is for another source", fix="Post to its own source, or use another key")
    origin = next(iter(arrived.headers.get("origin", ())), None)
    if key.is_public and origin is not None and origin not in key.origins:
        raise Refused(403, "The page is of a website that the key does not list", fix="Add its origin to a new key")


async def keyholder(door: Door, arrived: Posted, scope: Scope | None = None) -> ApiKey:
    """The API key of a request, if it may do what it asks for.

    Raises:
        Refused: 401, 403, or 503 if keys cannot be looked up.
    """
    key, text = await key_of(door, arrived)
    if key is None:
        raise _stranger(door, OTHER, "key.unknown" if text else "key.missing")
    if scope is not None:
        allowed(key, scope, arrived)
    return key


async def vouched(door: Door, source: str, arrived: Posted) -> Voucher:
    """Who vouches for a post to a source.

    Raises:
        Refused: 401, 403, or 503 while nobody can tell.
    """
    key, text = await key_of(door, arrived, in_form=True)
    if key is not None:
        allowed(key, "leads:write", arrived, source)
        return Voucher(f"key:{key.key_id}", key, (text.encode(),))
    form = form_of(door, source)
    if form is None:
        raise _stranger(door, OTHER, "key.unknown" if text else "source.unknown")
    secrets = _secrets(door, source, form.signature.secret)
    try:
        verify(arrived, form.signature, secrets, datetime.now(UTC))
    except Unauthenticated as error:
        raise _stranger(door, source, error.code) from None
    return Voucher(f"signature:{form.signature.scheme}", None, secrets)


def greeted(door: Door, source: str, arrived: Posted) -> str:
    """The answer to a provider that asks whether the address is ours.

    Raises:
        Refused: 401, or 503 while nobody can tell.
    """
    form = form_of(door, source)
    if form is None or form.signature.handshake is None:
        raise _stranger(door, OTHER, "handshake.none")
    try:
        return challenge(arrived, form.signature, _secrets(door, source, form.signature.handshake.secret))
    except Unauthenticated as error:
        raise _stranger(door, source, error.code) from None


def form_of(door: Door, source: str) -> Form | None:
    """What a declared source says of its forms."""
    rules = door.rules.profile.sources.get(source)
    return rules.form if rules else None


def _secrets(door: Door, source: str, name: str | None) -> tuple[bytes, ...]:
    """The source's secrets; without them nobody is let in, and the sender tries again when they are there."""
    if name is None:
        return ()
    try:
        return door.keyring.secrets(name)
    except ConfigError as error:
        door.tally.add(source, "secret.missing")
        door.complain(source, str(error))
        raise unavailable("The source has no usable secret yet", SLOW_RETRY) from None


def _stranger(door: Door, source: str, code: str) -> Refused:
    """Why is logged, for the owner of the source; a stranger is told that he is refused."""
    door.tally.add(source, code)
    fix = "Sign the request as the source declares, or send an API key: Authorization: Bearer sluice_…"
    return Refused(401, "Neither a signature nor a key vouches for the request", fix=fix)


def header(headers: Mapping[str, tuple[str, ...]], name: str) -> str:
    """The first value of a header; "" if it is not there."""
    return next(iter(headers.get(name, ())), "")
