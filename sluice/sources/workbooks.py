"""Workbooks: the sheet that holds leads becomes a CSV file in the spool, and goes the way of every CSV file from there.

What a file is, its first bytes say, whatever its name. The workbook is read by a process of its own with limits of
memory and time, so that one far cell, or a few bytes that stand for gigabytes, end that process and not ours.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluice.errors import BrokenPromise, UnreadableFile
from sluice.rules import SourceRules
from sluice.settings import REPOSITORY
from sluice.sources.bucket import BucketUnavailable
from sluice.sources.files import fingerprint
from sluice.sources.header import above_header
from sluice.sources.prepass import notice
from sluice.sources.spool import spooled, told
from sluice.sources.stamp import stamp
from sluice.sources.workbook_table import loose

SHOWN = 10
"""Sheets that a warning names."""

_FIRST_BYTES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_FROM_OUTSIDE = (signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGHUP)
_SAVE_AS = 'Delete what lies far from the table, divide it, or save the sheet as "CSV UTF-8"'


@dataclass(frozen=True)
class Text:
    """A file as the delimited text that is read.

    Attributes:
        path: the file itself, or the CSV file that its sheet became.
        sha256: of that CSV file; None if the file itself is read.
        notices: what a person should know of how it was made.
        refusal: why the workbook cannot be read.
        stamp: of the workbook before it was read; None if it is none.
    """

    path: Path
    sha256: str | None = None
    notices: tuple[dict[str, str], ...] = ()
    refusal: UnreadableFile | None = None
    stamp: tuple[int, int] | None = None

    def ruled(self, source: SourceRules) -> SourceRules:
        """The source's rules for this text: what it declares of its files' writing does not bind a sheet."""
        return source if self.sha256 is None else source.model_copy(update={"delimiter": ",", "encoding": "utf-8"})


@contextmanager
def as_text(path: Path, spool: Path, names: Iterable[str]) -> Generator[Text]:
    """The file itself, or, of a workbook, its sheet as CSV for as long as the block lasts.

    Args:
        path: the file.
        spool: where copies lie.
        names: of columns, by which the header and its sheet are known.

    Raises:
        BucketUnavailable: the spool has no space left, or the reading was ended from outside.
    """
    if not _may_be_workbook(path):
        yield Text(path)
        return
    condition = stamp(path)
    with spooled(spool) as folder:
        copy = folder / "sheet" / path.name  # it bears the workbook's name, which messages say
        with told(spool):
            copy.parent.mkdir()
        answers = _asked({"path": str(path.absolute()), "to": str(copy), "known": sorted(map(loose, names))})
        found: dict[str, Any] = {key: value for answer in answers for key, value in answer.items()}
        if "sheet" in found:
            yield Text(copy, fingerprint(copy)[1], _notices(found), stamp=condition)
        elif "other" in found:
            yield Text(path)
        else:
            yield Text(path, refusal=_refusal(path, spool, found), stamp=condition)


def _may_be_workbook(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) in _FIRST_BYTES
    except OSError:  # whoever reads it next says so
        return False


def _asked(order: dict[str, Any]) -> list[dict[str, Any]]:
    """What the process that reads the workbook says; how it died is an answer too."""
    search = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    ended = subprocess.run(
        [sys.executable, "-m", "sluice.sources.workbook_reader"],
        cwd="/",
        env={**os.environ, "PYTHONPATH": search, "RUST_BACKTRACE": "0"},
        input=json.dumps(order).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    answers: list[dict[str, Any]] = [json.loads(line) for line in ended.stdout.splitlines()]
    return answers or [{"died": -ended.returncode}]


def _refusal(path: Path, spool: Path, found: dict[str, Any]) -> UnreadableFile:
    if "errno" in found:
        with told(spool):
            raise OSError(found["errno"], os.strerror(found["errno"]))
    if found.get("died") in _FROM_OUTSIDE:
        fix = "Nothing of it was loaded; the next run takes it in"
        raise BucketUnavailable(path.name, "the reading of the workbook was interrupted", fix=fix)
    if found.get("died", 0) < 0:  # no signal ended it, and no limit
        raise BrokenPromise(f"the program that reads workbooks ended with exit code {-found['died']}")
    if "refused" in found:
        return UnreadableFile(path.name, *found["refused"])
    what = "time" if found.get("died") == signal.SIGXCPU else "memory"
    allowed = "a sheet that is full to the last row with ten columns, or as many cells"
    return UnreadableFile(
        path.name, f"its sheet takes too much {what}: too many cells, or too far apart", allowed, _SAVE_AS
    )


def _notices(found: dict[str, Any]) -> tuple[dict[str, str], ...]:
    notices: list[dict[str, str]] = []
    if unread := found.get("unread", found["others"]):
        text = f"Only the sheet {_named([found['sheet']])} was read, not {_named(unread)}"
        notices.append(notice("sheets.not_read", f"{text}. Drop each further list as a file of its own"))
    return (*notices, *above_header("Row", found["passed_over"]))


def _named(names: list[str]) -> str:
    return ", ".join(f"“{name[:40]}”" for name in names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
