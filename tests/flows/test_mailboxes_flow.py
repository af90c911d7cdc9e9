"""The flow `mailboxes` on a Prefect server: a window, its page, and the event that an alarm is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.settings import REPOSITORY, Settings
from sluice.store.engine import Database
from tests.desk import Desk
from tests.flows.conftest import PrefectServer
from tests.imap_server import ImapServer
from tests.mailroom import SOURCE, Mailroom, imap_server, mail, make_server, shared_server
from tests.prefect_desk import until

__all__ = ["imap_server", "make_server", "shared_server"]

RUN = "from flows.mailboxes import mailboxes; mailboxes(minutes=0.05)"


@pytest.fixture
def room(settings: Settings, database: Database, imap_server: ImapServer, tmp_path: Path) -> Mailroom:
    for name in ("profiles", "teams.yml", "mail"):
        (tmp_path / name).symlink_to(REPOSITORY / "config" / name)
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/mail.yml").write_text(SOURCE)
    return Mailroom.opened(Desk.at(settings, database, tmp_path), imap_server, tmp_path)


def test_a_window_stores_what_is_there_and_tells_what_fails(prefect_server: PrefectServer, room: Mailroom) -> None:
    room.deliver(mail(1), mail(2))
    room.declare("wrong", login={"password": "wrong"})
    room.secret("wrong", "wrong")
    settings = room.desk.office.settings
    done = prefect_server.run(
        "-c", RUN, SLUICE_HOME=str(settings.home), SLUICE_DATABASE_URL=room.desk.database.url, SLUICE_CONFIG=str(settings.config)
    )  # fmt: skip
    assert done.code == 0, done.said
    assert room.states() == {"received": 2}
    assert "2 mails stored, 0 were known" in done.said
    pages = prefect_server.ask(
        "select data from artifact where key = 'mailboxes-summary' order by created desc limit 1"
    )
    assert "| sales | INBOX | 2 | 0 | 0 | 0 |" in pages[0]
    assert "**wrong/INBOX** fails: " in pages[0]
    asked = "select resource_id from events where event = 'sluice.mailbox.failing'"
    assert set(until(lambda: prefect_server.ask(asked))) == {"sluice.mailbox.wrong"}
    assert "nordlicht" not in (done.said + pages[0]).lower()
    assert room.user not in done.said + pages[0]
    room.desk.whole()
