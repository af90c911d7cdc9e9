"""Parts that die: started again, given up in the end, and never outlived by what they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows import supervision
from flows.supervision import Crew, GivenUp, Part
from tests.prefect_desk import until

FORKS = "import subprocess, sys, time; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True).pid, flush=True); time.sleep({})"


def crew(tmp_path: Path, program: str) -> tuple[Crew, list[str]]:
    said: list[str] = []
    made = Crew(tmp_path, said.append)
    made.start(Part("watcher", [sys.executable, "-c", program], lambda: {}, tmp_path / "watcher.log"))
    return made, said


def test_a_part_that_dies_again_and_again_is_given_up_with_its_own_words(tmp_path, monkeypatch):
    monkeypatch.setattr(supervision, "PAUSES", (0.01, 0.01))
    made, said = crew(tmp_path, "print('Error: config/buckets.yml:3: no such bucket.'); raise SystemExit(3)")
    with pytest.raises(GivenUp) as given_up:
        until(made.watch)
    assert "it ended 3 times" in str(given_up.value) and "config/buckets.yml:3: no such bucket" in str(given_up.value)
    assert len(said) == 2 and "exit code 3" in said[0]


@pytest.mark.parametrize("seconds", [0, 600], ids=["it died", "it was stopped"])
def test_what_a_part_has_started_does_not_outlive_it(tmp_path, seconds):
    made, said = crew(tmp_path, FORKS.format(seconds))
    log = tmp_path / "watcher.log"
    until(lambda: log.exists() and log.read_text().strip())
    child = Path("/proc") / log.read_text().split()[0] / "stat"
    assert child.exists()
    if not seconds:
        until(lambda: made.watch() or "ended with" in "".join(said))
    made.stop()
    assert not child.exists() or child.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_part_that_ignores_the_request_to_end_is_killed(tmp_path):
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    said: list[str] = []
    made = Crew(tmp_path, said.append)
    made.start(Part("deaf", [sys.executable, "-c", program], lambda: {}, tmp_path / "deaf.log", stop_seconds=0.2))
    until((tmp_path / "deaf.log").read_text)
    made.stop()
    assert not made.lives("deaf")


RUN = "import os, time; from flows.supervision import end_with_runner; end_with_runner(); print(os.getpid(), flush=True); time.sleep(600)"


@pytest.mark.parametrize("environ", [{}, {supervision.MARK: "/srv/sluice"}], ids=["elsewhere", "below sluice up"])
def test_a_run_ends_with_its_runner_below_sluice_up(environ):
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {RUN!r}])"
    ambient = {name: text for name, text in os.environ.items() if name != supervision.MARK}
    with subprocess.Popen([sys.executable, "-c", program], env=ambient | environ, stdout=subprocess.PIPE) as runner:
        run = int(runner.stdout.readline())
        runner.kill()
        runner.wait()
        state = Path(f"/proc/{run}/stat")
        if environ:
            until(lambda: not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z")
        else:
            assert state.exists()
            os.kill(run, signal.SIGKILL)
