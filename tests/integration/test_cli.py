"""The `sluice` command on a database: what it says, where it says it, and its exit codes."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.main import get_command

from flows.cli import EXIT_CODES, app, main
from sluice.settings import REPOSITORY, Settings
from sluice.store.engine import Database

PAGE = (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8")
CANARY = "vera.canary@canary.example"

LEADS = """\
first_name,last_name,email,phone,company,title,country,lead_source,timeline,employees,favourite colour
Anna,Petrova,anna.petrova@acme-cabling.example,+1 202-555-0143,Acme Cabling Inc.,Director of Sales,US,Referral,this quarter,1200,green
Bo,Lee,not an address,,Acme Cabling,,US,,,,
,,,,,,,,,,
ANNA,PETROVA,Anna.Petrova+fair@acme-cabling.example,,,VP Sales,US,Trade Show,,,
"""


class Answer(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Sluice = Callable[..., Answer]


@pytest.fixture
def sluice(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Sluice:
    """Runs `sluice` with arguments, in a folder that holds `leads.csv`, on a database of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICE_HOME", str(settings.home))
    monkeypatch.setenv("SLUICE_DATABASE_URL", str(settings.database_url))
    Path("leads.csv").write_text(LEADS, encoding="utf-8")

    def run(*arguments: str | int | Path) -> Answer:
        monkeypatch.setattr(sys, "argv", ["sluice", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Answer(left.value.code, said.out, said.err)

    return run


def test_import_says_what_became_of_every_row(sluice: Sluice) -> None:
    found = sluice("import", "leads.csv", "--json")
    assert (found.code, found.err) == (0, "")
    (report,) = found.json["files"]
    assert report["counts"] | {"touches": 2} == {
        "row_count": 4, "touches": 2, "created": 1, "updated": 1, "unchanged": 0, "flagged": 0, "rejects": 1, "set_asides": 1,
    }  # fmt: skip
    assert not report["was_known"]


def test_import_tells_people_why_rows_were_refused_and_where_to_read_it(sluice: Sluice) -> None:
    said = sluice("import", "leads.csv").out
    for words in (
        "email: The value is not valid",
        "sluice rejects list 1",
        "sluice rejects export 1",
        "'favourite colour'",
    ):
        assert words in said


def test_known_content_is_said_to_be_known(sluice: Sluice) -> None:
    sluice("import", "leads.csv")
    Path("leads.csv").rename("copy.csv")
    found = sluice("import", "copy.csv")
    assert (found.code, "Already known as receipt 1" in found.out) == (0, True)
    anew = sluice("import", "copy.csv", "--again", "--json").json["files"][0]
    assert (anew["was_known"], anew["counts"]["touches"]) == (False, 2)


def test_a_failing_file_does_not_stop_the_others(sluice: Sluice) -> None:
    Path("empty.csv").touch()
    found = sluice("import", "missing.csv", "empty.csv", "leads.csv", "--json")
    assert found.code == 4
    assert [report["exit_code"] for report in found.json["files"]] == [4, 4, 0]


def test_a_folder_is_emptied_into_done_and_failed(sluice: Sluice) -> None:
    inbox = Path("bucket/inbox/webinar")
    inbox.mkdir(parents=True)
    (inbox / "w.csv").write_text(
        "First Name,Last Name,Email Address\nIvo,Horak,ivo.horak@horak.example\n", encoding="utf-8"
    )
    (inbox.parent / "workbook.csv").write_bytes(b"PK\x03\x04")
    for name in ("growing.csv.part", "empty.csv"):
        (inbox.parent / name).touch()
    shown = sluice("bucket", "./bucket", "--json").json["buckets"][0]
    assert {file["file"]: (file["source"], bool(file["waits"])) for file in shown["files"]} == {
        "empty.csv": ("files", True), "growing.csv.part": ("files", True), "workbook.csv": ("files", False), "webinar/w.csv": ("webinar", False),
    }  # fmt: skip
    found = sluice("import", "bucket", "--json")
    assert (found.code, [report["source"] for report in found.json["files"]]) == (4, ["webinar", "files"])
    assert "2 files wait" in found.err
    assert Path("bucket/done/webinar/w.csv").exists()
    assert Path("bucket/failed/workbook.csv").exists()
    assert Path("bucket/inbox/empty.csv").exists()


def test_a_bucket_is_shown_to_people(sluice: Sluice) -> None:
    assert "no such folder" in sluice("bucket", "nowhere").err
    Path("bucket/inbox/webniar").mkdir(parents=True)
    Path("bucket/inbox/webniar/leads.csv").write_text("full_name,email\n")
    found = sluice("bucket", "./bucket")
    assert found.code == 0 and "there is no source 'webniar'" in " ".join(found.out.split())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["import", "leads.csv", "--source", "nope"], 6, "source 'nope'", id="source that is not declared"),
        pytest.param(["import", "missing.csv"], 4, "missing.csv: it cannot be reached", id="missing file"),
        pytest.param(["import", "."], 4, "inbox: there is no such folder", id="folder without an inbox"),
        pytest.param(["receipt", "77"], 6, "receipt 77", id="receipt that is not there"),
        pytest.param(["receipt", "x"], 2, "valid integer", id="receipt that is no number"),
        pytest.param(["rejects", "list", "77"], 6, "receipt 77", id="rejects of no receipt"),
        pytest.param(["rejects", "export", "77"], 6, "receipt 77", id="export of no receipt"),
        pytest.param(["lead", "show", "nobody@example.com"], 6, "nobody@example.com", id="e-mail that nobody has"),
        pytest.param(["lead", "explain", "9" * 30], 6, "there is none", id="number beyond all numbers"),
        pytest.param(["lead", "explain", "'; drop table leads;--"], 6, "neither", id="neither number nor e-mail"),
        pytest.param(["lead", "explain", "\x1b[31mred"], 6, "neither", id="a terminal's control sequence"),
        pytest.param(["lead", "add"], 8, "nothing was entered", id="empty lead"),
        pytest.param(["lead", "add", "--email", "  "], 8, "nothing was entered", id="blank lead"),
        pytest.param(["db", "restore", "missing.dump"], 6, "missing.dump", id="missing backup"),
        pytest.param(["db", "backup", "nowhere/b.dump"], 5, "nowhere/b.dump", id="backup into no folder"),
        pytest.param(["bogus"], 2, "bogus", id="no such command"),
        pytest.param(["import"], 2, "FILE", id="import of nothing"),
    ],
)
def test_what_the_user_can_mend_is_one_paragraph(sluice: Sluice, arguments: list[str], code: int, words: str) -> None:
    found = sluice(*arguments)
    assert found.code == code
    assert words in found.err
    assert "Traceback" not in found.err and "\x1b" not in found.err


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        pytest.param("SLUICE_CONFIG", "/nowhere", 3, id="no config folder"),
        pytest.param("SLUICE_PROFILE", "nope", 3, id="no such profile"),
        pytest.param("SLUICE_SLICE_ROWS", "many", 3, id="slice that is no number"),
        pytest.param("SLUICE_DATABASE_URL", "mysql://localhost/leads", 3, id="not Postgres"),
        pytest.param("SLUICE_DATABASE_URL", "postgresql://a@127.0.0.1:1/leads", 5, id="no server there"),
    ],
)
def test_an_impossible_environment_is_said_plainly(
    sluice: Sluice, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, code: int
) -> None:
    monkeypatch.setenv(variable, value)
    found = sluice("status")
    assert (found.code, found.out) == (code, "")
    assert found.err.startswith("Error: ")


