"""`sluice lead`: entered by hand (S000-04), shown with the original record (S000-29), explained (S002-43)."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from sluice.settings import REPOSITORY, Settings

LEADS = """\
first_name,last_name,email,phone,company,title,country,lead_source,timeline,employees,email_opt_out
Anna,Petrova,anna.petrova@acme-cabling.example,+1 202-555-0143,Acme Cabling Inc.,Director of Sales,US,Referral,this quarter,1200,
ANNA,PETROVA,Anna.Petrova+fair@acme-cabling.example,12,,VP Sales,US,Trade Show,,,yes
"""
ANNA = "anna.petrova@acme-cabling.example"


@pytest.fixture
def sluice(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs `sluice` on a database of the test's own; answers exit code and standard output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICE_HOME", str(settings.home))
    monkeypatch.setenv("SLUICE_DATABASE_URL", str(settings.database_url))
    Path("leads.csv").write_text(LEADS, encoding="utf-8")

    def run(*arguments: str | int) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["sluice", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        assert isinstance(left.value.code, int)
        return left.value.code, capsys.readouterr().out

    return run


@pytest.fixture
def explained(sluice: Callable[..., tuple[int, str]]) -> dict[str, Any]:
    sluice("import", "leads.csv")
    return json.loads(sluice("lead", "explain", ANNA, "--json")[1])


def test_lines_of_the_score_add_up(explained: dict[str, Any]) -> None:
    score = explained["score"]
    assert score["lines"]
    assert sum(line["points"] for line in score["lines"]) == score["total"]
    assert (score["band"], score["config"]["profile"]) == ("hot", "standard")


def test_owner_is_explained_with_the_others_who_could_have_been(explained: dict[str, Any]) -> None:
    (owner,) = explained["owners"]
    assert (owner["owner"], owner["rule"], owner["reason"]) == ("amara", "strategic accounts", "turn")
    assert [candidate.partition(":")[0] for candidate in owner["candidates"]] == ["amara", "daniel"]
    assert any("Daniel Brandt" in sentence for sentence in owner["said"])


def test_origin_names_file_line_source_and_time(explained: dict[str, Any]) -> None:
    told = [(a["name"], a["line"], a["source"], a["outcome"], a["lead_source"]) for a in explained["arrivals"]]
    assert told == [
        ("leads.csv", 2, "files", "created", "Referral"),
        ("leads.csv", 3, "files", "updated", "Trade Show"),
    ]
    assert all(arrival["occurred_at"] for arrival in explained["arrivals"])


@pytest.mark.parametrize(
    ("part", "words"),
    [
        pytest.param("judgements", "same person as an earlier row of this lead (same identity)", id="duplicate"),
        pytest.param("changes", "title: 'Director of Sales' became 'VP Sales' by leads.csv, row 2", id="change"),
        pytest.param("wishes", "Wants no e-mail", id="opt-out"),
        pytest.param("activities", "call: Call to qualify by Amara Okafor, due ", id="to do"),
    ],
)
def test_each_fact_has_its_sentence(explained: dict[str, Any], part: str, words: str) -> None:
    assert any(words in fact["said"] for fact in explained[part])


def test_warnings_are_told_in_words(explained: dict[str, Any]) -> None:
    (warning,) = explained["arrivals"][1]["warnings"]
    assert (warning["field"], warning["code"]) == ("phone", "invalid")
    assert "The value is not valid" in warning["said"]


@pytest.mark.parametrize(
    "who",
    [
        pytest.param("1", id="number"),
        pytest.param(ANNA, id="e-mail"),
        pytest.param("Anna.Petrova+other@ACME-Cabling.example", id="the same mailbox, written otherwise"),
        pytest.param(f"Anna <{ANNA}>", id="as a mail program writes it"),
    ],
)
def test_a_lead_is_found_by(sluice: Callable[..., tuple[int, str]], who: str) -> None:
    sluice("import", "leads.csv")
    code, said = sluice("lead", "explain", who)
    assert code == 0
    for title in (
        "Score",
        "Owner",
        "Where it came from",
        "Warnings",
        "Compared with others",
        "What changed",
        "Wishes",
        "To do",
    ):
        assert f"\n{title}\n" in said


def test_a_decision_is_explained_by_the_rules_it_was_taken_by(
    sluice: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sluice("import", "leads.csv")
    before = sluice("lead", "explain", 1)
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    rules = config / "profiles" / "standard" / "scoring.yml"
    rules.write_text(rules.read_text().replace("name: vice president", "name: second in command"), encoding="utf-8")
    monkeypatch.setenv("SLUICE_CONFIG", str(config))
    assert "second in command" in rules.read_text()
    assert sluice("lead", "explain", 1) == before
    assert before[0] == 0 and "vice president: seniority is vp" in before[1]


def test_show_puts_the_value_beside_what_came(sluice: Callable[..., tuple[int, str]]) -> None:
    sluice("import", "leads.csv")
    found = json.loads(sluice("lead", "show", ANNA, "--json")[1])
    fields = {field["name"]: (field["value"], field["raw"]) for field in found["fields"]}
    assert fields["first_name"] == ("Anna", "ANNA")
    assert fields["phone"] == ("+12025550143", "12")
    assert fields["email_opt_out"] == (True, "yes")
    assert found["latest"]["line"] == 3
    assert "ANNA" in sluice("lead", "show", 1)[1]


def test_a_lead_entered_by_hand_gets_an_owner_and_an_explanation(sluice: Callable[..., tuple[int, str]]) -> None:
    name = ("--first-name", "Jürgen", "--last-name", "Groß", "--country", "Germany")
    code, said = sluice("lead", "add", *name, "--email", "j.gross@gross-bau.example", "--note", "two\nlines", "--json")
    found = json.loads(said)
    assert (code, found["outcome"], found["lead"]["lead_source"]) == (0, "created", "Manual")
    assert (found["lead"]["team"], found["lead"]["description"]) == ("dach", "two\nlines")
    again = json.loads(sluice("lead", "add", *name, "--email", "j.gross@gross-bau.example", "--json")[1])
    assert (again["lead"]["lead_id"], again["outcome"]) == (found["lead"]["lead_id"], "unchanged")
    assert "source manual" in sluice("lead", "explain", found["lead"]["lead_id"])[1]


def test_the_owner_that_was_named_gets_it(sluice: Callable[..., tuple[int, str]]) -> None:
    said = sluice("lead", "add", "--name", "Ivo Horak", "--email", "ivo@horak.example", "--owner", "Hannah Vogel")[1]
    assert "owner: Hannah Vogel" in said


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param(["--name", "Ivo Horak"], "Too little to be a lead", id="nothing to write or call to"),
        pytest.param(
            ["--name", "Ivo Horak", "--email", "ivo at home"], "email: The value is not valid", id="bad e-mail"
        ),
        pytest.param(["--name", "Test Test", "--email", "test@test.com"], "set aside as test lead", id="test lead"),
    ],
)
def test_what_cannot_be_a_lead_is_refused_with_its_reasons(
    sluice: Callable[..., tuple[int, str]], given: list[str], words: str
) -> None:
    code, said = sluice("lead", "add", *given)
    assert (code, words in said) == (8, True), said
