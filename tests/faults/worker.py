"""A process that imports in children of its own, so that a test can kill them without paying for imports each time.

It reads orders, one JSON object a line, and answers each with a line:
`{"do": "start", "path": …, "environ": {…}, "acks": …, "mutant": null, "accident": null,
"impatient": false}` → pid;
`{"do": "wait", "pid": …}` → status; `{"do": "ended", "pid": …}` → whether it has;
`{"do": "clock"}` → what time it thinks it is, in seconds.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sluice import buckets, crash, pipeline, windows
from sluice.inbox import Inbox
from sluice.intake import Office, Order, intake, opened
from sluice.pipeline import Job
from sluice.profiles import load_profile, load_sources
from sluice.settings import Settings
from sluice.sources import files
from sluice.sources.stamp import stamp
from sluice.store import patience
from sluice.store.receipts import Receipt
from tests.faults.mutants import MUTANTS
from tests.faults.oracle import TOLD_AT, Acknowledgements


def run(place: str, acks: Acknowledgements) -> None:
    """Imports a file, or a bucket's inbox, as the command line and the flow do; notes what is acknowledged."""
    settings = Settings.read(os.environ)
    with opened(settings) as office:
        if place == INBOX:
            while not windows.drain(office, Inbox(office)):  # the lock of a killed one outlives it for a moment
                time.sleep(0.05)
            return
        if not buckets.is_bucket(place):
            witnessed(acks, Path(place).name)
            intake(office, Order(Path(place)))
            acks.note(f"done {Path(place).name}")
            return
        rules = buckets.rules_of(settings, place)
        bucket = buckets.opened(rules, settings)
        for _ in range(PATIENCE):
            entries = sorted(bucket.entries(), key=lambda entry: entry.key)
            found = [
                taken(office, file, acks)
                for file in buckets.dropped(bucket, rules, entries, Order(Path()), office.sources)
            ]
            if "waits" not in found:  # its session may outlive a killed process for a moment, with its lock
                return
            time.sleep(0.2)


def taken(office: Office, file: buckets.Dropped, acks: Acknowledgements) -> str:
    """What became of a dropped file: its state."""
    witnessed(acks, file.entry.name)
    found = buckets.take_in(office, file)
    if "error" not in found:
        acks.note(f"done {file.entry.name}")
    return str(found["state"])


def witnessed(acks: Acknowledgements, name: str) -> None:
    """Notes that the receipt is stored, and each slice that is in, when the process is told so."""

    def point(at: str) -> None:
        if at in TOLD_AT:
            acks.note(f"{TOLD_AT[at]} {name}")
        POINT(at)

    crash.point = point


POINT = crash.point
INBOX = "the inbox"
"""What is worked instead of a file or a folder: what the doors have stored."""
PATIENCE = 50
"""Looks at a bucket, before a file that another process seems to work is left alone."""


def accident(at: str) -> None:
    """An exception where a step begins: `module.function`, or `module.function:3` for the third time."""
    place, _, times = at.partition(":")
    module, _, name = place.rpartition(".")
    step, done = getattr(sys.modules[module], name), [0]

    def fails(*arguments: Any, **named: Any) -> Any:
        done[0] += 1
        if done[0] == int(times or 1):
            raise ArithmeticError("an accident")
        return step(*arguments, **named)

    setattr(sys.modules[module], name, fails)


def start(order: dict[str, Any]) -> int:
    """Forks a child that carries out an order."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.update(order["environ"])
        if order["mutant"]:
            MUTANTS[order["mutant"]]()
        if order["accident"]:
            accident(order["accident"])
        if order["impatient"]:
            patience.PATIENCE = (0.05, 0.05)
        run(order["path"], Acknowledgements(Path(order["acks"])))
        code = 0
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def has_ended(pid: int) -> bool:
    """Whether a child has ended; it stays there to be waited for, so that a signal finds it."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def warm_up() -> None:
    """Reads the tables that the first rows of a process cost, so that the children have them."""
    settings = Settings.read(os.environ)
    profile, sources = load_profile(settings.config, settings.profile), load_sources(settings.config)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "leads.csv"
        path.write_text("full_name,email,phone,zip,country\nAnna Schmidt,anna@nordwind.example,,60601,US\n")
        survey = files.survey(path, sources["files"], profile.fields.enabled())
        now = datetime.now(UTC)
        receipt = Receipt(0, "files", "leads.csv", "working", 0, now, now, 0, "", None, 1, None, (), None, None)
        job = Job(receipt, path, survey, sources["files"], profile, sources, 1, stamp(path))
        pipeline.prepare(job, survey.chunks[0])


ANSWERS: dict[str, Callable[[dict[str, Any]], int]] = {
    "start": start,
    "wait": lambda order: os.waitpid(order["pid"], 0)[1],
    "ended": lambda order: has_ended(order["pid"]),
    "clock": lambda order: int(time.time()),
}


def main() -> None:
    """Answers orders until there are none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warm_up()
    for line in sys.stdin:
        order = json.loads(line)
        print(int(ANSWERS[order["do"]](order)), flush=True)


if __name__ == "__main__":
    main()
