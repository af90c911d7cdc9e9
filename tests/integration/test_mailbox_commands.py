"""`sluice mailbox`: what it says of accounts and of rules, and that no person is named where nobody asked."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from flows.cli import main
from sluice.settings import REPOSITORY
from tests.desk import Desk
from tests.imap_server import ImapServer
from tests.mailroom import SOURCE, Mailroom, imap_server, mail, make_server, shared_server

__all__ = ["imap_server", "make_server", "shared_server"]

SAMPLES = REPOSITORY / "config/mail/rules/samples"
CANARY = "vera.canary@canary.example"


class Answer(NamedTuple):
    code: int
    out: str
    err: str


Sluice = Callable[..., Answer]


@pytest.fixture
def room(desk: Desk, imap_server: ImapServer, tmp_path: Path) -> Mailroom:
    for name in ("profiles", "teams.yml", "mail"):
        (tmp_path / name).symlink_to(REPOSITORY / "config" / name)
    (tmp_path / "sources").mkdir()
    for path in (REPOSITORY / "config/sources").glob("*.yml"):
        (tmp_path / "sources" / path.name).symlink_to(path)
    if not (tmp_path / "sources/mail.yml").exists():
        (tmp_path / "sources/mail.yml").write_text(SOURCE)
    return Mailroom.opened(desk, imap_server, tmp_path)


@pytest.fixture
def sluice(room: Mailroom, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sluice:
    settings = room.desk.office.settings
    monkeypatch.setenv("SLUICE_HOME", str(settings.home))
    monkeypatch.setenv("SLUICE_CONFIG", str(settings.config))
    monkeypatch.setenv("SLUICE_DATABASE_URL", room.desk.database.url)

    def run(*arguments: str | int | Path) -> Answer:
        monkeypatch.setattr(sys, "argv", ["sluice", "mailbox", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return Answer(int(left.value.code or 0), said.out, said.err)

    return run


def test_what_was_never_read(room: Mailroom, sluice: Sluice) -> None:
    answer = sluice("status")
    assert answer.code == 0
    assert "not read yet" in answer.out


def test_reading_once_and_how_it_went(room: Mailroom, sluice: Sluice) -> None:
    room.deliver(mail(1), mail(2), mail(1))
    assert "2 mails stored, 1 were known" in sluice("sync", "--once").out
    answer = sluice("status", "--json")
    ((row,),) = [json.loads(answer.out)["folders"]]
    assert (row["account"], row["folder"], row["stored"], row["known"], row["last_uid"]) == ("sales", "INBOX", 2, 1, 3)
    shown = sluice("status")
    assert shown.code == 0
    assert "well" in shown.out


def test_what_fails_is_said_with_what_to_do(room: Mailroom, sluice: Sluice) -> None:
    room.declare("broken", host="127.0.0.1", port=9)
    answer = sluice("sync", "--once")
    assert (answer.code, "nobody listens there" in answer.err) == (4, True)
    shown = sluice("status")
    assert shown.code == 4
    assert "fails since" in shown.out
    assert "Check host and port" in shown.out
    assert sluice("sync", "--once", "sales").code == 0
    assert sluice("sync", "--once", "slaes").code == 6


def test_an_account_is_looked_at(room: Mailroom, sluice: Sluice) -> None:
    room.deliver(mail(1))
    answer = sluice("check", "sales")
    assert answer.code == 0
    assert "INBOX: 1 mails" in answer.out
    assert "All is well" in answer.out
    room.declare("sales", folders=["Leeds"])
    room.server.make_folder(room.user, "Leads")
    answer = sluice("check", "sales")
    assert (answer.code, "did you mean 'Leads'" in answer.err) == (4, True)
    room.secret("sales-password", "wrong")
    answer = sluice("check", "sales")
    assert (answer.code, "refused the user or the password" in answer.err) == (4, True)
    assert sluice("check", "nobody").code == 6
    assert room.desk.ask("select count(*) from mail_syncs") == [0]


def test_a_rule_is_tried_on_a_file(room: Mailroom, sluice: Sluice) -> None:
    answer = sluice("try", "home-portal", SAMPLES / "home-portal-1.eml", "--json")
    assert answer.code == 0
    ((found,),) = [json.loads(answer.out)["mails"]]
    assert (found["kind"], found["is_for"], found["lacks"]) == ("enquiry", True, [])
    assert found["reason"] == "the parsing rule home-portal reads it"
    assert found["cells"]["email"]
    assert 0.5 < found["coverage"] <= 1
    shown = sluice("try", REPOSITORY / "config/mail/rules/home-portal.yml", SAMPLES / "home-portal-1.eml")
    assert "of the text is understood" in shown.out
    assert room.desk.ask("select count(*) from receipts") == [0]


def test_a_default_is_told_from_what_stood_in_the_mail(room: Mailroom, sluice: Sluice) -> None:
    shown = sluice("try", "home-portal", SAMPLES / "home-portal-1.eml").out
    said = {line.split()[0]: line.rstrip() for line in shown.splitlines() if line.startswith(" ") and line.split()}
    assert said["email"].endswith("the mail") and said["channel"].endswith("the rule's default")
    (found,) = json.loads(sluice("try", "home-portal", SAMPLES / "home-portal-1.eml", "--json").out)["mails"]
    assert found["defaults"] == ["lead_source", "channel"]


def test_a_rule_for_other_mails_says_what_it_asks_for_and_shows_nothing_as_found(
    room: Mailroom, sluice: Sluice
) -> None:
    """Neither its defaults nor what its labels happen to find."""
    answer = sluice("try", "contact-form", SAMPLES / "home-portal-1.eml")
    assert answer.code == 0 and "The rule does not fit" in answer.out
    assert "from_name is WordForms; the mail has from_name 'Homes Example'" in answer.out
    assert "subject contains contact form; the mail has subject 'New enquiry for" in answer.out
    for word in ("Website", "lead_source", "value", "understood"):
        assert word not in answer.out
    (found,) = json.loads(sluice("try", "contact-form", SAMPLES / "home-portal-1.eml", "--json").out)["mails"]
    assert (found["is_for"], found["cells"], found["defaults"], found["coverage"]) == (False, {}, [], 0)
    assert len(found["unmet"]) == 2


def test_a_rule_that_lacks_a_field_says_where_it_looked_and_shows_nothing_as_found(
    room: Mailroom, sluice: Sluice, tmp_path: Path
) -> None:
    file = tmp_path / "changed.eml"
    file.write_bytes((SAMPLES / "home-portal-1.eml").read_bytes().replace(b"E-mail:", b"Reach me:"))
    answer = sluice("try", "home-portal", file)
    assert "The rule does not fit" in answer.out and "email after 'E-mail:' or 'Email:'" in answer.out
    assert "property portal" not in answer.out and "Marta Example" not in answer.out
    assert "Reach me: " in answer.out.partition("not understood:")[2], "so one sees what the label is now"
    (found,) = json.loads(sluice("try", "home-portal", file, "--json").out)["mails"]
    assert (found["is_for"], found["lacks"], found["cells"]) == (True, ["email"], {})


def test_a_rule_is_tried_on_stored_mails(room: Mailroom, sluice: Sluice) -> None:
    assert "No mail is stored yet" in sluice("try", "home-portal", "--last", 3).out
    room.deliver((SAMPLES / "home-portal-1.eml").read_bytes(), mail(1))
    room.sync()
    answer = sluice("try", "home-portal", "--last", 3, "--json")
    found: list[dict[str, Any]] = json.loads(answer.out)["mails"]
    assert [one["is_for"] for one in found] == [False, True]
    assert found[0]["unparsed"]
    assert room.states() == {"received": 2}


WRONG: dict[str, tuple[list[Any], int, str]] = {
    "neither": (["home-portal"], 1, "it takes a file, or --last"),
    "both": (["home-portal", SAMPLES / "home-portal-1.eml", "--last", 2], 1, "it takes a file, or --last"),
    "no such rule": (["home-protal", SAMPLES / "home-portal-1.eml"], 6, "did you mean 'home-portal'"),
    "no such file": (["home-portal", "nowhere.eml"], 4, "No such file"),
    "a folder": (["home-portal", SAMPLES], 4, "Is a directory"),
}


@pytest.mark.parametrize(("arguments", "code", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_tried(room: Mailroom, sluice: Sluice, arguments: list[Any], code: int, said: str) -> None:
    answer = sluice("try", *arguments)
    assert (answer.code, said in answer.err) == (code, True), answer.err


def test_the_canary_is_nowhere(room: Mailroom, sluice: Sluice, caplog: pytest.LogCaptureFixture) -> None:
    """Not in what is printed, not in the log of readings, not in Python's logs."""
    room.user = CANARY
    room.declare("sales", user=CANARY, after={"move": "Nowhere"}, max_bytes=65_536)
    canary = mail(1, text=f"I am {CANARY}\n" * 4_000).replace(b"Subject: ", f"Subject: {CANARY} ".encode())
    room.deliver(canary, mail(2).replace(b"rosa.lindqvist2@nordlicht2.example", CANARY.encode()))
    with caplog.at_level(logging.INFO):
        said = [*sluice("sync", "--once"), *sluice("status"), *sluice("status", "--json"), *sluice("check", "sales")]
        room.secret("sales-password", "wrong")
        said += [*sluice("sync", "--once"), *sluice("status")]
    assert any("Mail 1 is too large" in str(one) for one in said), said
    log = json.dumps(room.desk.ask("select note, failure, account, folder from mail_syncs"))
    for text in (*map(str, said), log, caplog.text):
        assert "canary" not in text.lower()
