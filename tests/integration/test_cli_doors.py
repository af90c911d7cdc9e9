"""`sluice inbox`, `quarantine` and `suppress`: what the doors have left, what is let in, who stays out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest

from flows.cli import main
from sluice.settings import Settings
from sluice.windows import INBOX, held
from tests.desk import Desk
from tests.posts import Posts, person

Sluice = Callable[..., tuple[int, str]]


@pytest.fixture
def posts(desk: Desk) -> Posts:
    return Posts(desk)


@pytest.fixture
def sluice(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sluice:
    """Runs `sluice` on the test's database; answers exit code, and what it said."""
    monkeypatch.setenv("SLUICE_HOME", str(settings.home))
    monkeypatch.setenv("SLUICE_DATABASE_URL", str(settings.database_url))

    def run(*arguments: str | int) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["sluice", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return left.value.code, said.out + said.err

    return run


def test_the_inbox_is_worked_without_prefect(posts: Posts, sluice: Sluice) -> None:
    posts.post(person(1))
    bad = posts.post(b"{not json")
    code, said = sluice("inbox", "--once", "--json")
    assert code == 0
    assert json.loads(said) == {"settled": 2, "quarantined": [bad]}
    assert sluice("inbox", "--once") == (0, "0 arrivals settled, 0 of them quarantined\n")


def test_an_inbox_that_another_process_works_is_said_to_be(posts: Posts, sluice: Sluice) -> None:
    posts.post(person(1))
    with held(posts.desk.database, INBOX):
        assert sluice("inbox", "--once") == (7, "Another process works the inbox already.\n")


def test_status_says_what_waits(posts: Posts, sluice: Sluice) -> None:
    for n in range(3):
        posts.post(person(n))
    assert "3 arrivals wait, the oldest for" in sluice("status")[1]
    assert json.loads(sluice("status", "--json")[1])["inbox"]["waiting"] == 3


def test_quarantine_is_listed_and_released(posts: Posts, sluice: Sluice) -> None:
    assert sluice("quarantine", "list") == (0, "Nothing is kept apart.\n")
    bad, other = posts.post(b"{not json"), posts.post(b"<html>")
    posts.work()
    (_, said), listed = sluice("quarantine", "list"), json.loads(sluice("quarantine", "list", "--json")[1])
    assert f"{bad}" in said
    assert [one["receipt_id"] for one in listed["quarantined"]] == [other, bad]
    assert sluice("quarantine", "release", bad)[0] == 0
    assert posts.state(bad) == "received"
    assert json.loads(sluice("quarantine", "release", "--unread", "api", "--json")[1]) == {"released": [other]}
    posts.work()
    assert posts.state(bad) == "failed", "it is as unreadable as before"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["quarantine", "release", "4711"], 6, "nothing of it is kept apart"),
        (["quarantine", "release"], 1, "numbers of receipts, or --unread SOURCE"),
        (["suppress", "nobody", "--reason", "x"], 1, "neither an e-mail address nor an international phone number"),
    ],
    ids=["nothing there", "nothing named", "no address"],
)
def test_what_the_user_can_mend_is_said(sluice: Sluice, arguments: list[str], code: int, words: str) -> None:
    found, said = sluice(*arguments)
    assert (found, words in said) == (code, True)


@pytest.mark.parametrize("address", ["rosa.lindqvist1@nordlicht1.example", "+46 8 123 456 78"])
def test_who_is_suppressed_stays_out(posts: Posts, sluice: Sluice, address: str) -> None:
    assert sluice("suppress", address, "--reason", "asked on the phone") == (
        0, "1 of 1 are new on the list; the others were on it.\n"
    )  # fmt: skip
    assert json.loads(sluice("suppress", address, "--reason", "again", "--json")[1]) == {"added": 0, "given": 1}
    posts.post(person(1, phone="+46 8 123 456 78"))
    sluice("inbox", "--once")
    assert posts.desk.ask("select kind from set_asides") == ["suppressed"]


def test_without_the_key_of_the_list_nobody_is_let_in(
    posts: Posts, sluice: Sluice, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sluice("suppress", "rosa@nordlicht.example", "--reason", "asked")[0] == 0
    (settings.home / "suppression.key").unlink()
    posts.post(person(1))
    code, said = sluice("inbox", "--once")
    assert (code, "its key is not here" in said) == (3, True)
    monkeypatch.setenv("SLUICE_SUPPRESSION_KEY", "another key")
    assert "was made with another key" in sluice("inbox", "--once")[1]
    assert posts.desk.ask("select count(*) from leads") == [0]
