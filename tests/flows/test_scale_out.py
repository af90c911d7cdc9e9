"""Preparing on pools of workers: the same leads whoever prepares, few task runs, and a lost worker costs nothing."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from sluice.errors import ConfigError, UnreadableFile
from sluice.intake import Order, intake
from sluice.settings import Settings, TaskRunner
from sluice.sources.files import Chunk
from sluice.sources.stamp import stamp
from sluice.store.engine import Database
from tasks import pools
from tasks.prepare import MOST_RUNS, divided, unseen
from tests.bench.generate import write
from tests.desk import Desk
from tests.flows.conftest import PrefectServer

SMALL_CHUNKS = """
import functools, os, signal, sys, time
import psutil
from sluice import pipeline
from sluice.sources import files
from sluice.sources.recovery import Limits
from flows.intake import intake
from tasks import prepare
files.survey = functools.partial(files.survey, limits=Limits(chunk_rows=250))
"""

LOSE_A_WORKER = """
def a_worker():
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for process in psutil.Process().children(recursive=True):
            if "spawn_main" in " ".join(process.cmdline()) or process.name().startswith("ray::prepare"):
                return process
    raise AssertionError("no worker")

def submit(ahead, errand, span):
    future = whole(ahead, errand, span)
    if span[0].index in wanted:
        wanted.remove(span[0].index)
        a_worker().kill()
        print("killed a worker")
    return future

whole, prepare.Ahead._submit, wanted = prepare.Ahead._submit, submit, WANTED
"""

FAILS = """
try:
    intake(sys.argv[1])
except Exception as error:
    print("failed:", type(error).__name__, error)
"""

ACCIDENT = (
    """
def accident(job, chunk):
    raise ValueError(f"cannot prepare {pipeline.read(job.path, job.survey, chunk).leads['record'].tolist()}")

prepare_whole, pipeline.prepare = pipeline.prepare, accident
"""
    + FAILS
    + "pipeline.prepare = prepare_whole"
)

LATER = """
os.environ["SLUICE_TASK_RUNNER"] = "inline"
intake(sys.argv[1])
"""


@pytest.fixture(scope="session")
def leads_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand generated leads, four chunks of 250 to the programs above."""
    return write(1_000, 20261122, tmp_path_factory.mktemp("scale-out"))[0]


@pytest.fixture
def inline(make_database: Callable[[str], Database], settings: Settings, leads_file: Path, tmp_path: Path) -> list[str]:
    """The canonical dump of an import without any pool."""
    desk = Desk.at(settings, make_database("template_of_tests"), tmp_path)
    intake(desk.office, Order(leads_file))
    return desk.whole()


def run(server: PrefectServer, desk: Desk, kind: str, program: str, path: Path) -> str:
    """What a program said that went well, whoever prepares; nobody in the file is named anywhere in Prefect's house."""
    where = {"SLUICE_DATABASE_URL": desk.database.url, "SLUICE_TASK_RUNNER": kind, "SLUICE_TASK_WORKERS": "2"}
    ran = server.run("-c", SMALL_CHUNKS + program, str(path), **where)
    assert ran.code == 0, ran.said
    people = re.compile("|".join(set(re.findall(r"[\w.+-]+@[\w.-]+\.example", path.read_text(encoding="utf-8")))))
    assert not people.search(ran.said), ran.said
    for table in ("log", "flow_run", "flow_run_state", "task_run", "task_run_state", "artifact", "events"):
        assert not people.search(str(server.ask(f'select t::text from "{table}" as t'))), table
    return ran.said


@pytest.fixture
def desk(settings: Settings, database: Database, tmp_path: Path) -> Desk:
    return Desk.at(settings, database, tmp_path)


def last_run(server: PrefectServer) -> UUID:
    return server.ask("select id from flow_run order by created desc limit 1")[0]


@pytest.mark.parametrize(
    ("kind", "mishap"),
    [
        pytest.param("threads", ACCIDENT, id="threads, after an accident"),
        pytest.param("processes", LOSE_A_WORKER.replace("WANTED", "[1]"), id="processes, one is killed"),
        pytest.param("dask", LOSE_A_WORKER.replace("WANTED", "[1]"), id="Dask, a worker is killed"),
        pytest.param("ray", LOSE_A_WORKER.replace("WANTED", "[1]"), id="Ray, a worker is killed"),
    ],
)
def test_whoever_prepares_the_leads_are_the_same(
    prefect_server: PrefectServer, desk: Desk, leads_file: Path, inline: list[str], kind: str, mishap: str
) -> None:
    """Chunks are task runs of their own, in row order, and what died is prepared again."""
    said = run(prefect_server, desk, kind, mishap + "\nintake(sys.argv[1])", leads_file)
    assert ("failed: BrokenPromise ValueError at" if mishap is ACCIDENT else "killed a worker") in said, said
    assert desk.whole() == inline
    named = prefect_server.ask(
        "select distinct name from task_run where flow_run_id = %s and state_type = 'COMPLETED' order by name",
        last_run(prefect_server),
    )
    assert named == [*(f"prepare rows from {row}" for row in (1, 251, 501, 751)), "take in leads.csv"]


def test_workers_that_die_again_and_again_end_the_run_and_a_later_one_completes(
    prefect_server: PrefectServer, desk: Desk, leads_file: Path, inline: list[str]
) -> None:
    always = LOSE_A_WORKER.replace("WANTED", "[0] * 3")
    said = run(prefect_server, desk, "processes", always + FAILS + LATER, leads_file)
    assert said.count("killed a worker") == 3
    assert re.search(r"failed: UserError .*workers were lost .*BrokenProcessPool.*SLUICE_TASK_WORKERS", said), said
    assert desk.whole() == inline


def test_a_worker_that_does_not_see_the_file_is_told_apart_from_a_bad_file(desk: Desk) -> None:
    """The folder is not shared: the file stays in the inbox, and whoever set up the cluster is told."""
    path = desk.file("full_name,email\nAnna Petrova,anna@acme.example\n")
    missing = UnreadableFile(str(path), "no such file")
    condition = stamp(path)
    assert unseen(path, condition, missing).where == "SLUICE_TASK_RUNNER"
    path.write_text("full_name,email\n", encoding="utf-8")
    assert unseen(path, condition, missing) is missing


@pytest.mark.parametrize("kind", ["dask", "ray"])
def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setitem(sys.modules, f"prefect_{kind}", None)
    with pytest.raises(ConfigError, match=rf"not installed.*sluice\[{kind}\]"), pools.opened(TaskRunner(kind)):
        pass


def test_a_cluster_that_does_not_answer_is_named() -> None:
    nowhere = TaskRunner("dask", 1, "tcp://127.0.0.1:1")
    with pytest.raises(ConfigError, match=r"SLUICE_DASK_ADDRESS.*127\.0\.0\.1:1"), pools.opened(nowhere):
        pass


def test_any_file_takes_few_task_runs() -> None:
    """A gigabyte, another, and many: each is divided, and together they leave room for those that take files in."""
    left = MOST_RUNS
    for count in (1, 20, 400, 4_000, *[30] * 40):
        chunks = [Chunk(index, 1 + 50_000 * index, 50_000, 2, 0, 1) for index in range(count)]
        spans = divided(chunks, left)
        assert [chunk for span in spans for chunk in span] == chunks
        left -= len(spans) if len(spans) > 1 else 0
    assert 0 <= left < MOST_RUNS
