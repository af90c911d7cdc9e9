"""Servers that do not keep to the protocol: nothing is lost, nothing loops, no mail holds up another."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.desk import Desk
from tests.imap_server import ImapServer
from tests.mailroom import Mailroom, imap_server, mail, make_server, shared_server

__all__ = ["imap_server", "make_server", "shared_server"]


@dataclass
class Liar:
    """A server with three mails.

    Attributes:
        uidnext: what it promises.
        extra: what SEARCH says besides.
        withheld: numbers of mails that it lists and refuses to give out.
        padding: bytes that follow each mail, whatever part was asked for.
        date: INTERNALDATE of all mails.
    """

    uidnext: int = 4
    extra: str = ""
    withheld: frozenset[int] = frozenset()
    padding: bytes = b""
    date: str = "01-Nov-2026 10:00:00 +0000"
    asked: list[str] = field(default_factory=list[str])

    def talk(self, client: socket.socket) -> None:
        """Answers one client until it leaves."""
        lines = client.makefile("rb")
        client.sendall(b"* OK [CAPABILITY IMAP4rev1] hello\r\n")
        for line in lines:
            tag, _, command = line.decode().strip().partition(" ")
            self.asked.append(command)
            client.sendall(self.answer(tag, command))

    def answer(self, tag: str, command: str) -> bytes:
        """All that is said to one command."""
        if command.startswith(("EXAMINE", "SELECT")):
            return (
                f"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT {self.uidnext}] x\r\n{tag} OK done\r\n".encode()
            )
        if command.startswith("UID SEARCH"):
            return f"* SEARCH 3 1 2 2 {self.extra}\r\n{tag} OK done\r\n".encode()
        if command == "CAPABILITY":
            return f"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n".encode()
        if not command.startswith("UID FETCH"):
            return f"{tag} OK done\r\n".encode()
        said = b""
        for uid in _numbers(command.split()[2]):
            if uid in self.withheld and "BODY" in command:
                return said + f"{tag} NO [SERVERBUG] not this one\r\n".encode()
            body = mail(uid) + self.padding
            said += f'* {uid} FETCH (UID {uid} RFC822.SIZE 100 INTERNALDATE "{self.date}"'.encode()
            if "BODY" in command:
                said += f" BODY[]<0> {{{len(body)}}}\r\n".encode() + body
            said += b")\r\n"
        return said + f"{tag} OK done\r\n".encode()


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    for first, last in re.findall(r"(\d+)(?::(\d+))?", text):
        found += [uid for uid in range(int(first), int(last or first) + 1) if uid in (1, 2, 3)]
    return found


@contextmanager
def lying(room: Mailroom, liar: Liar) -> Generator[Liar]:
    """The account `sales` is at a liar's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client, contextlib.suppress(OSError):
                        liar.talk(client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        room.declare("sales", host="127.0.0.1", port=port, security="none", allow_plaintext=True, ca_file=None)
        room.secret("sales-password", "x")
        yield liar
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.fixture
def room(desk: Desk, imap_server: ImapServer, tmp_path: Path) -> Mailroom:
    return Mailroom.opened(desk, imap_server, tmp_path)


LIARS = {
    "numbers in disorder, twice, and old ones": Liar(),
    "numbers of mails that are not there": Liar(extra="9 4000000000"),
    "a promise that its mails break": Liar(uidnext=1),
    "a promise far away": Liar(uidnext=4_000_000_000),
    "a date that is none": Liar(date="99-Foo-2026 10:00:00 +0000"),
}


@pytest.mark.parametrize("liar", LIARS.values(), ids=LIARS)
def test_each_mail_is_stored_once(room: Mailroom, liar: Liar) -> None:
    with lying(room, liar):
        assert room.sync().stored == 3
        for _ in range(3):
            tally = room.sync()
            assert (tally.stored, tally.known) == (0, 0)
    assert room.states() == {"received": 3}
    room.desk.whole()


def test_a_mail_that_is_not_given_out_holds_up_no_other(room: Mailroom) -> None:
    """It is quarantined, so that a person looks for it."""
    with lying(room, Liar(withheld=frozenset({2}))) as liar:
        tally = room.sync()
        assert (tally.stored, tally.refused) == (2, 1)
        liar.asked.clear()
        assert room.sync().refused == 0
        assert not any("BODY" in command for command in liar.asked)
    assert room.states() == {"received": 2, "failed": 1}
    ((failure,),) = [room.desk.ask("select failure from receipts where state = 'failed'")]
    assert failure["found"] == "the server lists the mail, and does not give it out"
    assert "Mail 2 is listed by the server and not given out." in room.desk.ask("select note from mail_syncs")[0]
    room.desk.whole()


def test_a_server_that_sends_more_than_it_was_asked_for(room: Mailroom) -> None:
    """30 MB where 64 kB were wanted, of mails that it calls small: quarantined, memory stays bounded."""
    with lying(room, Liar(padding=b"A" * (10 << 20))):
        room.declare("sales", max_bytes=65_536)
        assert room.sync().refused == 3
    assert room.states() == {"failed": 3}
    room.desk.whole()
