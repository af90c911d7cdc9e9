"""The table in a sheet of a workbook: its typed cells as text, where its header is, and all of it as CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

LOOKED_AT = 50
"""Rows with cells among which the header is looked for."""

_BREAKS = re.compile(r"\r\n|[\r\n]")
_EXACT = 1 << 53


@dataclass(frozen=True)
class Place:
    """Where the table of a sheet begins.

    Attributes:
        row: of its header; the sheet's first row is 1.
        names: what the header says, one per column of the sheet.
        passed_over: rows above it that hold something.
        known: how many of its names are known.
    """

    row: int
    names: tuple[str, ...]
    passed_over: tuple[int, ...]
    known: int


def as_text(cell: Any) -> str:
    """A typed cell as a person reads it; what a formula came to, "" for an error.

    A line break becomes U+2028, which ends no line of the CSV file, so that its lines are the rows of the sheet.
    """
    if isinstance(cell, str):
        return _BREAKS.sub("\u2028", cell) if "\n" in cell or "\r" in cell else cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, (int, float)):
        return _number(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, time):
        return cell.isoformat("seconds")
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(int(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return "" if cell is None else str(cell)


def _number(cell: float) -> str:
    """All digits of a number, never with an exponent; of a fraction the 15 that a spreadsheet shows."""
    if cell == cell // 1 and abs(cell) < _EXACT:
        return str(int(cell))
    return format(Decimal(f"{cell:.15g}"), "f")


def header_of(rows: Iterable[Sequence[Any]], known: Set[str]) -> Place | None:
    """Where the header is among the first rows: the one that has most known names, else the first with two names.

    Rows with a number, a date or an address are data. A row in the middle needs two known names, or no others: a word
    such as "email" may stand in a cell; and no row above it may be a lead.

    Args:
        rows: from the sheet's first row on.
        known: names of columns, as `loose` writes them.

    Returns:
        None if no row holds anything.
    """
    filled = ((number, row) for number, row in enumerate(rows, start=1) if any(cell != "" for cell in row))
    places: list[Place] = []
    above: list[int] = []
    unknown: Place | None = None
    for number, row in islice(filled, LOOKED_AT):
        names = tuple(" ".join(as_text(cell).split()) for cell in row)
        given = [cell for cell in row if cell != ""]
        count = sum(loose(name) in known for name in names)
        is_data = any(not isinstance(cell, str) or "@" in cell for cell in given)
        is_meant = count and not is_data and (not places or count > 1 or count == len(given))
        is_below = all(is_above(filled_above, len(given)) for filled_above in above)
        above.append(len(given) if not any("@" in str(cell) for cell in given) else len(row) + 1)
        places.append(Place(number, names, tuple(place.row for place in places), count if is_meant and is_below else 0))
        if is_below and unknown is None and sum(map(bool, names)) > 1:
            unknown = places[-1]
    best = max(places, key=lambda place: place.known, default=None)
    if best is None or best.known:
        return best
    return unknown or best


def is_above(cells: int, of_header: int) -> bool:
    """Whether a row with so many filled cells may be a title above a header with so many; else it may be a lead."""
    return cells == 1 or 2 * cells <= of_header


def loose(name: str) -> str:
    """A name without regard to case and white space."""
    return " ".join(name.casefold().split())


def write_csv(rows: Iterator[Sequence[Any]], place: Place, columns: Sequence[int], to: Path) -> None:
    """The table as CSV, a line per row of the sheet; the same cells give the same bytes.

    What stands above the header becomes empty lines, and empty rows at the end are left out.
    """
    with to.open("x", encoding="utf-8", newline="") as stream:
        to.chmod(0o600)
        stream.write("\n" * (place.row - 1))
        quoted = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)  # so that no `'` is taken for a quote
        quoted.writerow([place.names[at] for at in columns])
        writer, empty = csv.writer(stream, lineterminator="\n"), 0
        for row in islice(rows, place.row, None):
            cells = [as_text(row[at]) for at in columns]
            if any(cells):
                stream.write("\n" * empty)
                writer.writerow(cells)
                empty = 0
            else:
                empty += 1


def columns_of(rows: Iterator[Sequence[Any]], place: Place) -> list[int]:
    """Positions of the columns that have a name, or a cell below the header."""
    unnamed = {at for at, name in enumerate(place.names) if not name}
    if unnamed:
        for row in islice(rows, place.row, None):
            unnamed -= {at for at in unnamed if row[at] != ""}
            if not unnamed:
                break
    return [at for at in range(len(place.names)) if at not in unnamed]
