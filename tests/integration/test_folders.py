"""A folder that files are dropped into: each goes to done/ or failed/, or stays where it is, and none is overwritten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluice.errors import NotFound, UnreadableFile
from sluice.folders import Dropped, dropped, take_in
from sluice.intake import Order, Watch
from tests.desk import Desk

ANNA = "full_name,email\nAnna Schmidt,anna@nordwind.example\n"
BEN = "full_name,email\nBen Carter,ben@kaltenbach.example\n"


@pytest.fixture
def drop(tmp_path: Path) -> Callable[[str, str], Path]:
    """Drops a file into the inbox of a bucket, by its name below the inbox; the bucket."""

    def drop_file(name: str, content: str) -> Path:
        path = tmp_path / "bucket" / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return tmp_path / "bucket"

    return drop_file


def test_an_empty_inbox_has_no_files(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    assert found(desk, tmp_path) == []


def test_the_sub_folder_names_the_source(desk: Desk, drop: Callable[[str, str], Path]) -> None:
    for name in ("webinar/late.csv", "leads.csv", "growing.csv.tmp", ".hidden.csv"):
        bucket = drop(name, ANNA)
    assert [(file.path.name, file.order.source) for file in found(desk, bucket)] == [
        ("leads.csv", "files"),
        ("late.csv", "webinar"),
    ]


def test_a_sub_folder_that_is_no_source_is_refused_and_the_file_stays(
    desk: Desk, drop: Callable[[str, str], Path]
) -> None:
    bucket = drop("webniar/leads.csv", ANNA)
    with pytest.raises(NotFound, match=r"webniar.*Allowed: .*webinar"):
        take(desk, bucket)
    assert (bucket / "inbox/webniar/leads.csv").exists()
    assert [file.order.source for file in found(desk, bucket, "manual")] == ["manual"]


def test_another_content_of_the_same_name_overwrites_nothing(desk: Desk, drop: Callable[[str, str], Path]) -> None:
    for content in (ANNA, BEN, ANNA):
        bucket = drop("leads.csv", content)
        take(desk, bucket)
    assert sorted(path.name for path in (bucket / "done").glob("*.csv")) == ["leads (2).csv", "leads.csv"]
    assert (bucket / "done" / "leads (2).csv").read_text() == BEN
    assert desk.ask("select count(*) from leads") == [2]


def test_a_file_that_is_still_written_stays(desk: Desk, drop: Callable[[str, str], Path]) -> None:
    bucket = drop("leads.csv", ANNA)
    path = bucket / "inbox" / "leads.csv"

    def go_on(row: int) -> None:
        path.write_text(ANNA + "Ben Carter,ben@kaltenbach.example\n")

    assert take(desk, bucket, Watch(landed=go_on))["state"] == "waits"
    assert path.exists()
    assert take(desk, bucket)["state"] == "done"
    assert desk.ask("select count(*) from leads") == [2]


def test_nothing_is_loaded_from_a_folder_that_the_file_cannot_leave(
    desk: Desk, drop: Callable[[str, str], Path]
) -> None:
    bucket = drop("leads.csv", ANNA)
    (bucket / "done").write_text("somebody's notes")
    with pytest.raises(UnreadableFile, match=r"done: it cannot be written to.*nothing was loaded"):
        take(desk, bucket)
    assert desk.ask("select count(*) from receipts") == [0]


def test_a_file_that_another_run_has_moved_is_left_to_it(desk: Desk, drop: Callable[[str, str], Path]) -> None:
    bucket = drop("leads.csv", ANNA)
    (file,) = found(desk, bucket)
    file.path.unlink()
    assert take_in(desk.office, file)["state"] == "gone"
    assert list((bucket / "failed").iterdir()) == []


def found(desk: Desk, bucket: Path, source: str = "files") -> list[Dropped]:
    """What lies in the inbox."""
    return list(dropped(bucket, Order(bucket, source), lambda name: name in desk.office.sources))


def take(desk: Desk, bucket: Path, watch: Watch | None = None) -> dict[str, Any]:
    """Takes in the one file that lies in the inbox."""
    (file,) = dropped(bucket, Order(bucket, watch=watch or Watch()), lambda name: name in desk.office.sources)
    return take_in(desk.office, file)
