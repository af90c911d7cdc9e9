"""Who works the inbox: windows that hand over, a stand-in; and what is let in from quarantine."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from sluice import windows
from sluice.errors import NotFound
from sluice.inbox import Inbox
from sluice.store import quarantine
from sluice.store.suppressions import suppress
from sluice.windows import Hours, drain, stand_in, window
from tests.desk import Desk
from tests.posts import Posts, person, with_sources


@pytest.fixture
def posts(desk: Desk) -> Posts:
    return Posts(desk)


def test_a_window_hands_over_to_the_one_that_waits(posts: Posts) -> None:
    desk, began = posts.desk, time.monotonic()
    first, second = Inbox(desk.office), Inbox(desk.office)
    waits = threading.Event()
    hours = Hours(at_least=0.0, at_most=60)
    one = threading.Thread(target=window, args=(desk.office, first, hours))
    one.start()
    posts.post(person(1))
    _until(lambda: first.settled == 1)
    other = threading.Thread(target=window, args=(desk.office, second, Hours(0.0, 0.0), waits.set))
    other.start()
    assert waits.wait(10)
    one.join(20)
    other.join(20)
    assert not one.is_alive()
    assert not other.is_alive()
    assert time.monotonic() - began < 50, "it left because its time was over"


def test_a_stand_in_works_only_while_nobody_else_does(posts: Posts) -> None:
    desk, over = posts.desk, threading.Event()
    standing = Inbox(desk.office)
    thread = threading.Thread(target=stand_in, args=(desk.office, standing, over.is_set))
    thread.start()
    try:
        posts.post(person(1))
        _until(lambda: standing.settled == 1)
        assert not drain(desk.office, Inbox(desk.office)), "the stand-in holds the inbox"
        window(desk.office, holder := Inbox(desk.office), Hours(0.0, 0.0))
        posts.post(person(2))
        _until(lambda: standing.settled + holder.settled == 2)
    finally:
        over.set()
        thread.join(20)
    assert not thread.is_alive()


def test_what_keeps_a_stand_in_from_its_work_does_not_end_it(posts: Posts, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told once, and again only after it worked meanwhile; between two tries the inbox is free for others."""
    monkeypatch.setattr(windows, "STAND_BY", 0.5)
    desk, over, said = posts.desk, threading.Event(), list[str]()
    with desk.database.transaction() as connection:
        suppress(connection, desk.database.guard, ["mail:bo@lee.example"], "erased", "asked")
    key = desk.database.guard.path
    kept = key.read_bytes()
    key.unlink()
    posts.post(person(1))
    standing = Inbox(desk.office)
    thread = threading.Thread(target=stand_in, args=(desk.office, standing, over.is_set, None, said.append))
    thread.start()
    held = f"""
        select count(*) from pg_locks join pg_database on pg_database.oid = database
        where locktype = 'advisory' and objid = {windows.INBOX} and datname = current_database()
    """
    try:
        _until(lambda: said)
        _until(lambda: desk.ask(held) == [0])
        second = posts.post(person(2))
        _until(lambda: desk.ask(f"select attempts from receipts where receipt_id = {second}") == [1])
        _until(lambda: desk.ask(held) == [0])
        (told,) = said
        assert "its key is not here" in told
        key.write_bytes(kept)
        desk.do("update receipts set retry_at = null")
        _until(lambda: standing.settled == 2)
        key.unlink()
        posts.post(person(3))
        _until(lambda: said == [told, told])
        key.write_bytes(kept)
        _until(lambda: standing.settled == 3)
    finally:
        over.set()
        thread.join(20)
    assert not thread.is_alive()


def _until(is_so: Any) -> None:
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.02)


SHOP = """\
kind: form
form:
  signature: {scheme: bearer, secret: shop}
  spam: {honeypot: {fields: [fax_number]}}
"""


def test_spam_is_set_aside_with_its_reason_and_can_be_released(posts: Posts) -> None:
    desk = posts.desk = with_sources(posts.desk, shop=SHOP)
    filled_in = [person(1), person(2, fax_number="https://pills.example"), person(3, fax_number="x")]
    number = posts.post(filled_in, "shop", kind="form")
    posts.work()
    assert desk.ask("select row_number, kind from set_asides order by 1") == [(2, "spam"), (3, "spam")]
    listed = quarantine.listed(desk.database, 10)
    assert [(one["receipt_id"], one["row_number"]) for one in listed] == [(number, 2), (number, 3)]
    assert "points" in listed[0]["why"]
    (released,) = quarantine.release(desk.database, desk.office.profile, number, 2)
    posts.work()
    assert desk.ask(f"select email from leads where receipt_id = {released}") == ["rosa.lindqvist2@nordlicht2.example"]
    assert [one["row_number"] for one in quarantine.listed(desk.database, 10)] == [3]
    assert len(quarantine.release(desk.database, desk.office.profile, number)) == 1
    with pytest.raises(NotFound):
        quarantine.release(desk.database, desk.office.profile, number)
    desk.whole()


def test_what_was_quarantined_is_let_in_by_the_rules_of_today(posts: Posts) -> None:
    desk = posts.desk
    number = posts.post(person(1), source="late-campaign")
    assert posts.work().quarantined
    office = with_sources(desk, **{"late-campaign": "kind: api\n"}).office
    second = posts.post(person(2), source="late-campaign")
    assert posts.work().quarantined
    assert quarantine.release(desk.database, office.profile, number) == [number]
    assert quarantine.release_unread(desk.database, office.profile, "late-campaign") == [second]
    inbox = Inbox(office)
    assert drain(office, inbox)
    assert (posts.state(number), desk.ask("select count(*) from leads")) == ("done", [2])
    desk.whole()
