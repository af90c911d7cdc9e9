"""The step `normalize` as a whole: its columns, its dtypes, its patience."""

import json
import os
from pathlib import Path

import pytest

from sluice.normalization import normalize
from sluice.schema import LEAD_NUMBERS, STEP_COLUMNS
from tests.unit.standard import batch, context, fields, shown

CORPORA = Path(os.environ.get("SLUICE_CORPORA") or Path(__file__).parents[3] / "shared")
NAUGHTY = CORPORA / "corpora" / "blns" / "blns.json"
EVERY_FIELD = tuple(fields().fields)


def test_an_empty_batch_has_all_columns_in_their_dtypes() -> None:
    done = normalize(batch(), context()).leads
    assert len(done) == 0
    assert set(STEP_COLUMNS["normalize"]) <= set(done.columns)
    assert {name: str(done[name].dtype) for name in LEAD_NUMBERS} == LEAD_NUMBERS
    assert str(done["created_at"].dtype) == "datetime64[us, UTC]"
    assert str(done["email_opt_out"].dtype) == "boolean"
    assert str(done["email"].dtype) == "str"


def test_messy_becomes_clean() -> None:
    messy = batch(
        first_name=["  ANNA\u00a0", "Bo"], last_name=["SCHMIDT", "n/a"], email=["Anna.Schmidt@Example.COM ", "-"], phone=["030 23125-101", "000-000-0000"],
        company=["Berg &  Tal GmbH", "Tal"], country=["Deutschland", "France"], tags=["a;b", None],
    )  # fmt: skip
    done = normalize(messy, context()).leads
    assert done.loc[0, ["full_name", "name_key", "email_key", "phone", "company_key", "legal_class", "country"]].tolist() == [
        "Anna Schmidt", "anna schmidt", "anna.schmidt@example.com", "+493023125101", "berg and tal", "private", "DE",
    ]  # fmt: skip
    assert [shown(value) for value in done.loc[1, ["full_name", "name_key", "email", "phone", "warnings"]]] == [
        "Bo",
        None,
        None,
        None,
        "",
    ]
    assert done["tags"].tolist() == [["a", "b"], None]


def test_defaults_of_the_source_fill_what_a_row_does_not_state() -> None:
    done = normalize(
        batch(lead_source=["Webinar", "n/a"]), context(source={"defaults": {"lead_source": "messe", "country": "AT"}})
    ).leads
    assert done["lead_source"].tolist() == ["Webinar", "Trade Show"]
    assert done["country"].tolist() == ["AT", "AT"]


def test_control_characters_go_and_are_mentioned_invisible_ones_just_go() -> None:
    done = normalize(batch(company=["Ac\x00me", "Ac\u200bme", "\u202eAcme"]), context()).leads
    assert done["company"].tolist() == ["Acme"] * 3
    assert done["warnings"].tolist() == ["company:control_characters", "", ""]


def test_a_long_value_is_cut_with_a_warning() -> None:
    done = normalize(batch(city=["x" * 500]), context()).leads
    assert (done.at[0, "city"], done.at[0, "warnings"]) == ("x" * 120, "city:too_long")


def test_a_person_may_be_called_null() -> None:
    done = normalize(batch(first_name=["Ada"], last_name=["Null"], title=["NULL"]), context()).leads
    assert (done.at[0, "full_name"], shown(done.at[0, "title"])) == ("Ada Null", None)


def test_a_field_that_is_off_is_not_read_and_one_that_is_on_has_a_column() -> None:
    cells = batch(tin=["123456789"], goal=["Light"])
    assert "tin" not in normalize(cells, context()).leads
    assert normalize(cells, context("tin", "goal")).leads.at[0, "tin"] == "123456789"


def test_the_rows_keep_their_index_and_their_number() -> None:
    cells = batch(email=["a@example.com", "b@example.com", "c@example.com"]).between(2, 3)
    done = normalize(cells, context()).leads
    assert (done["row"].tolist(), done["email"].tolist()) == ([2, 3], ["b@example.com", "c@example.com"])


def test_what_is_normal_stays_as_it_is() -> None:
    first = normalize(
        batch(
            full_name=["SCHMIDT, Anna"],
            phone=["+49 30 23125 101"],
            country=["Germany"],
            zip=["1067"],
            employees=["1.200"],
        ),
        context(),
    ).leads
    names = ["full_name", "phone", "country", "zip", "employees"]
    again = normalize(batch(**{name: [str(first.at[0, name])] for name in names}), context()).leads
    assert again.loc[0, names].tolist() == first.loc[0, names].tolist()
    assert again.at[0, "warnings"] == ""


@pytest.mark.skipif(
    not NAUGHTY.exists(), reason="the corpora are not part of the repository; SLUICE_CORPORA says where they are"
)
def test_no_naughty_string_breaks_any_field() -> None:
    naughty = [text.encode("utf-8", "replace").decode() for text in json.loads(NAUGHTY.read_text("utf-8"))]
    naughty += [
        "\x00",
        "9" * 400,
        "٣٤٥",
        "１２",
        "1e999",
        "²",
        "-",
        "1/2/3/4",
        "99999",
        "0" * 13,
        "9999999999999",
        "+",
        "@",
        "<@>",
        "12:99",
        "★" * 300,
    ]
    done = normalize(batch(**dict.fromkeys(EVERY_FIELD, naughty)), context(*EVERY_FIELD, source={"country": "US"}))
    assert len(done) == len(naughty)
