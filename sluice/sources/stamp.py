"""A file's size and time: enough to see that somebody changed it meanwhile."""

from __future__ import annotations

from pathlib import Path

from sluice.errors import UnreadableFile


def stamp(path: Path) -> tuple[int, int]:
    """Size in bytes and time of the last write in nanoseconds.

    Raises:
        UnreadableFile: the file is not there, or is not a file.
    """
    try:
        facts = path.stat()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableFile(
            str(path), f"it cannot be reached ({reason})", fix="Check the name and its permissions"
        ) from None
    if not path.is_file():
        raise UnreadableFile(str(path), "it is not a file", "a CSV file", "Name the file, not its folder")
    return facts.st_size, facts.st_mtime_ns


class ChangedWhileRead(UnreadableFile):
    """Somebody still writes the file: it stays where it is, and the next look takes it in."""


def changed_while_read(where: Path | str) -> ChangedWhileRead:
    """The error for a file, or the object of a URL, that is not what it was when its reading began."""
    return ChangedWhileRead(str(where), "it was changed while it was read", fix="Import it again when it is complete")
