"""What can go wrong, told apart by who can mend it.

A `UserError` is something the user can fix: it is shown as a sentence (where, what was found, what is allowed, what to
do), never as a traceback, and each kind has its own exit code. A `BrokenPromise` is our bug.
"""

from __future__ import annotations


class SluiceError(Exception):
    """Base of every error that Sluice raises on purpose."""


class UserError(SluiceError):
    """Something the user can mend.

    Args:
        where: file, line, key or table the error is about.
        found: what was there.
        allowed: what may be there, or "" where that is plain.
        fix: what to do next, as an imperative sentence.
        seen: what stands there, word for word. It may be personal data, so it is shown to the person at the terminal,
            and is no part of the message that logs and reports take.
    """

    exit_code = 1

    def __init__(self, where: str, found: str, allowed: str = "", fix: str = "", seen: str = "") -> None:
        self.where, self.found, self.allowed, self.fix, self.seen = where, found, allowed, fix, seen
        super().__init__(where, found, allowed, fix)

    def __str__(self) -> str:
        """One paragraph: where, what was found, what is allowed, what to do."""
        parts = [f"{self.where}: {self.found}."]
        if self.allowed:
            parts.append(f"Allowed: {self.allowed}.")
        if self.fix:
            parts.append(f"{self.fix.rstrip('.')}.")
        return " ".join(parts)


class ConfigError(UserError):
    """A profile, source or team file says something impossible."""

    exit_code = 3


class UnreadableFile(UserError):
    """A whole file cannot be read as rows; the file stays, its receipt fails with this reason."""

    exit_code = 4


class DatabaseUnavailable(UserError):
    """Postgres cannot be reached, started or written to. Nothing was lost; a later run completes the work."""

    exit_code = 5


class NotFound(UserError):
    """There is no receipt, lead or source of that name."""

    exit_code = 6


class BrokenPromise(SluiceError):
    """A step broke its own schema, or the ledger does not add up: our bug, never the user's data."""

    exit_code = 10
