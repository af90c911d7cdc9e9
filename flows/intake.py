"""Flow `intake`: files become leads with owners."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

from prefect import flow
from prefect.runtime import flow_run

from flows.supervision import end_with_runner
from sluice.errors import BrokenPromise
from sluice.intake import UNDECLARED, Order, opened
from sluice.settings import Settings
from sluice.sources.bucket import shown, unspelled
from tasks.collect import collect
from tasks.prepare import crew
from tasks.summarise import summarise
from tasks.take_in import take_in


def run_name() -> str:
    """What the run is called in the UI: by its file, by how many files of which source, or as a sweep."""
    parameters: dict[str, Any] = {"path": "", **flow_run.parameters}
    return named(**parameters)


def named(path: str, source: str = UNDECLARED, files: list[str] | None = None, **_: Any) -> str:
    """The name of a run with these parameters."""
    if files:
        name = shown(PurePosixPath(unspelled(files[0])).name)
        return f"intake · {name}" if len(files) == 1 else f"intake · {len(files)} files of {source}"
    where = PurePosixPath(path).name or path
    if "://" in path or Path(path).is_dir():
        return f"intake · sweep of {where if path else 'every bucket'}"
    return f"intake · {where}"


@flow(name="intake", flow_run_name=run_name, persist_result=False)
def intake(
    path: str = "", source: str = UNDECLARED, files: list[str] | None = None, again: bool = False
) -> dict[str, Any]:
    """Imports a file, or the files that lie in the inbox of a bucket.

    Rows are read, normalised, validated, deduplicated, scored, routed and written; each becomes a lead, a reject with
    its reasons, or a set-aside. Killed at any moment, the next run goes on where this one stood.

    Args:
        path: A CSV file, a folder with an inbox/ (done/ and failed/ appear beside it), or the URL of a bucket such as
            s3://acme-leads/partners. Empty: every bucket of config/buckets.yml.
        source: The declared source; in an inbox, a folder that is called like a source goes before it.
        files: Files below the inbox. Empty: everything that is complete there.
        again: Import a content anew although it is known.
    """
    end_with_runner()
    settings = Settings.read(os.environ)
    with opened(settings) as office, crew(settings.task_runner) as steps:
        work = collect(office, path, Order(Path(path), source, again, steps), files)
        reports = [found for part in work for found in take_in(office, part)]
        return concluded(summarise(reports), reports)


def concluded(totals: dict[str, int], reports: list[dict[str, Any]]) -> dict[str, int]:
    """The totals of a run in which every file came to an end of its own.

    Raises:
        BrokenPromise: a file failed for no reason of its own; it stays in the inbox, and the next run tries it again.
    """
    broken = [found for found in reports if found["state"] == "broken"]
    if broken:
        said = f"{len(broken)} of {len(reports)} files failed. {broken[0]['file']}: {broken[0]['error']}"
        others = ", ".join(found["file"] for found in broken[1:10])
        raise BrokenPromise(f"{said} See also the task runs of {others}" if others else said)
    return totals
