"""Reading all mailboxes for a window: woken by the server, handed over, and none held up by another."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sluice import mailboxes
from sluice.mailboxes import read_once, stand_in, window
from sluice.store import mail_log
from sluice.windows import MAILBOXES, Hours, held, is_wanted
from tasks.read_mailboxes import page
from tests.desk import Desk
from tests.imap_server import ImapServer
from tests.mailroom import Mailroom, imap_server, mail, make_server, shared_server

__all__ = ["imap_server", "make_server", "shared_server"]


@pytest.fixture
def room(desk: Desk, imap_server: ImapServer, tmp_path: Path) -> Mailroom:
    return Mailroom.opened(desk, imap_server, tmp_path)


@contextmanager
def standing_in(room: Mailroom) -> Generator[None]:
    """Somebody reads the mailboxes; they have begun when the block begins."""
    over = threading.Event()
    thread = threading.Thread(target=stand_in, args=(room.desk.office, over.is_set))
    thread.start()
    try:
        until(lambda: room.desk.ask("select count(*) from mail_syncs where ended_at is not null")[0] > 0)
        yield
    finally:
        over.set()
        thread.join(30)
    assert not thread.is_alive()


def until(is_so: Callable[[], Any], seconds: float = 30) -> float:
    """Waits for something; how long it took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds, "it never came to that"
        time.sleep(0.02)
    return time.monotonic() - began


def stored(room: Mailroom) -> int:
    return int(room.desk.ask("select count(*) from receipts")[0])


def test_a_mail_that_comes_is_stored_within_seconds(room: Mailroom) -> None:
    """IDLE: nobody waits for the minute to be over."""
    with standing_in(room):
        for number in range(1, 4):
            room.deliver(mail(number))
            until(lambda wanted=number: stored(room) == wanted)  # which gives up before the minute is over
    room.desk.whole()


def test_a_server_that_does_not_tell_is_asked(
    room: Mailroom, make_server: Callable[..., ImapServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "POLL", 1.0)
    room.server = make_server(capabilities="IMAP4rev1")
    room.declare("sales", port=room.server.port, ca_file=str(room.server.authority.path))
    with standing_in(room):
        room.deliver(mail(1))
        until(lambda: stored(room) == 1)


def test_who_is_kicked_comes_back(room: Mailroom) -> None:
    dovecot = room.dovecot("kicks")
    with standing_in(room):
        for number in range(1, 4):
            time.sleep(0.5)
            assert room.user in dovecot.doveadm("kick", room.user)
            room.deliver(mail(number))
            until(lambda wanted=number: stored(room) == wanted)
    assert room.desk.ask("select count(*) from mail_syncs where failure is not null") == [0]
    room.desk.whole()


def test_a_server_that_goes_away_and_comes_back(room: Mailroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes, "PAUSES", (0.2, 0.2))
    with standing_in(room):
        room.deliver(mail(1))
        until(lambda: stored(room) == 1)
        room.server.stop()
        until(lambda: room.desk.ask("select count(*) from mail_syncs where failure is not null")[0] >= 3)
        (row,) = mail_log.status(room.desk.database, mailboxes.now())
        assert row["is_failing"]
        assert "nobody listens there" in row["failure"]
        room.server.start()
        room.deliver(mail(2))
        until(lambda: stored(room) == 2)
        until(lambda: not mail_log.status(room.desk.database, mailboxes.now())[0]["is_failing"])
        (row,) = mail_log.status(room.desk.database, mailboxes.now())
        assert (row["failures"], row["is_failing"]) == (0, False)
    room.desk.whole()


def test_an_account_that_is_down_holds_up_no_other(room: Mailroom) -> None:
    room.declare("broken", host="127.0.0.1", port=9)
    room.deliver(mail(1))
    assert read_once(room.desk.office)
    assert stored(room) == 1
    found = {row["account"]: row for row in mail_log.status(room.desk.database, mailboxes.now())}
    assert found["sales"]["failures"] == 0
    assert (found["broken"]["failures"], found["broken"]["is_failing"]) == (1, False)


def test_what_failed_is_not_tried_at_once_by_the_next_window(room: Mailroom) -> None:
    """The log knows; a wrong password is not sent more often because windows change."""
    room.secret("sales-password", "wrong")
    for _ in range(4):
        read_once(room.desk.office)
    before = room.desk.ask("select count(*) from mail_syncs")
    window(room.desk.office, Hours(at_least=0, at_most=3))
    assert room.desk.ask("select count(*) from mail_syncs") == before


def test_a_window_hands_over_to_the_one_that_waits(room: Mailroom) -> None:
    first = threading.Thread(target=window, args=(room.desk.office, Hours(at_least=0, at_most=60)))
    first.start()
    until(lambda: room.desk.ask("select count(*) from mail_syncs where ended_at is not null")[0] > 0)
    waits = threading.Event()
    second = threading.Thread(target=window, args=(room.desk.office, Hours(0.0, 0.0), waits.set))
    second.start()
    assert waits.wait(10)
    first.join(20)
    second.join(20)
    assert not first.is_alive()
    assert not second.is_alive()
    assert not is_wanted(room.desk.database, MAILBOXES)


def test_two_who_read_the_same_store_each_mail_once(room: Mailroom) -> None:
    """Without the lock, as after a session that was cut."""
    room.deliver(*(mail(n) for n in range(1, 121)))
    threads = [threading.Thread(target=room.sync) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert room.states() == {"received": 120}
    assert room.cursor()[1] == 120
    assert room.desk.ask("select sum(stored), sum(known) from mail_syncs") == [(120, 0)]
    room.desk.whole()


def test_accounts_that_hold_the_same_mails_store_them_once(room: Mailroom) -> None:
    names = ["sales", "info", "support"]
    for name in names:
        room.declare(name)
    room.deliver(*(mail(n) for n in range(1, 121)))
    threads = [threading.Thread(target=room.sync, args=("INBOX", name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert room.states() == {"received": 120, "duplicate": 240}
    room.desk.whole()


def test_nobody_reads_what_another_process_holds(room: Mailroom) -> None:
    with held(room.desk.database, MAILBOXES):
        assert not read_once(room.desk.office)


def test_without_mailboxes_nothing_waits(room: Mailroom) -> None:
    (room.desk.office.settings.config / "mailboxes.yml").unlink()
    window(room.desk.office, Hours(at_least=60, at_most=60))


def test_the_page_names_no_person(room: Mailroom) -> None:
    room.declare("sales", max_bytes=65_536)
    room.declare("broken", host="127.0.0.1", port=9)
    room.deliver(mail(1, text="x" * 70_000))
    read_once(room.desk.office)
    rows = mail_log.status(room.desk.database, mailboxes.now())
    said = "\n".join(page(rows))
    assert "| sales | INBOX | 0 | 0 | 0 | 0 | 2" in said
    assert "**broken/INBOX** fails: mailbox broken at 127.0.0.1:9: nobody listens there." in said
    assert "nordlicht" not in said + json.dumps(rows, default=str)
    assert room.user not in said
