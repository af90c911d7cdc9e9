"""Runs over a bucket that goes away in the middle, and runs that are asked for with something impossible."""

from __future__ import annotations

import re

import pytest

from sluice.bucket_rules import BucketRules
from sluice.buckets import dropped, opened, take_in
from sluice.intake import Order
from sluice.sources.stability import looked_twice
from tests.desk import Desk, broken
from tests.objects import NO_ANSWER, Gate
from tests.prefect_desk import PrefectServer

LEADS = b"full_name,email\nAnna Schmidt,anna%d@nordwind.example\n"
RUN = "import sys; from flows.intake import intake; intake(sys.argv[1])"
RULES = BucketRules(name="leads", url="s3://leads", settle_seconds=0)


@pytest.mark.parametrize(
    ("answer", "at", "said"),
    [
        ((400, "ExpiredToken"), "GET", "have expired. Renew them in the environment; the next run goes on"),
        (NO_ANSWER, "POST", "it cannot be reached. Check the network, and the endpoint in the environment"),
    ],
    ids=["credentials expire while a file is read", "unreachable while a file is moved"],
)
def test_a_bucket_that_ends_in_the_middle_of_a_run(
    prefect_server: PrefectServer, desk: Desk, gate: Gate, answer: tuple[int, str], at: str, said: str
) -> None:
    """At the third of four files; a fifth cannot be read under its name, of which the run warns."""
    for number in range(4):
        gate.put(f"inbox/{number}.csv", LEADS % number)
    gate.put("inbox/two\nlines.csv", LEADS % 4)
    seen: list[str] = []

    def refuse(method: str, path: str) -> tuple[int, str] | None:
        if method == at and path.endswith((".csv", "?delete")) and "done/" not in path:
            seen.append(path)
        return answer if len(seen) >= 3 else None

    gate.refuse = refuse
    home = str(desk.office.settings.home)
    first = prefect_server.run("-c", RUN, RULES.url, SLUICE_DATABASE_URL=desk.database.url, SLUICE_HOME=home)
    assert first.code != 0
    assert re.search(r"WARNING .*leads: two\\x0alines\.csv: its name has a control character.*rename it", first.said)
    states = prefect_server.ask(
        "select s.message from flow_run_state s join flow_run r on r.id = s.flow_run_id"
        " where s.type = 'FAILED' and r.parameters->>'path' = %s order by s.timestamp desc",
        RULES.url,
    )
    assert "1 of 5 files failed. 2.csv: s3://leads" in states[0]
    assert said in states[0]
    loaded = desk.ask("select name from receipts where state = 'done' order by 1")
    assert loaded == ["0.csv", "1.csv", "2.csv"][: 2 if at == "GET" else 3]
    assert broken(desk.database) == {}
    gate.refuse = lambda *_: None
    there = opened(RULES, desk.office.settings)
    files = dropped(there, RULES, looked_twice(there, 0), Order(desk.folder), desk.office.sources)
    assert [take_in(desk.office, file)["state"] for file in files] == ["done", "done", "waits"]
    assert [key for key in sorted(gate.keys()) if key.endswith(".csv")] == [
        *(f"done/{number}.csv" for number in range(4)), "inbox/two\nlines.csv",
    ]  # fmt: skip
    assert desk.ask("select count(*) from leads") == [4]
    assert desk.ask("select count(*) from touches") == [4]
    assert broken(desk.database) == {}


DEPLOY = """
import asyncio
from flows.definitions import definitions
from flows.runner import deployment
from sluice.profiles import load_sources
from sluice.settings import REPOSITORY

(defined,) = [each for each in definitions() if each.name == "file"]
asyncio.run(deployment(defined, load_sources(REPOSITORY / "config")).aapply())
"""


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("nonsense=1", r"not found on the deployment:\s+'nonsense'.*available on the deployment:.*'path'"),
        ("again=maybe", r"field 'again'.*'maybe' is not of type\s+'boolean'"),
        ("files=5", r"field 'files'.*5\s+is not valid"),
        ("source=webniar", r"field 'source'.*'webniar' is not one of.*'webinar'"),
    ],
)
def test_a_run_cannot_be_asked_for_with_something_impossible(
    prefect_server: PrefectServer, parameter: str, said: str
) -> None:
    """Whoever asks is told at once; there is no run, so nothing is loaded."""
    made = prefect_server.run("-c", DEPLOY)
    assert made.code == 0, made.said
    asked = prefect_server.run("-m", "prefect", "--no-prompt", "deployment", "run", "intake/file", "-p", parameter)
    assert asked.code == 1
    assert re.search(said, asked.said, re.DOTALL) and "Traceback" not in asked.said
    runs = "select count(*) from flow_run r join deployment d on d.id = r.deployment_id where d.name = 'file'"
    assert prefect_server.ask(runs) == [0]
