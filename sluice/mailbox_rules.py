"""`config/mailboxes.yml`: the mailboxes that are read, how to log in to them, and what is done with a stored mail."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from sluice.criteria import suggest
from sluice.errors import ConfigError
from sluice.findings import Finding, at, read, read_named
from sluice.model import Rules
from sluice.strict_yaml import Document, KeyPath, parse_file

FILE = "mailboxes.yml"
NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
SECRET = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"  # noqa: S105 -- what a secret may be called
PORTS = {"tls": 993, "starttls": 143, "none": 143}
_KEYWORD = re.compile(r"[A-Za-z0-9$][A-Za-z0-9$_.-]{0,63}")
_DAYS = re.compile(r"([0-9]{1,4})d")
_START = "all, new, a number of days such as 30d, or a day such as 2026-11-01"


class Refresh(Rules):
    """Where a fresh access token comes from (RFC 6749, section 6).

    Attributes:
        client_secret, refresh_token: names of secrets.
    """

    token_url: str
    client_id: str = Field(min_length=1, max_length=500)
    refresh_token: str = Field(pattern=SECRET)
    client_secret: str | None = Field(default=None, pattern=SECRET)
    scope: str | None = Field(default=None, max_length=1_000)

    @field_validator("token_url")
    @classmethod
    def _is_encrypted(cls, url: str) -> str:
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        if not (is_safe and parts.hostname) or "@" in parts.netloc:
            raise ValueError(f"found {parts.scheme[:40]!r} and no https address; a token is only sent encrypted")
        return url


class Login(Rules):
    """How to log in: exactly one of the three; each names a secret.

    Attributes:
        password: LOGIN or PLAIN.
        access_token: XOAUTH2, with a token that something else keeps fresh.
        refresh: XOAUTH2, with tokens that we fetch.
    """

    password: str | None = Field(default=None, pattern=SECRET)
    access_token: str | None = Field(default=None, pattern=SECRET)
    refresh: Refresh | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.password, self.access_token, self.refresh)) != 1:
            raise ValueError("found none or several of password, access_token and refresh; it takes exactly one")
        return self


class After(Rules):
    """What is done in the mailbox once a mail is stored; exactly one of the two.

    Attributes:
        move: the folder that it is moved to.
        keyword: what it is marked with.
    """

    move: str | None = Field(default=None, min_length=1, max_length=200)
    keyword: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.move is None) == (self.keyword is None):
            raise ValueError("found none or both of move and keyword; it takes exactly one")
        if self.keyword is not None and not _KEYWORD.fullmatch(self.keyword):
            raise ValueError(f"found the keyword {self.keyword[:40]!r}; it takes letters, digits, $, _, . and -")
        return self


class MailboxRules(Rules):
    """One account.

    Attributes:
        port: None is the usual one of the security.
        security: TLS at once, by STARTTLS, or none, which takes `allow_plaintext` and a server on this machine.
        source: the declared source that its mails are receipts of.
        start: what counts of the mails that lie there when a folder is first read.
        max_bytes: of a larger mail only the beginning is kept.
        ca_file: an authority to trust besides those of the system.
    """

    name: str = Field(pattern=NAME)
    host: str = Field(pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:_-]{0,252}$")
    port: int | None = Field(default=None, ge=1, le=65_535)
    security: Literal["tls", "starttls", "none"] = "tls"
    allow_plaintext: bool = False
    user: str = Field(min_length=1, max_length=320, pattern=r"^[^\x00-\x1f\x7f]+$")
    login: Login
    source: str
    folders: tuple[str, ...] = Field(default=("INBOX",), min_length=1, max_length=100)
    start: str = "30d"
    max_bytes: int = Field(default=10 << 20, ge=65_536, le=100 << 20)
    after: After | None = None
    ca_file: Path | None = None

    @field_validator("start")
    @classmethod
    def _is_a_start(cls, start: str) -> str:
        if start not in ("all", "new") and not _DAYS.fullmatch(start) and _day(start) is None:
            raise ValueError(f"found {start[:40]!r}; it takes {_START}")
        return start

    @field_validator("folders")
    @classmethod
    def _are_folders(cls, folders: tuple[str, ...]) -> tuple[str, ...]:
        for folder in folders:
            if not folder.strip() or len(folder) > 200 or any(ord(letter) < 32 or letter in "*%" for letter in folder):
                raise ValueError(f"found {folder[:40]!r}; it takes the names of folders, without * and %")
        if twice := [folder for folder, many in Counter(map(_folded, folders)).items() if many > 1]:
            raise ValueError(f"found the folder {twice[0]!r} twice; it takes each once")
        return folders

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        if self.security == "none" and not (self.allow_plaintext and is_loopback(self.host)):
            raise ValueError(
                "found no encryption; it takes tls or starttls, or none with allow_plaintext: true for a server on "
                "this machine"
            )
        if self.after and self.after.move and _folded(self.after.move) in map(_folded, self.folders):
            raise ValueError("found a folder to move to that is read itself; it takes another one")
        return self

    @property
    def where(self) -> str:
        """The account in messages: without the user."""
        return f"mailbox {self.name} at {self.host}:{self.port or PORTS[self.security]}"

    def since(self, now: datetime) -> datetime | None:
        """What arrived before does not count when a folder is first read; None: everything does.

        Args:
            now: when that is.
        """
        if self.start == "all":
            return None
        if self.start == "new":
            return now
        if days := _DAYS.fullmatch(self.start):
            return now - timedelta(days=int(days[1]))
        return datetime.combine(_day(self.start) or now.date(), time(), UTC)


class _Mailboxes(Rules):
    mailboxes: dict[str, dict[str, object]] = Field(default_factory=dict)


@dataclass(frozen=True)
class _Declared:
    rules: MailboxRules
    path: KeyPath


def load_mailboxes(config: Path) -> dict[str, MailboxRules]:
    """The mailboxes by name; none, if none is declared.

    Raises:
        ConfigError: the first thing that `check_mailboxes` would report as an error.
    """
    document = parse_file(config / FILE)
    declared, findings = _read(document) if document else ([], [])
    if findings:
        raise min(findings).error()
    return {one.rules.name: one.rules for one in declared}


def check_mailboxes(config: Path, sources: Mapping[str, object]) -> list[Finding]:
    """Everything that is wrong or doubtful about `mailboxes.yml`.

    Args:
        sources: the declared sources; what is not None must be of kind mailbox.
    """
    try:
        document = parse_file(config / FILE)
    except ConfigError as error:
        return [Finding.of(error)]
    if document is None:
        return []
    declared, findings = _read(document)
    for one in declared:
        findings += _doubts(one, document, sources)
    return sorted(findings)


def is_loopback(host: str) -> bool:
    """Whether a server is on this machine, by its name alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _folded(folder: str) -> str:
    return "INBOX" if folder.upper() == "INBOX" else folder


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _read(document: Document) -> tuple[list[_Declared], list[Finding]]:
    """The mailboxes that can be, and what is wrong with the file by itself."""
    whole, findings = read(_Mailboxes, document)
    found, complaints = read_named(MailboxRules, document, "mailboxes", whole.mailboxes if whole else {}, FILE)
    declared = [_Declared(rules, ("mailboxes", name)) for name, rules in found.items()]
    return declared, [*findings, *complaints]


def _doubts(one: _Declared, document: Document, sources: Mapping[str, object]) -> Iterator[Finding]:
    rules, path = one.rules, one.path
    if rules.source not in sources:
        found = f"there is no source {rules.source!r}{suggest(rules.source, sources)}"
        yield at(document, (*path, "source"), found, ", ".join(sorted(sources)))
    elif getattr(sources[rules.source], "kind", "mailbox") != "mailbox":
        yield at(document, (*path, "source"), f"the source {rules.source!r} is no mailbox", "one with kind: mailbox")
    if rules.ca_file is not None and not rules.ca_file.is_file():
        yield at(document, (*path, "ca_file"), "there is no such file", "a file of certificates in PEM", warn=True)
