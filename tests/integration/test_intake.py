"""A file from the door to the table: what its rows became, what its receipt says, and that nothing depends on chance."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from sluice import pipeline
from sluice.batch import Batch
from sluice.errors import NotFound, UnreadableFile
from sluice.intake import Order, intake
from sluice.profiles import load_profile, load_sources
from sluice.reports import report
from sluice.settings import REPOSITORY, Settings
from sluice.store.engine import Database
from tests.desk import Desk

HEADER = "first_name,last_name,email,phone,company,title,city\n"
MESSY = """\
Anna,Petrova,anna.petrova@acme-cabling.example,+1 202-555-0143,Acme Cabling Inc.,Director of Sales,
ANNA,PETROVA, Anna.Petrova@ACME-CABLING.example,,,,Chicago
Anna,Petrova,anna.petrova@acme-cabling.example,,,,
Anna,Petrova,a.petrova@acme-cabling.example,+1 202-555-0143,,,
Bo,Lee,not an address,,,,
,,,,,,
Test,Test,test@test.example,,,,
Zoë,de Groot,zoe@degroot.example,020 7946 0123,,,
Total,,,,,,
"""


@pytest.mark.both_servers
def test_every_row_becomes_one_thing(desk: Desk) -> None:
    """S002-02, S002-38: created, filled in, told nothing new, flagged, refused, set aside."""
    receipt = desk.take(HEADER + MESSY)
    rows = """select row_number, line, outcome from touches union all select row_number, line, problems->0->>'code'
              from rejects union all select row_number, line, kind from set_asides order by 1"""
    assert desk.ask(rows) == [
        (1, 2, "created"), (2, 3, "updated"), (3, 4, "unchanged"), (4, 5, "flagged"), (5, 6, "invalid"),
        (6, 7, "blank"), (7, 8, "test_lead"), (8, 9, "created"), (9, 10, "total_line"),
    ]  # fmt: skip
    assert desk.counts(receipt) == {
        "created": 2, "updated": 1, "unchanged": 1, "flagged": 1, "rejects": 1, "set_asides": 3,
    }  # fmt: skip
    assert (receipt.state, receipt.row_count, receipt.checkpoint) == ("done", 9, 9)
    desk.whole()


@pytest.mark.both_servers
def test_a_lead_is_stored_clean_beside_the_row_as_it_came(desk: Desk) -> None:
    desk.take(
        "full_name,email,phone,company,country\n MÜLLER ANNA ;,Anna.Mueller@BÜCHER.example,030 23125 000,bücher  gmbh,Deutschland\n"
    )
    ((name, mail, phone, company, country, key),) = desk.ask(
        "select full_name, email, phone, company, country, identity_key from leads"
    )
    assert (mail, phone, country) == ("Anna.Mueller@bücher.example", "+493023125000", "DE")
    assert key == "mail:anna.mueller@xn--bcher-kva.example"
    assert "Müller" in name and company == "bücher gmbh"
    assert desk.ask("select record[1] from touches") == [" MÜLLER ANNA ;"]


def test_what_survives_an_update_is_recorded(desk: Desk) -> None:
    """S002-38: more trusted, then more recent; an empty cell never replaces a value."""
    header = "full_name,email,title,city,country\n"
    desk.take(header + "Ivo Horak,ivo@horak.example,Buyer,Praha,CZ\n", "website-export")  # trust 70
    desk.take(header + "Ivo Horak,ivo@horak.example,Head of Purchasing,,\n", "files")  # trust 40: not believed
    desk.take(header + "Ivo Horák,ivo@horak.example,Purchasing Manager,,\n", "website-export")
    desk.take("company,email,full_name\nHorak Works,ivo@horak.example,\n", "files")  # fills a gap
    changes = desk.ask("select receipt_id, field, old_value, new_value, rule from lead_changes order by 1, 2")
    assert [change for change in changes if change[1] in ("title", "full_name", "company", "city")] == [
        (3, "full_name", "Ivo Horak", "Ivo Horák", "more recent"),
        (3, "title", "Buyer", "Purchasing Manager", "more recent"),
        (4, "company", None, "Horak Works", "fills a gap"),
    ]
    assert desk.ask("select full_name, title, city, company from leads") == [
        ("Ivo Horák", "Purchasing Manager", "Praha", "Horak Works")
    ]
    assert desk.ask("select outcome from touches order by receipt_id") == ["created", "unchanged", "updated", "updated"]


@pytest.mark.parametrize(
    ("minimum", "became"),
    [
        pytest.param("contact", [1, 2, 3], id="a name or company, and a way to reach it"),
        pytest.param("name_and_contact", [1, 2], id="a name, and a way to reach it"),
        pytest.param("email", [1, 4], id="an e-mail is enough"),
        pytest.param("company", [1, 3, 5], id="a company is enough"),
    ],
)
def test_intake_minimum_of_a_source(desk: Desk, minimum: str, became: list[int]) -> None:
    """S002-02."""
    rows = (
        "Anna Petrova,anna@acme.example,,Acme", "Bo Lee,,+1 202-555-0143,", ",,+1 202-555-0144,Borealis",
        ",ivo@horak.example,,", ",,,Horak Works", "Zoë de Groot,,,",
    )  # fmt: skip
    desk.with_source("files", intake_minimum=minimum).take("full_name,email,phone,company\n" + "\n".join(rows))
    assert desk.ask("select row_number from touches order by 1") == became
    desk.whole()


def test_organisations_only_make_companies_and_no_leads(desk: Desk) -> None:
    content = "external_id,company,street,city,country\n1,Acme Cabling GmbH,Ringstr. 1,Köln,DE\n2,ACME Cabling GmbH,,,DE\n3,,Hafen 2,Kiel,DE\n"
    receipt = desk.take(content, "company-register")
    assert desk.ask("select count(*) from leads") == [0]
    assert desk.ask("select name, street, city, country, external_id from companies") == [
        ("Acme Cabling GmbH", "Ringstr. 1", "Köln", "DE", "1")
    ]
    assert desk.counts(receipt) == {"created": 1, "unchanged": 1, "rejects": 1}
    assert desk.ask("select problems->0->>'code' from rejects") == ["minimum.company"]
    desk.take("full_name,email,company,country\nAnna Petrova,anna@example.com,Acme Cabling GmbH,Germany\n")
    assert desk.ask("select l.company_id = c.company_id from leads l, companies c") == [True]
    desk.whole()


def test_content_under_another_name_is_known(desk: Desk) -> None:
    first = desk.take(HEADER + MESSY, name="leads.csv")
    same = desk.take(HEADER + MESSY, name="leads.csv")
    other = desk.take(HEADER + MESSY, name="leads (copy).csv")
    anew = desk.take(HEADER + MESSY, name="leads.csv", again=True)
    assert (same.receipt_id, other.state, other.duplicate_of) == (first.receipt_id, "duplicate", first.receipt_id)
    assert report(desk.database, other)["counts"]["row_count"] == 0
    assert desk.ask("select receipt_id, count(*) from touches group by 1 order by 1") == [(1, 5), (anew.receipt_id, 5)]
    assert desk.ask("select count(*) from leads") == [3]
    assert desk.ask("select again_of from receipts where again_of is not null") == [first.receipt_id]
    desk.whole()


def test_the_same_content_from_another_source_is_another_arrival(desk: Desk) -> None:
    path = desk.file("full_name,email\nAnna Petrova,anna@acme.example\n")
    assert [desk.take(path, source).duplicate_of for source in ("files", "website-export")] == [None, None]
    assert desk.ask("select count(*) from touches") == [2]


def test_a_failed_receipt_frees_its_claim(desk: Desk) -> None:
    unknown = "Ansprechpartner,Mailadresse\nAnna Petrova,anna@acme.example\n"
    with pytest.raises(UnreadableFile, match="no column is known"):
        desk.take(unknown)
    fields = {"Ansprechpartner": "full_name", "Mailadresse": "email"}
    receipt = desk.with_source("files", fields=fields).take(unknown, name="leads-1.csv")
    assert desk.ask("select receipt_id, state from receipts order by 1") == [(1, "failed"), (2, "done")]
    assert desk.counts(receipt) == {"created": 1}
    desk.whole()


class Stop(Exception):
    """Ends an import in the middle, as a crash would."""


def stop_after(rows: int) -> pipeline.Steps:
    def land(database: Database, job: pipeline.Job, batch: Batch) -> int:
        pipeline.land(database, job, batch.between(1, rows))
        raise Stop

    return pipeline.Steps(pipeline.prepare_each, land)


def test_an_unfinished_receipt_keeps_its_config(desk: Desk, settings: Settings, tmp_path: Path) -> None:
    """Rows of one file are never scored by two sets of rules; each decision's rules can be read for ever."""
    rows = "".join(f"Ivo Horak,ivo.{n}@horak.example,CEO\n" for n in range(6))
    path = desk.file("full_name,email,title\n" + rows)
    with pytest.raises(Stop):
        intake(desk.office, Order(path, steps=stop_after(3)))
    changed = shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    scoring = changed / "profiles/standard/scoring.yml"
    scoring.write_text(scoring.read_text().replace("points: 30}", "points: 1}"))
    settings = replace(settings, config=changed)
    later = Desk.at(settings, desk.database, tmp_path / "config")
    later.office = replace(later.office, sources=load_sources(changed), profile=load_profile(changed, "standard"))
    assert later.take(path).state == "done"
    assert len(set(desk.ask("select score from leads"))) == 1
    later.take("full_name,email,title\nIvo Horak,ivo.7@horak.example,CEO\n", name="next.csv")
    assert desk.ask("select count(distinct score), count(distinct config_id) from leads") == [(2, 2)]
    desk.whole()


