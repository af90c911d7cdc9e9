"""A folder that files are dropped into: each goes to done/ or failed/, or stays where it is, and none is overwritten."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sluice.buckets import grouped, take_in
from sluice.errors import UnreadableFile
from sluice.intake import Order, Watch, intake
from sluice.sources.bucket import BucketUnavailable
from sluice.sources.bucket_folder import Folder
from sluice.store import receipts
from tests.buckets import ANNA, BEN, Drop, found, take
from tests.desk import Desk, broken


def test_an_empty_inbox_has_no_files(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    assert found(desk, tmp_path) == []


def test_a_bucket_without_an_inbox_is_refused(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"inbox: there is no such folder\. Create it"):
        found(desk, tmp_path)


def test_the_sub_folder_names_the_source(desk: Desk, drop: Drop) -> None:
    for name in ("webinar/late.csv", "leads.csv"):
        bucket = drop(name)
    assert [(file.entry.name, file.order.source) for file in found(desk, bucket)] == [
        ("leads.csv", "files"),
        ("late.csv", "webinar"),
    ]


def test_what_is_not_meant_to_be_read_waits(desk: Desk, drop: Drop) -> None:
    why = {
        "growing.csv.tmp": "ends in .tmp",
        "growing.CSV.PART": "ends in .PART",
        "growing.csv.crdownload": "ends in .crdownload",
        "growing.csv.filepart": "ends in .filepart",
        ".hidden.csv": "begins with a dot",
        ".hidden/leads.csv": "folder whose name begins with a dot",
        "webinar/.git/leads.csv": "folder whose name begins with a dot",
        f"{'ä' * 116}.csv": "more than 230 bytes",
    }
    for name in why:
        bucket = drop(name)
    waiting = found(desk, bucket)
    assert {file.entry.key for file in waiting} == set(why)
    for file in waiting:
        assert why[file.entry.key] in file.entry.waits
        assert take_in(desk.office, file)["state"] == "waits"
    assert desk.ask("select count(*) from receipts") == [0]


def test_a_sub_folder_that_is_no_source_is_refused_in_words(desk: Desk, drop: Drop) -> None:
    bucket = drop("webniar/leads.csv")
    assert take(desk, bucket)["state"] == "failed"
    told = json.loads((bucket / "failed/webniar/leads.csv.report.json").read_text())["error"]
    assert "webniar" in told and "Allowed: " in told and "webinar" in told
    assert (bucket / "failed/webniar/leads.csv").read_text() == ANNA
    assert desk.ask("select count(*) from receipts") == [0]
    assert [file.order.source for file in found(desk, drop("webniar/leads.csv"), Order(bucket, "manual"))] == ["manual"]


def test_another_content_of_the_same_name_overwrites_nothing(desk: Desk, drop: Drop) -> None:
    for content in (ANNA, BEN, ANNA):
        bucket = drop("leads.csv", content)
        take(desk, bucket)
    assert sorted(path.name for path in (bucket / "done").glob("*.csv")) == ["leads (2).csv", "leads.csv"]
    assert (bucket / "done" / "leads (2).csv").read_text() == BEN
    assert desk.ask("select count(*) from leads") == [2]


def test_rejects_of_another_file_are_not_overwritten(desk: Desk, drop: Drop) -> None:
    bucket = drop("leads.csv", ANNA + "Ben,\n")
    (bucket / "done").mkdir()
    (bucket / "done/leads.csv.rejects.csv").write_text("somebody's notes")
    take(desk, bucket)
    assert (bucket / "done/leads.csv.rejects.csv").read_text() == "somebody's notes"
    assert "sluice_row" in (bucket / "done/leads (2).csv.rejects.csv").read_text()


def test_a_file_that_is_still_written_stays(desk: Desk, drop: Drop) -> None:
    bucket = drop("leads.csv")
    path = bucket / "inbox" / "leads.csv"

    def go_on(row: int) -> None:
        path.write_text(ANNA + "Ben Carter,ben@kaltenbach.example\n")

    assert take(desk, bucket, Watch(landed=go_on))["state"] == "waits"
    assert path.exists()
    assert take(desk, bucket)["state"] == "done"
    assert desk.ask("select count(*) from leads") == [2]


def test_a_file_that_is_replaced_at_the_last_moment_goes_back(drop: Drop) -> None:
    """Between the last look and the move: the new content has no receipt, so it may not end in done/."""
    bucket = drop("leads.csv")
    folder = Folder(bucket)
    (entry,) = folder.entries()
    taken = iter([folder.entry("leads.csv")])
    late = replace_when_asked(folder, taken, lambda: drop("leads.csv", BEN))
    with pytest.raises(UnreadableFile, match="changed"):
        late.move(entry, "done/leads.csv")
    assert (bucket / "inbox/leads.csv").read_text() == BEN
    assert not (bucket / "done/leads.csv").exists()


def replace_when_asked(folder: Any, answers: Iterator[Any], do: Callable[[], object]) -> Any:
    """The folder, in which something happens right after it was looked at."""

    class Late(type(folder)):
        def entry(self, key: str) -> Any:
            answer = next(answers)
            do()
            return answer

    return Late(folder.root)


def test_nothing_is_loaded_from_a_folder_that_the_file_cannot_leave(desk: Desk, drop: Drop) -> None:
    bucket = drop("leads.csv")
    (bucket / "done").write_text("somebody's notes")
    with pytest.raises(BucketUnavailable, match=r"done: it cannot be written to.*nothing was loaded"):
        take(desk, bucket)
    assert desk.ask("select count(*) from receipts") == [0]


def test_a_file_that_another_run_has_moved_is_left_to_it(desk: Desk, drop: Drop) -> None:
    bucket = drop("leads.csv")
    (file,) = found(desk, bucket)
    (bucket / "inbox/leads.csv").unlink()
    assert take_in(desk.office, file)["state"] == "gone"
    assert list((bucket / "failed").iterdir()) == []


def test_a_content_that_another_run_works_is_left_to_it(desk: Desk, drop: Drop) -> None:
    """A sweep must not stand for hours behind the run that works a large file."""
    bucket = drop("leads.csv")
    receipt = intake_unfinished(desk, bucket / "inbox/leads.csv")
    with receipts.held(desk.database, receipt, lambda: None):
        assert "another run works it" in take(desk, bucket)["error"]
    assert take(desk, bucket)["state"] == "done"


def intake_unfinished(desk: Desk, path: Path) -> int:
    """A receipt of that content whose rows are not in yet."""
    intake(desk.office, Order(path))
    desk.do("delete from touches; delete from assignments; delete from leads")
    desk.do("update receipts set state = 'working', checkpoint = 0, finished_at = null")
    return desk.ask("select receipt_id from receipts")[0]


def test_an_empty_file_is_refused_in_words(desk: Desk, drop: Drop) -> None:
    assert "the file is empty" in take(desk, drop("leads.csv", ""))["error"]


def test_a_spool_that_cannot_be_written_to_is_said_plainly(desk: Desk, drop: Drop) -> None:
    bucket = drop("leads.csv")
    spool = desk.office.settings.home / "spool"
    spool.parent.mkdir(exist_ok=True)
    spool.write_text("no folder")
    with pytest.raises(BucketUnavailable, match=r"the spool .*: it cannot be written to.*Free some space"):
        take(desk, bucket)
    spool.unlink()
    assert take(desk, bucket)["state"] == "done"
    assert list(spool.iterdir()) == []


def test_what_a_killed_process_left_in_the_spool_is_removed(desk: Desk, drop: Drop) -> None:
    spool = desk.office.settings.home / "spool"
    (spool / "tmpdead").mkdir(parents=True)
    (spool / "tmpdead" / "content").write_text(ANNA)
    take(desk, drop("leads.csv"))
    assert list(spool.iterdir()) == []


def test_truncated_anywhere_in_the_last_record(desk: Desk, drop: Drop) -> None:
    """R4: a cut row is a reject with its line, or the row that was meant; never another row, never a crash."""
    whole = "full_name,email,city\nAnna Schmidt,anna@nordwind.example,Kiel\n"
    last = 'Ben Carter,ben@kaltenbach.example,"Bonn"\n'
    for length in range(0, len(last), 4):
        bucket = drop(f"cut-{length:02}.csv", whole + last[:length])
    for file in found(desk, bucket):
        assert take_in(desk.office, file)["state"] == "done"
    assert broken(desk.database) == {}
    assert set(desk.ask("select distinct email from leads where email <> 'anna@nordwind.example'")) <= {
        "ben@kaltenbach.example", "ben@kaltenbach.exampl", "ben@kaltenbach.examp", "ben@kaltenbach.exam", "ben@kaltenbach.exa", "ben@kaltenbach.ex",
    }  # fmt: skip
    assert desk.ask("select distinct line from rejects") == [3]


def test_small_files_of_one_source_are_worked_together(desk: Desk, drop: Drop) -> None:
    for number in range(205):
        drop(f"webinar/{number:03}.csv", ANNA)
    drop("large.csv", "x" * (1 << 20) + "y")
    bucket = drop("leads.csv")
    groups = list(grouped(found(desk, bucket)))
    assert sorted((len(group), group[0].order.source) for group in groups) == [
        (1, "files"), (1, "files"), (5, "webinar"), (200, "webinar"),
    ]  # fmt: skip
