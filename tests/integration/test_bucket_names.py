"""Whatever a file is called, and whatever lies in an inbox that is no file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sluice.buckets import take_in
from sluice.sources.bucket import shown, spelled, unspelled
from sluice.sources.bucket_folder import Folder
from tests.buckets import ANNA, BEN, Drop, found, take
from tests.desk import Desk


@pytest.mark.parametrize(
    "key", ["../outside.csv", "a/../../outside.csv", "./leads.csv", "", "a//leads.csv", "link/x.csv"]
)
def test_a_key_cannot_lead_out_of_the_inbox(drop: Drop, key: str) -> None:
    bucket = drop("leads.csv")
    for folder in (bucket, bucket.parent):
        (folder / "outside.csv").write_text(ANNA)
    (bucket / "x.csv").write_text(ANNA)
    (bucket / "inbox/link").symlink_to(bucket)
    assert Folder(bucket).entry("leads.csv")
    assert Folder(bucket).entry(key) is None


def test_links_are_not_followed(desk: Desk, drop: Drop, tmp_path: Path) -> None:
    bucket = drop("leads.csv")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/all.csv").write_text(BEN)
    (bucket / "inbox/folder").symlink_to(tmp_path / "secrets")
    (bucket / "inbox/link.csv").symlink_to(tmp_path / "secrets/all.csv")
    os.mkfifo(bucket / "inbox/pipe.csv")
    waits = {file.entry.key: file.entry.waits for file in found(desk, bucket)}
    assert {key: bool(why) for key, why in waits.items()} == {
        "folder": True, "leads.csv": False, "link.csv": True, "pipe.csv": True,
    }  # fmt: skip
    states = [take_in(desk.office, file)["state"] for file in found(desk, bucket)]
    assert sorted(states) == ["done", "waits", "waits", "waits"]
    assert desk.ask("select full_name from leads") == ["Anna Schmidt"]


def test_a_link_that_takes_a_files_place_is_not_read(desk: Desk, drop: Drop, tmp_path: Path) -> None:
    bucket = drop("leads.csv")
    (file,) = found(desk, bucket)
    (tmp_path / "other.csv").write_text(BEN)
    (bucket / "inbox/leads.csv").unlink()
    (bucket / "inbox/leads.csv").symlink_to(tmp_path / "other.csv")
    assert take_in(desk.office, file)["state"] == "waits"
    assert desk.ask("select count(*) from receipts") == [0]


NAMES = {
    b"spring leads.csv": "spring leads.csv",
    "Zürich.csv".encode(): "Zürich.csv",
    "Zu\u0308rich.csv".encode(): "Zu\u0308rich.csv",
    b"100%.csv": "100%.csv",
    b"a%20b.csv": "a%20b.csv",
    b"two\nlines.csv": "two\\x0alines.csv",
    b"csv..csv": "csv..csv",
    b"M\xfcller.csv": "M\\xfcller.csv",
    b"=cmd|' C calc'!A0.csv": "=cmd|' C calc'!A0.csv",
    "\u202ecsv.exe.csv".encode(): "\u202ecsv.exe.csv",
    b"Leads.csv": "Leads.csv",
    b"leads.csv": "leads.csv",
    b"leads.CSV": "leads.CSV",
}
"""As the file system has it → as people see it; names that look alike are different files."""


def test_whatever_a_file_is_called(desk: Desk, drop: Drop) -> None:
    for number, name in enumerate(NAMES):
        bucket = drop(name, ANNA.replace("anna@", f"anna{number}@"))
        assert unspelled(spelled(os.fsdecode(name))) == os.fsdecode(name)
        assert json.loads(json.dumps(spelled(os.fsdecode(name)), ensure_ascii=False).encode())
    assert {take_in(desk.office, file)["state"] for file in found(desk, bucket)} == {"done"}
    assert set(desk.ask("select name from receipts")) == set(NAMES.values())
    there = [os.fsencode(path.name) for path in (bucket / "done").iterdir()]
    assert sorted(there) == sorted([*NAMES, *(name + b".report.json" for name in NAMES)])
    assert desk.ask("select count(*) from leads") == [len(NAMES)]


def test_a_folder_that_is_called_like_a_file_in_done(desk: Desk, drop: Drop) -> None:
    bucket = drop("webinar", ANNA)
    assert take(desk, bucket)["state"] == "done"
    drop("webinar/late.csv", BEN)
    assert take(desk, bucket)["state"] == "done"
    assert (bucket / "done/webinar").is_file()
    assert (bucket / "done/webinar (2)/late.csv").read_text() == BEN


def test_a_name_is_shown_without_control_characters() -> None:
    assert shown("a\x1b[31m\x7f\udcff%") == "a\\x1b[31m\\x7f\\xff%"
