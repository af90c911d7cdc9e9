"""The core on pymap, wherever it is installed: so that it can stand in for Dovecot where that is missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sluice.sources.imap import connected
from tests.conftest import absent
from tests.desk import Desk
from tests.imap_server import ImapServer
from tests.mailroom import Mailroom, is_woken, mail, make_server
from tests.pymap_server import Pymap

__all__ = ["make_server"]


@pytest.fixture
def room(desk: Desk, make_server: Callable[..., ImapServer], tmp_path: Path) -> Mailroom:
    if not Pymap.is_installed():
        absent("pymap (of the group dev in pyproject.toml)")
    return Mailroom.opened(desk, make_server(Pymap), tmp_path)


def test_mails_are_fetched_known_again_and_told_of(room: Mailroom) -> None:
    """New mails, other numbers (UIDVALIDITY), and IDLE."""
    room.deliver(mail(1), mail(2))
    assert room.sync().stored == 2
    assert room.bodies() == sorted([mail(1), mail(2)])
    room.server.renumber(room.user, 77_001)
    room.deliver(mail(3))
    tally = room.sync()
    assert (tally.stored, tally.known, room.cursor()) == (1, 2, (77_001, 3))
    with connected(room.rules(), room.login()) as mailbox:
        mailbox.look("INBOX")
        assert mailbox.can_idle
        assert not is_woken(mailbox)
        began = time.monotonic()
        assert is_woken(mailbox, lambda: room.deliver(mail(4)))
        assert time.monotonic() - began < 5
    assert room.sync().stored == 1
    assert room.states() == {"received": 4, "duplicate": 2}
    room.desk.whole()
