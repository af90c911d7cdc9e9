"""The watcher: each complete file goes to one run, whoever looks, and whoever dies in between."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from flows.watcher import ServerAway, Watched, Watcher, watch
from sluice.bucket_rules import own
from sluice.buckets import opened
from sluice.settings import REPOSITORY, Settings
from sluice.store import drops
from sluice.store.engine import Database

ANNA = "full_name,email\nAnna Schmidt,anna@nordwind.example\n"
SOURCES = frozenset(["files", "webinar"])


@dataclass
class Server:
    """Stands where the Prefect server stands: keeps one run a key, and may be away."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: list[list[str]] = field(default_factory=list)
    is_away: bool = False

    def __call__(self, parameters: dict[str, Any], key: str, tags: list[str]) -> None:
        if self.is_away:
            raise ServerAway("the Prefect server", "it does not answer")
        json.dumps(parameters, ensure_ascii=False).encode()
        self.runs.setdefault(key, parameters)
        self.tags.append(tags)

    def files(self) -> list[list[str]]:
        return sorted(run["files"] for run in self.runs.values())


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    (tmp_path / "bucket/inbox").mkdir(parents=True)
    return tmp_path / "bucket"


@pytest.fixture
def watcher(settings: Settings, database: Database, bucket: Path) -> Callable[[Server], Watched]:
    """A watcher of the bucket, as a process of its own would have it."""

    def make(server: Server) -> Watched:
        rules = own(bucket, "bucket")
        return Watched(rules, SOURCES, opened(rules, settings), database, server)

    return make


def drop(bucket: Path, name: str, content: str = ANNA) -> None:
    path = bucket / "inbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_an_empty_inbox_starts_nothing(watcher: Callable[[Server], Watched]) -> None:
    server = Server()
    watcher(server).round(0)
    assert server.runs == {}


def test_one_run_for_small_files_of_a_source_one_for_a_large_one(
    bucket: Path, watcher: Callable[[Server], Watched]
) -> None:
    for number in range(3):
        drop(bucket, f"webinar/{number}.csv")
    drop(bucket, "large.csv", ANNA + "x" * (1 << 20))
    drop(bucket, "growing.csv.tmp")
    server, url = Server(), bucket.as_uri()
    watching = watcher(server)
    watching.round(0)
    assert server.runs == {}, "one look is not enough"
    for now in (4.9, 5, 6, 60):
        watching.round(now)
    assert sorted(server.runs.values(), key=str) == [
        {"path": url, "source": "files", "files": ["large.csv"]},
        {"path": url, "source": "webinar", "files": ["webinar/0.csv", "webinar/1.csv", "webinar/2.csv"]},
    ]
    assert sorted(server.tags) == [["bucket:bucket", "source:files"], ["bucket:bucket", "source:webinar"]]


def test_a_file_that_grows_is_started_when_it_stands_still(bucket: Path, watcher: Callable[[Server], Watched]) -> None:
    """R4: appended slowly, then left alone; renamed into place it is complete at once, after the same wait."""
    server = Server()
    watching = watcher(server)
    for now in range(0, 20, 2):
        drop(bucket, "growing.csv", ANNA * (now + 1))
        watching.round(now)
    assert server.runs == {}
    drop(bucket, "whole.csv.part")
    (bucket / "inbox/whole.csv.part").rename(bucket / "inbox/whole.csv")
    for now in (20, 23.5, 25):
        watching.round(now)
    assert sorted(list(chain.from_iterable(server.files()))) == ["growing.csv", "whole.csv"]


