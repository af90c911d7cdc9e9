"""A file that cannot be read: its receipt and its report say where it lies from now on."""

from __future__ import annotations

import json
from pathlib import Path

from sluice.bucket_rules import BucketRules
from sluice.buckets import dropped, opened, take_in
from sluice.intake import Order
from tests.buckets import ANNA, BEN, Drop, take
from tests.desk import Desk
from tests.objects import Gate

WORKBOOK = b"PK\x03\x04 a workbook"
RULES = BucketRules(name="partners", url="s3://leads/partners", settle_seconds=0)


def test_the_receipt_of_a_file_in_failed(desk: Desk, drop: Drop) -> None:
    """Each time that it is dropped anew, and beside one that was read."""
    failed = [drop("leads.csv", WORKBOOK) / "failed/leads.csv"]
    assert take(desk, drop("leads.csv", WORKBOOK))["receipt"] == 1
    drop("leads.csv", BEN)
    take(desk, drop("leads.csv", BEN))
    again = take(desk, drop("leads.csv", WORKBOOK))
    assert (again["receipt"], again["moved_to"]) == (3, failed[0].as_uri())
    done = (failed[0].parent.parent / "done/leads.csv").as_uri()
    assert desk.ask("select state, moved_to from receipts order by receipt_id") == [
        ("failed", failed[0].as_uri()), ("done", done), ("failed", failed[0].as_uri()),
    ]  # fmt: skip
    assert json.loads(failed[0].with_name("leads.csv.report.json").read_text())["moved_to"] == failed[0].as_uri()


def test_another_content_of_the_same_name_has_a_place_of_its_own(desk: Desk, drop: Drop) -> None:
    for content in (WORKBOOK, WORKBOOK + b", a newer one"):
        bucket = drop("leads.csv", content)
        take(desk, bucket)
    places = [(bucket / "failed" / name).as_uri() for name in ("leads.csv", "leads (2).csv")]
    assert desk.ask("select moved_to from receipts order by receipt_id") == places


def test_a_file_without_a_receipt(desk: Desk, drop: Drop) -> None:
    """Of a source that nobody declared nothing was received; the report says where the file lies all the same."""
    found = take(desk, drop("webniar/leads.csv", ANNA))
    assert (found["receipt"], Path(found["moved_to"]).name) == (None, "leads.csv")
    assert desk.ask("select count(*) from receipts") == [0]


def test_a_file_without_a_receipt_where_another_failed_before(desk: Desk, drop: Drop) -> None:
    bucket = drop("leads.csv", WORKBOOK)
    take(desk, bucket)
    found = take(desk, drop("leads.csv", b""))
    assert (found["receipt"], found["moved_to"]) == (None, (bucket / "failed/leads (2).csv").as_uri())
    assert desk.ask("select moved_to from receipts") == [(bucket / "failed/leads.csv").as_uri()]


def test_an_object_in_failed(desk: Desk, gate: Gate) -> None:
    gate.put("partners/inbox/leads.csv", WORKBOOK)
    there = opened(RULES, desk.office.settings)
    (file,) = dropped(there, RULES, there.entries(), Order(Path()), desk.office.sources)
    take_in(desk.office, file)
    assert desk.ask("select moved_to from receipts") == ["s3://leads/partners/failed/leads.csv"]
    assert json.loads(gate.get("partners/failed/leads.csv.report.json"))["receipt"] == 1
