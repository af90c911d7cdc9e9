"""R7: the database is away, full, impatient, or in two minds; and the sessions of an import are ended one by one."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from sluice.store.engine import Database
from tests.faults.conftest import LOOKS, Workers, wait_for_rows
from tests.faults.oracle import all_in, holds, whole
from tests.faults.proxy import proxied

MINUTES = float(os.environ.get("SLUICE_MINUTES_AWAY") or 0.05)
"""How long the database is away; the long run has 3 minutes."""

TERMINATE, CANCEL = "pg_terminate_backend", "pg_cancel_backend"
OURS = "from pg_stat_activity where datname = %s and application_name = 'sluice'"


@contextmanager
def administrator(database: Database) -> Generator[psycopg.Connection]:
    """A session beside those of the imports."""
    with psycopg.connect(database.url, autocommit=True, application_name="administrator") as connection:
        connection.execute("set search_path to sluice")
        yield connection


def test_away_for_a_moment_the_import_survives(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    with proxied(database.url) as proxy:
        pid = workers.start(leads_file, proxy.url(database.url))
        wait_for_rows(database)
        proxy.is_open = False
        proxy.cut()
        time.sleep(1.0)
        proxy.is_open = True
        assert workers.wait(pid) == 0, workers.said()
    assert whole(database) == undisturbed


def test_away_for_minutes_it_says_so_and_a_later_import_completes_the_work(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """Runs that start meanwhile say so too."""
    with proxied(database.url) as proxy:
        pid = workers.start(leads_file, proxy.url(database.url), impatient=MINUTES < 1)
        wait_for_rows(database)
        proxy.is_open = False
        proxy.cut()
        until = time.monotonic() + 60 * MINUTES
        assert workers.wait(pid) != 0
        assert "DatabaseUnavailable" in workers.said() and "run the command again" in workers.said().lower()
        while time.monotonic() < until:
            assert workers.run(leads_file, proxy.url(database.url)) != 0
            time.sleep(1)
        proxy.is_open = True
        assert workers.run(leads_file, proxy.url(database.url)) == 0, workers.said()
    assert whole(database) == undisturbed
    all_in(database, [leads_file])


@pytest.mark.parametrize("how", [TERMINATE, CANCEL])
def test_sessions_are_ended_at_random(
    how: str, workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """Also the one that holds the lock of the receipt."""
    seed, ended = random.randrange(2**32), 0
    chance = random.Random(seed)
    with administrator(database) as connection:
        pid = workers.start(leads_file, database, environ={"SLUICE_SLICE_ROWS": "10"})
        wait_for_rows(database)
        while ended < 12 and not workers.has_ended(pid):
            time.sleep(chance.uniform(0.01, 0.1))
            state = "" if how == TERMINATE else " and state = 'active'"
            sessions = connection.execute(f"select pid {OURS}{state}".encode(), [_name(database)]).fetchall()
            if sessions:
                ended += 1
                connection.execute(f"select {how}(%s)".encode(), chance.choice(sessions))
        status = workers.wait(pid)
        print(f"seed {seed}: {ended} times {how}, the import ended with {status}")
    assert ended
    assert workers.run(leads_file, database) == 0, workers.said()
    assert whole(database) == undisturbed


def test_no_free_connection_is_said_plainly(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """The user may have one session, an import needs two."""
    user = f"importer_{os.urandom(4).hex()}"
    url = database.url.replace("//sluice:", f"//{user}:").replace(database.url.split(":")[2].split("@")[0], "secret")
    with administrator(database) as connection:
        connection.execute(f"create role {user} login password 'secret' connection limit 1".encode())
        connection.execute(f"grant all on schema sluice to {user}".encode())
        connection.execute(f"grant all on all tables in schema sluice to {user}".encode())
        connection.execute(f"grant all on all sequences in schema sluice to {user}".encode())
        assert workers.run(leads_file, url, impatient=True) != 0
        assert "it has no free connection" in workers.said(), workers.said()
        connection.execute(f"alter role {user} connection limit 4".encode())
        assert workers.run(leads_file, url) == 0, workers.said()
        assert whole(database) == undisturbed
        connection.execute(f"drop owned by {user}".encode())
        connection.execute(f"drop role {user}".encode())


def test_limits_of_the_database_do_not_cut_our_waits(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """Two at once: one waits for the other longer than any of these limits; serializable would see an old checkpoint."""
    limits = ("statement_timeout", "lock_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout")
    with administrator(database) as connection:
        for limit in limits:
            connection.execute(f"alter database {_name(database)} set {limit} to '30ms'".encode())
        connection.execute(
            f"alter database {_name(database)} set default_transaction_isolation to serializable".encode()
        )
    pids = [workers.start(leads_file, database) for _ in range(2)]
    assert [workers.wait(pid) for pid in pids] == [0, 0], workers.said()
    assert whole(database) == undisturbed


def test_a_slice_that_postgres_refuses_is_tried_again(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """Serialization failure, deadlock, lock not available; idle in transaction, cancelled, out of memory: each in turn."""
    with administrator(database) as connection:
        connection.execute(
            REFUSE.format(states="{40001,40P01,55P03,25P03,57014,53200}", share="new.checkpoint / 400").encode()
        )
        assert workers.run(leads_file, database) == 0, workers.said()
        assert connection.execute("select last_value from refused").fetchone() == (6,)
    assert whole(database) == undisturbed


def test_a_slice_that_postgres_refuses_for_ever_ends_the_import(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """In words; a later import completes the work."""
    with administrator(database) as connection:
        connection.execute(REFUSE.format(states="{40001,40001,40001}", share="1").encode())
        assert workers.run(leads_file, database, impatient=True) != 0
        assert "Postgres error 40001" in workers.said()
    assert workers.run(leads_file, database) == 0, workers.said()
    assert whole(database) == undisturbed


REFUSE = """
create sequence refused minvalue 0; select nextval('refused');
create function refuse() returns trigger language plpgsql as $$
declare states text[] := '{states}';
begin
    if (select last_value from sluice.refused) < cardinality(states) * {share} then
        raise exception using errcode = states[nextval('sluice.refused')];
    end if;
    return new;
