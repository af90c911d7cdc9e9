"""Group commit: postings wait in a queue, and a few threads store all that wait by one statement each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from sluice.api.answers import Refused, unavailable
from sluice.api.log import frames, say
from sluice.api.rules import DoorRules
from sluice.errors import DatabaseUnavailable
from sluice.store import arrivals
from sluice.store.arrivals import Outcome, Posting, Session, Stored
from sluice.store.engine import Database
from sluice.store.faults import Retry, StoreError

THREADS = 2
"""While one waits for the disk, the other collects."""

MOST, MOST_BYTES = 500, 8 << 20
"""Of one statement."""

GATHER_SECONDS = 0.003
"""For which more is gathered once something waits: a statement costs as much for one posting as for ten."""

TRIES = 3

AWAY = "The database does not answer, so that nothing can be stored"


@dataclass
class _Item:
    """A posting that waits; without it, its sender has been told to come again."""

    posting: Posting | None
    future: asyncio.Future[Stored]

    def give_up(self) -> None:
        """Tells the sender to come again: nobody knows when it will be stored."""
        if not self.future.done():
            self.posting = None
            self.future.set_exception(unavailable(AWAY))


class Writer:
    """Stores postings; nobody is told of success before the COMMIT has returned.

    Args:
        database: where to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: SimpleQueue[_Item | None] = SimpleQueue()
        self._threads = [Thread(target=self._work, name=f"writer-{number}") for number in range(THREADS)]
        self._replays: Counter[int] = Counter()
        self._lock = Lock()
        self.trouble: tuple[float, str] | None = None
        """When (monotonic) and why the last statement failed; None once one succeeded."""
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        return self._queue.qsize()

    async def store(self, posting: Posting, rules: DoorRules) -> Stored:
        """Stores a posting; when this returns it is committed.

        Args:
            posting: what came.
            rules: how many postings may wait, and how long.

        Raises:
            Refused: 503, nobody knows whether it is stored; 500, the database cannot take it.
        """
        if len(self) >= rules.queue:
            raise unavailable("Too many posts wait for the database", 1)
        loop = asyncio.get_running_loop()
        item = _Item(posting, loop.create_future())
        self._queue.put(item)
        late = loop.call_later(rules.answer_seconds, item.give_up)
        try:
            return await item.future
        finally:
            late.cancel()

    def close(self) -> None:
        """Ends the threads when they have stored what waits."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def count_replays(self) -> None:
        """Notes in the receipts how often they came again; what cannot be noted now is kept for the next time."""
        with self._lock:
            replays, self._replays = self._replays, Counter()
        if not replays:
            return
        try:
            arrivals.count_replays(self._database, replays)
        except (DatabaseUnavailable, StoreError):
            with self._lock:
                self._replays.update(replays)

    def _work(self) -> None:
        session = Session(self._database)
        while items := self._take():
            waiting = [(item, posting) for item in items if (posting := item.posting) is not None]
            if waiting:
                self._write(session, [item for item, _ in waiting], [posting for _, posting in waiting])
        session.close()

    def _take(self) -> list[_Item]:
        """All that waits, at least one; none when the door is closed."""
        items: list[_Item] = []
        size = 0
        item = self._queue.get()
        if item is not None:
            time.sleep(GATHER_SECONDS)
        while item is not None:
            items.append(item)
            size += len(posting.body) if (posting := item.posting) else 0
            if len(items) >= MOST or size >= MOST_BYTES:
                return items
            try:
                item = self._queue.get_nowait()
            except Empty:
                return items
        if items:
            self._queue.put(None)  # for the next time
        return items

    def _write(self, session: Session, items: Sequence[_Item], postings: Sequence[Posting]) -> None:
        try:
            stored = _stored(session, postings)
        except (DatabaseUnavailable, Retry) as error:
            self._note(error)
            self._tell(items, [unavailable(AWAY)] * len(items))
        except Exception as error:  # nothing may end this thread, and nobody may wait for an answer that never comes
            if len(items) > 1:
                for item, posting in zip(items, postings, strict=True):
                    if item.posting is not None:
                        self._write(session, [item], [posting])
                return
            self._note(error)
            say("not stored", logging.ERROR, source=postings[0].source, **frames(error))
            self._tell(items, [Refused(500, "The database cannot take this post", fix="Please report it")])
        else:
            self.trouble = None
            with self._lock:
                self._replays.update(found.receipt_id for found in stored if found.outcome is Outcome.REPLAYED)
            self._tell(items, stored)

    def _note(self, error: Exception) -> None:
        if self.trouble is None:
            say("cannot store", logging.ERROR, **frames(error))
        why = error.found if isinstance(error, DatabaseUnavailable) else "a statement failed"
        self.trouble = (time.monotonic(), why)

    def _tell(self, items: Sequence[_Item], results: Sequence[Stored | Refused]) -> None:
        with contextlib.suppress(RuntimeError):  # the door has closed, and nobody waits any more
            items[0].future.get_loop().call_soon_threadsafe(_resolve, items, results)


def _stored(session: Session, postings: Sequence[Posting]) -> list[Stored]:
    for _ in range(TRIES - 1):
        try:
            return session.store(postings)
        except Retry:  # another transaction was in the way; keys make it safe to try again
            continue
    return session.store(postings)


def _resolve(items: Sequence[_Item], results: Sequence[Stored | Refused]) -> None:
    for item, result in zip(items, results, strict=True):
        if item.future.done():
            continue
        if isinstance(result, Refused):
            item.future.set_exception(result)
        else:
            item.future.set_result(result)
