"""R5, R6, R7 at the HTTP door: a database that goes away, and answers to COMMITs that are lost."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sluice.settings import Settings
from sluice.store.engine import Database
from sluice.store.migrate import migrate
from tests.doors import Door, until
from tests.faults.own_server import OwnServer, own_server, restart
from tests.faults.proxy import Proxy, proxied

RESTARTS = int(os.environ.get("SLUICE_RESTARTS") or 3)
"""Restarts under load; the long run has 20."""


@pytest.fixture
def postgres(make_home: Callable[[], Path]) -> Iterator[OwnServer]:
    """A durable server of the test's own."""
    with own_server(make_home()) as found:
        yield found


@pytest.fixture
def open_door(database: Database, make_home: Callable[[], Path]) -> Iterator[Callable[[str], Door]]:
    """Opens a door on the test's own database, reached by a URL; ends it."""
    with ExitStack() as undo:

        def make(url: str = "") -> Door:
            door = Door.made(database, make_home(), url=url).open()
            undo.callback(door.end)
            return door

        yield make


@pytest.fixture
def own(postgres: OwnServer, make_home: Callable[[], Path]) -> Iterator[Door]:
    """A door on that server."""
    database = Database.open(Settings.read({"SLUICE_DATABASE_URL": postgres.create("door")}))
    migrate(database)
    door = Door.made(database, make_home()).open()
    yield door
    door.end()
    database.dispose()


def form(identity: str = "") -> bytes:
    return json.dumps({"id": identity or os.urandom(6).hex(), "email": "anna@example.com"}).encode()


def test_while_the_database_is_away_senders_are_told_to_come_again_and_then_it_goes_on_alone(
    own: Door, postgres: OwnServer
) -> None:
    key = own.key()
    assert own.signed(form()).status_code == 202 and own.client.get("/ready").status_code == 200
    postgres.stop()
    body = form()
    for said in (own.signed(body), own.post("/v1/leads", b"{}", key), own.client.get("/ready")):
        assert said.status_code == 503 and int(said.headers["retry-after"]) >= 1 and said.elapsed.total_seconds() < 3
    assert own.client.get("/health").status_code == 200
    postgres.start()
    until(lambda: own.signed(body).status_code == 202)
    until(lambda: own.client.get("/ready").status_code == 200)
    assert len(own.ask("select 1 from receipts")) == 2
    assert own.process is not None and own.process.poll() is None and "Traceback" not in own.log


def test_a_server_that_hangs_hangs_nobody(own: Door, postgres: OwnServer) -> None:
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*") if _parent(path) == postgres.process.pid]
    for pid in (postgres.process.pid, *pids):
        os.kill(pid, signal.SIGSTOP)
    try:
        body = form()
        said = own.signed(body)
        assert said.status_code == 503 and "retry-after" in said.headers
        assert own.client.get("/ready").status_code == 503 and own.client.get("/health").status_code == 200
    finally:
        for pid in (postgres.process.pid, *pids):
            os.kill(pid, signal.SIGCONT)
    until(lambda: own.signed(body).status_code == 202)
    assert len(own.ask("select 1 from receipts")) == 1


def _parent(path: Path) -> int:
    try:
        return int((path / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_restarts_under_load_lose_nothing_that_was_acknowledged(own: Door, postgres: OwnServer) -> None:
    acknowledged: dict[str, int] = {}
    attempted, statuses, is_over = set[str](), set[int](), threading.Event()

    def post() -> None:
        while not is_over.is_set():
            identity = os.urandom(6).hex()
            attempted.add(identity)
            for _ in range(50):  # as a provider does: until it is told that it is stored
                said = own.signed(form(identity))
                statuses.add(said.status_code)
                if said.status_code == 202:
                    acknowledged[identity] = said.json()["receipt"]
                    break
                time.sleep(0.05)

    senders = [threading.Thread(target=post) for _ in range(4)]
    for sender in senders:
        sender.start()
    seed = random.randrange(2**32)
    restart(postgres, RESTARTS, random.Random(seed))
    time.sleep(0.5)
    is_over.set()
    for sender in senders:
        sender.join()
    print(f"seed {seed}: {len(acknowledged)} acknowledged")
    stored = dict(own.ask("select substr(key, 4), receipt_id from receipts"))
    assert statuses <= {202, 503} and len(acknowledged) > 20
    assert acknowledged.items() <= stored.items(), "lost"
    assert set(stored) <= attempted, "phantoms"
    assert len(own.ask("select 1 from receipts")) == len(stored), "doubled"


def test_an_answer_to_a_commit_that_is_lost_is_told_as_503_and_the_retry_finds_the_row(
    open_door: Callable[[str], Door], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.faults.proxy.COMMIT", b"insert into receipts")
    with proxied(database.url) as proxy:
        door = open_door(proxy.url(database.url))
        lost = _lose_one(proxy)
        body = form()
        first = door.signed(body)
        assert (first.status_code, proxy.lost) == (503, 1) and "retry-after" in first.headers and lost[0]
        assert len(door.ask("select 1 from receipts")) == 1, "it happened all the same"
        again = door.signed(body)
        assert again.status_code == 202 and again.json()["replayed"]
        assert len(door.ask("select 1 from receipts")) == 1


def _lose_one(proxy: Proxy) -> list[bool]:
    """Has the answer to the first posting lost; the statement that stores it commits by itself."""
    lost: list[bool] = []

    def is_lost(_said: bytes) -> bool:
        lost.append(not lost)
        return lost[-1]

    proxy.is_lost = is_lost
    return lost


def test_a_locked_table_hangs_nobody(open_door: Callable[[str], Door], database: Database) -> None:
    door = open_door("")
    with database.transaction() as connection:
        connection.exec_driver_sql("lock table receipts in access exclusive mode")
        said = door.signed(form("one"))
        assert said.status_code == 503
    until(lambda: door.signed(form("one")).status_code == 202)
    assert len(door.ask("select 1 from receipts")) == 1


def test_connections_that_are_killed_are_replaced(open_door: Callable[[str], Door]) -> None:
    door = open_door("")
    for _ in range(5):
        until(lambda: door.signed(form()).status_code == 202)
        door.ask(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
    assert door.signed(form()).status_code in (202, 503)
    until(lambda: door.signed(form()).status_code == 202)


def test_a_posting_that_the_database_refuses_is_no_harm_to_the_others(
    open_door: Callable[[str], Door], database: Database
) -> None:
    door = open_door("")
    with database.transaction() as connection:
        connection.exec_driver_sql("alter table receipts add constraint no_poison check (key not like '%%poison%%')")
    statuses: dict[str, int] = {}

    def post(identity: str) -> None:
        statuses[identity] = door.signed(form(identity)).status_code

    senders = [threading.Thread(target=post, args=(f"{'poison' if n % 10 == 7 else 'good'}-{n}",)) for n in range(40)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert {status for name, status in statuses.items() if name.startswith("good")} == {202}
    assert {status for name, status in statuses.items() if name.startswith("poison")} == {500}
    assert len(door.ask("select 1 from receipts")) == 36
