"""What tests ask of a real IMAP server on loopback, be it Dovecot (tests/dovecot.py) or pymap (tests/pymap_server.py)."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from imapclient import IMAPClient

from tests.certificates import Authority

PASSWORD = "Föhn & Meer 7"  # letters that are no ASCII, a blank: all of it must arrive


@dataclass
class ImapServer(ABC):
    """A server that is there or not; everybody may log in with PASSWORD.

    Attributes:
        port: TLS from the first byte.
        plain_port: without TLS, or STARTTLS.
    """

    home: Path
    authority: Authority
    port: int
    plain_port: int
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def made(cls, home: Path) -> Self:
        """A server that has not begun."""
        return cls(home, Authority.made(home), free_port(), free_port())

    @abstractmethod
    def configure(self, *, capabilities: str = "") -> None:
        """Says how it starts; `capabilities` are all that it says it can."""

    @abstractmethod
    def start(self) -> None:
        """Starts it; it answers when this returns."""

    @abstractmethod
    def deliver(self, user: str, mail: bytes, folder: str = "INBOX", *, at: float | None = None) -> None:
        """A mail comes; `at` becomes its INTERNALDATE."""

    @abstractmethod
    def make_folder(self, user: str, folder: str) -> None:
        """Makes a folder."""

    @abstractmethod
    def delete_folder(self, user: str, folder: str) -> None:
        """Takes a folder away with its mails."""

    @abstractmethod
    def renumber(self, user: str, uidvalidity: int, folder: str = "INBOX") -> None:
        """Gives a folder another UIDVALIDITY."""

    @abstractmethod
    def refusals(self) -> int:
        """How many logins it has refused."""

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends it, and whatever it started."""
        if self.process:
            self.process.send_signal(number)
            self.process.wait(20)
            self.process = None
            until = time.monotonic() + 10
            while answers(self.plain_port) and time.monotonic() < until:
                time.sleep(0.05)

    @contextmanager
    def person(self, user: str, folder: str = "INBOX", *, readonly: bool = False) -> Generator[IMAPClient]:
        """Somebody who reads their mail."""
        context = ssl.create_default_context(cafile=str(self.authority.path))
        with IMAPClient("localhost", self.port, ssl_context=context, timeout=20) as client:
            client.plain_login(user, PASSWORD)
            client.select_folder(folder, readonly=readonly)
            yield client

    def flags(self, user: str, folder: str = "INBOX") -> dict[int, tuple[bytes, ...]]:
        """The flags of each mail, as somebody sees them who only looks."""
        with self.person(user, folder, readonly=True) as client:
            seen: Any = client.get_flags(client.search())
            return {uid: tuple(sorted(flag for flag in flags if flag != b"\\Recent")) for uid, flags in seen.items()}

    def _until_it_answers(self, log: Path) -> None:
        until = time.monotonic() + 20
        while not answers(self.plain_port):
            is_alive = self.process is not None and self.process.poll() is None
            assert is_alive and time.monotonic() < until, log.read_text()[-3_000:] if log.exists() else "no log"
            time.sleep(0.05)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def answers(port: int) -> bool:
    """Whether an IMAP server greets there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as there:
        there.settimeout(5)
        return there.recv(4) == b"* OK"
    return False
