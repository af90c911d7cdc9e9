"""Files that nobody here wrote, through the database: all rows accounted for, the good ones loaded."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sluice.settings import REPOSITORY, Settings
from sluice.store.engine import Database
from tests.desk import Desk

FIELDS = (
    "full_name", "first_name", "last_name", "salutation", "email", "phone", "mobile", "company", "title", "industry", "employees",
    "annual_revenue", "website", "street", "city", "state", "zip", "country", "lead_source", "campaign", "tags", "rating",
    "priority", "budget", "timeline", "description", "language", "created_at", "next_follow_up", "email_opt_out",
    "do_not_call", "external_id", "nobody_declared_this",
)  # fmt: skip


@pytest.fixture
def naughty(corpora: Path) -> list[str]:
    """The Big List of Naughty Strings."""
    return json.loads((corpora / "corpora/blns/blns.json").read_text(encoding="utf-8"))


def table(header: tuple[str, ...], rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def test_child_care_sites(settings: Settings, database: Database, corpora: Path, tmp_path: Path) -> None:
    """At least 3,300 of 3,337 rows become records, the rest are refused with true reasons; 7 digits become E.164."""
    config = shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    shutil.copy(REPOSITORY / "tests/data/config/sources/childcare-sites.yml", config / "sources")
    desk = Desk.at(replace(settings, config=config), database, tmp_path)
    path = corpora / "matching/organisations/sites_with_true_ids.csv"
    receipt = desk.take(path, "childcare-sites")
    counts = desk.counts(receipt)
    records = counts["created"] + counts["unchanged"]
    assert receipt.row_count == records + counts.get("rejects", 0) + counts.get("set_asides", 0) == 3_337
    assert records >= 3_300
    assert desk.ask("select count(*) from leads") == [0]
    no_name = desk.ask("select problems->0->>'code' = 'minimum.company' and trim(record[4]) = '' from rejects")
    assert set(no_name) <= {True}
    sevens = """select c.phone from companies c join touches t using (receipt_id, row_number)
                where length(regexp_replace(t.record[7], '\\D', '', 'g')) = 7"""
    phones = desk.ask(sevens)
    assert len(phones) > 500
    assert {phone[:5] if phone else "none" for phone in phones} <= {"+1312", "none"}
    assert sum(phone is None for phone in phones) < 0.02 * len(phones)
    desk.whole()


@pytest.mark.parametrize("name", ["register_a", "register_b"])
def test_company_registers(desk: Desk, corpora: Path, name: str) -> None:
    """Every row is a company's."""
    path = corpora / f"matching/listed_companies/{name}.csv"
    receipt = desk.take(path, "company-register")
    with path.open(encoding="utf-8", newline="") as file:
        rows = len(list(csv.reader(file))) - 1
    assert desk.ask("select count(*) from touches where company_id is not null") == [rows]
    assert receipt.row_count == rows
    desk.whole()


def test_naughty_strings_in_every_field_at_once(desk: Desk, naughty: list[str]) -> None:
    """Row i has string i in all columns."""
    receipt = desk.take(table(FIELDS, [[text] * len(FIELDS) for text in naughty]))
    assert receipt.row_count == len(naughty)
    assert sum(desk.counts(receipt).values()) == len(naughty)
    desk.whole()


def test_naughty_strings_in_one_field_after_the_other(desk: Desk, naughty: list[str]) -> None:
    """A person is known by name and e-mail: whatever stands in any other field, the row is no reject."""
    rows: list[list[str]] = []
    for place, name in enumerate(FIELDS):
        for number, text in enumerate(naughty):
            row = dict.fromkeys(FIELDS, "") | {"full_name": "Ivo Horak", "email": f"ivo.{place}.{number}@horak.example"}
            rows.append(list((row | {name: text}).values()))
    receipt = desk.take(table(FIELDS, rows))
    assert receipt.row_count == len(rows)
    assert sum(desk.counts(receipt).values()) == len(rows)
    needed = {FIELDS.index("email") + 1, FIELDS.index("full_name") + 1}
    refused = desk.ask(f"select distinct (row_number - 1) / {len(naughty)} + 1 from rejects")
    assert set(refused) <= needed
    assert desk.ask("select count(*) from leads")[0] > 0.9 * len(rows)
    desk.whole()
