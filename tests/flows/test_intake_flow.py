"""The flow `intake` on a Prefect server: what people see in its UI."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.intake import named
from sluice.outcomes import OUTCOMES
from sluice.settings import Settings
from sluice.store.engine import Database
from tests.desk import broken
from tests.flows.conftest import Finished, PrefectServer

HEADER = "full_name,email,phone,country\n"
INBOX = {
    "autumn.csv": HEADER + "Anna Petrova,anna@acme.example,,US\nBo Lee,not an address,,US\nTotal,,,\n",
    "website-export/night.csv": HEADER
    + "ANNA PETROVA,Anna@acme.example,+1 202-555-0143,US\nZoë de Groot,zoe@degroot.example,,NL\n",
    "broken.csv": "Wer,Womit\nAnna,anna@acme.example\n",
    "website-export/growing.csv.part": HEADER,
}


@dataclass(frozen=True)
class Run:
    """A flow run that has ended, as the server knows it."""

    done: Finished
    server: PrefectServer
    flow_run: Any

    def tasks(self) -> list[tuple[str, str]]:
        """Names and states of its task runs."""
        return self.server.ask(
            "select name, state_type::text from task_run where flow_run_id = %s order by name", self.flow_run
        )

    def artifacts(self, kind: str) -> list[Any]:
        """What its artifacts of a kind show."""
        return self.server.ask("select data from artifact where flow_run_id = %s and type = %s", self.flow_run, kind)


def run(server: PrefectServer, path: Path, settings: Settings) -> Run:
    done = server.flow(path, SLUICE_DATABASE_URL=str(settings.database_url))
    (flow_run,) = server.ask("select id from flow_run where name = %s", named(str(path)))
    return Run(done, server, flow_run)


def test_a_folder_is_worked_where_it_can_be_watched(
    prefect_server: PrefectServer, settings: Settings, database: Database, tmp_path: Path
) -> None:
    """S000-05: one task run a group, a summary that equals the database, progress; the folder is tidy afterwards."""
    for name, content in INBOX.items():
        path = tmp_path / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    found = run(prefect_server, tmp_path, settings)
    assert found.done.code == 0, found.done.said
    assert found.done.totals == totals(database) | {"row_count": 5}
    assert prefect_server.ask("select state_type::text from flow_run where id = %s", found.flow_run) == ["COMPLETED"]
    assert found.tasks() == [("take in 2 files of files", "COMPLETED"), ("take in night.csv", "COMPLETED")]
    (page,) = found.artifacts("markdown")
    shown = dict(re.findall(r"^\| ([\w ]+) \| ([\d,]+) \|", page, re.MULTILINE))
    assert {name: int(shown[label]) for name, label in OUTCOMES.items()} == totals(database)
    assert "could not be read" in page and "anna" not in page.casefold()
    assert found.artifacts("progress") == [100.0, 100.0]
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == [
        "done/autumn.csv", "done/autumn.csv.rejects.csv", "done/autumn.csv.report.json",
        "done/website-export/night.csv", "done/website-export/night.csv.report.json",
        "failed/broken.csv", "failed/broken.csv.report.json", "inbox/website-export/growing.csv.part",
    ]  # fmt: skip
    assert "no column is known" in json.loads((tmp_path / "failed/broken.csv.report.json").read_text())["error"]
    assert "not an address" in (tmp_path / "done/autumn.csv.rejects.csv").read_text()
    assert broken(database) == {}


def test_a_file_that_fails_does_not_stop_the_others(
    prefect_server: PrefectServer, settings: Settings, database: Database, tmp_path: Path
) -> None:
    """It stays in the inbox, the run says so, and the next run tries it again; one without a source is put aside."""
    for name in ("astray/leads.csv", "spring.csv", "webinar/late.csv"):
        path = tmp_path / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(INBOX["autumn.csv"].replace("anna@", f"anna.{path.stem}@"), encoding="utf-8")
    with database.transaction() as connection:
        connection.exec_driver_sql("alter table touches add constraint no_webinar check (lead_source <> 'Webinar')")
    found = run(prefect_server, tmp_path, settings)
    assert found.done.code != 0
    assert found.tasks() == [
        ("take in late.csv", "FAILED"), ("take in leads.csv", "COMPLETED"), ("take in spring.csv", "COMPLETED"),
    ]  # fmt: skip
    assert prefect_server.ask("select state_type::text from flow_run where id = %s", found.flow_run) == ["FAILED"]
    assert (tmp_path / "done" / "spring.csv").exists()
    assert (tmp_path / "inbox" / "webinar" / "late.csv").exists()
    assert "no astray.yml" in (tmp_path / "failed" / "astray" / "leads.csv.report.json").read_text()
    assert totals(database)["created"] == 1


def totals(database: Database) -> dict[str, int]:
    """What became of all rows, by the database."""
    names = ("created", "updated", "unchanged", "flagged", "rejects", "set_asides")
    with database.connection() as connection:
        sums = ", ".join(f"sum({name})::int" for name in names)
        return dict(zip(names, connection.exec_driver_sql(f"select {sums} from receipt_ledger").one(), strict=True))


def test_a_large_file_is_one_task_run_that_can_be_watched(
    prefect_server: PrefectServer, settings: Settings, database: Database, tmp_path: Path
) -> None:
    """Two chunks, worked one after the other, with one progress artifact."""
    leads = tmp_path / "large.csv"
    rows = "".join(f"Ivo Horak,ivo.{n}@horak.example,,CZ\n" for n in range(1_000))
    leads.write_text(HEADER + rows + f"{' ' * 180},,,\n" * 50_000, encoding="utf-8")
    assert leads.stat().st_size > 8 << 20
    found = run(prefect_server, leads, settings)
    assert found.done.code == 0, found.done.said
    assert found.tasks() == [("take in large.csv", "COMPLETED")]
    assert found.artifacts("progress") == [100.0]
    assert found.done.totals["row_count"] == 51_000
    assert totals(database)["created"] == 1_000
    assert broken(database) == {}


@pytest.mark.parametrize("missing", ["nobody-exported-it.csv"])
def test_a_file_that_cannot_be_read_fails_its_run_in_words(
    prefect_server: PrefectServer, settings: Settings, tmp_path: Path, missing: str
) -> None:
    """Alone it fails the run: nothing was imported, and whoever asked must know."""
    found = run(prefect_server, tmp_path / missing, settings)
    assert found.done.code != 0
    states = prefect_server.ask(
        "select s.type::text, s.message from flow_run_state s where flow_run_id = %s", found.flow_run
    )
    assert any(kind == "FAILED" and missing in message for kind, message in states)
