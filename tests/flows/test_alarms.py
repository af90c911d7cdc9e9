"""Automations as people meet them: something goes wrong, and a mail and a POST say so."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller

from sluice.store.migrate import migrate
from tests.conftest import create_database, open_database
from tests.prefect_desk import PrefectServer, serving, until

HEADER = "First Name,Last Name,Email Address,Company\n"
ZOMBIE = """
import asyncio, sys
from datetime import timedelta
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.states import Running
from flows import automations
from flows.intake import intake

async def main():
    (rule,) = (rule for rule in automations.definitions() if rule.name == "Sluice: zombie run")
    quick = rule.model_copy(update={"name": "quick", "trigger": {**rule.trigger, "within": 10}})
    await automations.apply([quick])
    async with get_client() as client:
        run = await client.create_flow_run(intake, parameters={"path": "/"}, name="a zombie", state=Running())
    await asyncio.sleep(3)  # until the server has loaded the automation
    emit_event("prefect.flow-run.heartbeat", {"prefect.resource.id": f"prefect.flow-run.{run.id}"})
    print("zombie", run.id)

asyncio.run(main())
"""
APPLY = """
from flows.cli import app
app(["automations", "apply", "--json"], standalone_mode=False)
print("---")
app(["automations", "list", "--json"], standalone_mode=False)
"""
RECEIPTS = """
insert into sluice.receipts (source, key, kind, state, name, size_bytes, sha256, config_id, row_count, checkpoint, occurred_at, received_at)
select %(source)s, %(state)s || n, 'file', %(state)s, 'night.csv', 10, '', (select min(config_id) from sluice.config_versions), 10, 5,
    now(), now() - n * interval '1 day'
