"""R9: cut while mails are fetched, stored or moved; each is stored once all the same, and the cursor is right."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sluice.errors import DatabaseUnavailable
from sluice.settings import REPOSITORY, Settings
from sluice.sources.imap_refusals import MailboxUnavailable
from sluice.store import patience
from sluice.store.engine import Database
from tests.desk import Desk
from tests.faults.proxy import Proxy, proxied
from tests.imap_server import ImapServer
from tests.mailroom import Mailroom, imap_server, mail, make_server, shared_server

__all__ = ["imap_server", "make_server", "shared_server"]

MAILS = 12
SEED = int(os.environ.get("SLUICE_SEED") or random.SystemRandom().randrange(1 << 32))


@pytest.fixture
def desk(settings: Settings, database: Database, tmp_path: Path) -> Desk:
    return Desk.at(settings, database, tmp_path)


@pytest.fixture
def room(desk: Desk, imap_server: ImapServer, tmp_path: Path) -> Mailroom:
    for name in ("profiles", "sources", "teams.yml", "mail"):
        (tmp_path / name).symlink_to(REPOSITORY / "config" / name)
    return Mailroom.opened(desk, imap_server, tmp_path)


@dataclass
class Scissors(Proxy):
    """Passes on so many bytes of what the server says, then cuts; None: all.

    Attributes:
        left: bytes that still pass.
        said: bytes that have passed.
        after: a command of the client after which nothing of the server passes.
    """

    left: int | None = None
    said: int = 0
    after: bytes | None = None

    def _pass_on(self, source: Any, sink: Any, client: Any, swallow: Any) -> None:
        with suppress(OSError):
            while block := source.recv(1 << 12):
                if source is client:
                    if self.after and self.after in block:
                        swallow.set()
                    sink.sendall(block)
                    continue
                if swallow.is_set():
                    break
                if self.left is not None:
                    block, self.left = block[: self.left], self.left - len(block)
                self.said += len(block)
                sink.sendall(block)
                if self.left is not None and self.left <= 0:
                    break
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(2)


@contextmanager
def scissors(port: int) -> Generator[Scissors]:
    """Scissors before a server on loopback."""
    import socket

    found = Scissors(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found.port = listener.getsockname()[1]
        thread = threading.Thread(target=found.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield found
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            found.cut()
            thread.join(5)
            for pair in found._pairs:
                for end in pair:
                    end.close()


def is_whole(room: Mailroom, mails: Sequence[bytes] = ()) -> None:
    """Each mail is stored once, byte by byte, and the cursor is at the end."""
    mails = mails or [mail(n) for n in range(1, MAILS + 1)]
    assert room.sync().known == 0
    assert room.states() == {"received": len(mails)}
    assert room.bodies() == sorted(mails)
    assert room.cursor()[1] == len(mails)
    assert room.desk.ask("select sum(stored) from mail_syncs") == [len(mails)]
    room.desk.whole()


def test_cut_after_so_many_bytes(room: Mailroom) -> None:
    """Encrypted; k is random over all that the server says, which is mostly one mail."""
    draw, cuts = random.Random(SEED), 0
    print(f"SLUICE_SEED={SEED}")
    mails = [mail(n, text=f"{n} pallets of it.\n" * 1_500) for n in range(1, MAILS + 1)]
    with scissors(room.server.port) as cutter:
        room.declare("sales", port=cutter.port)
        for one in mails:
            room.deliver(one)
            cutter.left = draw.randrange(len(one))
            try:
                room.sync()
            except MailboxUnavailable:
                cuts += 1
        assert cuts == MAILS
        cutter.left = None
        is_whole(room, mails)


def test_cut_within_each_mail(room: Mailroom, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain, so that the cut falls where it is meant to: into the literal of a FETCH."""
    from sluice import mail_sync

    monkeypatch.setattr(mail_sync, "TOGETHER", 2)
    room.deliver(*(mail(n) for n in range(1, MAILS + 1)))
    cuts = 0
    with scissors(room.server.plain_port) as cutter:
        room.declare("sales", port=cutter.port, security="none", allow_plaintext=True, ca_file=None)
        for left in range(1_000, 9_000, 300):
            cutter.left = left
            try:
                room.sync()
            except MailboxUnavailable:
                cuts += 1
        assert cuts > 5
        cutter.left = None
        is_whole(room)


