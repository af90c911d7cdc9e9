"""`python -m flows.watcher` beside a Prefect server: what people see of a dropped file before anybody works it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flows.intake import named
from sluice.settings import REPOSITORY, Settings
from tests.prefect_desk import PrefectServer

DEPLOY = """
import asyncio
from prefect.client.orchestration import get_client
from flows.intake import intake

async def deploy():
    async with get_client() as client:
        flow_id = await client.create_flow(intake)
        await client.create_deployment(flow_id, "bucket", entrypoint="flows.intake.intake", path=None)

asyncio.run(deploy())
"""
RUNS = """
select r.name, r.tags::text, r.state_type::text, r.parameters::text
from flow_run as r inner join deployment as d on r.deployment_id = d.id
where d.name = 'bucket' and r.parameters ->> 'path' = %s order by r.name
"""
LEADS = "full_name,email\nAnna Schmidt,anna@nordwind.example\n"


def test_two_watchers_start_one_run_for_each_file(
    prefect_server: PrefectServer, settings: Settings, tmp_path: Path
) -> None:
    done = prefect_server.run("-c", DEPLOY)
    assert done.code == 0, done.said
    environ = {"SLUICE_HOME": str(tmp_path), "SLUICE_DATABASE_URL": str(settings.database_url)}
    for number in range(3):
        drop(tmp_path / "bucket/inbox/webinar" / f"{number}.csv")
    drop(tmp_path / "bucket/inbox/two words.csv")
    watchers = [started(prefect_server, environ) for _ in range(2)]
    try:
        runs: Callable[[], list[Any]] = lambda: prefect_server.ask(RUNS, (tmp_path / "bucket").as_uri())  # noqa: E731 -- asked again and again
        until(lambda: len(runs()) == 2)
        drop(tmp_path / "bucket/inbox/later.csv")
        until(lambda: len(runs()) == 3)
        assert [(name, state) for name, _, state, _ in runs()] == [
            ("intake · 3 files of webinar", "SCHEDULED"), ("intake · later.csv", "SCHEDULED"), ("intake · two words.csv", "SCHEDULED"),
        ]  # fmt: skip
        assert '"bucket:bucket"' in runs()[0][1] and '"source:webinar"' in runs()[0][1]
    finally:
        for watcher in watchers:
            watcher.send_signal(signal.SIGTERM)
        said = [watcher.communicate(timeout=60)[0] for watcher in watchers]
    assert [watcher.returncode for watcher in watchers] == [0, 0], said
    assert "anna" not in str(said).casefold()


def test_a_run_is_named_after_what_it_takes_in(tmp_path: Path) -> None:
    assert named("s3://leads/partners", "webinar", ["webinar/late%0Aleads.csv"]) == "intake · late\\x0aleads.csv"
    assert named("s3://leads/partners", "webinar", ["webinar/1.csv", "webinar/2.csv"]) == "intake · 2 files of webinar"
    assert named("s3://leads/partners") == "intake · sweep of partners"
    assert named(str(tmp_path)) == f"intake · sweep of {tmp_path.name}"
    assert named("") == "intake · sweep of every bucket"
    assert named("/somewhere/leads.csv") == "intake · leads.csv"


def drop(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(LEADS)


def started(server: PrefectServer, environ: dict[str, str]) -> subprocess.Popen[str]:
    ambient = {name: text for name, text in os.environ.items() if not name.startswith(("SLUICE_", "PREFECT_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "flows.watcher"],
        env={**ambient, **server.environ, **environ},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(holds: Callable[[], bool]) -> None:
    """Waits for what other processes do."""
    limit = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < limit, "it did not happen in 90 seconds"
        time.sleep(0.3)
