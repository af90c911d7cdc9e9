"""R1, R20, R26 at the inbox: whoever works it is killed, and the next one completes it."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sluice.crash import INBOX_POINTS
from sluice.settings import Settings
from sluice.store.engine import Database
from tests.desk import Desk
from tests.faults.conftest import Workers
from tests.faults.oracle import whole
from tests.faults.worker import INBOX
from tests.posts import Posts, person

KILLED = signal.SIGKILL
POSTS = 60
KILLS = int(os.environ.get("SLUICE_KILLS") or 10)
SEED = int(os.environ.get("SLUICE_SEED") or random.randrange(2**32))


def fill(posts: Posts) -> list[int]:
    """Arrivals of all kinds: single ones, lists, the same person again, an unreadable one, one without an address."""
    found = [posts.post(person(n % 45, title=f"Head of Line {n}")) for n in range(POSTS)]
    found.append(posts.post([person(n) for n in range(100, 110)]))
    found.append(posts.post(b"{not json"))
    found.append(posts.post({"full_name": "Nobody Reachable"}))
    return found


@pytest.fixture
def posts(settings: Settings, database: Database, tmp_path: Path) -> Posts:
    return Posts(Desk.at(settings, database, tmp_path))


@pytest.fixture
def undisturbed(settings: Settings, make_database: Callable[..., Database], tmp_path: Path) -> list[str]:
    """What comes out when nobody is killed."""
    desk = Desk.at(settings, make_database("template_of_tests"), tmp_path)
    posts = Posts(desk)
    fill(posts)
    posts.work()
    return whole(desk.database)


@pytest.mark.parametrize("point", INBOX_POINTS)
def test_killed_at_a_named_point_the_next_one_completes_it(
    point: str, workers: Workers, posts: Posts, undisturbed: list[str]
) -> None:
    """R1."""
    fill(posts)
    assert workers.run(INBOX, posts.desk.database, crash_at=point) == KILLED
    assert workers.run(INBOX, posts.desk.database) == 0, workers.said()
    assert whole(posts.desk.database) == undisturbed
    assert posts.desk.ask("select count(*) from receipts where state not in ('done', 'failed')") == [0]


def test_killed_at_random_the_next_one_completes_it(workers: Workers, posts: Posts, undisturbed: list[str]) -> None:
    """R1."""
    chance, kills, numbers = random.Random(SEED), 0, fill(posts)
    print(f"seed {SEED} (SLUICE_SEED), {KILLS} kills of whoever works the inbox (SLUICE_KILLS)")
    while kills < KILLS:
        posts.desk.do("update receipts set retry_at = null where attempts < 3")  # nobody waits for half a minute here
        pid = workers.start(INBOX, posts.desk.database)
        time.sleep(chance.uniform(0, 0.6))
        if not workers.has_ended(pid):
            os.kill(pid, signal.SIGKILL)
        if workers.wait(pid) == 0:
            break
        kills += 1
    posts.desk.do("update receipts set retry_at = null, attempts = least(attempts, 2)")
    assert workers.run(INBOX, posts.desk.database) == 0, workers.said()
    assert len(numbers) == len(set(numbers))
    assert whole(posts.desk.database) == undisturbed
    print(f"{kills} processes were killed, 0 lost, 0 doubled")


def test_a_body_that_kills_its_reader_is_quarantined_and_the_others_are_worked(workers: Workers, posts: Posts) -> None:
    """R20: at most three attempts."""
    others = [posts.post(person(n)) for n in range(10)]
    deadly = posts.post(person(11, description="deadly"))
    others += [posts.post(person(n)) for n in range(20, 25)]
    statuses = list[int]()
    while posts.state(deadly) == "received":
        posts.desk.do("update receipts set retry_at = null")
        statuses.append(workers.run(INBOX, posts.desk.database, mutant="deadly body"))
        assert len(statuses) < 9, workers.said()
    assert statuses.count(KILLED) == 3
    assert posts.desk.ask("select receipt_id, attempts from receipts where state = 'failed'") == [(deadly, 3)]
    assert sorted(posts.desk.ask("select receipt_id from receipts where state = 'done'")) == others
    whole(posts.desk.database)


def test_a_receipt_that_is_closed_after_its_rows_would_be_noticed(workers: Workers, posts: Posts) -> None:
    """R26: the proof that the tests above can fail."""
    posts.post(person(1))
    mutant = {"mutant": "settled outside", "impatient": True}
    assert workers.run(INBOX, posts.desk.database, crash_at="between", **mutant) == KILLED
    workers.run(INBOX, posts.desk.database, impatient=True)
    with pytest.raises(AssertionError):
        whole(posts.desk.database)
