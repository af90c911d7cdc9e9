"""`make bench`: what an import costs, beside the least that any import must do, in the same run.

    python -m tests.bench.import_rate                       # 10k, 100k and 1M rows: half an hour or more
    python -m tests.bench.import_rate --sizes 10000 --twelvefold 10000
    python -m tests.bench.import_rate --differential 1000000 # the quick ways against the libraries as well

It prints what `docs/benchmarks.md` explains, and judges nothing but the ledger (exit code 9 if it does not add up) and
the differential (exit code 1 if one value is read otherwise).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import contacts
from tests.bench.generate import write

SIZES, LARGE = (10_000, 100_000, 1_000_000), 3_000_000
SEED = 20_270_101  # not one that anything was tuned with
NOISE = 5
"""How often the floor of the smallest file is measured, to show how far two runs of the same lie apart."""
MILLION = 1_000_000


def main() -> int:
    """Measures, prints, and says by the exit code whether the ledger adds up."""
    options = _options()
    sizes: list[int] = sorted({*options.sizes, *([LARGE] if options.large else [])})
    console, imports, floors = Console(width=132), dict[int, dict[str, Any]](), dict[int, list[dict[str, float]]]()
    console.print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {_machine()}, seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="sluice-bench-files-") as place:
        for rows in sizes:
            folder = _written(Path(place), rows, options.seed)
            floors[rows] = _child("floor", folder, "--times", str(NOISE if rows == sizes[0] else 1))
            imports[rows] = _child("import", folder)
            console.print(f"{rows:,} rows measured")
        console.print(_overview(imports, floors), _profile(imports[sizes[-1]], sizes[-1]))
        _print_growth(console, imports)
        _print_noise(console, floors[sizes[0]])
        broken = any(found["broken"] for found in imports.values())
        if options.twelvefold:
            broken |= _print_twelvefold(console, Path(place), options.twelvefold, options.seed, imports)
    if broken:
        return 9
    return contacts.main([str(options.differential)]) if options.differential else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures imports of generated leads beside their floor.")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="rows of the files")
    parser.add_argument("--large", action="store_true", help="3 million rows as well")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--twelvefold", type=int, default=100_000, metavar="ROWS",
        help="rows of a file that also goes into a store with twelve times as many leads; 0 leaves that out",
    )  # fmt: skip
    parser.add_argument(
        "--differential", type=int, default=0, metavar="VALUES",
        help="so many phone numbers and e-mail addresses read by our quick ways and by the libraries",
    )  # fmt: skip
    return parser.parse_args()


def _written(place: Path, rows: int, seed: int) -> Path:
    folder = place / f"{rows}-{seed}"
    if not folder.exists():
        write(rows, seed, folder)
    return folder


def _child(*arguments: object) -> Any:
    """What a process of its own has found; its complaints go through."""
    command = [sys.executable, "-m", "tests.bench.one_import", *map(str, arguments)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def _overview(imports: dict[int, dict[str, Any]], floors: dict[int, list[dict[str, float]]]) -> Table:
    table = Table(title="Imports beside their floor")
    for name in (
        "rows", "floor CPU s", "import CPU s", "client", "server", "wall s", "ratio", "rows/s", "CPU s per 1M",
        "peak RSS MB", "precision", "recall",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for rows, found in imports.items():
        least = median(cost["cpu"] for cost in floors[rows])
        table.add_row(
            f"{rows:,}", f"{least:.1f}", f"{found['cpu']:.1f}", f"{found['client']:.1f}", f"{found['server']:.1f}",
            f"{found['wall']:.0f}", f"{found['cpu'] / least:.1f}", f"{rows / found['wall']:,.0f}",
            f"{found['cpu'] / rows * MILLION:.0f}", f"{found['memory']}", f"{found['precision']:.5f}",
            f"{found['recall']:.5f}",
        )  # fmt: skip
    return table


def _profile(found: dict[str, Any], rows: int) -> Table:
    """Where the CPU of the largest import went; what no step has is the rest."""
    table = Table(title=f"Steps of {rows:,} rows, CPU seconds per 1M rows")
    for name in ("step", "client", "server", "share %"):
        table.add_column(name, justify="right" if name != "step" else "left")
    steps: dict[str, list[float]] = found["steps"]
    rest = [found[side] - sum(cost[at] for cost in steps.values()) for at, side in enumerate(("client", "server"))]
    for name, (client, server) in {**steps, "all else": rest}.items():
        per_million = [f"{cost / rows * MILLION:.1f}" for cost in (client, server)]
        table.add_row(name, *per_million, f"{100 * (client + server) / found['cpu']:.0f}")
    return table


def _print_growth(console: Console, imports: dict[int, dict[str, Any]]) -> None:
    sizes = list(imports)
    for less, more in pairwise(sizes):
        exponent = math.log(imports[more]["cpu"] / imports[less]["cpu"]) / math.log(more / less)
        console.print(f"growth from {less:,} to {more:,} rows: exponent {exponent:.2f}")


def _print_noise(console: Console, floors: list[dict[str, float]]) -> None:
    found = sorted(cost["cpu"] for cost in floors)
    spread = 100 * (found[-1] - found[0]) / median(found)
    shown = ", ".join(f"{cost:.2f}" for cost in found)
    console.print(
        f"noise of this machine: the same floor {len(found)} times took {shown} CPU s, a spread of {spread:.0f} %"
    )


def _print_twelvefold(console: Console, place: Path, rows: int, seed: int, imports: dict[int, dict[str, Any]]) -> bool:
    """Prints the comparison, and says whether a ledger of it is broken."""
    folder, before = _written(place, rows, seed), _written(place, 12 * rows, seed + 1)
    empty = imports.get(rows) or _child("import", folder)
    full = _child("import", folder, "--after", before)
    console.print(
        f"{rows:,} rows into an empty store {empty['cpu']:.1f} CPU s, into one of {12 * rows:,} rows {full['cpu']:.1f}: "
        f"{full['cpu'] / empty['cpu']:.2f} times (server {empty['server']:.1f} and {full['server']:.1f})"
    )
    return bool(empty["broken"] or full["broken"])


def _machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} x {model}, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
