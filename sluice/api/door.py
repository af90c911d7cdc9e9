"""What an HTTP door has open: database, rules, keys, secrets, the writer, and a thread that keeps all of it fresh."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread
from typing import ParamSpec, TypeVar

from sluice.api.answers import busy, unavailable
from sluice.api.keys import Keys, network_of
from sluice.api.log import Tally, frames, say
from sluice.api.metrics import Metrics
from sluice.api.rates import Buckets
from sluice.api.reception import Reception
from sluice.api.rulebook import InForce, Rulebook
from sluice.api.rules import DoorRules, Proxies, Rate
from sluice.api.writer import AWAY, Writer
from sluice.errors import DatabaseUnavailable
from sluice.keyring import Keyring
from sluice.settings import Settings
from sluice.store import arrivals
from sluice.store.engine import Database
from sluice.store.faults import Retry, StoreError
from sluice.store.migrate import migrate

PULSE = 0.5
"""Seconds between two rounds of the keeper."""

ASKERS, MOST_QUESTIONS = 4, 32
"""Threads that ask the database, and how many questions may be under way."""

_LOOKS = Rate(per_second=20, burst=40)
"""How often keys are looked up because one is unknown."""

P = ParamSpec("P")
T = TypeVar("T")


class Door:
    """Everything that answering a request may need.

    Args:
        settings: where the home and the rules are.
        database: migrated.
        environ: secrets and trusted proxies.
    """

    def __init__(self, settings: Settings, database: Database, environ: Mapping[str, str]) -> None:
        self.settings, self.database = settings, database
        self.proxies = Proxies.read(environ)
        self.keyring = Keyring(settings.home, environ)
        self.rulebook = Rulebook(settings, database)
        self.keys = Keys(database)
        self.buckets = Buckets(time.monotonic)
        self.tally = Tally()
        self.reception = Reception(self.limits)
        self.writer = Writer(database)
        self.metrics = Metrics(self.writer.__len__, lambda: self.reception.in_flight)
        self._complaints: dict[str, str] = {}
        self._askers = ThreadPoolExecutor(ASKERS, "asker")
        self._questions = 0

    @property
    def rules(self) -> InForce:
        """The rules in force."""
        return self.rulebook.in_force

    def limits(self) -> DoorRules:
        """What the door takes at most at the moment."""
        return self.rulebook.in_force.door

    def complain(self, source: str, said: str) -> None:
        """Logs what the owner of a declared source must mend, once for as long as it is the same."""
        if self._complaints.get(source) != said:
            self._complaints[source] = said
            say("no usable secret", logging.ERROR, source=source, said=said)

    def admit(self, source: str, address: str, *, is_public: bool) -> None:
        """Takes the tokens for a post; a page's visitors have a bucket each, so that one of them is no harm to others.

        Raises:
            Refused: 429.
        """
        limits = self.limits()
        wait = self.buckets.take(f"address {network_of(address)}", limits.address) if is_public else 0
        wait = wait or self.buckets.take(f"source {source}", limits.source)
        if wait:
            raise busy("The source is posted to too quickly", wait)

    async def ask(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Does something with the database in another thread, and waits only so long.

        Raises:
            Refused: 503, the database does not answer.
        """
        if self._questions >= MOST_QUESTIONS:
            raise unavailable("Too many requests wait for the database", 1)
        self._questions += 1
        asked = self._askers.submit(work, *arguments, **named)
        try:
            return await self._wait(asked)
        finally:
            self._questions -= 1

    async def look_at_keys(self) -> None:
        """Reads the API keys anew: one of them may be younger than the last look.

        Raises:
            Refused: 503, the database does not answer; 429, so many unknown keys come that no more is looked up.
        """
        if wait := self.buckets.take("keys", _LOOKS):
            raise busy("Too many unknown keys come in", wait)
        await self.ask(self.keys.refresh)

    async def _wait(self, asked: Future[T]) -> T:
        future = asyncio.wrap_future(asked)
        future.add_done_callback(_seen)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self.limits().answer_seconds)
        except (TimeoutError, DatabaseUnavailable, Retry):
            raise unavailable(AWAY) from None

    def close(self) -> None:
        """Stores what waits, and ends all threads."""
        self.writer.close()
        self.writer.count_replays()
        self._askers.shutdown(cancel_futures=True)


def _seen(future: asyncio.Future[T]) -> None:
    """Looks at an error that nobody waited for: asyncio would print it, with whatever it quotes."""
    if not future.cancelled():
        future.exception()


class Keeper(Thread):
    """Keeps rules, keys and gauges fresh while the door is open; when the database is away, it goes on trying."""

    def __init__(self, door: Door) -> None:
        super().__init__(name="keeper")
        self._door, self._is_over = door, Event()
        self._rounds = 0
        self._was_away = False

    def run(self) -> None:
        """Makes its rounds until it is told to end."""
        while not self._is_over.wait(PULSE):
            try:
                self._round()
            except (DatabaseUnavailable, StoreError):  # the writer says so, if anybody posts
                self._was_away = True
            except Exception as error:  # the next round may succeed; without it keys and rules would grow old unseen
                say("internal error", logging.ERROR, **frames(error))

    def end(self) -> None:
        """Ends it after its round."""
        self._is_over.set()
        self.join()

    def _round(self) -> None:
        door, self._rounds = self._door, self._rounds + 1
        door.keyring.refresh()
        door.writer.count_replays()
        if self._rounds % 20 == 0:
            door.tally.flush()
        if self._rounds % 4 == 0:
            door.rulebook.refresh()
            door.metrics.rules(are_broken=bool(door.rulebook.mistake))
            door.keys.refresh()
        if self._was_away:
            door.rulebook.remember()
            self._was_away = False
        if self._rounds % 10 == 1:
            door.metrics.waits(arrivals.waiting(door.database))


@contextmanager
def opened(settings: Settings, environ: Mapping[str, str] = os.environ) -> Generator[Door]:
    """A door with everything that it needs; closed at the end.

    Raises:
        ConfigError, DatabaseUnavailable: said plainly; nothing was changed.
    """
    database = Database.open(settings)
    try:
        migrate(database)
        door = Door(settings, database, environ)
        keeper = Keeper(door)
        keeper.start()
        try:
            door.keys.refresh()
            yield door
        finally:
            keeper.end()
            door.close()
            door.tally.flush()
    finally:
        database.dispose()
