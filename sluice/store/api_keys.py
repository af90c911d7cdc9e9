"""API keys: made once and shown once, kept as a hash, given some scopes, revoked for good."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from sluice.errors import NotFound
from sluice.store.engine import Database
from sluice.store.patience import patient
from sluice.store.queries import execute, rows

Scope = Literal["leads:write", "events:write", "receipts:read", "metrics:read"]
SCOPES: tuple[str, ...] = get_args(Scope)

KEY = re.compile(r"sluice_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")
"""What a key looks like, so that scanners find it where it should not be."""

_READ: dict[str, Callable[[Any], Any]] = {"hash": bytes, "scopes": frozenset, "origins": frozenset}
_ID_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class Grant:
    """What a key is made for.

    Attributes:
        name: of whom it is.
        source: the only source it may write to; None for every one.
        origins: websites whose pages may use it, such as https://www.example.com; then the key is no secret.
        expires_at: None for never.
    """

    name: str
    scopes: Sequence[str]
    source: str | None = None
    origins: Sequence[str] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True)
class ApiKey:
    """A key as it is kept."""

    key_id: str
    hash: bytes = field(repr=False)
    name: str
    scopes: frozenset[str]
    source: str | None
    origins: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Whether it was neither revoked nor outlived."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    @property
    def is_public(self) -> bool:
        """Whether it stands in web pages, where everybody can read it."""
        return bool(self.origins)

    def fits(self, key: str) -> bool:
        """Whether `key` is the key that this was made as; takes as long for every wrong one."""
        return hmac.compare_digest(self.hash, digest(key))


def digest(key: str) -> bytes:
    """What is kept of a key: it has 258 random bits, so that a plain hash is enough."""
    return hashlib.sha256(key.encode()).digest()


@patient
def create(database: Database, grant: Grant) -> str:
    """Makes a key and keeps its hash; the key itself, which nobody can ask for again."""
    key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(8))
    key = f"sluice_{key_id}_{secrets.token_urlsafe(32)}"
    with database.transaction() as connection:
        execute(
            connection,
            "api_key_insert",
            key_id=key_id,
            hash=digest(key),
            name=grant.name,
            scopes=sorted(grant.scopes),
            source=grant.source,
            origins=sorted(grant.origins),
            expires_at=grant.expires_at,
        )
    return key


def every(database: Database) -> list[ApiKey]:
    """All keys, the oldest first; they are few."""
    with database.connection() as connection:
        found = rows(connection, "api_keys_all")
    return [ApiKey(**row | {name: read(row[name]) for name, read in _READ.items()}) for row in found]


@patient
def revoke(database: Database, key_id: str) -> datetime:
    """Ends a key for good; when that was.

    Raises:
        NotFound: there is none of that id.
    """
    with database.transaction() as connection:
        found = rows(connection, "api_key_revoke", key_id=key_id)
    if not found:
        raise NotFound(f"key {key_id!r}", "there is none of that id", fix="`sluice key list` shows the ids")
    revoked: datetime = found[0]["revoked_at"]
    return revoked
