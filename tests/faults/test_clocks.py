"""Clocks that are wrong by a day, in both directions: what is newer is decided by the sources' times, not by ours."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sluice.store.engine import Database
from tests.conftest import absent
from tests.faults.conftest import Workers, hired
from tests.faults.oracle import all_in, whole

LIBRARY = "*/faketime/libfaketime.so.1"
NOW = 1_700_000_000


@pytest.fixture(scope="module")
def skewed(make_home: Callable[[], Path]) -> Iterator[list[Workers]]:
    """Workers whose clock is a day behind, and a day ahead; files keep their true times."""
    found = [str(path) for path in Path("/usr/lib").glob(LIBRARY)]
    if not found:
        absent(f"{LIBRARY} (Debian's package faketime)")
    clock = {"LD_PRELOAD": found[0], "NO_FAKE_STAT": "1", "DONT_FAKE_MONOTONIC": "1"}
    with ExitStack() as stack:
        yield [stack.enter_context(hired(make_home() / "log", FAKETIME=skew, **clock)) for skew in ("-1d", "+1d")]


def test_one_file(skewed: list[Workers], leads_file: Path, database: Database, undisturbed: list[str]) -> None:
    assert round((skewed[1].clock() - skewed[0].clock()) / 86_400) == 2, "the clocks are not wrong"
    pids = [workers.start(leads_file, database) for workers in skewed]
    assert [workers.wait(pid) for workers, pid in zip(skewed, pids, strict=True)] == [0, 0], skewed[0].said()
    assert whole(database) == undisturbed
    all_in(database, [leads_file])


@pytest.mark.parametrize("newer_first", [False, True])
def test_two_files_with_the_same_people(
    newer_first: bool,
    skewed: list[Workers],
    workers: Workers,
    leads_file: Path,
    tmp_path: Path,
    database: Database,
    make_database: Callable[..., Database],
) -> None:
    """The worker whose clock is behind imports the newer file, the one ahead the older; the newer file's values win."""
    header, *lines = leads_file.read_text(encoding="utf-8").splitlines(keepends=True)
    names = header.rstrip().split(",")
    older, newer = tmp_path / "older.csv", tmp_path / "newer.csv"
    for path, part, age, title in ((older, lines[:80], 3_600, "Buyer"), (newer, lines[40:120], 0, "Head of Sales")):
        anna = {"first_name": "Anna", "last_name": "Petrova", "email": "anna@acme.example", "title": title}
        row = ",".join(anna.get(name, "") for name in names)
        path.write_text(f"{header}{''.join(part)}{row}\n", encoding="utf-8")
        os.utime(path, (NOW - age,) * 2)
    turns = [(skewed[0], newer), (skewed[1], older)][:: 1 if newer_first else -1]
    straight = make_database("template_of_tests")
    for hand, path in turns:
        assert hand.run(path, database) == 0, hand.said()
        assert workers.run(path, straight) == 0, workers.said()
    assert whole(database) == whole(straight)
    all_in(database, [older, newer])
    with database.connection() as connection:
        (title,) = connection.exec_driver_sql("select title from leads where email = 'anna@acme.example'").one()
        (skew,) = connection.exec_driver_sql(
            "select max(greatest(abs(extract(epoch from l.updated_at - now())), abs(extract(epoch from assigned_at - now()))))"
            " from leads l join assignments a on l.lead_id = a.lead_id"
        ).one()
    assert title == "Head of Sales"
    assert skew < 3_600, "our own stamps are the database's"
