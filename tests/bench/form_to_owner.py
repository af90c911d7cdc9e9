"""How long a posted form takes until its lead has an owner: `python -m tests.bench.form_to_owner --minutes 12`.

Everything runs as in production, by `sluice up`: the HTTP door, the inbox, Postgres, the Prefect server and its runner.
Posts come at a steady rate, a fifth of them for the second time. A second connection looks for leads with an owner
twenty times a second; the time between the post and that look is the latency. With `--rows` a file is imported
meanwhile, with `--kill` the window's run and the Prefect server are killed half-way.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import httpx
import psycopg

from flows.prefect_server import is_free
from sluice.settings import REPOSITORY
from tests.bench.generate import write

DUPLICATES = 0.2
LOOK = 0.05
KILLED = (b"prefect.engine", b"prefect.server", b"prefect\0server")
OWNED = """
select t.receipt_id from sluice.touches as t inner join sluice.leads as l on t.lead_id = l.lead_id
where t.receipt_id = any(%s) and (l.owner is not null or l.team is not null)
"""


@dataclass
class Tally:
    """When each receipt was posted, and when its lead had an owner."""

    posted: dict[int, float] = field(default_factory=dict)
    owned: dict[int, float] = field(default_factory=dict)
    refused: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)

    def look(self, url: str) -> None:
        """Looks for owners until nothing is missing and no more comes."""
        with psycopg.connect(url, autocommit=True) as connection:
            while True:
                missing = [number for number in list(self.posted) if number not in self.owned]
                if not missing and self.is_over.is_set():
                    return
                for (number,) in connection.execute(OWNED, (missing,)).fetchall():
                    self.owned.setdefault(number, time.monotonic())
                time.sleep(LOOK)

    def latencies(self) -> list[float]:
        """Seconds, in the order of the posts."""
        return [self.owned[number] - at for number, at in sorted(self.posted.items(), key=lambda item: item[1])]


def post(tally: Tally, door: str, key: str, rate: float, minutes: float) -> None:
    """Posts at a steady rate; an answer that is late holds up nothing."""
    chance, bodies = random.Random(7), list[bytes]()
    began, number, lock = time.monotonic(), 0, threading.Lock()
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    with httpx.Client(base_url=door, headers={"Authorization": f"Bearer {key}"}, limits=limits, timeout=30) as client:

        def one(body: bytes, at: float) -> None:
            try:
                answer = client.post("/v1/leads", content=body, headers={"Content-Type": "application/json"})
            except httpx.HTTPError:
                answer = None
            with lock:
                if answer is not None and answer.status_code == 202:
                    tally.posted.setdefault(answer.json()["receipt"], at)
                else:
                    tally.refused += 1

        threads: list[threading.Thread] = []
        while (at := began + number / rate) < began + minutes * 60:
            time.sleep(max(0.0, at - time.monotonic()))
            is_again = bool(bodies) and chance.random() < DUPLICATES
            body = chance.choice(bodies[-200:]) if is_again else _body(number)
            bodies.append(body)
            threads.append(threading.Thread(target=one, args=(body, time.monotonic())))
            threads[-1].start()
            threads = [thread for thread in threads if thread.is_alive()]
            number += 1
        for thread in threads:
            thread.join()


def _body(number: int) -> bytes:
    said = {
        "full_name": f"Rosa Lindqvist {number}",
        "email": f"rosa{number}@firm{number % 5_000}.example",
        "company": f"{random.Random(number % 5_000).choice('Nord Syd Ost Vest Berg Dal Sjö'.split())}firma {number % 5_000}",
        "country": "Sweden",
        "description": "Please send us an offer for 120 m of cable.",
    }
    return json.dumps(said).encode()


def main() -> int:
    """Starts everything, posts, prints; fails only if the ledger does not add up."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="sluice-bench-home-") as place:
        home = Path(place)
        home.chmod(0o711)
        ports = [port for port in range(4500, 4600) if is_free("127.0.0.1", port)][:2]
        environ = {**os.environ, "SLUICE_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
        command = [sys.executable, "-m", "flows.cli"]
        up = subprocess.Popen(
            [*command, "up", "--port", str(ports[0]), "--door-port", str(ports[1])],
            env=environ, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert up.stdout
            while "Ready" not in (line := up.stdout.readline()):
                assert line, "sluice up ended"

            def ask(*arguments: str) -> str:
                return subprocess.run(
                    [*command, *arguments], env=environ, cwd=REPOSITORY, capture_output=True, text=True, check=True
                ).stdout

            key = json.loads(ask("key", "create", "bench", "--scope", "leads:write", "--json"))["key"]
            url = ask("db", "url").strip()
            tally = Tally()
            looker = threading.Thread(target=tally.look, args=(url,))
            looker.start()
            loading = _load(options.rows, home, command, environ) if options.rows else None
            if options.kill:
                threading.Timer(options.minutes * 30, _kill, args=(home,)).start()
            post(tally, f"http://127.0.0.1:{ports[1]}", key, options.rate, options.minutes)
            tally.is_over.set()
            looker.join(180)
            if loading:
                loading.terminate()
                loading.wait()
            _print(tally, options)
            verified = subprocess.run([*command, "verify"], env=environ, cwd=REPOSITORY, capture_output=True, text=True)
            print(f"sluice verify: exit code {verified.returncode}")
            return verified.returncode
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(60)


def _load(rows: int, home: Path, command: list[str], environ: dict[str, str]) -> subprocess.Popen[bytes]:
    path, _ = write(rows, 20_270_101, home / "large")
    return subprocess.Popen(
        [*command, "import", str(path)],
        env=environ,
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _kill(home: Path) -> None:
    """Kills the run of the window, and the Prefect server."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            said, environ = (path / "cmdline").read_bytes(), (path / "environ").read_bytes()
        except OSError:  # it has ended
            continue
        if f"SLUICE_UP={home}".encode() in environ and any(part in said for part in KILLED):
            os.kill(int(path.name), signal.SIGKILL)
    print(f"{time.strftime('%H:%M:%S')} killed the window's run and the Prefect server", flush=True)


def _print(tally: Tally, options: argparse.Namespace) -> None:
    found = tally.latencies()
    minutes = sorted({int(at - min(tally.posted.values())) // 60 for at in tally.posted.values()})
    began = min(tally.posted.values())
    print(
        f"{len(found):,} leads from posts at {options.rate:g}/s for {options.minutes:g} minutes, {tally.refused} refused"
    )
    for minute in minutes:
        theirs = sorted(tally.owned[n] - at for n, at in tally.posted.items() if int(at - began) // 60 == minute)
        print(f"  minute {minute + 1:>2}: {_told(theirs)}")
    print(f"  all      : {_told(found)}")


def _told(seconds: list[float]) -> str:
    cuts = quantiles(seconds, n=100) if len(seconds) > 1 else seconds * 99
    return f"p50 {cuts[49]:.2f} s, p95 {cuts[94]:.2f} s, p99 {cuts[98]:.2f} s, most {max(seconds):.2f} s"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--rows", type=int, default=0, help="of a file that is imported meanwhile")
    parser.add_argument("--kill", action="store_true", help="the window's run and the Prefect server, half-way")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