def test_two_watchers_give_each_file_to_one_run(bucket: Path, watcher: Callable[[Server], Watched]) -> None:
    """R3: they see the files at different times, and so would group them differently."""
    server = Server()
    one, other = watcher(server), watcher(server)
    for number in range(40):
        drop(bucket, f"{number:02}.csv")
        if number % 3 == 0:
            one.round(number)
        if number % 4 == 0:
            other.round(number)
    threads = [threading.Thread(target=each.round, args=(100,)) for each in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given = list(chain.from_iterable(server.files()))
    assert sorted(given) == sorted(set(given)) == [f"{number:02}.csv" for number in range(40)]
    assert len(server.runs) > 1


def test_a_watcher_that_is_started_again_starts_nothing_twice(
    bucket: Path, watcher: Callable[[Server], Watched]
) -> None:
    server = Server()
    for name in ("leads.csv", "more.csv", ""):
        if name:
            drop(bucket, name)
        watching = watcher(server)
        watching.round(0)
        watching.round(5)
    assert server.files() == [["leads.csv"], ["more.csv"]]


def test_a_claim_whose_run_was_never_started_is_started_by_the_next(
    bucket: Path, watcher: Callable[[Server], Watched], database: Database
) -> None:
    """Died between the claim and the server's answer: the same key, so that at most one run comes of it."""
    drop(bucket, "leads.csv")
    server = Server(is_away=True)
    watching = watcher(server)
    watching.round(0)
    with pytest.raises(ServerAway):
        watching.round(5)
    assert len(drops.unsubmitted(database, bucket.as_uri())) == 1
    server.is_away = False
    watcher(server).round(0)
    assert server.files() == [["leads.csv"]]
    assert drops.unsubmitted(database, bucket.as_uri()) == []


def test_another_content_of_the_same_name_is_another_run(bucket: Path, watcher: Callable[[Server], Watched]) -> None:
    server = Server()
    watching = watcher(server)
    for start, content in ((0, ANNA), (10, ANNA * 2)):
        drop(bucket, "leads.csv", content)
        watching.round(start)
        watching.round(start + 5)
    assert [run["files"] for run in server.runs.values()] == [["leads.csv"], ["leads.csv"]]


def test_names_that_are_no_text_reach_the_server(bucket: Path, watcher: Callable[[Server], Watched]) -> None:
    drop(bucket, "M\udcfcller 100%\n.csv")
    server = Server()
    watching = watcher(server)
    watching.round(0)
    watching.round(5)
    assert server.files() == [["M%FCller 100%25%0A.csv"]]


def test_what_is_away_is_said_once_and_waited_for(
    bucket: Path, watcher: Callable[[Server], Watched], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "sluice.watcher")
    drop(bucket, "leads.csv")
    server, stop = Server(is_away=True), threading.Event()
    watching = watcher(server)
    watching.looks._settle_seconds = 0
    thread = threading.Thread(target=watch, args=(watching, stop, 0.01))
    thread.start()
    until(lambda: "does not answer" in caplog.text)
    shutil.move(bucket, bucket.with_name("away"))
    until(lambda: "no such folder" in caplog.text)
    shutil.move(bucket.with_name("away"), bucket)
    server.is_away = False
    until(lambda: "all is well again" in caplog.text)
    stop.set()
    thread.join()
    assert server.files() == [["leads.csv"]]
    assert caplog.text.count("no such folder") == 1


def test_the_configuration_is_followed(
    settings: Settings, database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A changed buckets.yml is followed without a restart; one that says nothing that can be changes nothing."""
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config, ignore=shutil.ignore_patterns("buckets.yml"))
    server = Server()
    watching = Watcher(replace(settings, config=config), database, server)
    try:
        (config / "buckets.yml").write_text(
            f"buckets:\n  one: {{url: '{(tmp_path / 'one').as_uri()}', settle_seconds: 0}}\n"
        )
        watching.follow()
        drop(tmp_path / "one", "leads.csv")
        until(lambda: len(server.runs) == 1)
        (config / "buckets.yml").write_text("buckets:\n  one: {url: 'ftp://x'}\n")
        for _ in range(3):
            watching.follow()
        assert caplog.text.count("buckets.one.url: found 'ftp'") == 1
        drop(tmp_path / "one", "more.csv")
        until(lambda: len(server.runs) == 2)
        (config / "buckets.yml").write_text(
            f"buckets:\n  two: {{url: '{(tmp_path / 'two').as_uri()}', settle_seconds: 0}}\n"
        )
        watching.follow()
        drop(tmp_path / "two", "leads.csv")
        until(lambda: len(server.runs) == 3)
        assert server.tags[-1] == ["bucket:two", "source:files"]
    finally:
        watching.stop()


def until(holds: Callable[[], bool]) -> None:
    """Waits for something that other threads do."""
    for _ in range(1_000):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen in 20 seconds")
