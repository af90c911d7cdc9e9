"""What something costs: CPU of this process and of the Postgres server, and memory; and the floor of an import."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from sluice.distinct import distinct, pairs
from sluice.intake import Office
from sluice.normalization.emails import email_domains, email_keys, read_all_emails
from sluice.normalization.phones import read_all_phones
from sluice.normalization.places import read_country
from sluice.store.tables import copy
from tests.bench.variation import COLUMNS

TABLE = f"create table floor_leads (id bigint primary key, identity_key text, {' text, '.join(COLUMNS)} text)"
INDEX = "create index on floor_leads (identity_key)"


@dataclass(frozen=True)
class Cost:
    """What something took: seconds of wall clock, and of CPU by client and server."""

    wall: float
    client: float
    server: float

    @property
    def cpu(self) -> float:
        """Of both."""
        return self.client + self.server


def measured(office: Office, work: Callable[[], object]) -> Cost:
    """Runs `work` and says what it took."""
    wall, own, server = time.perf_counter(), time.process_time(), server_cpu(office)
    work()
    return Cost(time.perf_counter() - wall, time.process_time() - own, server_cpu(office) - server)


def floor(office: Office, path: Path) -> None:
    """The least that an import of the file must do.

    One pyarrow read of all cells as text, our own validators on the distinct e-mails and phones (each phone in the
    country of its row), and a COPY of the rows into a table with a primary key and an identity index.
    """
    as_text = csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=True)
    table = csv.read_csv(path, csv.ReadOptions(use_threads=False), convert_options=as_text).to_pandas()
    rules = office.profile.normalization
    found = read_all_emails(distinct(table["email"]).values, rules.email)
    addresses = [str(reading.value) for reading in found if reading.value]
    email_keys(addresses, email_domains(addresses), rules.email)
    country = distinct(table["country"]).map(lambda text: f"{read_country(text, rules).value}:address")
    numbers = pairs(distinct(table["phone"]), distinct(country.fillna("")))
    read_all_phones([pair for pair in numbers.values if pair])
    frame = table.assign(id=pd.RangeIndex(len(table)), identity_key=table["email"])
    with office.database.transaction() as connection:
        connection.exec_driver_sql("drop table if exists floor_leads")
        connection.exec_driver_sql(TABLE)
        connection.exec_driver_sql(INDEX)
        copy(connection, "floor_leads", frame)


def peak_memory() -> int:
    """Megabytes that this process has had at most; Linux's `ru_maxrss` would count the parent's as well."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) // 1024 if found else 0


def server_cpu(office: Office) -> float:
    """CPU seconds so far of every process of the embedded server, those that have ended included."""
    if not office.database.cluster:
        return 0.0
    master = int((Path(office.database.cluster.data) / "postmaster.pid").read_text().split()[0])
    ticks = 0
    for process in (master, *map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split())):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
        except OSError:  # it has just ended, and counts among what the postmaster has waited for
            continue
        ticks += int(fields[11]) + int(fields[12])
        if process == master:
            ticks += int(fields[13]) + int(fields[14])
    return ticks / os.sysconf("SC_CLK_TCK")
