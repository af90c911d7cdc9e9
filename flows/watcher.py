"""The watcher: looks at the buckets and starts runs of `intake/bucket` for what is complete. `python -m flows.watcher`.

The listing is the truth; that a folder says something has changed only wakes the watcher earlier. What goes to a run is
claimed in Postgres first, so that two watchers, or one that was started again, give each file to one run. Whatever a
run does not finish, the sweep does. `config/buckets.yml` and the sources are read again all the time.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.intake import named
from sluice.bucket_rules import BucketRules, load_buckets
from sluice.buckets import dropped, grouped, opened
from sluice.errors import SluiceError, UserError
from sluice.intake import Order
from sluice.profiles import load_sources
from sluice.settings import Settings
from sluice.sources.bucket import Bucket, spelled, unspelled
from sluice.sources.stability import Looks
from sluice.store import drops
from sluice.store.engine import Database
from sluice.store.migrate import migrate

DEPLOYMENT = "intake/bucket"
LOOK_SECONDS = 3.0
"""Between two looks at a bucket."""

LONGEST_PAUSE = 60.0
"""Between two looks at a bucket that cannot be reached."""

CONFIG_SECONDS = 5.0
"""Between two looks at the configuration."""

logger = logging.getLogger("sluice.watcher")

Start = Callable[[dict[str, Any], str, list[str]], None]
"""Creates a run, given its parameters, its idempotency key and its tags."""


class ServerAway(UserError):
    """The Prefect server does not answer, or does not have the deployment yet."""

    exit_code = 5


@dataclass
class Watched:
    """One bucket under watch.

    Attributes:
        start: creates a run.
        told: names of files that the last look said must be renamed.
    """

    rules: BucketRules
    sources: frozenset[str]
    bucket: Bucket
    database: Database
    start: Start
    looks: Looks = field(init=False)
    told: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.looks = Looks(self.rules.settle_seconds)

    def round(self, now: float) -> None:
        """One look: claims what is complete, and starts the runs that are claimed and not started.

        Raises:
            SluiceError: the bucket, the database or the Prefect server is away; nothing is lost by it.
        """
        stable = self.looks.look(self.bucket.entries(), now)
        self._warn()
        for group in grouped(dropped(self.bucket, self.rules, stable, Order(Path()), dict.fromkeys(self.sources))):
            drops.claim(self.database, self.rules.url, {spelled(f.entry.key): f.entry.version for f in group})
            self.looks.hand_over(file.entry for file in group)
        for run in drops.unsubmitted(self.database, self.rules.url):
            self._submit(run)

    def _warn(self) -> None:
        """Says of each file once that only another name helps."""
        misnamed = {entry.name: entry.waits for entry in self.looks.misnamed}
        for name in misnamed.keys() - self.told:
            logger.warning("%s: %s: %s", self.rules.name, name, misnamed[name])
        self.told = set(misnamed)

    def _submit(self, run: drops.Run) -> None:
        source = self.rules.source_of(unspelled(run.files[0]), dict.fromkeys(self.sources), Order(Path()).source)
        parameters: dict[str, Any] = {"path": self.rules.url, "source": source, "files": list(run.files)}
        self.start(parameters, run.key, [f"bucket:{self.rules.name}", f"source:{source}"])
        drops.submitted(self.database, self.rules.url, run)
        logger.info("%s: %s", self.rules.name, named(**parameters))


def watch(watched: Watched, stop: threading.Event, look_seconds: float = LOOK_SECONDS) -> None:
    """Looks again and again until `stop`; what is wrong is said once, and looked at less and less often."""
    said, pause = "", look_seconds
    while not stop.is_set():
        try:
            watched.round(time.monotonic())
            if said:
                logger.info("%s: all is well again", watched.rules.name)
            said, pause = "", look_seconds
        except SluiceError as error:
            if str(error) != said:
                logger.warning("%s: %s", watched.rules.name, error)
            said, pause = str(error), min(2 * pause, LONGEST_PAUSE)
        except Exception as error:
            if (found := type(error).__name__) != said:
                logger.exception("%s: %s; it goes on looking", watched.rules.name, found)
            said, pause = found, LONGEST_PAUSE
        _wait(watched.rules, stop, pause)


def _wait(rules: BucketRules, stop: threading.Event, seconds: float) -> None:
    """Waits, or shorter: a change in a folder wakes."""
    inbox = rules.folder / "inbox" if rules.folder else None
    if inbox is None or not inbox.is_dir():
        stop.wait(seconds)
        return
    from watchfiles import watch as changes

    try:
        for _ in changes(inbox, stop_event=stop, rust_timeout=int(1000 * seconds), yield_on_timeout=True, debounce=500):
            break
    except (OSError, RuntimeError):  # the system has no more watches to give, or the folder went away
        stop.wait(seconds)
    else:
        stop.wait(0.5)  # a writer at work would wake us all the time


class Server:
    """The Prefect server, as far as the watcher needs it."""

    def __call__(self, parameters: dict[str, Any], key: str, tags: list[str]) -> None:
        """Creates a run; the same key again answers with the run that there is.

        Raises:
            ServerAway: it does not answer, or does not have the deployment.
        """
        from httpx import HTTPError
        from prefect.client.orchestration import get_client
        from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

        try:
            with get_client(sync_client=True) as client:
                deployment = client.read_deployment_by_name(DEPLOYMENT)
                client.create_flow_run_from_deployment(
                    deployment.id, parameters=parameters, idempotency_key=key, name=named(**parameters), tags=tags
                )
        except ObjectNotFound:
            found = f"it has no deployment {DEPLOYMENT}"
            raise ServerAway("the Prefect server", found, fix="Start `sluice up`, or deploy it") from None
        except (HTTPError, PrefectHTTPStatusError, RuntimeError, OSError) as error:
            found = f"it does not answer ({type(error).__name__})"
            raise ServerAway(
                "the Prefect server", found, fix="Check PREFECT_API_URL; files wait until it does"
            ) from None


class Watcher:
    """All buckets under watch, a thread each; follows the configuration.

    Args:
        start: creates a run.
    """

    def __init__(self, settings: Settings, database: Database, start: Start) -> None:
        self._settings, self._database, self._start = settings, database, start
        self._running: dict[str, tuple[object, threading.Event, threading.Thread]] = {}
        self._said = ""

    def follow(self) -> None:
        """Reads the configuration, and watches what it says now; if it cannot be read, what it said before."""
        try:
            declared = load_buckets(self._settings.config, self._settings.home)
            sources = frozenset(load_sources(self._settings.config))
            wanted = {rules.url: (rules, sources) for rules in declared.values()}
        except UserError as error:
            if str(error) != self._said:
                logger.warning("the configuration: %s It goes on with what it said before.", error)
            self._said = str(error)
            return
        self._said = ""
        for url, (watched, stop, thread) in list(self._running.items()):
            if wanted.get(url) != watched or not thread.is_alive():
                stop.set()
                del self._running[url]
        for url, (rules, known) in wanted.items():
            if url not in self._running:
                self._add(rules, known)

    def stop(self) -> None:
        """Ends all looks."""
        for _, stop, _ in self._running.values():
            stop.set()
        for _, _, thread in self._running.values():
            thread.join(LONGEST_PAUSE)
        self._running.clear()

    def _add(self, rules: BucketRules, sources: frozenset[str]) -> None:
        if rules.folder is not None:
            (rules.folder / "inbox").mkdir(mode=0o700, parents=True, exist_ok=True)
        stop = threading.Event()
        watched = Watched(rules, sources, opened(rules, self._settings), self._database, self._start)
        thread = threading.Thread(target=watch, args=(watched, stop), name=f"watch {rules.name}", daemon=True)
        thread.start()
        self._running[rules.url] = ((rules, sources), stop, thread)
        logger.info("%s: watching %s", rules.name, rules.url)


def main() -> None:
    """Watches until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s watcher: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    settings = Settings.read(os.environ)
    database = _database(settings, ended)
    if database is None:
        return
    try:
        watcher = Watcher(settings, database, Server())
        while not ended.is_set():
            watcher.follow()
            ended.wait(CONFIG_SECONDS)
        watcher.stop()
    finally:
        database.dispose()


def _database(settings: Settings, ended: threading.Event) -> Database | None:
    """The database, waited for as long as it takes; None if we are to end before it answers."""
    said, pause = "", 1.0
    while not ended.is_set():
        try:
            database = Database.open(settings)
            try:
                migrate(database)
                drops.forget(database)
                return database
            except BaseException:
                database.dispose()
                raise
        except UserError as error:
            if str(error) != said:
                logger.warning("%s", error)
            said, pause = str(error), min(2 * pause, LONGEST_PAUSE)
        ended.wait(pause)
    return None


if __name__ == "__main__":
    try:
        main()
    except SluiceError as error:
        sys.exit(f"Error: {error}")
