"""What a healthy source looks like: a file that is not as expected, and a source that has fallen silent.

Nothing is refused for it: leads are taken in as ever, and people are told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from sluice.rules import Expectation
from sluice.schema import REJECT_COLUMNS

ENOUGH = 5
"""Arrivals from which a habit can be told."""

FORGOTTEN = timedelta(days=90)
"""After which a source that never promised anything counts as given up, and nobody is told of it any more."""

_LATE = 1.5  # of the declared interval, and of the longest pause so far: a file may come some hours late
_UNUSUAL = 3.0  # usual intervals
_MERGED = timedelta(hours=1)  # files that come together are one arrival


@dataclass(frozen=True)
class Arrived:
    """A file that has been worked: its rows, how many of them were rejected, the names of its columns."""

    rows: int
    rejects: int
    columns: Sequence[str]


@dataclass(frozen=True)
class Silence:
    """That a source which usually sends leads sends none."""

    since: datetime
    text: str


def broken(expected: Expectation, arrived: Arrived, before: Sequence[str] | None) -> list[dict[str, str]]:
    """What is not as expected: `code` and, in words without personal data, `text`.

    Args:
        expected: of the source.
        arrived: the file.
        before: the columns of the source's last file, or None if it is the first.

    Returns:
        Codes too_few_rows, too_many_rejects, columns_changed.
    """
    found: list[dict[str, str]] = []
    if arrived.rows < expected.min_rows:
        found.append(_of("too_few_rows", f"{arrived.rows:,} rows; at least {expected.min_rows:,} are expected"))
    if arrived.rejects > expected.max_reject_share * arrived.rows:
        share = arrived.rejects / arrived.rows
        allowed = f"at most {expected.max_reject_share:.0%} are expected"
        found.append(_of("too_many_rejects", f"{share:.0%} of the rows were rejected; {allowed}"))
    if expected.same_columns and before is not None:
        found += _changed(_without_ours(before), _without_ours(arrived.columns))
    return found


def silence(now: datetime, arrivals: Sequence[datetime], every: timedelta | None) -> Silence | None:
    """Whether a source has fallen silent.

    With `every`, half as long again may pass; without, three usual intervals (the median of the pauses between its
    arrivals), and half as long again as the longest pause so far, so that a weekend is no silence.

    Args:
        now: the time.
        arrivals: when its latest files came, youngest first.
        every: how often leads are promised, or None to judge by habit.
    """
    if not arrivals:
        return None  # never heard of: nothing is usual yet
    quiet = now - arrivals[0]
    if every is not None:
        limit, why = _LATE * every, f"one is expected every {_span(every)}"
    else:
        times = _apart(arrivals)
        if len(times) < ENOUGH or quiet > FORGOTTEN:
            return None
        pauses = [later - earlier for later, earlier in pairwise(times)]
        usual = timedelta(seconds=median(pause.total_seconds() for pause in pauses))
        limit, why = max(_UNUSUAL * usual, _LATE * max(pauses)), f"usually one comes every {_span(usual)}"
    if quiet <= limit:
        return None
    return Silence(arrivals[0], f"no leads for {_span(quiet)} (since {arrivals[0]:%Y-%m-%d %H:%M} UTC); {why}")


def _apart(arrivals: Sequence[datetime]) -> list[datetime]:
    times: list[datetime] = []
    for arrival in arrivals:
        if not times or times[-1] - arrival > _MERGED:
            times.append(arrival)
    return times


def _of(code: str, text: str) -> dict[str, str]:
    return {"code": code, "text": text}


def _without_ours(columns: Sequence[str]) -> list[str]:
    return [column for column in columns if column not in REJECT_COLUMNS]


def _changed(before: list[str], now: list[str]) -> list[dict[str, str]]:
    said = [
        f"{what}: {', '.join(_named(place, column) for place, column in enumerate(columns, 1) if column not in others)}"
        for what, columns, others in (("new", now, before), ("gone", before, now))
        if set(columns) - set(others)
    ]
    if not said:  # another order is no matter: columns are found by their names
        return []
    return [_of("columns_changed", f"its columns are not those of the file before; {'; '.join(said)}")]


def _named(place: int, column: str) -> str:
    """The column's name, unless it looks like a value: the first row of a file without a header is somebody's."""
    return f"column {place}" if "@" in column or len(re.findall(r"\d", column)) > 3 else repr(column[:60])


def _span(time: timedelta) -> str:
    hours = time / timedelta(hours=1)
    if hours < 48:
        return f"{max(round(hours), 1)} h"
    return f"{round(hours / 24)} days"
