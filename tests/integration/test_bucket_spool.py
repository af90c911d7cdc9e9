"""The volume of the spool fills up while an object is fetched: said plainly, nothing lost, the next run completes it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.bucket_rules import BucketRules
from sluice.buckets import Dropped, dropped, opened, take_in
from sluice.intake import Order
from sluice.sources.bucket import BucketUnavailable
from tests.conftest import absent
from tests.desk import Desk, broken
from tests.objects import Gate

RULES = BucketRules(name="leads", url="s3://leads", settle_seconds=0)
ROW = "Anna Schmidt,anna%d@nordwind.example," + 10_000 * "x" + "\n"


@pytest.fixture
def spool(desk: Desk) -> Iterator[Path]:
    """The spool, on a volume of 2 MB."""
    place = desk.office.settings.home / "spool"
    place.mkdir()
    if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", "size=2m,mode=0700", "none", str(place)):
        absent("the right to mount a file system")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize("rows", [209, 210, 211, 300])
def test_a_spool_that_fills_up(desk: Desk, gate: Gate, spool: Path, rows: int) -> None:
    """Some bytes too many, which are still in a buffer when the file is closed, and a whole block."""
    gate.put("inbox/leads.csv", ("full_name,email,notes\n" + "".join(ROW % row for row in range(rows))).encode())
    with pytest.raises(
        BucketUnavailable, match=r"the spool .*: it cannot be written to \(No space left on device\)\. Free"
    ):
        take_in(desk.office, found(desk))
    assert desk.ask("select count(*) from receipts") == [0]
    assert [key for key in sorted(gate.keys()) if key.endswith(".csv")] == ["inbox/leads.csv"]
    assert list(spool.iterdir()) == []
    _mount("-o", "remount,size=16m", str(spool))
    assert take_in(desk.office, found(desk))["counts"]["created"] == rows
    assert [key for key in sorted(gate.keys()) if key.endswith(".csv")] == ["done/leads.csv"]
    assert broken(desk.database) == {}


def found(desk: Desk) -> Dropped:
    """The file in the inbox."""
    there = opened(RULES, desk.office.settings)
    (file,) = dropped(there, RULES, there.entries(), Order(Path()), desk.office.sources)
    return file


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], stderr=subprocess.DEVNULL, check=False).returncode
