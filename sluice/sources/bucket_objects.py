"""An S3, Google or Azure bucket: objects are read through a spool, one version at a time, moved by copy and delete."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import S3Store, from_url

from sluice.sources import spool
from sluice.sources.bucket import BucketUnavailable, Entry, Gone, Misnamed, why_it_waits, why_misnamed
from sluice.sources.bucket_names import names
from sluice.sources.stamp import changed_while_read

BLOCK = 1 << 20
PROBE = ".sluice"
"""An empty object in `done/` that is written before anything is loaded, to see that it can be."""

_CLIENT: Any = {"allow_http": True, "connect_timeout": "5s", "timeout": "300s"}  # a server on loopback may have no TLS
_RETRY: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}
_CREDENTIALS = "Correct the credentials in the environment (for S3 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)"
_SAID = {
    "NoSuchBucket": ("there is no such bucket", "Correct the URL, or create the bucket"),
    "ContainerNotFound": ("there is no such container", "Correct the URL, or create the container"),
    "InvalidAccessKeyId": ("the credentials are not accepted", _CREDENTIALS),
    "SignatureDoesNotMatch": ("the credentials are not accepted", _CREDENTIALS),
    "InvalidClientTokenId": ("the credentials are not accepted", _CREDENTIALS),
    "ExpiredToken": ("the credentials have expired", "Renew them in the environment; the next run goes on"),
    "TokenRefreshRequired": ("the credentials have expired", "Renew them in the environment; the next run goes on"),
    "AccessDenied": ("access is denied", "Grant the right to list, read, write and delete objects there"),
    "EntityTooLarge": ("the object is too large to be copied", "Move it by hand; its rows are in"),
    "QuotaExceeded": ("there is no space left in it", "Free some space there; the next run moves the file"),
    "XMinioStorageFull": ("there is no space left in it", "Free some space there; the next run moves the file"),
}


class Objects:
    """A bucket of an object store; credentials, endpoint and region come from the environment, as the stores name them.

    Args:
        url: such as `s3://acme-leads/partners`.
        spool_folder: where copies lie while they are read.

    Raises:
        BucketUnavailable: the environment lacks what this kind of store needs.
    """

    def __init__(self, url: str, spool_folder: Path) -> None:
        self.url = url.rstrip("/")
        self._spool = spool_folder
        self._is_writable = False
        with self._told():
            self._store = from_url(self.url, client_options=_CLIENT, retry_config=_RETRY)

    def entries(self) -> Iterator[Entry]:
        """As `Bucket.entries`; in pages of 1,000, by key."""
        last: str | None = ""
        with self._told():
            while last is not None:
                try:
                    for page in obstore.list(self._store, "inbox", offset=last or None, chunk_size=1_000):
                        for found in page:
                            if entry := self._entry(dict(found), last):
                                yield entry
                            last = max(last, found["path"])
                    return
                except InvalidPathError:
                    if not isinstance(self._store, S3Store):
                        raise
                    last = yield from self._whatever_the_name(self._store, last)

    def entry(self, key: str) -> Entry | None:
        """As `Bucket.entry`; a name that no path may have names nothing."""
        try:
            with self._told():
                return self._entry(dict(obstore.head(self._store, f"inbox/{key}")))
        except (Gone, ValueError):
            return None

    def check_writable(self, key: str) -> None:
        """As `Bucket.check_writable`; asked once, whatever the file."""
        if not self._is_writable:
            with self._told(doing="nothing was loaded, since no file could leave the inbox"):
                obstore.put(self._store, f"done/{PROBE}", b"")
            self._is_writable = True

    @contextmanager
    def fetched(self, entry: Entry) -> Generator[Path]:
        """As `Bucket.fetched`: one answer of the store, asked for by the e-tag, copied into the spool."""
        with spool.spooled(self._spool) as folder:
            path = folder / "content"
            modified = 0.0
            with spool.told(self._spool), path.open("wb") as file, self._told(entry):  # closing writes what is left
                conditions: Any = {"if_match": _e_tag(entry)} if _e_tag(entry) else {}
                try:
                    answer = obstore.get(self._store, f"inbox/{entry.key}", options=conditions)
                except FileNotFoundError:
                    self._check_name(entry)
                    raise
                if self._entry(dict(answer.meta)) != entry:
                    raise changed_while_read(self.url_of(f"inbox/{entry.key}"))
                modified, size = answer.meta["last_modified"].timestamp(), 0
                for block in answer.stream(BLOCK):
                    size += len(block)
                    with spool.told(self._spool):
                        file.write(block)
                with spool.told(self._spool):
                    file.flush()
            if size != entry.size:
                raise BucketUnavailable(
                    self.url_of(f"inbox/{entry.key}"),
                    f"the connection ended after {size} of {entry.size} bytes",
                    fix="Nothing was loaded; the next run reads it again",
                )
            os.utime(path, times=(modified, modified))  # which decides how recent its rows are
            yield path

    def holds(self, place: str, content: Path) -> bool | None:
        """As `Bucket.holds`."""
        try:
            with self._told():
                answer = obstore.get(self._store, place)
                if answer.meta["size"] != content.stat().st_size:
                    return False
                with content.open("rb") as file:
                    return all(bytes(block) == file.read(len(block)) for block in answer.stream(BLOCK))
        except Gone:
            return None

    def put(self, place: str, content: Path) -> None:
        """As `Bucket.put`."""
        with self._told():
            obstore.put(self._store, place, content)

    def move(self, entry: Entry, place: str) -> None:
        """As `Bucket.move`: copied, looked at again, deleted.

        No store moves atomically, and few delete on a condition. A new version that is written between the second look
        and the deletion, some milliseconds, would be lost unless the bucket keeps versions (decision 0006).
        """
        where = f"inbox/{entry.key}"
        self._check(entry)
        with self._told(entry):
            obstore.copy(self._store, where, place)
        self._check(entry)
        with self._told(entry):
            obstore.delete(self._store, where)

    def url_of(self, place: str) -> str:
        """As `Bucket.url_of`."""
        return f"{self.url}/{place}"

    def _check_name(self, entry: Entry) -> None:
        """That an object which was listed and is not there has not only lost the `/` of its name in the listing.

        Raises:
            Misnamed: it has.
        """
        with contextlib.suppress(InvalidPathError):
            first = next(iter(obstore.list(self._store, f"inbox/{entry.key}", chunk_size=1)), [])
            for found in first:
                if found["path"] == f"inbox/{entry.key}" and found["size"]:
                    raise Misnamed(self.url_of(f"inbox/{entry.key}/"), why_misnamed(f"{entry.key}/"))

    def _check(self, entry: Entry) -> None:
        now = self.entry(entry.key)
        if now is None:
            raise self._gone(f"inbox/{entry.key}")
        if now.version != entry.version:
            raise changed_while_read(self.url_of(f"inbox/{entry.key}"))

    def _whatever_the_name(self, store: S3Store, last: str) -> Generator[Entry, None, str | None]:
        """Goes on with a listing that a name has ended which no path may have; such objects wait.

        Returns:
            The path behind which obstore can go on, or None if there is nothing left.
        """
        before = f"{store.prefix.strip('/')}/" if store.prefix else ""
        after = f"{before}{last}" if last else ""
        while True:
            page, is_last = names(urlsplit(self.url).netloc, f"{before}inbox/", after, _CLIENT)
            misnamed = ""
            for found in page:
                key, after = found.name.removeprefix(f"{before}inbox/"), found.name
                misnamed = why_misnamed(key)
                if key and (found.size or not key.endswith("/")):
                    version = f"{found.e_tag or found.size} {found.changed}"
                    yield Entry(key, found.size, version, misnamed or why_it_waits(key), bool(misnamed))
            if is_last:
                return None
            if not misnamed:
                return after.removeprefix(before)

    def _entry(self, found: dict[str, Any], last: str = "") -> Entry | None:
        """The object of the inbox; None for the mark that some tools leave in the place of a folder.

        Args:
            last: the path that was listed before it. A listing shows `shows/` as `shows`, behind its place.
        """
        path = str(found["path"])
        key = path.removeprefix("inbox/")
        if (not found["size"] or path <= last) and not self._is_there(path, found["size"], found["e_tag"]):
            return self._misnamed(found) if found["size"] else None
        return Entry(key, found["size"], _version(found), why_it_waits(key))

    def _misnamed(self, found: dict[str, Any]) -> Entry:
        key = str(found["path"]).removeprefix("inbox/") + "/"
        return Entry(key, found["size"], _version(found), why_misnamed(key), is_misnamed=True)

    def _is_there(self, path: str, size: int, e_tag: str | None) -> bool:
        """Whether it is an object of that very name that was listed."""
        try:
            there = obstore.head(self._store, path)
        except FileNotFoundError:
            return False
        return (there["size"], there["e_tag"]) == (size, e_tag)

    def _gone(self, place: str) -> Gone:
        return Gone(
            self.url_of(place), "it is not there any more", fix="Another run has moved it; if not, drop it again"
        )

    @contextmanager
    def _told(self, entry: Entry | None = None, doing: str = "nothing was lost") -> Generator[None]:
        """What a store says becomes a sentence; its own words are not repeated, since they may hold a signed URL."""
        where = self.url_of(f"inbox/{entry.key}") if entry else self.url
        try:
            yield
        except FileNotFoundError as error:
            if found := _said(error):
                raise BucketUnavailable(self.url, found[0], fix=f"{found[1]}; {doing}") from None
            raise self._gone(f"inbox/{entry.key}" if entry else "") from None
        except PreconditionError:
            raise changed_while_read(where) from None
        except InvalidPathError as error:
            name = re.search(r'path: "([^\n]*)"', str(error))
            found = f"an object there has a name that no path may have: {name[1] if name else 'it cannot be shown'}"
            raise BucketUnavailable(
                self.url, found, "names without control characters, empty, `.` and `..` parts", "Rename or delete it"
            ) from None
        except (BaseError, PermissionError, OSError) as error:
            found, fix = _said(error) or _guessed(error)
            raise BucketUnavailable(where, found, fix=f"{fix}; {doing}") from None


def _version(found: dict[str, Any]) -> str:
    when = f"{found['last_modified']:%Y-%m-%dT%H:%M:%S}"  # a copy of the same content is another arrival
    return f"{found['e_tag'] or found['size']} {when}"


def _e_tag(entry: Entry) -> str:
    tag, _, _ = entry.version.rpartition(" ")
    return tag if tag.startswith(('"', "W/", "0x")) else ""


def _said(error: BaseException) -> tuple[str, str] | None:
    """What the store's own code in its answer means."""
    codes = re.findall(r"<Code>(\w+)</Code>", str(error))
    return next((_SAID[code] for code in codes if code in _SAID), None)


def _guessed(error: BaseException) -> tuple[str, str]:
    if isinstance(error, UnauthenticatedError):
        return "the credentials are not accepted", _CREDENTIALS
    if isinstance(error, (PermissionDeniedError, PermissionError)):
        return _SAID["AccessDenied"]
    words = " ".join(str(link).casefold() for link in chain([error], _causes(error)))
    if "credential" in words or "instance metadata" in words or "169.254." in words:
        return "there are no credentials for it", _CREDENTIALS
    status = re.search(r"status code: (\d{3})", words)
    if status:
        return f"it answers with status {status[1]}", "Try again later"
    return "it cannot be reached", "Check the network, and the endpoint in the environment"


def _causes(error: BaseException) -> Iterator[BaseException]:
    while (link := error.__cause__ or error.__context__) is not None:
        yield link
        error = link
