"""Workbooks at every door that files come through: killed and gone on with, in buckets, from mails, mended."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from sluice import pipeline
from sluice.batch import Batch
from sluice.bucket_rules import ATTACHMENTS, BucketRules
from sluice.buckets import dropped, opened, take_in
from sluice.intake import Order, intake
from sluice.reports import write_rejects
from sluice.settings import REPOSITORY, Settings
from sluice.sources.bucket import BucketUnavailable
from sluice.sources.stamp import ChangedWhileRead
from sluice.store.engine import Database
from tests.buckets import Drop, found, take
from tests.conftest import absent
from tests.desk import Desk
from tests.objects import Gate
from tests.posts import Posts, with_sources
from tests.workbooks import LEADS, OTHERS, spool, xlsx

FULL = xlsx({"Leads": LEADS})


class Stop(Exception):
    """Ends an import in the middle."""


def stop_after(rows: int) -> pipeline.Steps:
    def land(database: Database, job: pipeline.Job, batch: Batch) -> None:
        pipeline.land(database, job, batch.between(1, rows))
        raise Stop

    return pipeline.Steps(pipeline.prepare_each, land)


MANY = [LEADS[0], *([f"Ivo Horak {n}", f"ivo.{n}@horak.example"] for n in range(40))]


def test_killed_it_goes_on_where_it_stood(desk: Desk, settings: Settings) -> None:
    """The next process makes the same text of the sheet again, and removes what the dead one left in the spool."""
    path = desk.file(xlsx({"Leads": MANY}), "leads.xlsx")
    program = """
import os, sys
from dataclasses import replace
from pathlib import Path
from sluice.intake import Order, intake, opened
from sluice.settings import Settings
with opened(replace(Settings.read(os.environ), slice_rows=10)) as office:
    intake(office, Order(Path(sys.argv[1])))
"""
    environ = os.environ | {"SLUICE_DATABASE_URL": str(settings.database_url), "SLUICE_HOME": str(settings.home)}
    command = [sys.executable, "-c", program, str(path)]
    killed = subprocess.run(command, env=environ | {"SLUICE_CRASH_AT": "after_commit:2"}, cwd=REPOSITORY)
    assert killed.returncode == -signal.SIGKILL
    assert (desk.ask("select count(*) from leads"), len(spool(desk))) == ([20], 1)
    assert desk.take(path).state == "done"
    assert desk.ask("select count(*), count(distinct receipt_id) from leads") == [(40, 1)]
    assert spool(desk) == []
    desk.whole()


def test_read_otherwise_than_when_it_began_it_is_not_gone_on_with(desk: Desk) -> None:
    """Rules that were changed between can make another row the header; no row is read in two ways."""
    rows = [["Ours", "Theirs"], ["full_name", "email", "Stand", "Hall"], *MANY[1:]]
    path = desk.file(xlsx({"Leads": rows}), "leads.xlsx")
    with pytest.raises(Stop):
        intake(desk.office, Order(path, "trade-show", steps=stop_after(3)))
    later = desk.with_source("trade-show", ignore=["Ours", "Theirs"])
    with pytest.raises(BucketUnavailable, match=r"read otherwise now\. Bring those rules back"):
        later.take(path, "trade-show")  # it stays where it is
    assert desk.take(path, "trade-show").state == "done"
    assert desk.ask("select count(*) from leads") == [40]
    desk.whole()


Meanwhile = Callable[[str], pytest.MonkeyPatch]


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Puts a script in front of the Python that reads workbooks: what happens meanwhile."""

    def does(script: str) -> pytest.MonkeyPatch:
        program = tmp_path / "python"
        program.write_text(f'#!/bin/sh\n{script}\nexec {sys.executable} "$@"\n')
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        return monkeypatch

    return does


def test_a_workbook_that_is_still_written_waits(desk: Desk, drop: Drop, python: Meanwhile) -> None:
    bucket = drop("leads.xlsx", FULL)
    (file,) = found(desk, bucket)
    python(f"printf more >> '{bucket}/inbox/leads.xlsx'")
    with pytest.raises(ChangedWhileRead):
        intake(desk.office, Order(bucket / "inbox/leads.xlsx"))
    assert take_in(desk.office, file)["state"] == "waits"
    assert desk.ask("select count(*) from receipts") == [0]


@pytest.mark.parametrize("ending", ["TERM", "KILL"])
def test_whoever_ends_the_reading_from_outside_does_not_fail_the_file(
    desk: Desk, drop: Drop, python: Meanwhile, ending: str
) -> None:
    bucket = drop("leads.xlsx", FULL)
    patched = python(f"kill -{ending} $$")
    with pytest.raises(BucketUnavailable, match="interrupted"):
        take(desk, bucket)
    patched.undo()
    assert take(desk, bucket)["state"] == "done"


def test_a_bucket_takes_a_workbook_to_done_with_its_report(desk: Desk, drop: Drop) -> None:
    bucket = drop("leads.xlsx", xlsx({"Leads": [*LEADS, ["Bo", "bo at lee"]], "More": OTHERS}))
    taken = take(desk, bucket)
    assert (taken["state"], taken["file"]) == ("done", "leads.xlsx")
    assert sorted(path.name for path in (bucket / "done").iterdir()) == [
        "leads.xlsx", "leads.xlsx.rejects.csv", "leads.xlsx.report.json",
    ]  # fmt: skip
    told = json.loads((bucket / "done/leads.xlsx.report.json").read_text())
    assert [one["code"] for one in told["columns"]] == ["sheets.not_read"]
    assert take(desk, drop("again.xlsx", (bucket / "done/leads.xlsx").read_bytes()))["was_known"]
    desk.whole()


