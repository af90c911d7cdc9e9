"""Flow `intake`: files become leads with owners."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from prefect import flow
from pydantic import Field

from sluice.errors import BrokenPromise
from sluice.folders import Dropped, dropped
from sluice.intake import UNDECLARED, Office, Order, opened
from sluice.settings import Settings
from tasks.summarise import summarise
from tasks.take_in import take_in


@flow(name="intake", flow_run_name="intake · {path}", persist_result=False)
def intake(
    path: Annotated[
        str, Field(description="A CSV file, or a folder with an inbox/ (done/ and failed/ appear beside it)")
    ],
    source: Annotated[
        str, Field(description="Declared source; an inbox's sub-folder that is called like a source goes before")
    ] = UNDECLARED,
    again: Annotated[bool, Field(description="Import a content anew although it is known")] = False,
) -> dict[str, Any]:
    """Imports a file, or every file that lies in a folder's inbox.

    Rows are read, normalised, validated, deduplicated, scored, routed and written; each becomes a lead, a reject with
    its reasons, or a set-aside. Killed at any moment, the next run goes on where this one stood.
    """
    with opened(Settings.read(os.environ)) as office:
        reports = [take_in(office, file) for file in collect(office, Path(path), source, again)]
        return concluded(summarise(reports), reports)


def concluded(totals: dict[str, int], reports: list[dict[str, Any]]) -> dict[str, int]:
    """The totals of a run in which every file came to an end of its own.

    Raises:
        BrokenPromise: a file failed for no reason of its own; it stays in the inbox, and the next run tries it again.
    """
    broken = [found["file"] for found in reports if found["state"] == "broken"]
    if broken:
        raise BrokenPromise(f"{len(broken)} of {len(reports)} files failed, see their task runs: {', '.join(broken)}")
    return totals


def collect(office: Office, path: Path, source: str, again: bool) -> list[Dropped | Order]:
    """What there is to import at a path."""
    order = Order(path, source, again)
    return list(dropped(path, order, lambda name: name in office.sources)) if path.is_dir() else [order]