def test_interrupted_again_it_goes_on_with_the_claim_it_made(desk: Desk) -> None:
    path = desk.file(HEADER + MESSY)
    desk.take(path)
    with pytest.raises(Stop):
        intake(desk.office, Order(path, again=True, steps=stop_after(3)))
    assert desk.take(path, again=True).state == "done"
    assert desk.ask("select state, again_of is null from receipts order by 1, 2") == [("done", False), ("done", True)]
    desk.whole()


def test_columns_nobody_declared_are_kept_and_warned_about(desk: Desk) -> None:
    receipt = desk.take(
        "full_name,email,Favourite Colour,Shoe size\nAnna Petrova,anna@acme.example,green,\nBo Lee,bo@lee.example,,\n"
    )
    assert desk.ask("select extra from leads order by full_name") == [{"Favourite Colour": "green"}, None]
    warned = {notice["column"]: notice["code"] for notice in report(desk.database, receipt)["columns"]}
    assert warned == {"Favourite Colour": "not_mapped", "Shoe size": "not_mapped"}


def test_fields_that_the_profile_switches_on_are_attributes(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    config = shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    fields = config / "profiles/standard/fields.yml"
    text = re.sub(r"(  (tin|new_company|company_growth): .*)enabled: false", r"\1enabled: true", fields.read_text())
    fields.write_text(text)
    desk = Desk.at(replace(settings, config=config), database, tmp_path)
    desk.take("full_name,email,tin,new_company,company_growth\nAnna Petrova,anna@acme.example,123 456 789,yes,12.5\n")
    desk.take("full_name,email,company_growth\nAnna Petrova,anna@acme.example,14\n")
    ((attributes),) = desk.ask("select attributes from leads")
    assert attributes["new_company"] is True
    assert attributes["company_growth"] == 14
    assert attributes["tin"].endswith("123456789")
    assert ("company_growth", "12.5", "14.0") in desk.ask("select field, old_value, new_value from lead_changes")
    desk.whole()


SAME_PEOPLE = """\
full_name,email,phone,company,title,city,created_at,Colour,tags,email_opt_out
Anna Petrova,anna@acme.example,,Acme Cabling,,Sofia,2026-03-01,red,fair,
Anna Petrova,anna@acme.example,+1 202-555-0143,,CEO,,2026-01-01,,,
Anna Petrova,,+1 202-555-0143,,,,2026-05-01,blue,2026,
Anna Petrova,anna@acme.example,,,,,2026-05-02,grey,,
Bo Lee,,+1 202-555-0144,Borealis Ltd,Buyer,,2026-02-01,,,
Bo Lee,bo@borealis.example,+1 202-555-0144,,Head of Purchasing,,2026-01-01,green,,yes
Bo Lee,bo.lee@borealis.example,+1 202-555-0144,,,,2026-01-02,,,
,info@borealis.example,,Borealis Limited,,,2026-02-03,,,
Ivo Horak,info@borealis.example,,Borealis Ltd.,,,2026-02-03,,,yes
Ivo Horak,Info@Borealis.example,,,,Praha,2026-02-05,,,
Zoë Lee,bo@borealis.example,,,,Oslo,2026-06-01,,,
"""


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_slices_of_any_size_come_to_the_same(
    desk: Desk, make_database: Callable[[str], Database], settings: Settings, rows: int
) -> None:
    """I6: where a slice ends decides nothing."""
    desk.take(SAME_PEOPLE)
    other = Desk.at(settings, make_database("template_of_tests"), desk.folder).with_slices(rows)
    other.take(SAME_PEOPLE)
    assert other.whole() == desk.whole()
    assert facts(other) == facts(desk)


def facts(desk: Desk) -> list[object]:
    """What the canonical dump leaves out but later arrivals depend on."""
    return desk.ask("select identity_key, row_number, stated_at, person_key, extra from leads order by 1, 2")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_files_in_any_order_come_to_the_same_values(
    desk: Desk, make_database: Callable[[str], Database], settings: Settings, order: tuple[int, ...]
) -> None:
    """I6: the source's word on when it happened decides, not the arrival."""
    contents = [
        "full_name,email,title,city,created_at\nAnna Petrova,anna@acme.example,Buyer,,2026-01-01\n",
        "full_name,email,title,city,email_opt_out,created_at\nAnna Petrova,anna@acme.example,Head of Purchasing,Sofia,yes,2026-02-01\n",
        "full_name,email,title,phone,created_at\nAnna Petrova,anna@acme.example,,+1 202-555-0143,2026-03-01\n",
    ]
    for content in contents:
        desk.take(content)
    other = Desk.at(settings, make_database("template_of_tests"), desk.folder)
    for place in order:
        other.take(contents[place])
    kinds = ("lead ", "company ", "consent ", "touch ")
    assert [line for line in other.whole() if line.startswith(kinds)] == [
        line for line in desk.whole() if line.startswith(kinds)
    ]


def test_a_report_adds_up_and_holds_no_personal_data(desk: Desk) -> None:
    found = report(desk.database, desk.take(HEADER + MESSY))
    counts = found["counts"]
    assert counts["row_count"] == sum(
        counts[name] for name in ("created", "updated", "unchanged", "flagged", "rejects", "set_asides")
    )
    assert sum(found["bands"].values()) == 3
    assert not re.search(r"petrova|not an address|\+1", json.dumps(found), re.IGNORECASE)


def test_a_source_that_is_not_declared(desk: Desk) -> None:
    with pytest.raises(NotFound, match=r"source 'nope'.*Allowed: .*website-export"):
        desk.take(HEADER + MESSY, "nope")
    assert desk.ask("select count(*) from receipts") == [0]