def test_a_damaged_workbook_in_a_bucket_goes_to_failed(desk: Desk, drop: Drop) -> None:
    bucket = drop("leads.xlsx", FULL[:-30])
    taken = take(desk, bucket)
    assert (taken["state"], taken["receipt"]) == ("failed", 1)
    assert desk.ask("select moved_to from receipts") == [(bucket / "failed/leads.xlsx").as_uri()]


def test_a_workbook_in_s3(desk: Desk, gate: Gate) -> None:
    gate.put("partners/inbox/leads.xlsx", FULL)
    rules = BucketRules(name="partners", url="s3://leads/partners", settle_seconds=0)
    there = opened(rules, desk.office.settings)
    (file,) = dropped(there, rules, there.entries(), Order(Path()), desk.office.sources)
    assert take_in(desk.office, file)["state"] == "done"
    assert gate.get("partners/done/leads.xlsx") == FULL
    assert desk.ask("select object_url, moved_to, name from receipts") == [
        ("s3://leads/partners/inbox/leads.xlsx", "s3://leads/partners/done/leads.xlsx", "leads.xlsx")
    ]
    assert spool(desk) == []
    desk.whole()


@pytest.mark.parametrize("saved_as", ["csv", "xlsx"])
def test_mended_rejects_complete_the_workbook(desk: Desk, saved_as: str) -> None:
    """Their lines are rows of the sheet, whatever line breaks and empty rows stand above them."""
    rows = [
        ["Leads of the fair", None, None],
        ["full_name", "email", "description"],
        ["Anna Schmidt", "anna@nordwind.example", "first\nsecond\nthird"],
        [],
        ["Ben Carter", "ben at kaltenbach", "one\ntwo"],
        ["Zoë de Groot", "zoe@", None],
    ]
    first = desk.take(xlsx({"Leads": rows}), name="leads.xlsx")
    assert desk.counts(first) == {"created": 1, "rejects": 2, "set_asides": 1}
    path = desk.folder / "leads.xlsx.rejects.csv"
    assert write_rejects(desk.database, first, path) == 2
    cells = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert [row[cells[0].index("sluice_line")] for row in cells[1:]] == ["5", "6"]
    mended = path.read_text(encoding="utf-8").replace("ben at kaltenbach", "ben@kaltenbach.example")
    content = mended.encode()
    if saved_as == "xlsx":
        content = xlsx({"leads.xlsx.rejects": list(csv.reader(io.StringIO(mended.removeprefix("\ufeff"))))})
    second = desk.take(content, "webinar", name=f"mended.{saved_as}")
    assert (second.source, second.parent_id) == ("files", first.receipt_id)
    assert desk.counts(second) == {"created": 1, "rejects": 1}
    assert desk.ask("select row_number, completed_by from rejects where receipt_id = 1 order by 1") == [
        (3, second.receipt_id), (4, None),
    ]  # fmt: skip
    assert desk.ask("select description from leads where full_name = 'Ben Carter'") == ["one\ntwo"]
    desk.whole()


def test_a_workbook_that_a_mail_brings(desk: Desk) -> None:
    own = desk.office.profile.content["sources/mailbox.yml"] + "attachments: partner-list\n"
    posts = Posts(with_sources(desk, mailbox=own))
    made = EmailMessage()
    for name, value in {"From": "Ana <ana@trade.example>", "Subject": "Leads of the fair", "To": "x@x.example"}.items():
        made[name] = value
    made.set_content("Here they are.")
    made.add_attachment(FULL, maintype="application", subtype="octet-stream", filename="leads.xlsx")
    number = posts.post(made.as_bytes(), "mailbox", kind="mailbox", own=["sales@nordlicht.example"])
    posts.work()
    bucket = desk.office.settings.home / ATTACHMENTS
    taken = take(posts.desk, bucket)
    assert (taken["state"], taken["source"], taken["file"]) == ("done", "partner-list", f"{number}-1-leads.xlsx")
    desk.whole()


@pytest.fixture
def narrow(desk: Desk) -> Iterator[Path]:
    """The spool, on a volume of 1 MB."""
    place = desk.office.settings.home / "spool"
    place.mkdir()
    if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", "size=1m,mode=0700", "none", str(place)):
        absent("the right to mount a file system")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_spool_without_space(desk: Desk, drop: Drop, narrow: Path) -> None:
    """The workbook is small, its text is not: it waits in its bucket."""
    rows = [[f"Ivo Horak {n}", f"ivo.{n}@horak.example", 10_000 * "x"] for n in range(200)]
    bucket = drop("leads.xlsx", xlsx({"Leads": [[*LEADS[0], "description"], *rows]}))
    with pytest.raises(BucketUnavailable, match=r"the spool .*: it cannot be written to \(No space left on device\)"):
        take(desk, bucket)
    assert (desk.ask("select count(*) from receipts"), list(narrow.iterdir())) == ([0], [])
    _mount("-o", "remount,size=16m", str(narrow))
    assert take(desk, bucket)["counts"]["created"] == 200
    desk.whole()


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], stderr=subprocess.DEVNULL, check=False).returncode
