"""`sluice inbox`, `quarantine` and `suppress`: what the doors have left, what is let in, who stays out."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.cli import main
from sluice.settings import REPOSITORY, Settings
from sluice.store.inbox import try_later
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
    posts.post(person(2))
    assert sluice("inbox", "--once") == (0, "1 arrival settled, 0 of them quarantined\n")


def test_an_inbox_that_another_process_works_is_said_to_be(posts: Posts, sluice: Sluice) -> None:
    posts.post(person(1))
    with held(posts.desk.database, INBOX):
        assert sluice("inbox", "--once") == (7, "Another process works the inbox already.\n")


def test_status_says_what_waits(posts: Posts, sluice: Sluice) -> None:
    posts.post(person(0))
    assert "1 arrival waits, the oldest for" in sluice("status")[1]
    for n in (1, 2):
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
        0, "1 of 1 are new on the list.\n"
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


def test_rejected_rows_of_a_post_are_mended_like_those_of_a_file(posts: Posts, sluice: Sluice, tmp_path: Path) -> None:
    number = posts.post([person(1), {"full_name": "Nobody Reachable", "company": "Ekström Frakt AB"}])
    posts.work()
    mended = tmp_path / "mended.csv"
    assert sluice("rejects", "export", number, "--out", mended)[0] == 0
    with mended.open(encoding="utf-8-sig", newline="") as stream:
        (row,) = csv.DictReader(stream)
    with mended.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, row)
        writer.writeheader()
        writer.writerow(row | {"email": "nobody@ekstrom-frakt.example"})
    code, said = sluice("import", mended)
    assert code == 0, said
    assert posts.desk.ask("select email from leads where full_name = 'Nobody Reachable'") == [
        "nobody@ekstrom-frakt.example"
    ]
    assert posts.desk.ask("select completed_by is not null from rejects") == [True]
    posts.desk.whole()


def test_a_list_without_its_key_makes_no_second_one(posts: Posts, sluice: Sluice, settings: Settings) -> None:
    sluice("suppress", "rosa@nordlicht.example", "--reason", "asked")
    key = settings.home / "suppression.key"
    key.unlink()
    code, said = sluice("suppress", "bo@lee.example", "--reason", "asked")
    assert (code, "its key is not here" in said, key.exists()) == (3, True, False)


def test_what_could_not_be_worked_says_why(posts: Posts, sluice: Sluice) -> None:
    number = posts.post(person(1))
    try_later(posts.desk.database, number, 60, "ArithmeticError in attempt 1")
    assert "Not worked yet: ArithmeticError in attempt 1" in sluice("receipt", number)[1]


def test_a_key_is_made_for_a_declared_source(sluice: Sluice, desk: Desk) -> None:
    code, said = sluice("key", "create", "contact page", "--scope", "leads:write", "--source", "website-form")
    assert (code, said.startswith("sluice_")) == (0, True)
    assert desk.ask("select source from api_keys") == ["website-form"]


def test_a_key_for_a_source_that_is_not_declared_is_refused(sluice: Sluice, desk: Desk) -> None:
    """All that it opens for would be quarantined."""
    code, said = sluice("key", "create", "contact page", "--scope", "leads:write", "--source", "web-site-form")
    assert (code, "did you mean 'website-form'." in said, "typeform" in said) == (6, True, True), said
    assert desk.ask("select count(*) from api_keys") == [0]


def test_a_mistake_in_the_doors_limits_is_told_by_config_check(
    sluice: Sluice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    monkeypatch.setenv("SLUICE_CONFIG", str(config))
    (config / "door.yml").write_text("body_bytes: 2_000_000\naddress: {per_second: 5, burst: 10}\n", encoding="utf-8")
    assert sluice("config", "check")[0] == 0
    (config / "door.yml").write_text("body_byte: 2_000_000\naddress: {per_second: 0, burst: 10}\n", encoding="utf-8")
    code, said = sluice("config", "check", "--json")
    found = [(one["file"], one["line"], one["key"], one["found"]) for one in json.loads(said)["findings"]]
    assert (code, found) == (
        3,
        [
            ("door.yml", 1, "body_byte", "unknown key 'body_byte'; did you mean 'body_bytes'"),
            ("door.yml", 2, "address.per_second", "found '0'"),
        ],
    )
    for wrong in ("body_bytes: [\n", b"body_bytes: \xff\n"):
        (config / "door.yml").write_bytes(wrong if isinstance(wrong, bytes) else wrong.encode())
        code, said = sluice("config", "check", "--json")
        assert (code, [one["file"] for one in json.loads(said)["findings"]]) == (3, ["door.yml"])
