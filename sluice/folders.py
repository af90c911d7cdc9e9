"""A folder that files are dropped into: `inbox/` → `done/` with report and rejects beside the file, or `failed/`."""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from sluice import crash
from sluice.errors import UnreadableFile
from sluice.intake import UNDECLARED, Office, Order, intake
from sluice.reports import report, write_rejects, write_report
from sluice.sources.stamp import ChangedWhileRead, changed_while_read, stamp
from sluice.store import receipts

UNFINISHED = (".tmp", ".part", ".crdownload", ".filepart")
"""Endings of files that something still writes."""


@dataclass(frozen=True)
class Dropped:
    """A file that lies in the inbox of the folder `root`, and what is to be done with it."""

    order: Order
    root: Path

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.order.path


def dropped(root: Path, order: Order, declared: Callable[[str], bool]) -> Iterator[Dropped]:
    """The files in `root/inbox`, by name; hidden and unfinished ones wait.

    Args:
        root: the folder that has the inbox.
        order: what is to be done with each. A sub-folder of the inbox names the source; one that is no source is
            refused, unless the order names the source to fall back to.
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
            named = parts[0] if len(parts) > 1 and (declared(parts[0]) or order.source == UNDECLARED) else order.source
            yield Dropped(replace(order, path=path, source=named), root)


def take_in(office: Office, file: Dropped) -> dict[str, Any]:
    """Imports a dropped file and moves it, with its report and rejects, out of the inbox.

    The receipt is settled before the file moves: killed in between, the next run finds the content known and moves it.
    A file that somebody still writes stays; one that another run has moved meanwhile is left to that run.

    Returns:
        The report; for a file that was not taken in: its `error`.
    """
    _check_writable(file)
    try:
        before = stamp(file.path)
        receipt, was_known = intake(office, file.order)
        if stamp(file.path) != before:
            raise changed_while_read(file.path)
    except ChangedWhileRead as error:
        return _refused(file, "waits", error)
    except UnreadableFile as error:
        if not file.path.exists():
            return _refused(file, "gone", error)
        place = _beside(file, "failed")
        found = _refused(file, "failed", error)
        write_report(found, place.with_name(place.name + ".report.json"))
        shutil.move(file.path, place)
        return found
    found = report(office.database, receipt) | {"was_known": was_known}
    place = _beside(file, "done")
    write_report(found, place.with_name(place.name + ".report.json"))
    write_rejects(office.database, receipt, place.with_name(place.name + ".rejects.csv"))
    receipts.moved(office.database, receipt.receipt_id, place.absolute().as_uri())
    crash.point("before_move")
    with contextlib.suppress(FileNotFoundError):  # another run has moved it
        shutil.move(file.path, place)
    crash.point("after_move")
    return found


def _check_writable(file: Dropped) -> None:
    """Nothing is loaded from a folder that the file cannot leave, or else its report would be lost.

    Raises:
        UnreadableFile: the inbox or `done/` may not be written to.
    """
    for folder in (file.path.parent, file.root / "done", file.root / "failed"):
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise UnreadableFile(
                str(folder), "it cannot be written to", fix="Give this user write permission; nothing was loaded"
            )


def _refused(file: Dropped, state: str, error: UnreadableFile) -> dict[str, Any]:
    return {"file": file.path.name, "source": file.order.source, "state": state, "error": str(error)}


def _beside(file: Dropped, folder: str) -> Path:
    """Where the file goes: the same place below `folder`; another content of that name there is never overwritten."""
    first = file.root / folder / file.path.relative_to(file.root / "inbox")
    first.parent.mkdir(parents=True, exist_ok=True)
    names = (f"{file.path.stem} ({number}){file.path.suffix}" for number in count(2))
    for place in chain([first], (first.with_name(name) for name in names)):
        if not place.exists() or (file.path.exists() and filecmp.cmp(place, file.path, shallow=False)):
            return place
    raise AssertionError("there are numbers enough")