AFTER = {"move": ({"move": "Done"}, b"MOVE"), "keyword": ({"keyword": "Sluice"}, b"STORE")}


@pytest.mark.parametrize(("after", "command"), AFTER.values(), ids=AFTER)
def test_cut_between_the_command_and_its_answer(room: Mailroom, after: dict[str, str], command: bytes) -> None:
    if "keyword" in after:
        room.dovecot("keywords")
    room.server.make_folder(room.user, "Done")
    room.deliver(*(mail(n) for n in range(1, MAILS + 1)))
    with scissors(room.server.plain_port) as cutter:
        room.declare("sales", port=cutter.port, security="none", allow_plaintext=True, ca_file=None, after=after)
        cutter.after = command
        with pytest.raises(MailboxUnavailable):
            room.sync()
        cutter.after = None
        is_whole(room)
    assert room.desk.ask("select count(*) from mail_chores") == [0]
    if "move" in after:
        assert room.server.flags(room.user) == {}
        assert len(room.server.flags(room.user, "Done")) == MAILS
    else:
        assert set(room.server.flags(room.user).values()) == {(b"Sluice",)}


CHILD = """
import os, sys
from sluice.intake import opened
from sluice.mailboxes import read_once
from sluice.settings import Settings
with opened(Settings.read(os.environ)) as office:
    assert read_once(office)
"""


def in_child(room: Mailroom, crash_at: str) -> subprocess.CompletedProcess[str]:
    """One reading in a process of its own, which may die."""
    settings = room.desk.office.settings
    environ = {
        "PATH": "/usr/bin:/bin",
        "SLUICE_HOME": str(settings.home),
        "SLUICE_DATABASE_URL": room.desk.database.url,
        "SLUICE_CONFIG": str(settings.config),
        "SLUICE_CRASH_AT": crash_at,
    }
    return subprocess.run(
        [sys.executable, "-c", CHILD], env=environ, cwd=REPOSITORY, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("at", ["before_commit", "after_commit", "before_move", "after_move"])
def test_killed(room: Mailroom, at: str) -> None:
    """SIGKILL before and after the mails are stored, and before and after they are moved."""
    room.server.make_folder(room.user, "Done")
    room.declare("sales", after={"move": "Done"})
    room.deliver(*(mail(n) for n in range(1, MAILS + 1)))
    died = in_child(room, at)
    assert died.returncode == -signal.SIGKILL, died.stderr
    is_whole(room)
    assert len(room.server.flags(room.user, "Done")) == MAILS
    assert room.desk.ask("select count(*) from mail_chores") == [0]


def test_two_processes_at_once(room: Mailroom) -> None:
    room.deliver(*(mail(n) for n in range(1, MAILS + 1)))
    threads = [threading.Thread(target=in_child, args=(room, "")) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    is_whole(room)


def test_the_answer_to_a_commit_is_lost(room: Mailroom, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows whether the mails are stored; done again, they are stored once."""
    from dataclasses import replace

    room.deliver(*(mail(n) for n in range(1, MAILS + 1)))
    with proxied(database.url) as proxy:
        url = proxy.url(database.url)
        other = Database.open(Settings.read({"SLUICE_DATABASE_URL": url}))
        proxy.is_lost = lambda said: b"mail_cursors" in said and proxy.lost == 0
        there = replace(room, desk=replace(room.desk, office=replace(room.desk.office, database=other)))
        there.sync()
        assert proxy.lost >= 1
        other.dispose()
    is_whole(room)


def test_the_database_goes_away(room: Mailroom, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    monkeypatch.setattr(patience, "PATIENCE", (0.05, 0.05))
    room.deliver(*(mail(n) for n in range(1, MAILS + 1)))
    with proxied(database.url) as proxy:
        other = Database.open(Settings.read({"SLUICE_DATABASE_URL": proxy.url(database.url)}))
        there = replace(room, desk=replace(room.desk, office=replace(room.desk.office, database=other)))

        def cut() -> bool:
            proxy.is_open = False
            proxy.cut()
            return False

        from sluice.mail_sync import sync

        with pytest.raises(DatabaseUnavailable):
            room.look(lambda mailbox: sync(there.post(), lambda: (cut(), mailbox)[1]))
        proxy.is_open = True
        other.dispose()
    is_whole(room)
