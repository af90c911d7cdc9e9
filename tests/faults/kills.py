"""R1: imports that are killed at random moments until they get through."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from sluice.store.engine import Database
from tests.faults.conftest import SLICE_ROWS, Workers, bucket_of, hired
from tests.faults.oracle import Acknowledgements, acknowledged_is_stored, all_in, holds, rows_of, tidy, whole

MOST = 8
"""Kills of one import: after that it may get through."""

SOONER = (1, 2, 4)
"""Parts of an import's time within which a kill falls: the later tries have less left to do."""


@dataclass(frozen=True)
class Work:
    """What is imported again and again: files, by themselves or through the inbox of a folder; and what must come out.

    Attributes:
        undisturbed: the canonical dump of an import that nobody disturbed.
    """

    files: Sequence[Path]
    in_folder: bool
    undisturbed: list[str]
    make_database: Callable[[], Database]


@dataclass
class Tally:
    """What became of all imports: how many processes were killed, and the seeds of imports that came out wrong.

    Attributes:
        wanted: so many kills.
        until: when to end all the same, on the monotonic clock.
        seconds: how long an import takes that nobody disturbs, lately.
    """

    wanted: int
    until: float
    seconds: float
    kills: int = 0
    imports: int = 0
    failures: dict[int, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def goes_on(self) -> bool:
        """Whether more is wanted, and there is time."""
        return self.kills < self.wanted and time.monotonic() < self.until and len(self.failures) < 5

    def add(self, seed: int, kills: int, failure: str | None) -> None:
        """Counts an import."""
        with self._lock:
            print(f"seed {seed}: {kills} kills{f', {failure}' if failure else ''}", flush=True)
            self.kills += kills
            self.imports += 1
            if failure is not None:
                self.failures[seed] = failure

    def __str__(self) -> str:
        bound = 3 / max(self.kills, 1)
        said = f"{self.kills} kills in {self.imports} imports, {len(self.failures)} came out wrong"
        return (
            f"{said}; the 95 % upper bound is {bound:.1%} a kill" if not self.failures else f"{said}: {self.failures}"
        )


def campaign(work: Work, tally: Tally, seed: int, lanes: int, folder: Path) -> None:
    """Kills imports, each a few times, until so many processes were killed; `lanes` imports at a time."""
    seeds = random.Random(seed)
    drawn = (seeds.randrange(2**32) for _ in iter(int, 1))
    lock = Lock()

    def lane(workers: Workers) -> None:
        while tally.goes_on:
            with lock:
                number = next(drawn)
            tally.add(number, *_import(work, tally, workers, number, folder / str(number)))

    with ExitStack() as stack, ThreadPoolExecutor(lanes) as pool:
        hands = [stack.enter_context(hired(folder / f"workers-{n}.log")) for n in range(lanes)]
        for ended in [pool.submit(lane, workers) for workers in hands]:
            ended.result()


def _import(work: Work, tally: Tally, workers: Workers, seed: int, place: Path) -> tuple[int, str | None]:
    """One import, killed until it gets through: the kills, and what was wrong."""
    chance, kills = random.Random(seed), 0
    place.mkdir()
    acks = Acknowledgements(place / "acknowledged.txt")
    path = bucket_of(list(work.files), place / "bucket") if work.in_folder else work.files[0]
    database = work.make_database()
    try:
        for attempt in range(MOST + 1):
            pid = workers.start(path, database, acks=acks.path)
            began = time.monotonic()
            if attempt < MOST:
                _wait(workers, pid, began + chance.uniform(0, tally.seconds / chance.choice(SOONER)))
                os.kill(pid, signal.SIGKILL)  # one that has ended is still there to be waited for
            status = workers.wait(pid)
            assert status in (0, signal.SIGKILL), f"status {status}: {workers.said()}"
            kills += status == signal.SIGKILL
            if not attempt and status == 0:
                tally.seconds = time.monotonic() - began
            holds(database)
            acknowledged_is_stored(database, acks, SLICE_ROWS, rows_of(work.files).total())
            if status == 0:
                break
        all_in(database, work.files)
        assert whole(database) == work.undisturbed, "the dump is not that of an undisturbed import"
        if work.in_folder:
            tidy(path, {file.name for file in work.files})
    except AssertionError as wrong:
        return kills, str(wrong)[:500]
    finally:
        database.dispose()
    return kills, None


def _wait(workers: Workers, pid: int, until: float) -> None:
    while time.monotonic() < until and not workers.has_ended(pid):
        time.sleep(min(0.1, max(0.0, until - time.monotonic())))
