"""One import, or one floor, in a process of its own, so that peak memory is of nothing else; prints JSON.

python -m tests.bench.one_import import DIR            # DIR/leads.csv and DIR/truth.csv, into an empty store
python -m tests.bench.one_import import DIR --after D  # after D/leads.csv
python -m tests.bench.one_import floor DIR --times 5
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Any

from sluice import pipeline
from sluice.intake import Office, Order, intake, opened
from sluice.settings import Settings
from sluice.sources import files
from sluice.store.ledger import verify
from tests.bench.generate import pairs_score, read_truth
from tests.bench.measuring import Cost, floor, measured, peak_memory

STEPS = ("read", "normalize", "validate", "keyed", "gather", "dedupe", "score", "route", "load")
"""Functions of `sluice.pipeline` that are steps, in their order; `fingerprint` and `survey` come before them."""


class Meter:
    """Adds up what each step costs, by wrapping the functions that the pipeline calls."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.costs: dict[str, list[float]] = {}
        for module, names in ((files, ("fingerprint", "survey")), (pipeline, STEPS)):
            for name in names:
                if hasattr(module, name):
                    setattr(module, name, self._metered(name, getattr(module, name)))

    def _metered(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        cost = self.costs.setdefault(name, [0.0, 0.0])

        @wraps(function)
        def metered(*given: Any, **named: Any) -> Any:
            results: list[Any] = []
            took = measured(self.office, lambda: results.append(function(*given, **named)))
            cost[0], cost[1] = cost[0] + took.client, cost[1] + took.server
            return results[0]

        return metered


def run_import(office: Office, folder: Path, before: Path | None) -> dict[str, Any]:
    """Takes in `leads.csv` of a folder and says what it cost and whether it came out right."""
    if before:
        intake(office, Order(before / "leads.csv"))
    meter = Meter(office)
    receipts: list[int] = []
    cost = measured(office, lambda: receipts.append(intake(office, Order(folder / "leads.csv"))[0].receipt_id))
    memory = peak_memory()
    precision, recall = pairs_score(_assigned(office, receipts[0]), read_truth(folder / "truth.csv"))
    broken = sum(check.violations for check in verify(office.database))
    found = {"memory": memory, "precision": precision, "recall": recall, "broken": broken, "steps": meter.costs}
    return {**_told(cost), **found}


def run_floor(office: Office, folder: Path, times: int) -> list[dict[str, float]]:
    """The floor of the same file, some times over."""
    return [_told(measured(office, lambda: floor(office, folder / "leads.csv"))) for _ in range(times)]


def _told(cost: Cost) -> dict[str, float]:
    return {**asdict(cost), "cpu": cost.cpu}


def _assigned(office: Office, receipt_id: int) -> dict[int, int]:
    wanted = "select row_number, lead_id from touches where lead_id is not null and receipt_id = %s"
    with office.database.connection() as connection:
        return {row[0]: row[1] for row in connection.exec_driver_sql(wanted, (receipt_id,))}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measures one import, or its floor.")
    parser.add_argument("what", choices=("import", "floor"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--after", type=Path)
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as home:
        Path(home).chmod(0o711)  # the server's own user passes through it
        with opened(Settings.read({"SLUICE_HOME": home})) as office:
            try:
                if options.what == "floor":
                    found: Any = run_floor(office, options.folder, options.times)
                else:
                    found = run_import(office, options.folder, options.after)
            finally:
                office.database.stop()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