def test_an_error_of_ours_shows_and_keeps_no_personal_data(sluice: Sluice, database: Database, home: Path) -> None:
    with database.connection() as connection:
        connection.exec_driver_sql(f"alter table leads add constraint no_canary check (email <> '{CANARY}')")
    Path("canary.csv").write_text(f"full_name,email\nVera Canary,{CANARY}\n", encoding="utf-8")
    found = sluice("import", "canary.csv")
    assert found.code == 10
    assert re.search(r"internal error, StoreError at sluice\.[\w.]+:\d+; nothing was lost", found.err)
    (kept,) = (home / "errors").iterdir()
    assert "in decide_and_load" in kept.read_text()
    assert not re.search("canary@|Vera", found.out + found.err + kept.read_text())


def test_status(sluice: Sluice) -> None:
    sluice("import", "leads.csv")
    found = sluice("status", "--json").json
    assert found["stored"] == {"leads": 1, "companies": 1, "receipts": 1}
    assert (found["unfinished"], len(found["receipts"]), found["config"]["profile"]) == ([], 1, "standard")
    assert "leads.csv" in sluice("status").out


def test_receipt(sluice: Sluice) -> None:
    sluice("import", "leads.csv")
    found = sluice("receipt", 1, "--json").json
    assert (found["file"], found["state"], found["counts"]["rejects"]) == ("leads.csv", "done", 1)
    assert "leads.csv" in sluice("receipt", 1).out


