"""XOAUTH2: tokens that are given or fetched, that expire, are taken back or are not to be had."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from sluice.sources import imap
from sluice.sources.imap_refusals import LoginRefused
from tests.desk import Desk
from tests.imap_server import ImapServer
from tests.mailroom import CANARY, Mailroom, imap_server, mail, make_server, refused, shared_server

__all__ = ["imap_server", "make_server", "shared_server"]


@pytest.fixture
def room(desk: Desk, imap_server: ImapServer, tmp_path: Path) -> Mailroom:
    room = Mailroom.opened(desk, imap_server, tmp_path)
    room.dovecot("tokens")
    return room


def test_an_access_token_lets_in_until_it_expires(room: Mailroom) -> None:
    room.declare("sales", login={"access_token": "token"})
    room.secret("token", room.dovecot("tokens").token(room.user))
    room.deliver(mail(1))
    assert room.sync().stored == 1
    room.secret("token", room.dovecot("tokens").token(room.user, -60))
    error = refused(room)
    assert isinstance(error, LoginRefused)
    assert "it has expired" in error.found


def test_a_token_of_somebody_else_lets_nobody_in(room: Mailroom) -> None:
    room.declare("sales", login={"access_token": "token"})
    room.secret("token", room.dovecot("tokens").token("somebody-else"))
    assert isinstance(refused(room), LoginRefused)


@contextmanager
def token_server(answer: Callable[[dict[str, str]], tuple[int, dict[str, Any]]]) -> Generator[str]:
    """An authorization server on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, said = answer({name: values[0] for name, values in parse_qs(body).items()})
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token"
    finally:
        server.shutdown()
        server.server_close()


REFRESH = {"client_id": "sluice", "refresh_token": "refresh", "client_secret": "client", "scope": "imap"}


def test_tokens_are_fetched_and_kept_for_a_while(room: Mailroom) -> None:
    asked: list[dict[str, str]] = []

    def answer(said: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked.append(said)
        return 200, {"access_token": room.dovecot("tokens").token(room.user), "expires_in": 3_600}

    room.secret("refresh", "r-1")
    room.secret("client", "c-1")
    room.deliver(mail(1))
    with token_server(answer) as url:
        room.declare("sales", login={"refresh": {"token_url": url, **REFRESH}})
        login = room.login()
        for _ in range(2):
            with imap.connected(room.rules(), login) as mailbox:
                assert mailbox.look("INBOX").exists == 1
    assert asked == [
        {
            "grant_type": "refresh_token",
            "client_id": "sluice",
            "refresh_token": "r-1",
            "client_secret": "c-1",
            "scope": "imap",
        }
    ]


def test_a_token_that_was_taken_back_is_fetched_anew(room: Mailroom) -> None:
    tokens = iter([room.dovecot("tokens").token(room.user, -1), room.dovecot("tokens").token(room.user)])
    room.secret("refresh", "r-1")
    room.secret("client", "c-1")
    with token_server(lambda _: (200, {"access_token": next(tokens), "expires_in": 3_600})) as url:
        room.declare("sales", login={"refresh": {"token_url": url, **REFRESH}})
        login = room.login()
        with pytest.raises(LoginRefused), imap.connected(room.rules(), login):
            pass
        login._refusal = None  # five minutes later
        with imap.connected(room.rules(), login) as mailbox:
            assert mailbox.look("INBOX").exists == 0


TOKEN_ANSWERS = {
    "the refresh token has expired": (
        400,
        {"error": "invalid_grant", "error_description": CANARY},
        True,
        "invalid_grant",
    ),
    "the client is wrong": (401, {"error": "invalid_client"}, True, "invalid_client"),
    "an error that nobody knows": (400, {"error": CANARY}, True, "(400)"),
    "it is down": (503, {}, False, "answered 503"),
    "it says nothing": (200, {}, False, "without a token"),
    "a token of line ends": (200, {"access_token": "a\r\nb"}, False, "without a token"),
    "no object": (200, [CANARY], False, "without a token"),
}


@pytest.mark.parametrize(("status", "said", "needs_person", "found"), TOKEN_ANSWERS.values(), ids=TOKEN_ANSWERS)
def test_tokens_that_are_not_to_be_had(
    room: Mailroom, status: int, said: dict[str, Any], needs_person: bool, found: str
) -> None:
    room.secret("refresh", "r-1")
    room.secret("client", "c-1")
    with token_server(lambda _: (status, said)) as url:
        room.declare("sales", login={"refresh": {"token_url": url, **REFRESH}})
        error = refused(room)
    assert (error.needs_person, isinstance(error, LoginRefused)) == (needs_person, needs_person)
    assert found in error.found


def test_a_token_server_that_is_not_there(room: Mailroom) -> None:
    room.secret("refresh", "r-1")
    room.secret("client", "c-1")
    room.declare("sales", login={"refresh": {"token_url": "http://127.0.0.1:9/token", **REFRESH}})
    assert "token from 127.0.0.1" in refused(room).where
