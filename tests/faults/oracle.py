"""What must be true after a fault, known from outside: the files, their truth, and what was acknowledged to whom."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sluice.store.engine import Database
from sluice.store.ledger import canonical, verify
from tests.bench.generate import pairs_score, read_truth

BECAME = " union all ".join(f"select receipt_id, record from {name}" for name in ("touches", "rejects", "set_asides"))

TOLD_AT = {"stored": "stored", "after_commit": "committed"}
"""Crash points at which an importing process has been told something."""


@dataclass(frozen=True)
class Acknowledgements:
    """What importing processes were told, each line on the disk before the process went on."""

    path: Path

    def note(self, line: str) -> None:
        """Writes a line down for good."""
        with self.path.open("a") as stream:
            stream.write(line + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def lines(self, kind: str) -> list[str]:
        """What follows the word `kind`, of each line that begins with it."""
        told = self.path.read_text().splitlines() if self.path.exists() else []
        return [line.partition(" ")[2] for line in told if line.split(" ")[0] == kind]


def whole(database: Database) -> list[str]:
    """The canonical dump, after every invariant was proven."""
    holds(database)
    return sorted(canonical(database))


def holds(database: Database) -> None:
    """Every invariant, also of work that is unfinished."""
    broken = [check for check in verify(database) if check.violations]
    assert not broken, broken


def rows_of(paths: Iterable[Path]) -> Counter[tuple[str, ...]]:
    """Every data row of the files, as often as it stands there."""
    found: Counter[tuple[str, ...]] = Counter()
    for path in paths:
        with path.open(encoding="utf-8", newline="") as stream:
            found.update(tuple(row) for row in list(csv.reader(stream))[1:])
    return found


def all_in(database: Database, paths: Iterable[Path]) -> None:
    """Each row of the files became one thing, and nothing is there that no file said (I1, I3, I5)."""
    with database.connection() as connection:
        stored = Counter(tuple(row[1]) for row in connection.exec_driver_sql(BECAME))
    wanted = rows_of(paths)
    lost, doubled = wanted - stored, stored - wanted
    assert not lost and not doubled, f"{lost.total()} rows lost, {doubled.total()} doubled or made up"


def acknowledged_is_stored(database: Database, acks: Acknowledgements, slice_rows: int, rows: int) -> None:
    """Whatever a process was told before it died is there: receipts, slices, files that are done (I1)."""
    with database.connection() as connection:
        found = connection.exec_driver_sql("select name, state, checkpoint from receipts").all()
    states = {name: state for name, state, _ in found}
    assert not [name for name in acks.lines("stored") if name not in states]
    assert not [name for name in acks.lines("done") if states.get(name) not in ("done", "duplicate")]
    told = min(len(acks.lines("committed")) * slice_rows, rows)
    reached = sum(checkpoint for _, _, checkpoint in found)
    assert reached >= told, f"told that {told} rows are in, {reached} are"


def true_persons(database: Database, truth: Path) -> None:
    """Rows of one person are one lead, rows of two are two, as far as a perfect policy can know (I3)."""
    with database.connection() as connection:
        found = connection.exec_driver_sql("select row_number, lead_id from touches where lead_id is not null")
        precision, recall = pairs_score({row: lead for row, lead in found}, read_truth(truth))
    assert precision > 0.999 and recall > 0.97, (precision, recall)


def tidy(bucket: Path, names: set[str]) -> None:
    """Every file has left the inbox for `done/`, once, with its report, and nothing unfinished lies about."""
    lying = [path for path in (bucket / "inbox").rglob("*") if path.is_file()]
    assert lying == []
    done = {path.name for path in (bucket / "done").rglob("*") if path.is_file()}
    assert names <= done and {f"{name}.report.json" for name in names} <= done, done
    allowed = names | {f"{name}{end}" for name in names for end in (".report.json", ".rejects.csv")}
    assert done <= allowed, done - allowed
    assert not [path for path in bucket.rglob("*.tmp")]
