"""What went wrong, told so that the user can mend it, or so that we can: never a traceback, never personal data."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from flows.commands.opening import settings
from flows.commands.terminal import bare, say
from sluice.errors import SluiceError, UnreadableFile, UserError

BUG = 10
"""Exit code when it is our fault."""

_OURS = ("flows", "tasks", "sluice")
_MENDABLE = {
    errno.ENOSPC: "Free some space on that disk, then run the command again",
    errno.EDQUOT: "Free some of your quota, then run the command again",
    errno.EROFS: "Name a place that can be written to",
    errno.EACCES: "Name a place that you may read and write, or change its rights",
    errno.EPERM: "Name a place that you may read and write, or change its rights",
    errno.ENAMETOOLONG: "Use a shorter name",
    errno.EMFILE: "Raise the limit of open files (ulimit -n)",
}


def tell(error: BaseException) -> int:
    """Says on standard error what happened, keeps the frames of a bug in a file, and answers the exit code."""
    mendable = as_user_error(error)
    if mendable is not None:
        say(f"Error: {bare(in_full(mendable))}", "red")
        return mendable.exit_code
    said = f"Error: internal error, {type(error).__name__} at {_place(error)}; nothing was lost."
    kept = _keep(error)
    advice = f" Please report it, with {kept}, which holds no personal data." if kept else " Please report it."
    say(said + advice, "red")
    return BUG


def in_full(error: UserError) -> str:
    """The message with what stands in the file, for the person at the terminal."""
    return f"{error} It says: {error.seen}." if error.seen else str(error)


def as_user_error(error: BaseException) -> UserError | None:
    """The error as something the user can mend, if it is that."""
    if isinstance(error, UserError):
        return error
    if isinstance(error, OSError) and error.errno in _MENDABLE:
        where = str(error.filename or "a file of Sluice")
        return UnreadableFile(where, error.strerror or "it cannot be used", fix=_MENDABLE[error.errno])
    if isinstance(error, MemoryError):
        fix = "Give it more memory (ulimit -v, the container's limit), then run the command again: it goes on"
        return UserError("this process", "it has too little memory", fix=fix)
    return None


def scrubbed(error: BaseException) -> str:
    """Types and frames of an error and its causes; of messages only our own, which quote no row."""
    lines: list[str] = []
    for link in _chain(error):
        said = f": {link}" if isinstance(link, SluiceError) else ""
        lines.append(f"{type(link).__module__}.{type(link).__qualname__}{said}")
        lines += [f"    {module}:{line} in {name}" for module, line, name in _frames(link.__traceback__)]
    return "\n".join(lines) + "\n"


def _keep(error: BaseException) -> Path | None:
    try:
        folder = settings().home / "errors"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S.%f}.txt"
        path.write_text(scrubbed(error), encoding="utf-8")
    except (OSError, UserError):  # the disk may be full, which may be why we are here
        return None
    return path


def _place(error: BaseException) -> str:
    """Module and line of the innermost frame that is ours, where the first of the errors was raised."""
    for link in reversed(list(_chain(error))):
        ours = [frame for frame in _frames(link.__traceback__) if frame[0].partition(".")[0] in _OURS]
        if ours:
            return f"{ours[-1][0]}:{ours[-1][1]}"
    return "an unknown place"


def _frames(trace: TracebackType | None) -> Iterator[tuple[str, int, str]]:
    for frame, line in traceback.walk_tb(trace):
        yield str(frame.f_globals.get("__name__", "?")), line, frame.f_code.co_name


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it; also what was hidden for its message, which is not shown here."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__
