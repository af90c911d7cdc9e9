"""Mailboxes with many mails and with huge ones: in bounded time, with bounded memory."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from sluice.settings import REPOSITORY
from tests.desk import Desk
from tests.imap_server import ImapServer
from tests.mailroom import Mailroom, imap_server, mail, make_server, shared_server

__all__ = ["imap_server", "make_server", "shared_server"]

MANY = 10_000
HUGE, MEGABYTES = 100 << 20, 80

CHILD = """
import resource, sys
from sluice.intake import opened
from sluice.mailboxes import read_once
from sluice.settings import Settings
import os
with opened(Settings.read(os.environ)) as office:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert read_once(office)
print(before >> 10, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""


@pytest.fixture
def room(desk: Desk, imap_server: ImapServer, tmp_path: Path) -> Mailroom:
    return Mailroom.opened(desk, imap_server, tmp_path)


def test_ten_thousand_mails(room: Mailroom, record_property: pytest.RecordProperty) -> None:
    """R10."""
    maildir = room.dovecot("maildirs").maildir(room.user) / "new"
    for number in range(MANY):
        path = maildir / f"{1_700_000_000 + number}.{number:06}.test"
        path.write_bytes(mail(number))
        path.chmod(0o644)
    began = time.monotonic()
    assert room.sync().stored == MANY
    seconds = time.monotonic() - began
    record_property("mails_per_second", round(MANY / seconds))
    print(f"{MANY:,} mails in {seconds:.1f} s, {MANY / seconds:,.0f} a second")
    began = time.monotonic()
    assert room.sync().stored == 0
    again = time.monotonic() - began
    room.server.renumber(room.user, 77_001)
    began = time.monotonic()
    assert room.sync().known == MANY
    print(f"nothing new: {again:.2f} s; known again: {time.monotonic() - began:.1f} s")
    assert room.states() == {"received": MANY, "duplicate": MANY}
    room.desk.whole()


def test_an_attachment_of_a_hundred_megabytes(room: Mailroom) -> None:
    """Its beginning is kept; the mails around it are whole; memory stays bounded."""
    dovecot = room.dovecot("maildirs")
    room.deliver(mail(1))
    path = dovecot.lay(room.user, mail(2).removesuffix(b"\r\n"))
    with path.open("ab") as file:
        for _ in range(HUGE // (76 << 10)):
            file.write((b"A" * 74 + b"\r\n") * 1_024)
    room.deliver(mail(3))
    settings = room.desk.office.settings
    config = settings.config
    for name in ("profiles", "sources", "teams.yml", "mail"):
        (config / name).symlink_to(REPOSITORY / "config" / name)
    environ = {
        "PATH": "/usr/bin:/bin",
        "SLUICE_HOME": str(settings.home),
        "SLUICE_DATABASE_URL": room.desk.database.url,
        "SLUICE_CONFIG": str(config),
    }
    done = subprocess.run(
        [sys.executable, "-c", CHILD], env=environ, cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    before, peak = map(int, done.stdout.split())
    print(f"RSS {before} MB before, {peak} MB at most")
    assert room.log()[-1][:3] == (2, 0, 1), room.log()
    assert len(room.bodies()) == 3
    assert peak - before < MEGABYTES
    room.desk.whole()