end $$;
create trigger refuse before update on receipts
for each row when (new.checkpoint in (200, 400)) execute function refuse()
"""
"""The slices that reach these checkpoints are refused in these states, one after the other."""


def test_a_deadlock_with_somebody_else(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """They have a table that a slice wants, and want the lock that it has."""
    with administrator(database) as other:
        pid = workers.start(leads_file, database)
        wait_for_rows(database)
        with other.transaction(), pytest.raises(psycopg.errors.DeadlockDetected):
            other.execute("lock table touches in exclusive mode")
            _wait_for(other, "select from pg_locks where not granted and relation = 'touches'::regclass")
            other.execute("select pg_advisory_xact_lock(7002)")
            raise psycopg.errors.DeadlockDetected  # the import was the one that gave way
        assert workers.wait(pid) == 0, workers.said()
    assert whole(database) == undisturbed


def test_two_imports_of_the_same_people_in_opposite_order(
    workers: Workers,
    leads_file: Path,
    tmp_path: Path,
    database: Database,
    make_database: Callable[..., Database],
) -> None:
    """They neither block each other for good nor find other persons than one after the other."""
    header, *lines = leads_file.read_text(encoding="utf-8").splitlines(keepends=True)
    backwards = tmp_path / "backwards.csv"
    backwards.write_text(header + "".join(reversed(lines)), encoding="utf-8")
    os.utime(leads_file, (1_700_000_000,) * 2)
    os.utime(backwards, (1_700_003_600,) * 2)
    pids = [workers.start(path, database) for path in (leads_file, backwards)]
    assert [workers.wait(pid) for pid in pids] == [0, 0], workers.said()
    all_in(database, [leads_file, backwards])
    holds(database)
    in_turn = make_database("template_of_tests")
    assert [workers.run(path, in_turn) for path in (leads_file, backwards)] == [0, 0]
    assert _persons(database) == _persons(in_turn)


def test_rows_that_the_database_forgot_are_not_passed_over(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """As after a fail-over to a standby that lagged behind, while the import lives on: it must not leave a gap."""
    with administrator(database) as connection:
        pid = workers.start(leads_file, database, environ={"SLUICE_SLICE_ROWS": "20"})
        wait_for_rows(database)
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(7002)")
            connection.execute(FORGET)
        assert workers.wait(pid) != 0
        assert "it has lost rows of receipt" in workers.said(), workers.said()
        assert workers.run(leads_file, database) == 0, workers.said()
    assert whole(database) == undisturbed
    all_in(database, [leads_file])


FORGET = """
do $$ declare emptied text; begin
    select string_agg(format('sluice.%I', tablename), ', ') into emptied from pg_tables
    where schemaname = 'sluice' and tablename not in ('receipts', 'config_versions', 'migrations');
    execute 'truncate ' || emptied;
    update sluice.receipts set checkpoint = 0;
end $$
"""


def _persons(database: Database) -> list[str]:
    with database.connection() as connection:
        found = connection.exec_driver_sql("select identity_key from leads where is_open and not is_flagged order by 1")
        return [row[0] for row in found]


def _name(database: Database) -> str:
    return database.url.rpartition("/")[2]


def _wait_for(connection: psycopg.Connection, query: str) -> None:
    for _ in range(LOOKS):
        if connection.execute(query.encode()).fetchone() is not None:
            return
        threading.Event().wait(0.02)
    raise AssertionError(f"not seen: {query}")
