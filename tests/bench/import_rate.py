"""`make bench`: what an import costs, beside the least that any import must do, in the same run.

The floor: one pyarrow read of the file, the shipped validators on its distinct e-mails and phones, and a COPY of the
rows into a table with a primary key and an identity index. CPU counts this process and the Postgres server.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import csv
from rich.console import Console
from rich.table import Table

from sluice.intake import Office, Order, intake, opened
from sluice.normalization.emails import email_key, read_email
from sluice.normalization.phones import read_phone
from sluice.settings import Settings
from sluice.store.ledger import verify
from sluice.store.tables import copy
from tests.bench.generate import pairs_score, read_truth, write
from tests.bench.variation import COLUMNS

SIZES = (10_000, 100_000)
SEED = 11
TABLE = f"create table floor_leads (id bigint primary key, identity_key text, {' text, '.join(COLUMNS)} text)"
INDEX = "create index on floor_leads (identity_key)"


@dataclass(frozen=True)
class Cost:
    """What something took: seconds of wall clock, and of CPU by client and server."""

    wall: float
    cpu: float


def measured(office: Office, work: Callable[[], None]) -> Cost:
    """Runs `work` and says what it took."""
    wall, cpu = time.perf_counter(), _cpu(office)
    work()
    return Cost(time.perf_counter() - wall, _cpu(office) - cpu)


def floor(office: Office, path: Path) -> None:
    """The least that an import of the file must do."""
    as_text = csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=True)
    table = csv.read_csv(path, csv.ReadOptions(use_threads=False), convert_options=as_text).to_pandas()
    rules = office.profile.normalization
    for address in table["email"].dropna().unique():
        found = read_email(str(address), rules.email).value
        if found:
            email_key(found, rules.email)
    for number in table["phone"].dropna().unique():
        read_phone(str(number), [("US", "source")])
    frame = table.assign(id=range(len(table)), identity_key=table["email"])
    with office.database.transaction() as connection:
        connection.exec_driver_sql(TABLE)
        connection.exec_driver_sql(INDEX)
        copy(connection, "floor_leads", frame)


def main() -> int:
    """Prints the table of `docs/benchmarks.md`; the exit code says whether the ledger adds up."""
    shown = Table(title=f"import beside its floor, {os.cpu_count()} cores")
    for name in ("rows", "floor CPU s", "import CPU s", "import wall s", "ratio", "rows/s", "peak RSS MB", "P", "R"):
        shown.add_column(name, justify="right")
    broken = 0
    for rows in SIZES:
        with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
            Path(folder).chmod(0o711)
            settings = Settings.read({"SLUICE_HOME": folder})
            leads, truth = write(rows, SEED, Path(folder))
            with opened(settings) as office:
                least = measured(office, lambda office=office, leads=leads: floor(office, leads))
                cost = measured(office, lambda office=office, leads=leads: _import(office, leads))
                precision, recall = pairs_score(_assigned(office), read_truth(truth))
                broken += sum(check.violations for check in verify(office.database))
                office.database.stop()
            rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            cells = (
                f"{rows:,}",
                f"{least.cpu:.1f}",
                f"{cost.cpu:.1f}",
                f"{cost.wall:.1f}",
                f"{cost.cpu / least.cpu:.1f}",
            )
            shown.add_row(*cells, f"{rows / cost.wall:,.0f}", str(rss), f"{precision:.4f}", f"{recall:.4f}")
    Console(width=110).print(shown)
    return 9 if broken else 0


def _import(office: Office, path: Path) -> None:
    intake(office, Order(path))


def _assigned(office: Office) -> dict[int, int]:
    with office.database.connection() as connection:
        found = connection.exec_driver_sql("select row_number, lead_id from touches where lead_id is not null")
        return {row[0]: row[1] for row in found}


def _cpu(office: Office) -> float:
    """CPU seconds so far: of this process, and of every process of the embedded server."""
    own = time.process_time()
    ticks = os.sysconf("SC_CLK_TCK")
    data = str(office.database.cluster.data) if office.database.cluster else ""
    master = int((Path(data) / "postmaster.pid").read_text().split()[0]) if data else 0
    server = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if master in (int(fields[1]), int(stat.parent.name)):
            server += int(fields[11]) + int(fields[12])
            if int(stat.parent.name) == master:
                server += int(fields[13]) + int(fields[14])
    return own + server / ticks


if __name__ == "__main__":
    sys.exit(main())
