"""`config/door.yml`: what the HTTP door takes at most; without the file the defaults hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from pydantic import Field

from sluice.errors import ConfigError
from sluice.findings import Finding, read
from sluice.rules import Rules
from sluice.strict_yaml import parse_file

FILE = "door.yml"
PROXIES = "SLUICE_TRUSTED_PROXIES"

Network = IPv4Network | IPv6Network


class Rate(Rules):
    """How quick a sender may be.

    Attributes:
        per_second: requests, over a long time.
        burst: requests at once, after a pause.
    """

    per_second: float = Field(gt=0)
    burst: int = Field(ge=1)


class DoorRules(Rules):
    """What the door takes at most.

    Attributes:
        address: one sender who has no secret: pages with a public key.
        source: one source, whoever posts to it.
        body_bytes: of one request.
        buffered_bytes: of all requests that are in the door at a time.
        in_flight: requests that are in the door at a time.
        queue: postings that wait for the database.
        head_seconds: until the head of a request is there; else the connection is closed.
        body_seconds: until the body is there; else 408.
        answer_seconds: until the database has answered; else 503.
    """

    address: Rate = Rate(per_second=50, burst=100)
    source: Rate = Rate(per_second=2_000, burst=4_000)
    body_bytes: int = Field(default=1 << 20, ge=1_024, le=64 << 20)
    buffered_bytes: int = Field(default=64 << 20, ge=1 << 20)
    in_flight: int = Field(default=500, ge=1)
    queue: int = Field(default=2_000, ge=1)
    head_seconds: float = Field(default=10, gt=0)
    body_seconds: float = Field(default=10, gt=0)
    answer_seconds: float = Field(default=5, gt=0)


def load_door(config: Path) -> DoorRules:
    """What `config/door.yml` says.

    Raises:
        ConfigError: it says something impossible.
    """
    rules, findings = _read(config)
    if rules is None:
        raise min(findings).error()
    return rules


def check_door(config: Path) -> list[Finding]:
    """Everything that is wrong about `config/door.yml`."""
    return sorted(_read(config)[1])


def _read(config: Path) -> tuple[DoorRules | None, list[Finding]]:
    """The limits, without the file those that hold by default; or None and what is wrong."""
    try:
        document = parse_file(config / FILE)
    except ConfigError as error:
        return None, [Finding.of(error)]
    return (DoorRules(), []) if document is None else read(DoorRules, document)


@dataclass(frozen=True)
class Proxies:
    """The proxies whose word about the sender's address counts.

    Attributes:
        networks: of their addresses (`SLUICE_TRUSTED_PROXIES`, separated by commas); none by default.
    """

    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Proxies:
        """What `environ` states.

        Raises:
            ConfigError: a network cannot be one.
        """
        try:
            return cls(tuple(ip_network(part) for part in _parts(environ.get(PROXIES) or "")))
        except ValueError:
            allowed = "addresses and networks such as 10.0.0.0/8, separated by commas"
            raise ConfigError(PROXIES, "it names something that is no network", allowed, "Correct it") from None


def _parts(text: str) -> Iterable[str]:
    return (part.strip() for part in text.split(",") if part.strip())
