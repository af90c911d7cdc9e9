"""R26: with a defect built in, the tests of R1, R3 and R6 fail. Else they would prove nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sluice.store.engine import Database
from tests.faults.conftest import ROWS, SLICE_ROWS, Workers
from tests.faults.oracle import Acknowledgements, acknowledged_is_stored, all_in, holds, whole
from tests.faults.proxy import proxied
from tests.faults.test_commit_lost import TRANSACTIONS, lose_one

KILLED = 9


def test_r1_finds_a_checkpoint_outside_the_transaction(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    assert workers.run(leads_file, database, crash_at="after_commit:3", mutant="checkpoint outside") == KILLED
    with pytest.raises(AssertionError):
        holds(database)
        assert workers.run(leads_file, database, mutant="checkpoint outside") == 0
        assert whole(database) == undisturbed


def test_r1_finds_an_acknowledgement_before_the_commit(
    workers: Workers, leads_file: Path, database: Database, acks: Acknowledgements
) -> None:
    mutant = "told before commit"
    assert workers.run(leads_file, database, acks=acks.path, crash_at="before_commit:3", mutant=mutant) == KILLED
    with pytest.raises(AssertionError, match="told that 300 rows are in, 200 are"):
        acknowledged_is_stored(database, acks, SLICE_ROWS, ROWS)


def test_r1_finds_a_file_that_moves_before_it_is_stored(
    workers: Workers, bucket: Path, leads_file: Path, database: Database
) -> None:
    assert workers.run(bucket, database, crash_at="received", mutant="moved before stored") == KILLED
    assert workers.run(bucket, database) == 0, workers.said()
    with pytest.raises(AssertionError, match=f"{ROWS} rows lost"):
        all_in(database, [leads_file])


def test_r1_finds_a_missing_identity_index(workers: Workers, leads_file: Path, database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("drop index leads_identity_key")
    with pytest.raises(AssertionError):
        assert workers.run(leads_file, database) == 0
        whole(database)


def test_r3_finds_a_content_that_two_may_claim(
    workers: Workers, leads_file: Path, tmp_path: Path, database: Database
) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("drop index receipts_source_key")
    copy = Path(shutil.copy2(leads_file, tmp_path / "leads of yesterday.csv"))
    pids = [workers.start(path, database, mutant="no unique claim") for path in (leads_file, copy)]
    assert [workers.wait(pid) for pid in pids] == [0, 0], workers.said()
    with pytest.raises(AssertionError, match=f"{ROWS} doubled"):
        all_in(database, [leads_file])
    with pytest.raises(AssertionError, match="contents_twice"):
        whole(database)


@pytest.mark.parametrize(("mutant", "transaction"), [("every try anew", "receive"), ("blind retry", "first slice")])
def test_r6_finds_a_try_that_does_not_know_the_one_before(
    mutant: str, transaction: str, workers: Workers, leads_file: Path, database: Database
) -> None:
    with proxied(database.url) as proxy:
        lose_one(proxy, *TRANSACTIONS[transaction])
        status = workers.run(leads_file, proxy.url(database.url), mutant=mutant, impatient=True)
        assert proxy.lost == 1
    with pytest.raises(AssertionError):
        assert status == 0
        whole(database)
        assert _receipts(database) == 1


def _receipts(database: Database) -> int:
    with database.connection() as connection:
        return int(connection.exec_driver_sql("select count(*) from receipts").scalar() or 0)
