"""When a file is complete: it looked the same in two looks, some seconds apart, by the clock of whoever looks."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from sluice.sources.bucket import Bucket, Entry

EMPTY_SECONDS = 60
"""How long a file of no bytes is waited for before it is refused: many programs create first and write later."""

GROWS = "it has changed lately, and may still grow"


@dataclass(slots=True)
class _Sight:
    version: str
    since: float
    is_handed_over: bool = False


class Looks:
    """Remembers what earlier looks at an inbox saw; times of files and of other machines are never asked.

    Args:
        settle_seconds: how long a file must have looked the same.

    Attributes:
        misnamed: what the last look saw that only another name helps.
    """

    def __init__(self, settle_seconds: float) -> None:
        self._settle_seconds = settle_seconds
        self._seen: dict[str, _Sight] = {}
        self._last = 0.0
        self.misnamed: list[Entry] = []

    def look(self, entries: Iterable[Entry], now: float) -> list[Entry]:
        """Takes in what lies there at `now` (seconds of a clock that only goes forward).

        Returns:
            What is complete, and was not handed over in this version.
        """
        seen: dict[str, _Sight] = {}
        stable: list[Entry] = []
        self.misnamed.clear()
        for entry in entries:
            if entry.is_misnamed:
                self.misnamed.append(entry)
            if entry.waits:
                continue
            sight = self._seen.get(entry.key)
            if sight is None or sight.version != entry.version:
                sight = _Sight(entry.version, now)
            seen[entry.key] = sight
            if not sight.is_handed_over and now - sight.since >= self._wait(entry):
                stable.append(entry)
        self._seen, self._last = seen, now
        return stable

    @property
    def is_waiting(self) -> bool:
        """Whether another look could find more than the last one did."""
        return any(sight.since == self._last and self._settle_seconds for sight in self._seen.values())

    def hand_over(self, entries: Iterable[Entry]) -> None:
        """Somebody works these versions, or will: they are no news any more."""
        for entry in entries:
            if entry.key in self._seen and self._seen[entry.key].version == entry.version:
                self._seen[entry.key].is_handed_over = True

    def why_it_waits(self, entry: Entry, now: float) -> str:
        """Why a file that was looked at is not taken yet, or ""."""
        sight = self._seen.get(entry.key)
        if entry.waits:
            return entry.waits
        if sight is not None and now - sight.since >= self._wait(entry):
            return ""
        return "it is empty; after a minute it is refused" if not entry.size else GROWS

    def _wait(self, entry: Entry) -> float:
        return self._settle_seconds if entry.size else max(EMPTY_SECONDS, self._settle_seconds)


def looked_twice(bucket: Bucket, settle_seconds: float) -> list[Entry]:
    """What is complete in an inbox, for whoever looks only once: two looks, with the time to settle between them.

    What must be renamed comes last, so that whoever asked is told of it.

    Raises:
        BucketUnavailable, UnreadableFile: it cannot be listed.
    """
    looks = Looks(settle_seconds)
    stable = looks.look(bucket.entries(), time.monotonic())
    if looks.is_waiting:
        time.sleep(settle_seconds)
        stable = looks.look(bucket.entries(), time.monotonic())
    return stable + looks.misnamed
