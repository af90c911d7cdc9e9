"""How many posts a second the HTTP door acknowledges, and whether it loses one when ten times as many come.

`python -m tests.bench.door_load` starts a durable Postgres, the door and wrk beside them on this machine. Every post is
signed; one in five was sent before. The figures are printed; the run fails only if an acknowledged receipt is not there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from sluice.api.rules import DoorRules
from sluice.store import embedded
from sluice.store.migrate import migrate
from tests.conftest import create_database, open_database
from tests.doors import Door, opened, signature

SCRIPT = Path(__file__).with_suffix(".lua")
DUPLICATES = 0.2
ALLOWED_MS = 100
RULES = "source: {per_second: 100000, burst: 100000}\n"
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
THREADS = 2


class Stage(NamedTuple):
    """What wrk found with so many connections."""

    connections: int
    per_second: float
    p50_ms: float
    p99_ms: float
    refused: int

    def __str__(self) -> str:
        return (
            f"{self.connections:>5} connections: {self.per_second:>7,.0f} answers/s, p50 {self.p50_ms:.1f} ms, "
            f"p99 {self.p99_ms:.1f} ms, {self.refused:,} not 2xx"
        )


def write_posts(path: Path, number: int, start: int = 0) -> None:
    """Signed bodies, a fifth of which are copies of earlier ones."""
    chance, bodies = random.Random(start), list[bytes]()
    with path.open("wb") as file:
        for at in range(start, start + number):
            if bodies and chance.random() < DUPLICATES:
                body = bodies[chance.randrange(max(0, len(bodies) - 2_000), len(bodies))]
            else:
                body = json.dumps(
                    {
                        "id": f"load-{at}",
                        "name": f"Anna Petrova {at}",
                        "email": f"anna.{at}@acme-cabling.example",
                        "company": "Acme Cabling Inc.",
                        "message": "Please send us an offer for 120 m of cable, delivered to our site in Ruse.",
                    }
                ).encode()
                bodies.append(body)
            file.write(signature(body)["X-Signature"].encode() + b"\t" + body + b"\n")


def stage(door: Door, connections: int, seconds: int, posts: Path, ledger: Path | None = None) -> Stage:
    """Lets wrk post for some seconds."""
    arguments = [str(posts), str(THREADS), *([str(ledger)] if ledger else [])]
    command = ["wrk", "-t", str(THREADS), "-c", str(max(connections, THREADS)), "-d", f"{seconds}s", "--latency"]
    command += ["--timeout", "10s", "-s", str(SCRIPT), f"http://127.0.0.1:{door.port}", "--", *arguments]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Stage(
        connections,
        float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]),  # type: ignore[index]
        _milliseconds(said, "50%"),
        _milliseconds(said, "99%"),
        int(refused[1]) if refused else 0,
    )


def _milliseconds(said: str, share: str) -> float:
    found = re.search(rf"{share}\s+([\d.]+)(us|ms|s|m)\b", said)
    return float(found[1]) * UNITS[found[2]] if found else float("nan")


def resident_mb(pid: int) -> float:
    """How much memory a process has at most had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def find_knee(door: Door, folder: Path, seconds: int) -> Stage:
    """The stage with most answers a second within the time that is allowed."""
    found: list[Stage] = []
    for number, connections in enumerate((2, 8, 16, 32, 64, 128)):
        posts = folder / f"posts-{number}"
        write_posts(posts, 5_000 * seconds, start=10_000_000 * number)
        found.append(stage(door, connections, seconds, posts))
        print(found[-1], flush=True)
        posts.unlink()
    within = [one for one in found if one.p99_ms <= ALLOWED_MS and not one.refused]
    return max(within or found, key=lambda one: one.per_second)


def flood(door: Door, folder: Path, knee: Stage, seconds: int) -> bool:
    """Ten times the knee's connections, and more than the door lets in; whether all that was acknowledged is there."""
    posts, ledger = folder / "flood", folder / "ledger"
    write_posts(posts, 5_000 * seconds, start=900_000_000)
    connections = max(10 * knee.connections, 5 * DoorRules().in_flight)
    print(stage(door, connections, seconds, posts, ledger))
    lines = [line.split() for path in folder.glob("ledger.*") for line in path.read_text().splitlines()]
    statuses = Counter(line[0] for line in lines if len(line) == 2)
    named = {int(receipt) for status, receipt in (line for line in lines if len(line) == 2) if status == "202"}
    untold = sum(1 for line in lines if len(line) == 2 and line[0] in ("429", "503") and line[1] == "-")
    there = set(door.ask("select receipt_id from receipts"))
    shares = ", ".join(f"{status}: {times / sum(statuses.values()):.1%}" for status, times in sorted(statuses.items()))
    print(f"      of {sum(statuses.values()):,} answers {shares}; {untold} refusals without Retry-After")
    print(f"      {len(named):,} receipts were acknowledged, {len(named - there)} of them are lost")
    return bool(named) and not named - there


def main() -> int:
    """Measures, prints, and answers 1 if something that was acknowledged is not there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10, help="of each stage, at most 60")
    seconds = min(parser.parse_args().seconds, 60)
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory(prefix="sluice-load-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "cluster").mkdir(mode=0o711)
        (folder / "door").mkdir(mode=0o711)
        with embedded.running(folder / "cluster", embedded.Wishes()) as cluster:
            create_database(cluster, "template_of_tests", template="template0")
            database = open_database(cluster, "template_of_tests")
            migrate(database)
            database.dispose()
            with opened(cluster, folder / "door", rules=RULES) as door:
                assert door.process is not None
                print(f"{os.cpu_count()} cores, wrk beside the door, Postgres {cluster.version}, durable")
                knee = find_knee(door, folder, seconds)
                print(f"knee: {knee}")
                holds = flood(door, folder, knee, 2 * seconds)
                print(f"memory of the door: {resident_mb(door.process.pid):.0f} MB at most")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
