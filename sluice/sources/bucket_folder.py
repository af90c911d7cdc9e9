"""A folder as a bucket: files are read where they lie, and a name may be anything the file system takes.

obstore's own local store is not used: one name with a newline, or of bytes that are no text, ends its listing, and it
follows links out of the folder.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from sluice.errors import UnreadableFile
from sluice.sources.bucket import BucketUnavailable, Entry, Gone, why_it_waits
from sluice.sources.stamp import changed_while_read

LINK = "it is a link, which could lead out of the bucket; put the file itself there"
NO_FILE = "it is no ordinary file"


class Folder:
    """A bucket on a file system.

    Args:
        root: the folder that has the inbox.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.url = self.root.as_uri()

    def entries(self) -> Iterator[Entry]:
        """As `Bucket.entries`; a folder's entries by name."""
        inbox = self.root / "inbox"
        if not inbox.is_dir():
            raise UnreadableFile(str(inbox), "there is no such folder", fix="Create it and drop files into it")
        yield from self._below(inbox, "")

    def entry(self, key: str) -> Entry | None:
        """As `Bucket.entry`; a key that leads out of the inbox, or through a link, names nothing."""
        parts = key.split("/")
        if any(part in ("", ".", "..") for part in parts):
            return None
        path = self.root / "inbox"
        with contextlib.suppress(OSError):
            for part in parts[:-1]:
                path /= part
                if path.is_symlink():
                    return None
            return self._entry(path / parts[-1], key)
        return None

    def check_writable(self, key: str) -> None:
        """As `Bucket.check_writable`."""
        for folder in ((self.root / "inbox" / key).parent, self.root / "done", self.root / "failed"):
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
            if not folder.is_dir() or not os.access(folder, os.W_OK):
                raise BucketUnavailable(
                    str(folder), "it cannot be written to", fix="Give this user write permission; nothing was loaded"
                )

    @contextmanager
    def fetched(self, entry: Entry) -> Generator[Path]:
        """As `Bucket.fetched`: the file itself, which is looked at again at the end of the block."""
        self._check(entry)
        yield self.root / "inbox" / entry.key
        self._check(entry)

    def holds(self, place: str, content: Path) -> bool | None:
        """As `Bucket.holds`; a file where a folder would have to be counts as something else."""
        path = self.root / place
        for folder in path.relative_to(self.root).parents:
            if (self.root / folder).is_symlink() and folder != Path():
                return False
            if (self.root / folder).exists() and not (self.root / folder).is_dir():
                return False
        if not os.path.lexists(path):
            return None
        return path.is_file() and not path.is_symlink() and filecmp.cmp(path, content, shallow=False)

    def put(self, place: str, content: Path) -> None:
        """As `Bucket.put`."""
        path = self.root / place
        with self._told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f".{path.name}.tmp")
            try:
                shutil.copy(content, unfinished)  # with its mode: rejects are nobody else's business
                unfinished.replace(path)
            except OSError:
                unfinished.unlink(missing_ok=True)
                raise

    def move(self, entry: Entry, place: str) -> None:
        """As `Bucket.move`; what turns out to be another version goes back."""
        path, to = self.root / "inbox" / entry.key, self.root / place
        self._check(entry)
        with self._told(to):
            to.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.move(path, to)
            except FileNotFoundError:
                raise self._gone(entry) from None
        moved = self._entry(to, entry.key)
        if moved is not None and not _is_same(moved, entry) and not os.path.lexists(path):
            shutil.move(to, path)
            raise changed_while_read(path)

    def url_of(self, place: str) -> str:
        """As `Bucket.url_of`."""
        return (self.root / place).as_uri()

    def _below(self, folder: Path, prefix: str) -> Iterator[Entry]:
        try:
            with os.scandir(folder) as found:
                names = sorted((item.name, item.is_dir(follow_symlinks=False)) for item in found)
        except FileNotFoundError:  # it was taken away since it was listed
            return
        except OSError as error:
            found_is = error.strerror or type(error).__name__
            raise BucketUnavailable(str(folder), found_is, fix="Give this user the right to read it") from None
        for name, is_folder in names:
            if is_folder:
                yield from self._below(folder / name, f"{prefix}{name}/")
            elif (entry := self._entry(folder / name, prefix + name)) is not None:
                yield entry

    def _entry(self, path: Path, key: str) -> Entry | None:
        try:
            facts = path.lstat()
        except OSError:
            return None
        waits = LINK if stat.S_ISLNK(facts.st_mode) else "" if stat.S_ISREG(facts.st_mode) else NO_FILE
        version = f"{facts.st_size}-{facts.st_mtime_ns}-{facts.st_ino}"
        return Entry(key, facts.st_size, version, waits or why_it_waits(key))

    def _check(self, entry: Entry) -> None:
        now = self.entry(entry.key)
        if now is None:
            raise self._gone(entry)
        if now.version != entry.version or now.waits:
            raise changed_while_read(self.root / "inbox" / entry.key)

    def _gone(self, entry: Entry) -> Gone:
        where = str(self.root / "inbox" / entry.key)
        return Gone(where, "it is not there any more", fix="Another run has moved it; if not, drop it again")

    @contextmanager
    def _told(self, path: Path) -> Generator[None]:
        """What the operating system says against writing becomes a sentence."""
        try:
            yield
        except (BucketUnavailable, UnreadableFile):
            raise
        except OSError as error:
            found = f"it cannot be written to ({error.strerror or type(error).__name__})"
            fix = "Free some space there, or give this user write permission; what is loaded stays, the next run moves"
            raise BucketUnavailable(str(path), found, fix=f"{fix} the file") from error


def _is_same(one: Entry, other: Entry) -> bool:
    """Size and time of the last write are the same; the inode is another where a file was moved to another disk."""
    return one.version.split("-")[:2] == other.version.split("-")[:2]
