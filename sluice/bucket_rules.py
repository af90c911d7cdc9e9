"""`config/buckets.yml`: where files are dropped, and which source the folders below an inbox belong to."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator

from sluice.criteria import suggest
from sluice.errors import ConfigError
from sluice.findings import Finding, at, read, read_named
from sluice.rules import Rules
from sluice.strict_yaml import Document, parse_file

FILE = "buckets.yml"
ATTACHMENTS = "attachments"
"""Folder of the home that mails' files of leads are laid into; once it is there, it is a bucket like others."""

SCHEMES = ("s3", "gs", "az", "file")
NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
_ALLOWED = "s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder"


class BucketRules(Rules):
    """One declared bucket.

    Attributes:
        url: `s3://…`, `gs://…`, `az://…` or `file:///…`; credentials, endpoint and region stay in the environment.
        source: of files that no folder gives another source; without it they are read as `files`.
        sources: folder below `inbox/` → source; the longest that fits counts. A folder that is called like a source
            need not be named.
        settle_seconds: how long a file must have looked the same before it is read.
    """

    name: str = Field(pattern=NAME)
    url: str
    source: str | None = None
    sources: dict[str, str] = Field(default_factory=dict)
    settle_seconds: float = Field(default=5, ge=0, le=86_400)

    @field_validator("url")
    @classmethod
    def _is_a_place(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            raise ValueError(f"found {url.partition(':')[0][:40]!r}; it takes {_ALLOWED}")
        if parts.password or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("found more than a place in the URL; credentials belong into the environment")
        if parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/")):
            raise ValueError("found a folder that is not absolute; it takes file:///folder, with three slashes")
        if parts.scheme != "file" and not parts.netloc:
            raise ValueError(f"found no bucket; it takes {_ALLOWED}")
        return url.rstrip("/")

    @property
    def folder(self) -> Path | None:
        """The folder that a `file:` URL names, else None."""
        parts = urlsplit(self.url)
        return Path(unquote(parts.path, errors="surrogateescape")) if parts.scheme == "file" else None

    def source_of(self, key: str, declared: Mapping[str, object], fallback: str) -> str:
        """The source of a file by its path below `inbox/`.

        Args:
            key: such as `webinar/2026/late.csv`.
            declared: the sources that there are.
            fallback: of files at the top of the inbox.

        Returns:
            A source's name; that of its folder, if nothing says which source it is: no such source may be declared.
        """
        folders = [loose(folder) for folder in key.split("/")[:-1]]
        fitting = [prefix for prefix in self.sources if _parts(prefix) == folders[: len(_parts(prefix))]]
        if fitting:
            return self.sources[max(fitting, key=lambda prefix: len(_parts(prefix)))]
        if folders and folders[0] in declared:
            return folders[0]
        return self.source or (key.split("/")[0] if folders else fallback)


class _Buckets(Rules):
    buckets: dict[str, dict[str, object]] = Field(default_factory=dict)


@dataclass(frozen=True)
class _Declared:
    rules: BucketRules
    path: tuple[str, str]


def load_buckets(config: Path, home: Path) -> dict[str, BucketRules]:
    """The buckets by name; without a declaration the one that every home has, the folder `bucket`.

    Raises:
        ConfigError: the first thing that `check_buckets` would report as an error.
    """
    document = parse_file(config / FILE)
    declared, findings = _read(document) if document else ([], [])
    if errors := [finding for finding in findings if finding.severity == "error"]:
        raise min(errors).error()
    found = {one.rules.name: one.rules for one in declared} or {"bucket": own(home / "bucket", "bucket")}
    if (home / ATTACHMENTS).is_dir():
        found.setdefault(ATTACHMENTS, own(home / ATTACHMENTS))
    return found


def own(folder: Path, name: str = "") -> BucketRules:
    """The rules of a folder that nobody declared."""
    return BucketRules.model_construct(name=name or folder.name, url=folder.absolute().as_uri())


def check_buckets(config: Path, sources: Mapping[str, object]) -> list[Finding]:
    """Everything that is wrong or doubtful about `buckets.yml`.

    Args:
        sources: the declared sources.
    """
    try:
        document = parse_file(config / FILE)
    except ConfigError as error:
        return [Finding.of(error)]
    if document is None:
        return []
    declared, findings = _read(document)
    for one in declared:
        findings += _unknown_sources(one, document, sources)
    return sorted(findings)


def loose(name: str) -> str:
    """A folder's name without regard to case and to how its letters are composed."""
    return unicodedata.normalize("NFC", name).casefold()


def _read(document: Document) -> tuple[list[_Declared], list[Finding]]:
    """The buckets that can be, and what is wrong with the file by itself."""
    whole, findings = read(_Buckets, document)
    found, complaints = read_named(BucketRules, document, "buckets", whole.buckets if whole else {}, FILE)
    declared = [_Declared(rules, ("buckets", name)) for name, rules in found.items()]
    colliding = [finding for one in declared for finding in _colliding_prefixes(one, document)]
    return declared, [*findings, *complaints, *colliding, *_same_places(declared, document)]


def _colliding_prefixes(one: _Declared, document: Document) -> Iterator[Finding]:
    for first, other in combinations(one.rules.sources, 2):
        if _parts(first) == _parts(other):
            found = f"{other!r} is the same folder as {first!r}"
            yield at(document, (*one.path, "sources", other), found, "each folder once, whatever its case")
    for prefix in one.rules.sources:
        if not _parts(prefix) or any(part in ("", ".", "..") for part in _parts(prefix)):
            yield at(
                document, (*one.path, "sources", prefix), f"{prefix!r} is no folder below inbox/", "such as shows/2026"
            )


def _same_places(declared: list[_Declared], document: Document) -> Iterator[Finding]:
    for first, other in combinations(declared, 2):
        near, far = sorted((first.rules.url, other.rules.url), key=len)
        if near == far:
            yield at(
                document, (*other.path, "url"), f"it is the URL of the bucket {first.rules.name!r}", "each URL once"
            )
        elif far.startswith(f"{near}/"):
            found = f"of {first.rules.name!r} and {other.rules.name!r}, one lies in the other"
            yield at(document, (*other.path, "url"), found, "buckets side by side")


def _unknown_sources(one: _Declared, document: Document, sources: Mapping[str, object]) -> Iterator[Finding]:
    named = {("source",): one.rules.source} | {("sources", prefix): name for prefix, name in one.rules.sources.items()}
    for path, name in named.items():
        if name is not None and name not in sources:
            found = f"there is no source {name!r}{suggest(name, sources)}"
            yield at(document, (*one.path, *path), found, ", ".join(sorted(sources)))


def _parts(prefix: str) -> list[str]:
    return [loose(part) for part in prefix.strip("/").split("/")] if prefix.strip("/") else []
