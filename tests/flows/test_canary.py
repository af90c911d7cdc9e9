"""No personal data in logs: planted people are looked for wherever the machinery writes (reliability §4)."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from sluice.settings import Settings
from sluice.store.engine import Database
from sluice.store.migrate import migrate
from tests.flows.conftest import PrefectServer

TOKEN = os.urandom(4).hex().translate(str.maketrans("0123456789", "ghijklmnop"))
MAIL, NAME, PHONE = f"canary.{TOKEN}@canary-leads.example", f"Vera Q{TOKEN}", "+1 202-555-0187"
TRACES = re.compile(f"{TOKEN}|202.?555.?0187", re.IGNORECASE)

HEADER = "full_name,email,phone,company\n"
GOOD = f"{NAME},{MAIL},{PHONE},Acme Cabling\n"
FILES = {
    "loads.csv": HEADER + GOOD,
    "refused.csv": HEADER
    + f"{NAME},{MAIL.replace('@', ' at ')},,Acme Cabling\n{NAME},,{PHONE}1234567,\n{NAME},{MAIL}\n",
    "unclosed.csv": HEADER + f'"{NAME},{MAIL},{PHONE},Acme Cabling\n' + GOOD,
    "headerless.csv": GOOD,
    "headerless and oddly delimited.csv": GOOD.replace(",", "~"),
    "headerless and quoted.csv": f'"{NAME},{MAIL},{PHONE}\n{NAME},{MAIL},{PHONE}\n',
    "a workbook.csv": f"PK\x03\x04{GOOD}",
    "undecodable.csv": HEADER + f"{NAME}\udcff,{MAIL}\udcff,{PHONE}\udcff,\n",
}
"""Files that load, are refused in part, and cannot be read."""

TRAPS = """
create function complain() returns trigger language plpgsql as
$$ begin raise exception 'cannot store %', new.record; end $$;
create trigger complain before insert on touches for each row when (new.record[4] = 'Crash the database')
execute function complain();
create unique index once on touches ((record[2])) where record[4] = 'Come twice';
alter table touches add constraint plain check (record[4] <> 'Break a check')
"""

ACCIDENT = """
import sys
from sluice import pipeline
def load(connection, batch, *rest):
    raise ValueError(f"cannot load {batch.leads['email'].tolist()} {batch.leads['record'].tolist()}")
"""
FLOWS = """
from flows.intake import intake
from sluice.store import patience
patience.PATIENCE = (0.1,)
*paths, last = sys.argv[1:]
for path in paths:
    try:
        intake(path)
    except Exception as error:
        print("failed", type(error), error)
pipeline.load = load
intake(last)
"""
COMMAND = "pipeline.load = load; sys.argv[0] = 'sluice'; from flows.cli import main; main()"


@dataclass(frozen=True)
class Trail:
    """Where the planted people went; `said` is what programs printed, by program."""

    server: PrefectServer
    bucket: Path
    said: dict[str, str]


@pytest.fixture(scope="module")
def trail(prefect_server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trail]:
    """Every file through the flow and through the command; then accidents of the database and of our own."""
    folder = tmp_path_factory.mktemp("canary")
    database = Database.open(Settings.read({"SLUICE_DATABASE_URL": prefect_server.cluster.url("leads")}))
    migrate(database)
    with database.transaction() as connection:
        connection.exec_driver_sql(TRAPS.replace("%", "%%"))
    database.dispose()
    crashes = {
        "trigger.csv": HEADER + GOOD.replace("Acme Cabling", "Crash the database"),
        "unique.csv": HEADER + 2 * GOOD.replace("Acme Cabling", "Come twice"),
        "check.csv": HEADER + GOOD.replace("Acme Cabling", "Break a check"),
    }
    write(folder / "bucket" / "inbox", FILES)
    write(folder / "crash", crashes)
    write(folder / "command", {name: content + "\n" for name, content in FILES.items()})
    write(folder / "ours", {"ours.csv": HEADER + GOOD + "\n\n"})
    paths = [
        str(folder / "bucket"),
        *(str(folder / "crash" / name) for name in crashes),
        str(folder / "ours" / "ours.csv"),
    ]
    said = {"flow": prefect_server.run("-c", ACCIDENT + FLOWS, *paths).said}
    files = [str(path) for path in sorted((folder / "command").iterdir())]
    sluice = str(Path(sys.executable).with_name("sluice"))
    said["command"] = prefect_server.run(sluice, "import", *files, paths[1], paths[3]).said
    said["command, our bug"] = prefect_server.run("-c", ACCIDENT + COMMAND, "import", paths[-1]).said
    yield Trail(prefect_server, folder / "bucket", said)


def write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content.encode("utf-8", "surrogateescape"))


def test_the_canary_did_fly(trail: Trail) -> None:
    """Every accident happened, and the database knows her: else the tests below prove nothing."""
    with psycopg.connect(trail.server.cluster.url("leads")) as connection:
        connection.execute("set search_path to sluice")
        (leads,) = connection.execute("select count(*) from leads where email = %s", (MAIL,)).fetchone() or (0,)
        (rejects,) = connection.execute(
            "select count(*) from rejects where record::text ~ %s", (TOKEN,)
        ).fetchone() or (0,)
    assert leads == 1 and rejects >= 4
    for program, words in (
        ("flow", "P0001"), ("flow", "23505"), ("flow", "23514"), ("flow", "ValueError"),
        ("command", "internal error, StoreError"), ("command, our bug", "internal error, ValueError"),
    ):  # fmt: skip
        assert words in trail.said[program], trail.said[program]
    assert len(list((trail.bucket / "failed").glob("*.report.json"))) >= 4
    assert len(list((trail.bucket / "done").glob("*.report.json"))) >= 3


def test_not_in_what_programs_print(trail: Trail) -> None:
    for program, said in trail.said.items():
        assert not TRACES.search(said), f"{program}: {said}"


def test_not_in_any_file_but_the_files_themselves(trail: Trail) -> None:
    """Reports, logs of Postgres and of the Prefect server, and what is kept of our bugs."""
    home, data = trail.server.home, trail.server.cluster.data
    files = [path for path in home.rglob("*") if path.is_file() and not path.is_relative_to(data)]
    names = {path.name for path in files}
    assert {"prefect-server.log", "postgres.log"} <= names, names
    assert (home / "errors").is_dir()
    files += trail.bucket.rglob("*.report.json")
    assert [path for path in files if TRACES.search(path.read_bytes().decode("utf-8", "replace"))] == []


def test_not_in_any_table_of_prefect(trail: Trail) -> None:
    """Logs, artifacts, parameters, states and events."""
    tables = trail.server.ask("select table_name from information_schema.tables where table_schema = 'public'")
    assert {"log", "artifact", "flow_run", "task_run", "events"} <= set(tables)
    assert trail.server.ask("select count(*) from log")[0] > 10
    for table in tables:
        found = [row for row in trail.server.ask(f'select t::text from "{table}" as t') if TRACES.search(str(row))]
        assert found == [], table
