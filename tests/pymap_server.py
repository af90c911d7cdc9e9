"""pymap in Dovecot's stead: a real IMAP server in Python, whose mails lie in memory and are gone when it stops."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from sluice.settings import REPOSITORY
from tests.imap_server import ImapServer

LACKS = {
    "keywords": "pymap keeps no keywords: it drops them without a word",
    "tokens": "pymap lets nobody in by an access token of another server (XOAUTH2)",
    "kicks": "pymap ends nobody's connection",
    "late news": "pymap tells who waits (IDLE) only of what comes afterwards, not of what came just before",
    "maildirs": "pymap has no maildir to lay 10,000 mails into, and one of 100 MB fills its memory several times over",
}
"""What it cannot do, and why tests are left out."""


@dataclass
class Pymap(ImapServer):
    """Talks to tests/pymap_program.py, its child."""

    capabilities: str = ""

    @staticmethod
    def is_installed() -> bool:
        """Whether there is a pymap."""
        return find_spec("pymap") is not None

    def configure(self, *, capabilities: str = "") -> None:
        self.capabilities = capabilities
        self.authority.issue("server")

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.pymap_program", str(self.port), str(self.plain_port)]
        command += [str(self.home / "server.pem"), self.capabilities]
        log = self.home / "pymap.log"
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(
                command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
            )
        self._until_it_answers(log)

    def stop(self, number: int = signal.SIGTERM) -> None:
        process = self.process
        super().stop(number)
        if process and process.stdin and process.stdout:
            process.stdin.close()
            process.stdout.close()

    def deliver(self, user: str, mail: bytes, folder: str = "INBOX", *, at: float | None = None) -> None:
        self._ask("deliver", user=user, folder=folder, mail=base64.b64encode(mail).decode(), at=at)

    def make_folder(self, user: str, folder: str) -> None:
        self._ask("make_folder", user=user, folder=folder)

    def delete_folder(self, user: str, folder: str) -> None:
        self._ask("delete_folder", user=user, folder=folder)

    def renumber(self, user: str, uidvalidity: int, folder: str = "INBOX") -> None:
        self._ask("renumber", user=user, folder=folder, uidvalidity=uidvalidity)

    def refusals(self) -> int:
        return int(self._ask("refusals"))

    def _ask(self, what: str, **wishes: Any) -> Any:
        assert self.process and self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps([what, wishes]).encode() + b"\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        assert said, (self.home / "pymap.log").read_text()[-3_000:]
        return json.loads(said)