from generate_series(%(first)s::int, %(last)s::int) as n
"""


class Posts(BaseHTTPRequestHandler):
    """Keeps what is POSTed."""

    def do_POST(self) -> None:
        self.server.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@dataclass
class Sink:
    """A mail server and a webhook on loopback, and what they were told."""

    mails: list[EmailMessage] = field(default_factory=list)
    posts: list[dict[str, str]] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append(BytesParser(EmailMessage, policy=default).parsebytes(envelope.content))  # type: ignore[arg-type]
        return "250 OK"

    def mail(self, *words: str) -> EmailMessage:
        return until(
            lambda: next((mail for mail in self.mails if all(word in mail["Subject"] for word in words)), None)
        )

    def post(self, *words: str) -> dict[str, str]:
        return until(lambda: next((post for post in self.posts if all(word in post["text"] for word in words)), None))


@dataclass(frozen=True)
class Alarmed:
    """A served Sluice whose alarms come to a sink."""

    server: PrefectServer
    sink: Sink
    database_url: str
    environ: dict[str, str]


@pytest.fixture(scope="module")
def alarmed(prefect_server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alarmed]:
    """The runner, alone, against the server of the session; a database of its own; where alarms go."""
    sink, folder = Sink(), tmp_path_factory.mktemp("alarms")
    name = f"alarms_{os.urandom(4).hex()}"
    create_database(prefect_server.cluster, name, template="template0")
    database = open_database(prefect_server.cluster, name)
    migrate(database)
    database.dispose()
    hook = ThreadingHTTPServer(("127.0.0.1", 0), Posts)
    hook.posts = sink.posts  # type: ignore[attr-defined]
    thread = Thread(target=hook.serve_forever)
    thread.start()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    mail = Controller(sink, hostname="127.0.0.1", port=port)
    mail.start()
    environ = {
        "SLUICE_DATABASE_URL": prefect_server.cluster.url(name),
        "SLUICE_ALARM_MAIL_TO": "ops@acme.example",
        "SLUICE_ALARM_SMTP_URL": f"smtp://127.0.0.1:{port}?tls=no",
        "SLUICE_ALARM_WEBHOOK_URL": f"http://127.0.0.1:{hook.server_address[1]}/secret-token",
    }
    try:
        with serving(prefect_server, folder, **environ):
            yield Alarmed(prefect_server, sink, environ["SLUICE_DATABASE_URL"], environ)
    finally:
        mail.stop()
        hook.shutdown()
        thread.join()
        hook.server_close()


@pytest.fixture(scope="module", autouse=True)
def mishaps(alarmed: Alarmed, tmp_path_factory: pytest.TempPathFactory) -> None:
    """All that goes wrong, at once, so that the tests wait for one thing only."""
    webinar = tmp_path_factory.mktemp("files") / "webinar.csv"
    webinar.write_text(HEADER + "Anna,Petrova,anna at acme,\nBo,Lee,bo@lee.example,Lee & Sons\n")
    alarmed.server.deploy("intake/file", path=str(webinar), source="webinar")
    until(lambda: asked(alarmed, "select 1 from sluice.receipts where state = 'done'"))
    asked(alarmed, RECEIPTS, source="partner-list", state="done", first=10, last=16)
    asked(alarmed, RECEIPTS, source="trade-show", state="working", first=1, last=1)
    done = alarmed.server.run("-c", ZOMBIE)
    assert "zombie" in done.said, done.said
    alarmed.server.deploy("intake/file", path=str(webinar.with_name("nowhere.csv")))
    alarmed.server.deploy("upkeep/watch")


def asked(alarmed: Alarmed, sql: str, **parameters: Any) -> list[Any]:
    with psycopg.connect(alarmed.database_url) as connection:
        cursor = connection.execute(sql.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


def test_a_failed_run_is_told_by_mail_and_by_webhook(alarmed: Alarmed) -> None:
    mail, post = alarmed.sink.mail("run failed", "nowhere.csv"), alarmed.sink.post("run failed", "nowhere.csv")
    assert mail["To"] == "ops@acme.example" and mail["Auto-Submitted"] == "auto-generated"
    body = mail.get_content()
    assert "cannot be reached" in body  # why, in our words
    assert "/runs/flow-run/" in body and post["link"] in body
    assert {"what", "about", "text", "link"} == post.keys()


def test_a_zombie_run_is_marked_as_crashed_and_told(alarmed: Alarmed) -> None:
    """R2, R25: nothing stays in Running when its process is gone."""
    assert "zombie" in alarmed.sink.mail("run crashed", "zombie")["Subject"]
    states = alarmed.server.ask("select state_type::text from flow_run where name = 'a zombie'")
    assert states == ["CRASHED"]


def test_a_silent_source_is_told(alarmed: Alarmed) -> None:
    mail = alarmed.sink.mail("no leads from a source", "partner-list")
    assert "no leads for 10 days" in mail.get_content() and "usually one comes every 24 h" in mail.get_content()


def test_a_broken_expectation_is_told_without_personal_data(alarmed: Alarmed) -> None:
    mail = alarmed.sink.mail("not as expected", "webinar")
    assert "webinar.csv: 50% of the rows were rejected; at most 20% are expected" in " ".join(
        mail.get_content().split()
    )
    assert "anna" not in mail.as_string().casefold()


def test_a_stuck_receipt_is_told(alarmed: Alarmed) -> None:
    mail = alarmed.sink.mail("file is stuck", "night.csv")
    assert "5 of 10 rows are in" in mail.get_content()


def test_each_is_told_once_and_no_alarm_calls_the_next(alarmed: Alarmed) -> None:
    alarmed.server.deploy("upkeep/watch")
    ended = "select count(*) from flow_run r join deployment d on r.deployment_id = d.id where d.name = 'watch' and r.state_type = 'COMPLETED'"
    until(lambda: alarmed.server.ask(ended)[0] >= 2)
    time.sleep(5)  # for what must not come
    subjects = [mail["Subject"] for mail in alarmed.sink.mails]
    assert len(subjects) >= 5 and sorted(subjects) == sorted(set(subjects))
    assert [subject for subject in subjects if "alarm" in subject] == []


def test_no_target_stands_in_prefects_database(alarmed: Alarmed) -> None:
    """Who can see runs need not know the webhook's secret or the mail server's password."""
    alarmed.sink.mail("run failed")
    for table in ("flow_run", "task_run", "automation", "deployment", "log", "events", "block_document", "artifact"):
        assert alarmed.server.ask(f'select 1 from "{table}" t where t::text like %s limit 1', "%secret-token%") == [], (
            table
        )


def test_automations_are_applied_once_and_a_switch_in_the_ui_holds(alarmed: Alarmed) -> None:
    with psycopg.connect(alarmed.server.cluster.url("prefect")) as connection:
        connection.execute("update automation set enabled = false where name = 'Sluice: a receipt is stuck'")
    done = alarmed.server.run("-c", APPLY, **alarmed.environ).said
    applied, listed = (json.loads(part) for part in done.split("---\n"))
    assert len(applied) >= 5 and set(applied.values()) == {"unchanged"}
    switched = {one["name"]: one["enabled"] for one in listed["automations"]}
    assert switched["Sluice: a receipt is stuck"] is False and switched["Sluice: a run failed"] is True
    assert listed["alarms_go"] == "e-mail to ops@acme.example and POST to 127.0.0.1"