def test_receipt_of_a_failed_file_says_why(sluice: Sluice) -> None:
    Path("empty.csv").touch()
    sluice("import", "empty.csv")
    assert "the file is empty" in sluice("receipt", 1).out


def test_rejects_are_listed_and_exported(sluice: Sluice) -> None:
    sluice("import", "leads.csv")
    assert "not an address" in sluice("rejects", "list").out
    assert sluice("rejects", "list", 1, "--json").json["rejects"][0]["record"][0] == "Bo"
    assert "1 rows" in sluice("rejects", "export", 1).out
    with Path("leads.csv.rejects.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["first_name"], row["sluice_line"]) == ("Bo", "3")


def test_nothing_rejected_is_said(sluice: Sluice) -> None:
    sluice("lead", "add", "--name", "Ivo Horak", "--email", "ivo.horak@horak.example")
    assert "no rejected rows" in sluice("rejects", "list").out
    assert "no file was written" in sluice("rejects", "export", 1).out


def test_cells_cannot_steer_the_terminal(sluice: Sluice) -> None:
    Path("bad.csv").write_text("first_name,email,company\nIvo,\x1b[2Jnot an address [red],Horak\n", encoding="utf-8")
    sluice("import", "bad.csv")
    said = sluice("rejects", "list").out
    assert "\x1b" not in said and "[red]" in said


def test_verify(sluice: Sluice, database: Database) -> None:
    sluice("import", "leads.csv")
    found = sluice("verify", "--json")
    assert (found.code, found.json["holds"]) == (0, True)
    before = sluice("verify", "--canonical").out
    sluice("import", "leads.csv")
    assert before == sluice("verify", "--canonical").out != ""
    with database.connection() as connection:
        connection.exec_driver_sql("delete from rejects")
    found = sluice("verify")
    assert (found.code, "rows_unaccounted" in found.out) == (9, True)


def test_config_check_names_file_key_found_and_allowed(
    sluice: Sluice, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert sluice("config", "check").code == 0
    source = tmp_path / "config" / "sources" / "fair.yml"
    profile = tmp_path / "config" / "profiles" / "standard"
    for folder in (source.parent, profile):
        folder.mkdir(parents=True)
    source.write_text("kind: file\ntrust: 400\n", encoding="utf-8")
    monkeypatch.setenv("SLUICE_CONFIG", str(tmp_path / "config"))
    (profile / "profile.yml").write_text("business_timezone: Europe/Berlin\n", encoding="utf-8")
    found = sluice("config", "check", "--json")
    assert found.code == 3
    assert {"file": "sources/fair.yml", "key": "trust", "line": 2}.items() <= next(
        finding for finding in found.json["findings"] if finding["file"] == "sources/fair.yml"
    ).items()


def test_database_commands(sluice: Sluice, database: Database) -> None:
    sluice("import", "leads.csv")
    assert sluice("db", "url").out.strip() == database.url
    assert sluice("db", "migrate").out == "The tables are up to date.\n"
    assert sluice("db", "backup", "b.dump").code == 0
    assert sluice("db", "restore", "b.dump").code == 8
    sluice("lead", "add", "--name", "Ivo Horak", "--email", "ivo.horak@horak.example")
    assert sluice("db", "restore", "b.dump", "--force").code == 0
    assert sluice("status", "--json").json["stored"]["leads"] == 1


def commands(command: Any = None, name: str = "sluice") -> dict[str, Any]:
    command = command or get_command(app)
    if not hasattr(command, "commands"):
        return {name: command}
    return {
        path: found
        for part, inner in command.commands.items()
        for path, found in commands(inner, f"{name} {part}").items()
    }


@pytest.mark.parametrize("name", list(commands()))
def test_every_command_and_option_is_documented(name: str) -> None:
    section = re.search(rf"^## `{name}`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section, f"docs/commands.md has no section {name}"
    for parameter in commands()[name].params:
        for option in parameter.opts:
            assert not option.startswith("--") or f"{option}" in section[1]


def test_every_exit_code_is_documented() -> None:
    told = dict(re.findall(r"^ *(\d+)  (.*)$", EXIT_CODES, re.MULTILINE))
    assert dict(re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE)) == told
