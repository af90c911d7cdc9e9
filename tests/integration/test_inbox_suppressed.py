"""People who are suppressed or erased stay out at every door, and with the list's key away nobody is let in on a guess."""

from __future__ import annotations

import json

import pytest

from sluice.errors import ConfigError
from sluice.inbox import Inbox
from sluice.store.suppressions import suppress
from tests.desk import Desk
from tests.posts import Posts, person


@pytest.fixture
def posts(desk: Desk) -> Posts:
    return Posts(desk)


@pytest.mark.parametrize("kind", ["erased", "suppressed"])
@pytest.mark.parametrize("door", ["file", "post"])
def test_who_stays_out_does_so_at_every_door(posts: Posts, kind: str, door: str) -> None:
    desk, said = posts.desk, person(1)
    with desk.database.transaction() as connection:
        suppress(connection, desk.database.guard, [f"mail:{said['email']}"], kind, "asked on the phone")
    if door == "file":
        desk.take(",".join(said) + "\n" + ",".join(said.values()) + "\n")
    else:
        posts.post(said)
        posts.work()
    assert desk.ask("select count(*) from leads") == [0]
    ((found, record),) = desk.ask("select kind, record from set_asides")
    assert found == kind
    assert (said["email"] in record) == (kind == "suppressed")
    if (kind, door) == ("erased", "post"):
        assert desk.ask("select body is null and envelope is null from receipts") == [True]
    assert said["email"] not in json.dumps(desk.ask("select encode(person_hash, 'escape') from suppressions"))
    desk.whole()


@pytest.mark.parametrize("door", ["file", "post"])
def test_of_an_erased_person_nothing_is_kept_that_could_be_no_lead(posts: Posts, door: str) -> None:
    """Neither of a reject; another person's row in which the erased one is only named stays as it came."""
    desk = posts.desk
    with desk.database.transaction() as connection:
        suppress(connection, desk.database.guard, ["mail:lea.sommer@kessler.example"], "erased", "asked by letter")
    gone = {"contact": "Lea Sommer <Lea.Sommer@kessler.example>", "phone": "12"}
    named = {"contact": "Lea Sommer told me: lea.sommer@kessler.example", "phone": "13"}
    referred = {"written_to": "bo@kessler.example", "referred_by": gone["contact"], "phone": "14"}
    for said in (gone, named, referred):
        if door == "file":
            desk.take(",".join(said) + "\n" + ",".join(said.values()) + "\n")
        else:
            posts.post(said)
            posts.work()
    assert desk.ask("select kind, record from set_asides") == [("erased", ["[erased]"])]
    assert desk.ask("select record from rejects order by receipt_id") == [list(named.values()), list(referred.values())]
    desk.whole()


def test_what_was_begun_while_the_suppression_key_was_missing_was_no_attempt(posts: Posts) -> None:
    """However long the key is away: nothing is quarantined, and with it all goes on."""
    desk = posts.desk
    with desk.database.transaction() as connection:
        suppress(connection, desk.database.guard, ["mail:lea.sommer@kessler.example"], "suppressed", "asked by letter")
    path = desk.database.guard.path
    key = path.read_bytes()
    path.unlink()
    posts.post(person(1))
    worker = Inbox(desk.office)
    for _ in range(4):
        with pytest.raises(ConfigError, match="its key is not here"):
            worker.drain(lambda: False)
    assert desk.ask("select attempts, retry_at is null from receipts") == [(0, True)]
    path.write_bytes(key)
    assert worker.drain(lambda: False) == 1
    desk.whole()
