"""Waiting for mails (IDLE, RFC 2177): whatever a server tells of its own accord is heard, whenever it tells it.

It may tell of a mail in answer to any command, before it agrees to wait, or in one breath with that. IMAPClient's
`idle_check` looks at the socket alone; what was read together with the answer before lies in a buffer, and is missed.
"""

from __future__ import annotations

import selectors
import ssl
import time
from collections.abc import Callable
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

_GLANCE = 1.0  # seconds between two looks whether the time is over
_TOLD = frozenset({"EXISTS", "EXPUNGE", "BYE"})


class News:
    """What the server tells of the folder that is turned to."""

    def __init__(self, client: IMAPClient) -> None:
        self._client = client
        self._raw: Any = client._imap  # pyright: ignore[reportPrivateUsage] -- imaplib keeps there what it was told

    @property
    def is_there(self) -> bool:
        """Whether it has told of a mail that came since it was asked for the folder."""
        said = self._raw.untagged_responses
        many, gone = [int(number) for number in said.get("EXISTS", ())], len(said.get("EXPUNGE", ()))
        return any(number > many[0] - gone for number in many[1:])

    def wait(self, seconds: float, is_over: Callable[[], bool], *, idle: bool) -> None:
        """Returns when there is news, after `seconds`, when it `is_over`, or when the server has hung up.

        Args:
            idle: whether the server can tell us; else it is only asked at the beginning.

        Raises:
            IMAPClientError: the server is gone, or does not do what it should.
        """
        until = time.monotonic() + seconds
        self._client.noop()
        if self.is_there:
            return
        if not idle:
            while time.monotonic() < until and not is_over():
                time.sleep(_GLANCE / 4)
            return
        self._begin()
        while not self.is_there and time.monotonic() < until and not is_over():
            if not self._hear():
                break
        self._client.idle_done()

    def _begin(self) -> None:
        """Asks the server to tell us; it may say other things before it agrees, which IMAPClient takes for a no."""
        try:
            self._client.idle()
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            while self._raw.tagged_commands[self._client._idle_tag] is None:  # pyright: ignore[reportPrivateUsage]
                if self._raw._get_response() is None:
                    return
            raise

    def _hear(self) -> bool:
        """Takes in what the server says next, for a moment; False if something came that says nothing: the end."""
        if not self._lies_there():
            with selectors.DefaultSelector() as selector:
                selector.register(self._client.socket(), selectors.EVENT_READ)
                if not selector.select(_GLANCE):
                    return True
            if not self._lies_there():
                return False
        self._raw._get_response()
        said = self._raw.untagged_responses
        for other in said.keys() - _TOLD:  # a server may talk as long as it likes
            del said[other]
        if "BYE" in said:
            raise IMAPClientAbortError("BYE")
        return True

    def _lies_there(self) -> bool:
        """Whether something can be read at once, from the buffers or the socket."""
        socket = self._client.socket()
        patience = socket.gettimeout()
        socket.setblocking(False)
        try:
            return bool(self._raw.file.peek(1))
        except ssl.SSLWantReadError:
            return False
        finally:
            socket.settimeout(patience)
