"""Reading folders of a real IMAP server: each mail once, whatever becomes of its numbers; and nothing is changed."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sluice.sources.imap_refusals import MailboxUnavailable
from tests.desk import Desk
from tests.imap_server import ImapServer
from tests.mailroom import Mailroom, imap_server, mail, make_server, shared_server

__all__ = ["imap_server", "make_server", "shared_server"]


@pytest.fixture
def room(desk: Desk, imap_server: ImapServer, tmp_path: Path) -> Mailroom:
    return Mailroom.opened(desk, imap_server, tmp_path)


def test_an_empty_mailbox(room: Mailroom) -> None:
    room.sync()
    assert room.receipts() == []
    assert room.log() == [(0, 0, 0, None, None)]


def test_each_mail_is_stored_once_with_its_bytes_and_its_place(room: Mailroom) -> None:
    mails = [mail(1), mail(2)]
    room.deliver(*mails)
    assert room.sync().stored == 2
    assert room.sync().stored == 0
    room.deliver(mail(3))
    assert room.sync().stored == 1
    assert room.receipts() == [(f"imap:sales/INBOX/{uid}", "received") for uid in (1, 2, 3)]
    assert room.bodies() == sorted([*mails, mail(3)])
    uidvalidity, last = room.cursor()
    assert last == 3
    ((source, kind, envelope, occurred_at),) = room.desk.ask(
        "select source, kind, envelope, occurred_at from receipts where key like '%%/1'"
    )
    assert (source, kind) == ("mail", "mailbox")
    assert envelope == {
        "account": "sales", "folder": "INBOX", "uidvalidity": uidvalidity, "uid": 1,
        "message_id": "<1@nordlicht1.example>", "size": len(mails[0]), "truncated": False,
    }  # fmt: skip
    assert occurred_at == datetime(2026, 11, 2, 8, 1, tzinfo=UTC)
    assert room.desk.ask("select message_id, receipt_id is not null, campaign from messages order by 1 limit 1") == [
        ("<1@nordlicht1.example>", True, None)
    ]
    room.desk.whole()


@pytest.mark.parametrize("mark", [b"\\Answered", b"Later"], ids=["flag", "keyword"])
def test_nobody_sees_that_it_was_read(room: Mailroom, mark: bytes) -> None:
    """Flags are the same before and after; what a person has marked as read is stored all the same."""
    if mark == b"Later":
        room.dovecot("keywords")
    room.deliver(*(mail(n) for n in range(1, 6)))
    with room.server.person(room.user) as person:
        person.add_flags([2, 3], [b"\\Seen"])
        person.add_flags([3], [b"\\Flagged", mark])
    before = room.server.flags(room.user)
    assert before[3] == tuple(sorted([mark, b"\\Flagged", b"\\Seen"]))
    assert room.sync().stored == 5
    assert room.server.flags(room.user) == before
    room.desk.whole()


def test_what_a_person_does_to_a_mail_brings_no_second_one(room: Mailroom) -> None:
    room.deliver(mail(1), mail(2))
    room.sync()
    with room.server.person(room.user) as person:
        person.add_flags([1], [b"\\Seen"])
        person.delete_messages([2])
        person.expunge([2])
    assert (room.sync().stored, room.sync().stored) == (0, 0)
    assert room.cursor()[1] == 2
    assert room.states() == {"received": 2}


def test_other_numbers_mean_the_same_mails(room: Mailroom) -> None:
    """R10: after a new UIDVALIDITY all is read again and known again."""
    room.deliver(*(mail(n) for n in range(1, 8)))
    room.sync()
    before = room.cursor()
    room.server.renumber(room.user, 77_001)
    room.deliver(mail(8))
    tally = room.sync()
    assert (tally.stored, tally.known) == (1, 7)
    assert before[0] != 77001
    assert room.cursor() == (77001, 8)
    assert room.states() == {"received": 8, "duplicate": 7}
    firsts = room.desk.ask(
        "select count(*) from receipts as d inner join receipts as f on d.duplicate_of = f.receipt_id "
        "where d.sha256 = f.sha256 and d.body is null and d.row_count is null"
    )
    assert firsts == [7]
    room.desk.whole()


def test_numbers_that_change_all_the_time_fill_nothing(room: Mailroom) -> None:
    room.deliver(mail(1), mail(2))
    for number in range(77_001, 77_006):
        room.server.renumber(room.user, number)
        room.sync()
    assert room.states() == {"received": 2, "duplicate": 2}


def test_a_server_that_was_restored_gives_its_numbers_again(room: Mailroom) -> None:
    """The same UIDVALIDITY, other mails: nothing is lost."""
    room.declare("sales", folders=["Leads"])
    room.deliver(*(mail(n) for n in range(1, 6)), folder="Leads")
    room.sync("Leads")
    uidvalidity, _ = room.cursor("Leads")
    room.server.delete_folder(room.user, "Leads")
    room.deliver(mail(1), mail(11), folder="Leads")
    room.server.renumber(room.user, uidvalidity, "Leads")
    tally = room.sync("Leads")
    assert (tally.stored, room.cursor("Leads")) == (1, (uidvalidity, 2))
    assert room.sync("Leads").stored == 0
    room.deliver(mail(12), folder="Leads")
    assert room.sync("Leads").stored == 1
    assert len(set(room.bodies())) == 7
    room.desk.whole()


IDS = {
    "missing": (None, None),
    "empty": (" ", " "),
    "the same": ("<1@nordlicht.example>", "<1@nordlicht.example>"),
    "broken": ("no angle brackets", "no angle brackets"),
}


@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
def test_mails_are_told_apart_by_what_they_say(room: Mailroom, ids: tuple[str | None, str | None]) -> None:
    room.deliver(mail(1, message_id=ids[0]), mail(2, message_id=ids[1]))
    assert room.sync().stored == 2
    assert room.states() == {"received": 2}
    room.desk.whole()


def test_the_same_mail_in_two_folders_and_two_accounts_is_one(room: Mailroom) -> None:
    room.declare("sales", folders=["INBOX", "Leads"])
    room.declare("info")
    room.deliver(mail(1))
    room.deliver(mail(1), mail(2), folder="Leads")
    tallies = [room.sync(), room.sync("Leads"), room.sync("INBOX", "info")]
    assert [(one.stored, one.known) for one in tallies] == [(1, 0), (1, 1), (0, 1)]
    assert room.receipts() == [
        ("imap:sales/INBOX/1", "received"), ("imap:sales/Leads/2", "received"),
        ("imap:sales/Leads/1", "duplicate"), ("imap:info/INBOX/1", "duplicate"),
    ]  # fmt: skip
    room.desk.whole()


def test_the_same_mail_thrice_in_one_folder(room: Mailroom) -> None:
    room.deliver(mail(1), mail(1), mail(1))
    tally = room.sync()
    assert (tally.stored, tally.known, room.states()) == (1, 2, {"received": 1, "duplicate": 1})
    assert room.sync().known == 0


NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
STARTS = {"all": 4, "30d": 2, "5d": 1, "new": 0, "2026-10-02": 3, "2018-01-01": 4}


@pytest.mark.parametrize(("start", "many"), STARTS.items(), ids=STARTS)
def test_what_lay_there_before_counts_as_it_is_said(room: Mailroom, start: str, many: int) -> None:
    """Ten years of mail make no leads by surprise, and neither do they when the numbers change."""
    room.declare("sales", start=start)
    for number, days in enumerate((3_000, 45, 20, 2), 1):
        room.deliver(mail(number), at=(NOW - timedelta(days=days)).timestamp())
    assert room.sync(now=lambda: NOW).stored == many
    assert room.cursor()[1] == 4
    room.deliver(mail(5), at=(NOW - timedelta(days=2_000)).timestamp())  # a person has moved an old one here
    assert room.sync(now=lambda: NOW + timedelta(minutes=1)).stored == 1
    room.server.renumber(room.user, 77_001)
    later = room.sync(now=lambda: NOW + timedelta(days=60))
    assert later.stored == 0
    assert room.states().get("received") == many + 1
    room.desk.whole()


WRITTEN = {
    "future": (datetime(2031, 1, 1, tzinfo=UTC), NOW - timedelta(days=1)),
    "long ago": (datetime(1971, 1, 1, tzinfo=UTC), NOW - timedelta(days=1)),
    "sane": (datetime(2026, 11, 2, 8, tzinfo=UTC), datetime(2026, 11, 2, 8, tzinfo=UTC)),
}


@pytest.mark.parametrize(("written", "taken"), WRITTEN.values(), ids=WRITTEN)
def test_a_date_that_cannot_be_gives_way_to_the_arrival(room: Mailroom, written: datetime, taken: datetime) -> None:
    room.deliver(mail(1, when=written), at=(NOW - timedelta(days=1)).timestamp())
    room.sync(now=lambda: NOW)
    assert room.desk.ask("select occurred_at from receipts") == [taken]


def test_of_a_mail_that_is_too_large_the_beginning_is_kept(room: Mailroom) -> None:
    room.declare("sales", max_bytes=65_536)
    large = [mail(n) + os.urandom(60_000).hex().encode() for n in (1, 1)]
    room.deliver(large[0], mail(2), large[1])
    tally = room.sync()
    assert (tally.stored, tally.refused, tally.known) == (1, 2, 0)
    ((size, body, envelope),) = room.desk.ask("select size_bytes, body, envelope from receipts where key like '%%/1'")
    assert (bytes(body), envelope["truncated"]) == (large[0][:65_536], True)
    assert size >= len(large[0])
    assert "Mail 1 is too large" in room.log()[-1][3]
    room.desk.whole()


def test_a_keyword_marks_what_is_stored(room: Mailroom) -> None:
    room.dovecot("keywords")
    room.declare("sales", after={"keyword": "Sluice"})
    room.deliver(mail(1), mail(2), mail(1))
    room.sync()
    assert room.server.flags(room.user) == dict.fromkeys((1, 2, 3), (b"Sluice",))
    assert room.desk.ask("select count(*) from mail_chores") == [0]


def test_what_is_stored_is_moved_and_what_is_older_stays(room: Mailroom) -> None:
    room.server.make_folder(room.user, "Done")
    room.declare("sales", start="5d", after={"move": "Done"})
    room.deliver(mail(9), at=time.time() - 40 * 86_400)
    room.deliver(mail(1), mail(2))
    assert room.sync().stored == 2
    assert list(room.server.flags(room.user)) == [1]
    assert list(room.server.flags(room.user, "Done").values()) == [(), ()]
    assert room.states() == {"received": 2}
    room.desk.whole()


def test_what_could_not_be_moved_is_named_and_moved_later(room: Mailroom) -> None:
    room.declare("sales", after={"move": "Don"})
    room.server.make_folder(room.user, "Done")
    room.deliver(mail(1))
    assert room.sync().stored == 1
    note = room.log()[-1][3]
    assert note.startswith("Mail 1 could not be moved: mailbox sales at localhost:")
    assert "there is no folder 'Don'; did you mean 'Done'" in note
    room.declare("sales", after={"move": "Done"})
    room.sync()
    assert len(room.server.flags(room.user, "Done")) == 1
    assert room.log()[-1][3] is None


def test_a_folder_that_is_missing(room: Mailroom) -> None:
    room.declare("sales", folders=["Leeds"])
    room.server.make_folder(room.user, "Leads")
    with pytest.raises(MailboxUnavailable, match="there is no folder 'Leeds'; did you mean 'Leads'") as raised:
        room.sync("Leeds")
    assert raised.value.needs_person
    assert room.desk.ask("select needs_person from mail_syncs") == [True]


def test_the_log_keeps_what_happened_and_the_last_that_did_not(room: Mailroom) -> None:
    room.sync()
    room.sync()
    room.deliver(mail(1))
    for _ in range(4):
        room.sync()
    assert room.log() == [(1, 0, 0, None, None), (0, 0, 0, None, None)]
