"""The way to a mailbox: encrypted or not at all, let in or told why not, in words that say what to do."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from imapclient import SocketTimeout

from sluice.errors import ConfigError
from sluice.sources import imap
from sluice.sources.imap_refusals import LoginRefused
from tests.desk import Desk
from tests.imap_server import ImapServer
from tests.mailroom import CANARY, Mailroom, imap_server, mail, make_server, refused, shared_server

__all__ = ["imap_server", "make_server", "shared_server"]


@pytest.fixture
def room(desk: Desk, imap_server: ImapServer, tmp_path: Path) -> Mailroom:
    return Mailroom.opened(desk, imap_server, tmp_path)


SECURITIES = {
    "tls": {"security": "tls"},
    "starttls": {"security": "starttls"},
    "none on this machine": {"security": "none", "allow_plaintext": True, "ca_file": None},
}


@pytest.mark.parametrize("account", SECURITIES.values(), ids=SECURITIES)
def test_ways_in(room: Mailroom, account: dict[str, Any]) -> None:
    room.deliver(mail(1))
    port = room.server.port if account["security"] == "tls" else room.server.plain_port
    room.declare("sales", port=port, **account)
    assert room.sync().stored == 1


def test_a_wrong_password_is_tried_once_for_all_folders(room: Mailroom) -> None:
    """Whoever tries often is locked out."""
    from sluice.mailboxes import read_once

    room.secret("sales-password", f"{CANARY} ü")
    room.declare("sales", folders=["INBOX", "A", "B", "C"])
    error = refused(room)
    assert isinstance(error, LoginRefused)
    assert error.found == "the server refused the user or the password"
    assert "'sales-password'" in error.fix
    before = room.server.refusals()
    assert read_once(room.desk.office)
    assert room.desk.ask("select count(*) from mail_syncs where needs_person") == [8]
    assert room.server.refusals() - before == 1


def test_two_passwords_are_valid_while_one_changes(room: Mailroom) -> None:
    from tests.imap_server import PASSWORD

    room.secret("sales-password", f"the old one\n{PASSWORD}\n")
    room.deliver(mail(1))
    assert room.sync().stored == 1


def test_a_secret_that_is_missing(room: Mailroom) -> None:
    from sluice.mailboxes import read_once

    room.declare("sales", login={"password": "nowhere"})
    with pytest.raises(ConfigError, match="there is no such secret"):
        room.sync()
    assert read_once(room.desk.office)
    assert room.desk.ask("select needs_person from mail_syncs order by sync_id desc limit 1") == [True]


@contextmanager
def serving(talk: Callable[[socket.socket], None]) -> Generator[int]:
    """A server on loopback that talks to each who comes; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client, contextlib.suppress(OSError):
                        client.settimeout(10)
                        talk(client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


CERTIFICATES = {
    "of another host": ({"host": "imap.example.net"}, "its certificate is of another host"),
    "expired": ({"days": -3}, "its certificate has expired"),
    "signed by itself": ({"self_signed": True}, "its certificate is signed by itself, or by an authority"),
}


@pytest.mark.parametrize(("made", "found"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_a_certificate_that_is_not_valid(room: Mailroom, made: dict[str, Any], found: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(room.server.authority.issue("wrong", **made))

    def talk(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as encrypted:
            encrypted.sendall(b"* OK hello\r\n")
            encrypted.recv(1_000)

    with serving(talk) as port:
        room.declare("sales", port=port)
        error = refused(room)
    assert error.found.startswith(found)
    assert error.needs_person


def test_an_authority_that_nobody_named(room: Mailroom) -> None:
    room.declare("sales", ca_file=None)
    assert "certificate" in refused(room).found


def test_an_authority_that_is_none(room: Mailroom, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    room.declare("sales", ca_file=str(tmp_path / "empty.pem"))
    with pytest.raises(ConfigError, match="it cannot be read"):
        room.sync()


def test_no_password_is_sent_where_starttls_is_not_offered(room: Mailroom) -> None:
    """Somebody in between may have taken the offer away."""
    heard: list[bytes] = []

    def talk(client: socket.socket) -> None:
        client.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\r\n")
        while line := client.recv(1_000):
            heard.append(line)
            tag = line.split()[0]
            client.sendall(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" + tag + b" OK done\r\n")

    with serving(talk) as port:
        room.declare("sales", port=port, security="starttls")
        error = refused(room)
    assert "offers no STARTTLS" in error.found
    said = b"".join(heard).upper()
    assert b"AUTHENTICATE" not in said
    assert b"LOGIN" not in said


def test_a_server_that_greets_as_if_we_were_in(room: Mailroom) -> None:
    """PREAUTH leaves no room for STARTTLS: nothing is read without encryption."""

    def talk(client: socket.socket) -> None:
        client.sendall(b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n")
        while line := client.recv(1_000):
            client.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + line.split()[0] + b" OK done\r\n")

    with serving(talk) as port:
        room.declare("sales", port=port, security="starttls")
        refused(room)


TALKS: dict[str, tuple[bytes, str]] = {
    "plain where TLS is meant": (b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n", "TLS is impossible there"),
    "an answer of HTTP": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "TLS is impossible there"),
    "the end": (b"", "the connection was cut"),
}


@pytest.mark.parametrize(("words", "found"), TALKS.values(), ids=TALKS)
def test_a_server_that_speaks_no_tls(room: Mailroom, words: bytes, found: str) -> None:
    def talk(client: socket.socket) -> None:
        client.recv(1_000)
        client.sendall(words)

    with serving(talk) as port:
        room.declare("sales", port=port)
        assert refused(room).found.startswith(found)


PLAIN_TALKS: dict[str, tuple[bytes, str]] = {
    "busy": (b"* BYE too busy for " + CANARY.encode() + b"\r\n", ""),
    "no IMAP": (b"220 smtp.example.com ESMTP\r\n", ""),
    "bytes of nothing": (bytes(range(256)) + b"\r\n", ""),
    "a literal without end": (b"* OK [ALERT {999999999999}\r\n", ""),
    "silence": (b"", ""),
}


@pytest.mark.parametrize("words", [words for words, _ in PLAIN_TALKS.values()], ids=PLAIN_TALKS)
def test_a_server_that_says_nothing_of_use(room: Mailroom, words: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "TIMEOUTS", SocketTimeout(connect=1, read=1))

    def talk(client: socket.socket) -> None:
        client.sendall(words)
        client.recv(1_000)
        if not words:
            client.recv(1_000)

    with serving(talk) as port:
        room.declare("sales", port=port, security="none", allow_plaintext=True, ca_file=None)
        refused(room)


def test_a_host_that_is_not_there(room: Mailroom) -> None:
    room.declare("sales", host="imap.nowhere.invalid")
    assert refused(room).found == "there is no host of that name"
    room.declare("sales", host="127.0.0.1", port=9)
    assert refused(room).found == "nobody listens there"


def test_a_server_that_can_do_little(room: Mailroom, make_server: Callable[..., ImapServer]) -> None:
    room.dovecot("keywords")
    room.server = make_server(capabilities="IMAP4rev1")
    authority = str(room.server.authority.path)
    room.declare("sales", port=room.server.port, ca_file=authority, after={"move": "Done"})
    room.server.make_folder(room.user, "Done")
    room.deliver(mail(1))
    assert room.sync().stored == 1
    assert "the server cannot move mails" in room.log()[-1][3]
    assert not room.look(lambda mailbox: mailbox.can_idle)
    room.declare("sales", after={"keyword": "Sluice"})
    room.sync()
    assert room.server.flags(room.user) == {1: (b"Sluice",)}
