"""Who calls: API keys, known for some seconds without asking the database, and addresses as proxies tell them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Lock

from sluice.api.rules import Network, Proxies
from sluice.store import api_keys
from sluice.store.api_keys import KEY, ApiKey
from sluice.store.engine import Database

STALE = 10.0
"""Seconds for which a known key counts without a look."""

LOOK_PAUSE = 0.25
"""Seconds between two looks for unknown websites: whoever makes up thousands of them costs four looks a second."""


class Keys:
    """The API keys of the database, read anew every few seconds: a revoked one ends within ten."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._keys: dict[str, ApiKey] = {}
        self._origins: frozenset[str] = frozenset()
        self._read_at = -STALE
        self._looked_at = -LOOK_PAUSE

    def refresh(self) -> None:
        """Reads all keys.

        Raises:
            DatabaseUnavailable, StoreError: those known before count until they are stale.
        """
        with self._lock:
            began, now = time.monotonic(), datetime.now(UTC)
            keys = {key.key_id: key for key in api_keys.every(self._database)}
            self._keys = keys
            self._origins = frozenset(origin for key in keys.values() if key.is_valid(now) for origin in key.origins)
            self._read_at = began

    def needs_look(self, text: str) -> bool:
        """Whether the keys must be read before `find` can say something about this one."""
        found = KEY.fullmatch(text)
        return time.monotonic() - self._read_at > STALE or (found is not None and found[1] not in self._keys)

    def find(self, text: str) -> ApiKey | None:
        """The valid key that this text is; None for any other text."""
        found = KEY.fullmatch(text)
        key = self._keys.get(found[1]) if found else None
        return key if key and key.fits(text) and key.is_valid(datetime.now(UTC)) else None

    def takes_look(self, origin: str) -> bool:
        """Whether the caller is to read the keys before `lists` says no: one may be younger than the last look.

        Only to be called by the thread that answers requests.
        """
        now = time.monotonic()
        if not origin or self.lists(origin) or now - self._looked_at < LOOK_PAUSE:
            return False
        self._looked_at = now
        return True

    def lists(self, origin: str) -> bool:
        """Whether a valid key may be used by the pages of this website."""
        return origin in self._origins


def sender(peer: str, forwarded: str, proxies: Proxies) -> str:
    """The address that a request comes from: of the connection, or what the last trusted proxy saw.

    Args:
        peer: of the connection.
        forwarded: `X-Forwarded-For`; what stands before the first address that is no trusted proxy's is anybody's word.
        proxies: who is trusted.
    """
    if not proxies.networks or not _is_in(peer, proxies.networks):
        return peer
    for part in reversed(forwarded.split(",")):
        address = part.strip()
        if _read(address) is None:
            return peer
        if not _is_in(address, proxies.networks):
            return address
    return peer


@lru_cache(maxsize=10_000)
def is_loopback(address: str) -> bool:
    """Whether a request comes from this machine."""
    read = _read(address)
    return read is not None and read.is_loopback


@lru_cache(maxsize=10_000)
def _is_in(address: str, networks: tuple[Network, ...]) -> bool:
    read = _read(address)
    return read is not None and any(read in network for network in networks)


def _read(address: str) -> IPv4Address | IPv6Address | None:
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(read, "ipv4_mapped", None) or read


@lru_cache(maxsize=10_000)
def network_of(address: str) -> str:
    """Whose bucket an address draws from: its own, or in IPv6, where one customer has 2^64 of them, its network."""
    read = _read(address)
    return address if not isinstance(read, IPv6Address) else str(ip_network((read, 64), strict=False))
