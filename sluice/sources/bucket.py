"""What a folder and an object store have in common: files that are dropped below `inbox/`, and leave it again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import unquote_to_bytes

from sluice.errors import UnreadableFile, UserError

UNFINISHED = (".tmp", ".part", ".crdownload", ".filepart")
"""Endings of files that something still writes."""

LONGEST_NAME = 230
"""Bytes of a file's name: with `.rejects (99).csv.report.json` behind it, a file system still takes it."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_AS_IT_IS = re.compile(r"[%\x00-\x1f\x7f\u0080-\u009f\u2028\u2029\ud800-\udfff]")


class BucketUnavailable(UserError):
    """A bucket, or the spool, cannot be read or written. Nothing was lost; a later run completes the work."""

    exit_code = 4


class Misnamed(UserError):
    """An object whose name no path may have. It stays where it is; nothing but another name helps."""


class Gone(UnreadableFile):
    """The file is not there any more: another run has moved it, or somebody has taken it back."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that lies in an inbox.

    Attributes:
        key: its path below `inbox/`; a name of bytes that are no text holds surrogates, as `os.fsdecode` makes them.
        size: in bytes.
        version: changes whenever the content may have changed; another machine's clock has no say in it.
        waits: why it is not to be read however long it lies there, or "".
        is_misnamed: whether only another name helps; its owner is told, in every run.
    """

    key: str
    size: int
    version: str
    waits: str = ""
    is_misnamed: bool = False

    @property
    def name(self) -> str:
        """What people call it: its last part, or all of it if it must be renamed; control characters written out."""
        return shown(self.key if self.is_misnamed else PurePosixPath(self.key).name)


class Bucket(Protocol):
    """Where files are dropped, and where they go; places are written as `done/leads.csv`, relative to the bucket."""

    url: str

    def entries(self) -> Iterator[Entry]:
        """What lies in the inbox, page by page; also what must wait.

        Raises:
            BucketUnavailable: it cannot be listed.
        """
        ...

    def entry(self, key: str) -> Entry | None:
        """One file of the inbox as it is now, or None."""
        ...

    def check_writable(self, key: str) -> None:
        """Makes sure that this file can leave the inbox, before anything of it is loaded.

        Raises:
            BucketUnavailable: the inbox, `done/` or `failed/` may not be written to.
        """
        ...

    def fetched(self, entry: Entry) -> AbstractContextManager[Path]:
        """The content of that very version, as a file to be read for as long as the block lasts.

        Raises:
            ChangedWhileRead: there is another version by now.
            Gone: it is not there any more.
            Misnamed: only an object of another name, ending in `/`, is there.
            BucketUnavailable: it cannot be read, or there is no space for it.
        """
        ...

    def holds(self, place: str, content: Path) -> bool | None:
        """Whether that very content lies at `place`: None if nothing does, False if something else does."""
        ...

    def put(self, place: str, content: Path) -> None:
        """Writes a file as a whole or not at all, over what is there."""
        ...

    def move(self, entry: Entry, place: str) -> None:
        """Moves that very version out of the inbox.

        Raises:
            ChangedWhileRead: another version lies in the inbox by now, and stays there.
            Gone: it is not there any more.
        """
        ...

    def url_of(self, place: str) -> str:
        """The URL of a place, without any credentials."""
        ...


def why_it_waits(key: str) -> str:
    """Why a file of that name is left alone, or ""."""
    *folders, name = key.split("/")
    if name.startswith("."):
        return "its name begins with a dot"
    if any(folder.startswith(".") for folder in folders):
        return "it lies in a folder whose name begins with a dot"
    if PurePosixPath(name).suffix.lower() in UNFINISHED:
        return f"its name ends in {PurePosixPath(name).suffix}: something still writes it"
    if len(name.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
        return f"its name has more than {LONGEST_NAME} bytes, and its report would find no place; shorten it"
    return ""


def why_misnamed(key: str) -> str:
    """Why no path may have that name, or "". An object store takes any name; what reads and moves objects does not."""
    parts = key.removesuffix("/").split("/")
    if _CONTROL.search(key):
        found = "has a control character, such as the end of a line"
    elif "" in parts:
        found = "begins with `/` or has two of them in a row"
    elif "." in parts or ".." in parts:
        found = "has `.` or `..` for a folder"
    elif key.endswith("/"):
        found = "ends in `/`, as only a folder's does"
    else:
        return ""
    return f"its name {found}, so it cannot be read or moved; rename it"


def spelled(key: str) -> str:
    """A key as text that JSON, Postgres and a terminal take: odd bytes, control characters and `%` as `%XX`."""
    return _NOT_AS_IT_IS.sub(
        lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogateescape")), key
    )


def unspelled(text: str) -> str:
    """The key that `spelled` wrote so."""
    return unquote_to_bytes(text).decode("utf-8", "surrogateescape")


def shown(name: str) -> str:
    """A name for people and for Postgres: bytes that are no text, and control characters, written as hex escapes."""
    return _NOT_AS_IT_IS.sub(lambda found: found[0] if found[0] == "%" else _escaped(found[0]), name)


def _escaped(letter: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape"))
