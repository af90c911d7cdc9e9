"""What a bucket full of small files, and one large file, cost: `python -m tests.bench.bucket_load --files 500`.

Everything runs as in production: a Prefect server, the watcher, the runner with a process a flow run, Postgres. The
table says how long it took until the inbox was empty, how many runs and task runs that were, and the most memory that
any process of ours had.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from flows.prefect_server import running
from sluice.settings import REPOSITORY
from sluice.store import embedded

ROWS = 10
"""Rows of a small file."""

HEADER = "full_name,email,company,country,title,city,remarks\n"
REMARK = "Asked for the price list and a visit in spring; has used a product like ours before; may be called after ten."
"""Which makes a row as long as those of real files: a file of 1 GB has some five million."""

RUNS = """
select r.name, count(t.id), r.state_type::text, extract(epoch from r.total_run_time)
from flow_run as r left join task_run as t on t.flow_run_id = r.id group by r.id order by r.start_time
"""


@dataclass
class Memory:
    """The most memory that each process below this one has had, in MB, by what it runs."""

    peaks: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def watched(self) -> Generator[None]:
        """Looks twice a second, for as long as the block lasts."""
        stop = threading.Event()
        thread = threading.Thread(target=self._look, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _look(self, stop: threading.Event) -> None:
        while not stop.wait(0.5):
            parents = {int(path.name): _status(path) for path in Path("/proc").iterdir() if path.name.isdecimal()}
            ours = {os.getpid()}
            for _ in range(8):
                ours |= {pid for pid, (parent, _, _) in parents.items() if parent in ours}
            for pid in ours - {os.getpid()}:
                _, peak, name = parents.get(pid, (0, 0.0, ""))
                self.peaks[name] = max(self.peaks.get(name, 0.0), peak)


def _status(path: Path) -> tuple[int, float, str]:
    """Parent, peak in MB and a name for what it runs."""
    try:
        lines = dict(line.split(":\t", 1) for line in (path / "status").read_text().splitlines() if ":\t" in line)
        command = (path / "cmdline").read_text().replace("\0", " ")
    except OSError:
        return 0, 0.0, ""
    known = ("flows.watcher", "flows.runner", "prefect server", "flow-run", "prefect.engine", "postgres")
    name = next((word for word in known if word in command), "other")
    return int(lines["PPid"]), int(lines.get("VmHWM", "0 kB").split()[0]) / 1024, name


def main() -> int:
    """Measures and prints; 1 if something was left in the inbox or went to failed/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="small files of 10 rows each")
    parser.add_argument("--large", type=int, default=0, help="MB of one large file beside them")
    parser.add_argument("--limit", type=int, default=7_200, help="seconds after which it gives up")
    wanted = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="sluice-bench-"))
    home.chmod(0o711)
    inbox = home / "bucket" / "inbox"
    inbox.mkdir(parents=True)
    memory = Memory()
    with ExitStack() as stack:
        cluster = stack.enter_context(embedded.running(home))
        told = stack.enter_context(running(home))
        environ = {**os.environ, **told, "SLUICE_HOME": str(home)}
        stack.enter_context(memory.watched())
        for module in ("flows.runner", "flows.watcher"):
            log = stack.enter_context((home / f"{module}.log").open("w"))
            arguments = [sys.executable, "-m", module]
            child = subprocess.Popen(arguments, env=environ, cwd=REPOSITORY, stdout=log, stderr=log)
            stack.callback(_end, child)
        _drop(inbox, wanted.files, wanted.large)
        started = time.monotonic()
        _wait(inbox, started + wanted.limit)
        seconds = time.monotonic() - started
        time.sleep(10)  # the last run says that it has ended
        with psycopg.connect(cluster.url("prefect")) as connection:
            runs = connection.execute(RUNS).fetchall()
        left = sum(1 for path in inbox.rglob("*") if path.is_file())
        failed = sum(1 for _ in (home / "bucket/failed").rglob("*.csv"))
    _show(wanted, seconds, runs, memory)
    Console().print(f"{left} files are left in the inbox, {failed} failed. Logs and leads are in {home}")
    return 1 if left or failed else 0


def _drop(inbox: Path, files: int, large: int) -> None:
    for number in range(files):
        rows = (f"Ann Bo{number} Lee{row}" for row in range(ROWS))
        (inbox / f"{number:05}.csv").write_text(
            HEADER + "".join(_row(name, number, at) for at, name in enumerate(rows))
        )
    if large:
        unfinished = inbox / "large.csv.part"
        with unfinished.open("w") as file:
            file.write(HEADER)
            number = 0
            while file.tell() < large << 20:
                number += 1
                file.write("".join(_row(f"Ivo Horak{number}", 10**6 + number, row) for row in range(1_000)))
        unfinished.rename(inbox / "large.csv")


def _row(name: str, number: int, row: int) -> str:
    mail = f"{row}.{number}@lee{number}.example"
    return f"{name},{mail},Lee {number} Ltd,US,Sales Director,Springfield,{number} {REMARK}\n"


def _wait(inbox: Path, until: float) -> None:
    while any(path.is_file() for path in inbox.rglob("*")) and time.monotonic() < until:
        time.sleep(1)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(60)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _show(wanted: argparse.Namespace, seconds: float, runs: list[tuple[object, ...]], memory: Memory) -> None:
    table = Table(title=f"{wanted.files:,} files of {ROWS} rows, and one of {wanted.large:,} MB")
    table.add_column("what")
    table.add_column("measured", justify="right")
    counts = [int(str(count)) for _, count, _, _ in runs]
    states = sorted({str(state) for _, _, state, _ in runs})
    for what, measured in (
        ("seconds until the inbox was empty", f"{seconds:,.0f}"),
        ("files a second", f"{wanted.files / max(seconds, 1):.1f}"),
        ("flow runs", f"{len(runs):,} ({', '.join(states)})"),
        ("task runs of a flow run, at most", f"{max(counts, default=0)}"),
        *((f"peak memory, {name}", f"{peak:,.0f} MB") for name, peak in sorted(memory.peaks.items())),
    ):
        table.add_row(what, measured)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
