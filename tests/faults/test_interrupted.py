"""R2: an import that is asked to stop, runs out of memory, or meets a defect of ours: nothing to do but run it again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.commands.mishaps import tell
from sluice.settings import REPOSITORY
from sluice.store.engine import Database
from tests.faults.conftest import ROWS, SLICE_ROWS, Workers, wait_for_rows
from tests.faults.oracle import Acknowledgements, acknowledged_is_stored, all_in, tidy, whole

INTERRUPTS = int(os.environ.get("SLUICE_INTERRUPTS") or 1)
"""Imports that get each signal at a random moment; the long run has 20."""

SLUICE = Path(sys.executable).with_name("sluice")

STEPS = [
    "sluice.intake.work",
    "sluice.pipeline.read",
    "sluice.pipeline.normalize",
    "sluice.pipeline.validate",
    "sluice.pipeline.keyed",
    "sluice.pipeline.gather",
    "sluice.pipeline.dedupe:2",
    "sluice.pipeline.score:2",
    "sluice.pipeline.route:2",
    "sluice.pipeline.load:2",
    "sluice.pipeline._advance",
    "sluice.store.receipts.finish",
    "sluice.buckets.report",
    "sluice.buckets.write_report",
    "sluice.store.receipts.moved",
]
"""Where our own defect shows; the second time, where a first slice shall get in."""


@pytest.mark.parametrize("number", range(INTERRUPTS))
@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]], ids=["term", "int twice"])
def test_asked_to_stop_at_any_moment(
    number: int,
    signals: list[signal.Signals],
    workers: Workers,
    bucket: Path,
    leads_file: Path,
    database: Database,
    undisturbed: list[str],
    acks: Acknowledgements,
) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    pid = workers.start(bucket, database, acks=acks.path)
    time.sleep(chance.uniform(0, 2))
    for each in signals:
        os.kill(pid, each)
        time.sleep(chance.uniform(0, 0.2))
    status = workers.wait(pid)
    print(f"seed {seed}: ended with {status}")
    assert status in (0, signal.SIGTERM, signal.SIGINT, 130 << 8)
    acknowledged_is_stored(database, acks, SLICE_ROWS, ROWS)
    assert workers.run(bucket, database) == 0, workers.said()
    assert whole(database) == undisturbed
    all_in(database, [leads_file])
    tidy(bucket, {leads_file.name})


@pytest.mark.parametrize(
    ("signals", "codes"),
    [
        pytest.param([signal.SIGINT], [130], id="Ctrl-C"),
        pytest.param([signal.SIGINT, signal.SIGINT], [130, -signal.SIGINT], id="Ctrl-C twice"),
        pytest.param([signal.SIGTERM], [-signal.SIGTERM], id="SIGTERM"),
    ],
)
def test_the_command_says_so_and_its_exit_code_too(
    signals: list[signal.Signals],
    codes: list[int],
    home: Path,
    leads_file: Path,
    database: Database,
    workers: Workers,
    undisturbed: list[str],
) -> None:
    """A shell shows a process that a signal ended as 128 + its number: 130 and 143."""
    environ = {"SLUICE_HOME": str(home), "SLUICE_DATABASE_URL": database.url, "SLUICE_SLICE_ROWS": "10"}
    command = [str(SLUICE), "import", str(leads_file)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env={**os.environ, **environ}, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for_rows(database)
        for each in signals:
            process.send_signal(each)
        _, said = process.communicate(timeout=60)
    assert process.returncode in codes, said
    assert "@" not in said, "personal data"
    if codes == [130]:
        assert "Interrupted. What is committed stays; the same command goes on from there." in said
    assert workers.run(leads_file, database) == 0, workers.said()
    assert whole(database) == undisturbed


IMPORT = """
import os, resource, sys
from pathlib import Path
from sluice.intake import Order, intake, opened
from sluice.settings import Settings
with opened(Settings.read(os.environ)) as office:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[2]) * (1 << 20),) * 2)
    intake(office, Order(Path(sys.argv[1])))
"""


def test_too_little_memory(
    workers: Workers, leads_file: Path, home: Path, database: Database, undisturbed: list[str]
) -> None:
    """Far too little, and nearly enough: wherever an allocation fails, the next import completes the work."""
    environ = {**os.environ, "SLUICE_HOME": str(home), "SLUICE_DATABASE_URL": database.url, "SLUICE_SLICE_ROWS": "100"}
    ended = [
        subprocess.run(
            [sys.executable, "-c", IMPORT, str(leads_file), str(megabytes)],
            cwd=REPOSITORY,
            env=environ,
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode
        for megabytes in (2, 48)
    ]
    print(f"ended with {ended}")
    assert ended[0] != 0, "the limit had no effect"
    assert workers.run(leads_file, database) == 0, workers.said()
    assert whole(database) == undisturbed
    all_in(database, [leads_file])


def test_too_little_memory_is_said_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(MemoryError()) == 1
    assert "it has too little memory. Give it more memory" in " ".join(capsys.readouterr().err.split())


def test_a_defect_in_each_step(
    workers: Workers, bucket: Path, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """One after the other, each import a little further; the last meets none."""
    ended = {step: workers.run(bucket, database, accident=step) for step in STEPS}
    assert ended == dict.fromkeys(STEPS, 1 << 8), "some accident did not happen"
    assert workers.run(bucket, database) == 0, workers.said()
    assert whole(database) == undisturbed
    all_in(database, [leads_file])
    tidy(bucket, {leads_file.name})
