"""A mail that comes ends the wait at once, whenever the server tells of it; and nothing else does."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient

from sluice.sources.imap import Mailbox, connected
from sluice.sources.imap_refusals import MailboxUnavailable
from tests.desk import Desk
from tests.imap_server import ImapServer
from tests.mailroom import Mailroom, imap_server, is_woken, mail, make_server, shared_server

__all__ = ["imap_server", "make_server", "shared_server"]


@pytest.fixture
def room(desk: Desk, imap_server: ImapServer, tmp_path: Path) -> Mailroom:
    return Mailroom.opened(desk, imap_server, tmp_path)


def nothing(_: Mailbox, __: Callable[[], None]) -> None:
    """No mail comes."""


def at_once(_: Mailbox, deliver: Callable[[], None]) -> None:
    """After the look."""
    deliver()


def while_reading(mailbox: Mailbox, deliver: Callable[[], None]) -> None:
    """The server tells in answer to a command that asks for something else."""
    deliver()
    assert mailbox.folders()
    assert list(mailbox.behind(1, mailbox.look("INBOX")))
    deliver()
    mailbox.heads([1])
    mailbox.bodies([1], 1_000)


def between_looks(mailbox: Mailbox, deliver: Callable[[], None]) -> None:
    """Before the folder is turned to again, to move or mark mails."""
    deliver()
    folder = mailbox.look("INBOX", writable=True)
    mailbox.mark([1], "Read-By-Sluice", folder)


MOMENTS = {"no mail": nothing, "at once": at_once, "while reading": while_reading, "between looks": between_looks}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_a_mail_before_the_wait(room: Mailroom, moment: Callable[[Mailbox, Callable[[], None]], None]) -> None:
    if moment is between_looks:
        room.dovecot("keywords")
    room.deliver(mail(1))
    with connected(room.rules(), room.login()) as mailbox:
        mailbox.look("INBOX")
        moment(mailbox, lambda: room.deliver(mail(2)))
        assert is_woken(mailbox) == (moment is not nothing)
        mailbox.look("INBOX")
        assert not is_woken(mailbox), "it is known by now"


@pytest.mark.parametrize("security", ["tls", "none"])
def test_a_mail_between_the_last_question_and_idle(
    room: Mailroom, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    """Dovecot tells of it in one breath with its consent."""
    room.dovecot("late news")
    if security == "none":
        room.declare("sales", port=room.server.plain_port, security="none", allow_plaintext=True, ca_file=None)
    noop = IMAPClient.noop

    def slow(client: IMAPClient) -> Any:
        said = noop(client)
        room.deliver(mail(2))
        return said

    monkeypatch.setattr(IMAPClient, "noop", slow)
    room.deliver(mail(1))
    with connected(room.rules(), room.login()) as mailbox:
        mailbox.look("INBOX")
        assert is_woken(mailbox)


def test_mails_that_somebody_deletes(room: Mailroom) -> None:
    room.deliver(*(mail(number) for number in range(1, 5)))

    def delete(uid: int) -> None:
        with room.server.person(room.user) as person:
            person.delete_messages([uid])
            person.expunge()

    with connected(room.rules(), room.login()) as mailbox:
        mailbox.look("INBOX")
        delete(1)
        assert not is_woken(mailbox, lambda: delete(2)), "there are fewer, none is new"
        delete(3)
        room.deliver(mail(5))
        assert is_woken(mailbox), "there are not more than were, one is new"


@contextmanager
def saying(room: Mailroom, *words: bytes) -> Generator[Mailbox]:
    """A connection to a server with three mails that says these words, one after the other, when asked to wait."""

    def talk(client: socket.socket) -> None:
        client.sendall(b"* OK [CAPABILITY IMAP4rev1 IDLE] hello\r\n")
        waits = b""
        for line in client.makefile("rb"):
            tag, _, command = line.strip().partition(b" ")
            if command == b"IDLE":
                waits = tag
                for word in words:
                    client.sendall(word.replace(b"TAG", tag))
                    time.sleep(0.2)
            elif line.strip() == b"DONE":
                client.sendall(waits + b" OK done\r\n")
            else:
                told = {b"EXAMINE": b"* 3 EXISTS\r\n", b"CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n"}
                client.sendall(told.get(command.split()[0], b"") + tag + b" OK done\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client, contextlib.suppress(OSError):
                talk(client)

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        room.secret("sales-password", "plain")  # LOGIN takes no other letters
        room.declare("sales", host="127.0.0.1", port=port, security="none", allow_plaintext=True, ca_file=None)
        with connected(room.rules(), room.login()) as mailbox:
            mailbox.look("INBOX")
            yield mailbox
        thread.join(10)
    assert not thread.is_alive()


WORDS: dict[str, tuple[list[bytes], bool]] = {
    "nothing": ([b"+ idling\r\n"], False),
    "before it agrees": ([b"* 4 EXISTS\r\n+ idling\r\n"], True),
    "long before it agrees": ([b"* 4 EXISTS\r\n", b"* 1 RECENT\r\n", b"+ idling\r\n"], True),
    "with its consent": ([b"+ idling\r\n* 4 EXISTS\r\n"], True),
    "in pieces": ([b"+ idling\r\n* 4 EX", b"ISTS\r\n"], True),
    "behind other things": ([b"+ idling\r\n" + b"* OK still here\r\n" * 2 + b"* 4 EXISTS\r\n"], True),
    "what was known": ([b"+ idling\r\n* 3 EXISTS\r\n", b"* 3 EXISTS\r\n"], False),
    "gone, then come": ([b"+ idling\r\n* 1 EXPUNGE\r\n* 3 EXISTS\r\n"], True),
}


@pytest.mark.parametrize(("words", "is_news"), WORDS.values(), ids=WORDS)
def test_where_a_server_tells_of_it(room: Mailroom, words: list[bytes], is_news: bool) -> None:
    with saying(room, *words) as mailbox:
        assert is_woken(mailbox) == is_news


REFUSALS: dict[str, tuple[list[bytes], str]] = {
    "no": ([b"TAG NO not now\r\n"], "the server refused a command"),
    "something else, then no": ([b"* 4 EXISTS\r\nTAG BAD what\r\n"], "the server refused a command"),
    "goodbye": ([b"+ idling\r\n* BYE for today\r\n"], "the connection was cut"),
    "no IMAP": ([b"+ idling\r\n* 9" + b"9" * 5_000 + b" EXISTS\r\n"], "it answered what is no IMAP (ValueError)"),
}


@pytest.mark.parametrize(("words", "found"), REFUSALS.values(), ids=REFUSALS)
def test_a_server_that_does_not_let_us_wait(room: Mailroom, words: list[bytes], found: str) -> None:
    with saying(room, *words) as mailbox, pytest.raises(MailboxUnavailable) as raised:
        mailbox.wait(600, lambda: False)
    assert raised.value.found == found
