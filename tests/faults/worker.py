"""A process that imports in children of its own, so that a test can kill them without paying for imports each time.

It reads orders, one JSON object a line, and answers each with a line:
`{"do": "start", "path": …, "folder": false, "environ": {…}, "mutant": null}` → pid; `{"do": "wait", "pid": …}` → status.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from sluice import pipeline
from sluice.batch import Batch
from sluice.folders import dropped, take_in
from sluice.intake import Order, intake, opened
from sluice.pipeline import Job
from sluice.profiles import load_profile, load_sources
from sluice.settings import Settings
from sluice.sources import files
from sluice.sources.stamp import stamp
from sluice.store.engine import Database
from sluice.store.queries import execute
from sluice.store.receipts import Receipt


def run(order: dict[str, Any]) -> None:
    """Imports a file, or a folder's inbox, as the command line and the flow do."""
    path = Path(order["path"])
    with opened(Settings.read(os.environ)) as office:
        if order["folder"]:
            for file in dropped(path, Order(path), lambda name: name in office.sources):
                take_in(office, file)
        else:
            intake(office, Order(path))


def checkpoint_outside() -> None:
    """A mutant: the checkpoint is written after the commit, in a transaction of its own (R26)."""
    whole = pipeline._land_slice

    def nothing(connection: Connection, job: pipeline.Job, reached: int, last: int) -> None:
        return None

    def land_slice(database: Database, job: pipeline.Job, part: Batch, last: int) -> None:
        whole(database, job, part, last)
        with database.transaction() as connection:
            number = job.receipt.receipt_id
            execute(connection, "receipt_checkpoint", receipt_id=number, row=last, expected=last - len(part))

    pipeline._advance, pipeline._land_slice = nothing, land_slice


MUTANTS = {"checkpoint outside": checkpoint_outside}


def start(order: dict[str, Any]) -> int:
    """Forks a child that carries out an order."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.environ.update(order["environ"])
        if order["mutant"]:
            MUTANTS[order["mutant"]]()
        run(order)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


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


def main() -> None:
    """Answers orders until there are none."""
    warm_up()
    for line in sys.stdin:
        order = json.loads(line)
        answer = start(order) if order["do"] == "start" else os.waitpid(order["pid"], 0)[1]
        print(answer, flush=True)


if __name__ == "__main__":
    main()
