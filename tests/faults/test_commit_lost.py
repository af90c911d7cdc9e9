"""R6: the answer to a COMMIT is lost, so that the client cannot know whether it happened. Each row is there once."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from sluice.store.engine import Database
from tests.faults.conftest import Workers, bucket_of
from tests.faults.oracle import Acknowledgements, all_in, tidy, whole
from tests.faults.proxy import Proxy, proxied

LOST = int(os.environ.get("SLUICE_LOST") or 2)
"""Imports that lose answers at random; the long run has 40."""

TRANSACTIONS = {
    "receive": (b"insert into receipts", 0),
    "survey": (b"survey = coalesce", 0),
    "first slice": (b"pg_advisory_xact_lock(7002)", 0),
    "later slice": (b"pg_advisory_xact_lock(7002)", 3),
    "finish": (b"state = 'done'", 0),
    "moved": (b"set moved_to", 0),
}
"""Words that the first of a kind of transaction holds, and how many transactions after that one is meant."""


def lose_one(proxy: Proxy, words: bytes, later: int) -> None:
    """Loses the answer to one COMMIT."""
    seen = [-1]

    def is_lost(said: bytes) -> bool:
        seen[0] = seen[0] + 1 if seen[0] >= 0 or words in said else -1
        return seen[0] == later

    proxy.is_lost = is_lost


def lose(proxy: Proxy, chance: random.Random) -> None:
    """Loses a third of all answers, though never four in a row: a client's patience ends."""
    in_a_row = [0]

    def is_lost(_: bytes) -> bool:
        in_a_row[0] = in_a_row[0] + 1 if in_a_row[0] < 3 and chance.random() < 1 / 3 else 0
        return in_a_row[0] > 0

    proxy.is_lost = is_lost


@pytest.mark.parametrize("transaction", TRANSACTIONS)
def test_at_each_kind_of_transaction(
    transaction: str, workers: Workers, bucket: Path, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """The same process goes on: it finds what it has written."""
    with proxied(database.url) as proxy:
        lose_one(proxy, *TRANSACTIONS[transaction])
        assert workers.run(bucket, proxy.url(database.url)) == 0, workers.said()
        assert proxy.lost == 1
    assert whole(database) == undisturbed
    all_in(database, [leads_file])
    tidy(bucket, {leads_file.name})


@pytest.mark.parametrize("number", range(LOST))
def test_at_random(
    number: int,
    workers: Workers,
    leads_file: Path,
    tmp_path: Path,
    database: Database,
    undisturbed: list[str],
    acks: Acknowledgements,
) -> None:
    """A third of all answers; whether the process gets through or gives up, a later one completes the work."""
    seed = random.randrange(2**32)
    with proxied(database.url) as proxy:
        lose(proxy, random.Random(seed))
        status = workers.run(bucket_of([leads_file], tmp_path / "bucket"), proxy.url(database.url), acks=acks.path)
        print(f"seed {seed}: {proxy.lost} of {proxy.commits} answers lost, status {status}")
        assert proxy.lost > 0
    assert workers.run(tmp_path / "bucket", database) == 0, workers.said()
    assert whole(database) == undisturbed
    all_in(database, [leads_file])
    tidy(tmp_path / "bucket", {leads_file.name})
