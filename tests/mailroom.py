"""A mailroom of a test's own: a user of the real IMAP server, and an office whose mailboxes.yml names it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice.keyring import Keyring
from sluice.mail_sync import Post, sync
from sluice.mailbox_rules import MailboxRules, load_mailboxes
from sluice.mailboxes import read_once
from sluice.profiles import from_content
from sluice.sources.imap import Mailbox, connected
from sluice.sources.imap_login import Login
from sluice.sources.imap_refusals import MailboxUnavailable
from sluice.store.mail import Tally
from tests.conftest import absent
from tests.desk import Desk
from tests.dovecot import PROGRAM, Dovecot
from tests.imap_server import PASSWORD, ImapServer
from tests.pymap_server import LACKS, Pymap

CANARY = "canary-7c1e"
"""What may stand in no message."""

SOURCE = "kind: mailbox\ndescription: Mails of the tests\n"


@dataclass
class Mailroom:
    """A user's mailbox, and how it is declared.

    Attributes:
        said: accounts by name, as mailboxes.yml has them.
    """

    desk: Desk
    server: ImapServer
    user: str
    said: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def opened(cls, desk: Desk, server: ImapServer, folder: Path, **account: Any) -> Mailroom:
        """A mailroom with one account, `sales`; `folder` holds its configuration."""
        user = f"u{os.urandom(4).hex()}"
        content = {**desk.office.profile.content, "sources/mail.yml": SOURCE}
        profile = from_content(content, "standard")
        settings = replace(desk.office.settings, config=folder)
        desk = replace(desk, office=replace(desk.office, settings=settings, profile=profile, sources=profile.sources))
        room = cls(desk, server, user)
        room.declare("sales", **account)
        room.secret("sales-password", PASSWORD)
        return room

    def dovecot(self, can: str) -> Dovecot:
        """The server if it is Dovecot, which `can` do this; where it is pymap, which cannot, the test is left out."""
        if not isinstance(self.server, Dovecot):
            pytest.skip(LACKS[can])
        return self.server

    def declare(self, name: str, **account: Any) -> MailboxRules:
        """Declares an account, or changes one; a value of None takes a key away."""
        usual = {
            "host": "localhost",
            "port": self.server.port,
            "user": self.user,
            "source": "mail",
            "login": {"password": "sales-password"},
            "ca_file": str(self.server.authority.path),
            "start": "all",
        }
        said = {**usual, **self.said.get(name, {}), **account}
        self.said[name] = {key: value for key, value in said.items() if value is not None}
        path = self.desk.office.settings.config / "mailboxes.yml"
        path.write_text(yaml.safe_dump({"mailboxes": self.said}, allow_unicode=True), encoding="utf-8")
        return load_mailboxes(path.parent)[name]

    def secret(self, name: str, text: str) -> None:
        """Writes a secret."""
        folder = self.desk.office.settings.home / "secrets"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o600)

    def rules(self, account: str = "sales") -> MailboxRules:
        """An account as it is declared."""
        return load_mailboxes(self.desk.office.settings.config)[account]

    def login(self, account: str = "sales") -> Login:
        """A login that nobody has used."""
        return Login(self.rules(account), Keyring(self.desk.office.settings.home, {}))

    def post(self, folder: str = "INBOX", account: str = "sales", now: Callable[[], datetime] | None = None) -> Post:
        """A folder to be read."""
        return Post(self.desk.office, self.rules(account), folder, now or (lambda: datetime.now(UTC)))

    def sync(self, folder: str = "INBOX", account: str = "sales", now: Callable[[], datetime] | None = None) -> Tally:
        """Reads a folder once, on a connection of its own."""
        with connected(self.rules(account), self.login(account)) as mailbox:
            return sync(self.post(folder, account, now), lambda: mailbox)

    def look(self, act: Callable[[Mailbox], Any], account: str = "sales") -> Any:
        """What a connection says."""
        with connected(self.rules(account), self.login(account)) as mailbox:
            return act(mailbox)

    def deliver(self, *mails: bytes, folder: str = "INBOX", at: float | None = None) -> None:
        """Lays mails into the mailbox."""
        for mail in mails:
            self.server.deliver(self.user, mail, folder, at=at)

    def receipts(self) -> list[tuple[str, str]]:
        """Key without the UIDVALIDITY, and state, of every receipt in order."""
        found = self.desk.ask("select key, state from receipts order by receipt_id")
        return [("/".join([*key.split("/")[:2], *key.split("/")[3:]]), state) for key, state in found]

    def states(self) -> dict[str, int]:
        """How many receipts are in each state."""
        return dict(self.desk.ask("select state, count(*) from receipts group by state"))

    def cursor(self, folder: str = "INBOX", account: str = "sales") -> Any:
        """UIDVALIDITY and last UID."""
        where = f"account = '{account}' and folder = '{folder}'"
        return self.desk.ask(f"select uidvalidity, last_uid from mail_cursors where {where}")[0]

    def log(self) -> list[Any]:
        """What the log says of each reading."""
        return self.desk.ask("select stored, known, refused, note, failure from mail_syncs order by sync_id")

    def bodies(self) -> list[bytes]:
        """The raw bytes of the mails that were not known."""
        return [bytes(body) for body in self.desk.ask("select body from receipts where body is not null order by 1")]


def mail(number: int, *, message_id: str | None = "", text: str = "", when: datetime | None = None) -> bytes:
    """An enquiry, of somebody else for each number.

    Args:
        message_id: "" is one of its own; None leaves the header out.
    """
    made = EmailMessage(policy=SMTP)
    made["From"] = f"Rosa Lindqvist {number} <rosa.lindqvist{number}@nordlicht{number}.example>"
    made["To"] = "sales@example.com"
    made["Subject"] = f"Offer for {number} pallets"
    made["Date"] = format_datetime(when or datetime(2026, 11, 2, 8, number % 60, tzinfo=UTC))
    if message_id is not None:
        made["Message-ID"] = message_id or f"<{number}@nordlicht{number}.example>"
    made.set_content(text or f"Good morning,\n\nplease make us an offer for {number} pallets.\n\nRosa Lindqvist\n")
    return made.as_bytes()


def refused(room: Mailroom) -> MailboxUnavailable:
    """Why the mailbox cannot be read; the reading is in the log with the same words."""
    with pytest.raises(MailboxUnavailable) as raised:
        room.sync()
    assert read_once(room.desk.office)
    assert room.desk.ask("select failure from mail_syncs order by sync_id desc limit 1") == [str(raised.value)]
    assert raised.value.fix
    assert room.user not in str(raised.value)
    assert CANARY not in str(raised.value)
    return raised.value


LOOKS = 4
"""How often somebody who waits may ask whether it is over before they count as not woken."""


def is_woken(mailbox: Mailbox, meanwhile: Callable[[], Any] = lambda: None) -> bool:
    """Whether news ends the wait; `meanwhile` happens when it has begun."""
    looks = 0

    def is_over() -> bool:
        nonlocal looks
        looks += 1
        if looks == 2:
            meanwhile()
        return looks > LOOKS

    mailbox.wait(600, is_over)
    return looks <= LOOKS


@pytest.fixture(scope="session")
def make_server(make_home: Callable[[], Path]) -> Iterator[Callable[..., ImapServer]]:
    """Servers of a test's own: Dovecot, or pymap where it is missing or SLUICE_IMAP=pymap asks for it."""
    made: list[ImapServer] = []

    def make(kind: type[ImapServer] | None = None, capabilities: str = "") -> ImapServer:
        server = (kind or _kind()).made(make_home())
        server.configure(capabilities=capabilities)
        made.append(server)
        server.start()
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="session")
def shared_server(make_server: Callable[..., ImapServer]) -> ImapServer:
    """One server for all tests; each has a user of its own."""
    return make_server()


@pytest.fixture
def imap_server(shared_server: ImapServer) -> ImapServer:
    """The server, running."""
    if shared_server.process is None or shared_server.process.poll() is not None:
        shared_server.start()
    return shared_server


def _kind() -> type[ImapServer]:
    if os.environ.get("SLUICE_IMAP") == "pymap":
        return Pymap
    if PROGRAM.exists():
        return Dovecot
    if os.environ.get("SLUICE_REQUIRE_PARTS") or not Pymap.is_installed():
        absent(f"{PROGRAM} (Debian's package dovecot-imapd)")
    return Pymap
