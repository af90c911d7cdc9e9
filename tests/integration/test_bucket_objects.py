"""A bucket of an S3 API: read one version at a time, moved after the commit; what goes wrong there is said in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.bucket_rules import BucketRules
from sluice.buckets import Dropped, dropped, opened, take_in
from sluice.errors import UserError
from sluice.intake import Order
from sluice.sources.bucket import BucketUnavailable
from sluice.sources.bucket_objects import Objects
from sluice.sources.stamp import ChangedWhileRead
from tests.desk import Desk, broken
from tests.objects import Gate

ANNA = b"full_name,email\nAnna Schmidt,anna@nordwind.example\n"
BEN = b"full_name,email\nBen Carter,ben@kaltenbach.example\n"
RULES = BucketRules(name="partners", url="s3://leads/partners", settle_seconds=0)


@pytest.fixture
def objects(gate: Gate, tmp_path: Path) -> Objects:
    return Objects(RULES.url, tmp_path / "spool")


def test_from_the_inbox_to_done(desk: Desk, gate: Gate) -> None:
    gate.put("partners/inbox/webinar/late leads.csv", ANNA + b"Nobody,\n")
    gate.put("partners/inbox/webinar/growing.csv.part", b"full")
    gate.put("elsewhere/inbox/other.csv", BEN)
    states = {found["file"]: found["state"] for found in take_all(desk)}
    assert states == {"late leads.csv": "done", "growing.csv.part": "waits"}
    done = "partners/done/webinar/late leads.csv"
    assert gate.keys() == [
        "elsewhere/inbox/other.csv", "partners/done/.sluice",
        done, f"{done}.rejects.csv", f"{done}.report.json", "partners/inbox/webinar/growing.csv.part",
    ]  # fmt: skip
    assert gate.get(done) == ANNA + b"Nobody,\n"
    assert json.loads(gate.get(f"{done}.report.json"))["counts"]["created"] == 1
    assert desk.ask("select name, source, object_url, moved_to from receipts") == [
        ("late leads.csv", "webinar", "s3://leads/partners/inbox/webinar/late leads.csv", f"s3://leads/{done}")
    ]
    assert list((desk.office.settings.home / "spool").iterdir()) == []
    assert broken(desk.database) == {}


def test_the_rows_are_as_old_as_the_object(desk: Desk, gate: Gate) -> None:
    gate.put("partners/inbox/leads.csv", ANNA)
    (file,) = found(desk)
    take_in(desk.office, file)
    (occurred,) = desk.ask("select occurred_at from receipts")
    assert f"{occurred:%Y-%m-%dT%H:%M:%S}" == file.entry.version.rpartition(" ")[2]


def test_another_content_of_the_same_name_overwrites_nothing(desk: Desk, gate: Gate) -> None:
    for content in (ANNA, BEN, ANNA):
        gate.put("partners/inbox/leads.csv", content)
        assert [found["state"] for found in take_all(desk)] == ["done"]
    assert gate.get("partners/done/leads.csv") == ANNA
    assert gate.get("partners/done/leads (2).csv") == BEN
    assert [key for key in sorted(gate.keys()) if "/inbox/" in key] == []
    assert desk.ask("select count(*) from leads") == [2]


def test_what_cannot_be_read_goes_to_failed(desk: Desk, gate: Gate) -> None:
    gate.put("partners/inbox/leads.csv", b"PK\x03\x04 a workbook")
    gate.put("partners/inbox/empty.csv", b"")
    assert [found["state"] for found in take_all(desk)] == ["failed", "failed"]
    assert b"Excel" in gate.get("partners/failed/leads.csv.report.json")
    assert b"the file is empty" in gate.get("partners/failed/empty.csv.report.json")
    assert gate.get("partners/failed/empty.csv") == b""


@pytest.mark.parametrize("killed_before", ["COPY", "DELETE"])
def test_the_next_run_finishes_a_move(desk: Desk, gate: Gate, killed_before: str) -> None:
    """A crash between the commit, the copy and the deletion leaves nothing wrong."""
    gate.put("partners/inbox/leads.csv", ANNA)

    def stop(method: str, path: str) -> tuple[int, str] | None:
        is_copy = method == "PUT" and path.endswith("done/leads.csv")
        return (403, "AccessDenied") if (path == "/leads?delete" or (killed_before == "COPY" and is_copy)) else None

    gate.refuse = stop
    with pytest.raises(BucketUnavailable, match="access is denied"):
        take_all(desk)
    assert "partners/inbox/leads.csv" in set(gate.keys())
    gate.refuse = lambda *_: None
    (found_now,) = take_all(desk)
    assert (found_now["state"], found_now["was_known"]) == ("done", True)
    assert [key for key in sorted(gate.keys()) if key.endswith(".csv")] == ["partners/done/leads.csv"]
    assert desk.ask("select count(*) from touches") == [1]


def test_replaced_before_it_is_read(desk: Desk, gate: Gate) -> None:
    """R4."""
    gate.put("partners/inbox/leads.csv", ANNA)
    (file,) = found(desk)
    gate.put("partners/inbox/leads.csv", BEN)
    assert take_in(desk.office, file)["state"] == "waits"
    assert desk.ask("select count(*) from receipts") == [0]
    assert [found["state"] for found in take_all(desk)] == ["done"]
    assert desk.ask("select full_name from leads") == ["Ben Carter"]


@pytest.mark.parametrize("at", ["HEAD", "PUT"])
def test_replaced_while_it_is_moved(desk: Desk, gate: Gate, at: str) -> None:
    """R4: between the commit and the copy, and between the copy and the deletion: the new content is not deleted."""
    gate.put("partners/inbox/leads.csv", ANNA)
    (file,) = found(desk)

    def replace(method: str, path: str) -> None:
        if method == at and path.endswith(("inbox/leads.csv", "done/leads.csv")):
            gate.before = lambda *_: None
            gate.put("partners/inbox/leads.csv", BEN)

    gate.before = replace
    assert take_in(desk.office, file)["state"] == "waits"
    assert gate.get("partners/inbox/leads.csv") == BEN
    assert [found["state"] for found in take_all(desk)] == ["done"]
    assert desk.ask("select full_name from leads order by 1") == ["Anna Schmidt", "Ben Carter"]


def test_deleted_before_it_is_read(desk: Desk, gate: Gate) -> None:
    """R4."""
    gate.put("partners/inbox/leads.csv", ANNA)
    (file,) = found(desk)
    gate.delete("partners/inbox/leads.csv")
    assert take_in(desk.office, file)["state"] == "gone"
    assert desk.ask("select count(*) from receipts") == [0]


def test_a_connection_that_ends_early_loads_nothing(desk: Desk, gate: Gate) -> None:
    """R4: half an object is not an object."""
    gate.put("partners/inbox/leads.csv", ANNA * 1_000)
    (file,) = found(desk)
    gate.cut_after = 300
    with pytest.raises(BucketUnavailable, match=r"(?s)inbox/leads.csv.*nothing was lost|connection ended"):
        take_in(desk.office, file)
    assert desk.ask("select count(*) from receipts") == [0]
    gate.cut_after = None
    assert take_in(desk.office, file)["state"] == "done"


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "InvalidAccessKeyId", r"the credentials are not accepted.*AWS_ACCESS_KEY_ID"),
        (403, "SignatureDoesNotMatch", r"the credentials are not accepted"),
        (400, "ExpiredToken", r"the credentials have expired.*next run"),
        (403, "AccessDenied", r"access is denied.*right to list"),
        (404, "NoSuchBucket", r"there is no such bucket"),
        (501, "NotImplemented", r"it answers with status 501"),
    ],
)
def test_what_the_store_refuses_is_said_in_words(
    objects: Objects, gate: Gate, status: int, code: str, said: str
) -> None:
    gate.refuse = lambda *_: (status, code)
    with pytest.raises(BucketUnavailable, match=f"s3://leads/partners: {said}") as caught:
        list(objects.entries())
    assert caught.value.exit_code == 4
    assert "canary" not in str(caught.value) and "127.0.0.1" not in str(caught.value)


def test_an_endpoint_that_does_not_answer(gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(
        BucketUnavailable, match=r"s3://leads/partners: it cannot be reached.*endpoint in the environment"
    ):
        list(Objects(RULES.url, tmp_path).entries())


def test_credentials_that_expire_in_the_middle(desk: Desk, gate: Gate) -> None:
    """What was committed stays, and the next run goes on where this one stood."""
    gate.put("partners/inbox/a.csv", ANNA)
    gate.put("partners/inbox/b.csv", BEN)
    files = found(desk)
    assert take_in(desk.office, files[0])["state"] == "done"
    gate.refuse = lambda *_: (400, "ExpiredToken")
    with pytest.raises(BucketUnavailable, match="have expired"):
        take_in(desk.office, files[1])
    gate.refuse = lambda *_: None
    assert [found["state"] for found in take_all(desk)] == ["done"]
    assert desk.ask("select count(*) from leads") == [2]


def test_nothing_is_loaded_from_a_bucket_that_cannot_be_written_to(desk: Desk, gate: Gate) -> None:
    gate.put("partners/inbox/leads.csv", ANNA)
    gate.refuse = lambda method, path: (403, "AccessDenied") if method == "PUT" else None
    with pytest.raises(BucketUnavailable, match=r"access is denied.*nothing was loaded"):
        take_all(desk)
    assert desk.ask("select count(*) from receipts") == [0]


def test_a_listing_comes_page_by_page(objects: Objects, gate: Gate) -> None:
    for number in range(1_100):
        gate.put(f"partners/inbox/{number:04}.csv", b"x")
    gate.passed.clear()
    entries = objects.entries()
    assert next(entries).key == "0000.csv"
    listed = [path for method, path in gate.passed if "list-type=2" in path]
    assert len(listed) == 1
    assert sum(1 for _ in entries) == 1_099


def test_only_that_very_version_is_read(objects: Objects, gate: Gate) -> None:
    gate.put("partners/inbox/leads.csv", ANNA)
    (entry,) = objects.entries()
    with objects.fetched(entry) as path:
        assert path.read_bytes() == ANNA
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert not path.exists()
    gate.put("partners/inbox/leads.csv", BEN)
    with pytest.raises(ChangedWhileRead), objects.fetched(entry):
        pass


def test_a_url_that_is_none(desk: Desk) -> None:
    from sluice.buckets import rules_of

    with pytest.raises(UserError, match=r"s3:///x: it is no URL of a bucket. Allowed: s3://bucket/prefix"):
        rules_of(desk.office.settings, "s3:///x?AWSAccessKeyId=canary")


def found(desk: Desk, source: str = "files") -> list[Dropped]:
    """What lies in the bucket's inbox."""
    rules = RULES.model_copy(update={"source": source}) if source != "files" else RULES
    there = opened(rules, desk.office.settings)
    return list(dropped(there, rules, there.entries(), Order(Path(), source), desk.office.sources))


def take_all(desk: Desk, source: str = "") -> list[dict[str, Any]]:
    """Takes in what lies in the bucket's inbox."""
    rules = RULES.model_copy(update={"source": source}) if source else RULES
    there = opened(rules, desk.office.settings)
    return [
        take_in(desk.office, file)
        for file in dropped(there, rules, there.entries(), Order(Path()), desk.office.sources)
    ]
