"""A folder that files are dropped into: `inbox/` → `done/` with report and rejects beside the file, or `failed/`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluice import crash
from sluice.errors import UnreadableFile
from sluice.intake import UNDECLARED, Office, Order, intake
from sluice.reports import report, write_rejects, write_report
from sluice.store import receipts

UNFINISHED = (".tmp", ".part", ".crdownload", ".filepart")
"""Endings of files that something still writes."""


@dataclass(frozen=True)
class Dropped:
    """A file that lies in an inbox; the folder below the inbox names its source."""

    path: Path
    source: str
    root: Path


def dropped(root: Path, declared: Callable[[str], bool]) -> Iterator[Dropped]:
    """The files in `root/inbox`, by name; hidden and unfinished ones wait.

    Args:
        root: the folder that has the inbox.
        declared: whether a source of that name is declared.

    Raises:
        UnreadableFile: there is no inbox.
    """
    inbox = root / "inbox"
    if not inbox.is_dir():
        raise UnreadableFile(str(inbox), "there is no such folder", fix="Create it and drop files into it")
    for path in sorted(inbox.rglob("*")):
        parts = path.relative_to(inbox).parts
        if path.is_file() and not any(p.startswith(".") for p in parts) and path.suffix not in UNFINISHED:
            source = parts[0] if len(parts) > 1 and declared(parts[0]) else UNDECLARED
            yield Dropped(path, source, root)


def take_in(office: Office, file: Dropped, order: Order) -> dict[str, Any]:
    """Imports a dropped file and moves it, with its report and rejects, out of the inbox.

    The receipt is settled before the file moves: killed in between, the next run finds the content known and moves it.

    Returns:
        The report; for a file that failed: its `error`.
    """
    try:
        receipt, was_known = intake(office, order)
    except UnreadableFile as error:
        place = _beside(file, "failed")
        found = {"file": file.path.name, "source": file.source, "state": "failed", "error": str(error)}
        write_report(found, place.with_name(place.name + ".report.json"))
        shutil.move(file.path, place)
        return found
    found = report(office.database, receipt) | {"was_known": was_known}
    place = _beside(file, "done")
    write_report(found, place.with_name(place.name + ".report.json"))
    write_rejects(office.database, receipt, place.with_name(place.name + ".rejects.csv"))
    crash.point("before_move")
    shutil.move(file.path, place)
    crash.point("after_move")
    receipts.moved(office.database, receipt.receipt_id, place.absolute().as_uri())
    return found


def _beside(file: Dropped, folder: str) -> Path:
    """Where the file goes: the same place below `folder`; a file of that name there is never overwritten."""
    place = file.root / folder / file.path.relative_to(file.root / "inbox")
    place.parent.mkdir(parents=True, exist_ok=True)
    for number in range(2, 10_000):
        if not place.exists() or place.read_bytes() == file.path.read_bytes():
            return place
        place = place.with_name(f"{file.path.stem} ({number}){file.path.suffix}")
    return place
