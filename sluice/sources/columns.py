"""What the columns of a file mean: their names, the field each one holds, and those nobody asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sluice.rules import SourceRules
from sluice.schema import REJECT_COLUMNS, FieldRules
from sluice.sources.prepass import notice

_LOOKS_LIKE_DATA = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|https?://\S+|\+?[\d\s()./:-]{6,}|[$€£]?\d[\d.,]*")

_HOLDS_ADDRESS = re.compile(r"[^@\s]@[^@\s]+\.\w")  # also of a row whose delimiter was not found


_BETWEEN = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Columns:
    """A header, understood.

    Attributes:
        mapping: (position, field) of the columns that hold one of our fields.
        ignored: positions the source does not want.
        unmapped: positions of all others.
        warnings: what a person should know about them.
    """

    mapping: tuple[tuple[int, str], ...]
    ignored: tuple[int, ...]
    unmapped: tuple[int, ...]
    warnings: tuple[dict[str, str], ...]


def tidy(cell: str) -> str:
    """A header's cell as a name: without byte order mark, surrounding white space and NUL."""
    return cell.replace("\0", "").strip("\ufeff \t\r\n\u00a0")


def unique_names(header: Sequence[str]) -> list[str]:
    """A name for each column that no other has: a blank one becomes `column_3`, a second `name` becomes `name (2)`."""
    names: list[str] = []
    taken = {tidy(cell) for cell in header}
    for position, cell in enumerate(header, 1):
        name = tidy(cell) or f"column_{position}"
        if name in names:
            name = next(again for count in range(2, len(header) + 2) if (again := f"{name} ({count})") not in taken)
        names.append(name)
        taken.add(name)
    return names


def arrange(header: Sequence[str], source: SourceRules, fields: Mapping[str, FieldRules]) -> Columns:
    """Finds the field of each column.

    A column is first looked up in the source's `fields` and `ignore` (exactly, then without regard to case and
    surrounding white space), then taken for the field of its very name; in a form, or what a program posts, then for
    the field that is asked for by such a name (`FieldRules.asked_as`).

    Args:
        header: names as in the file.
        source: the declared source.
        fields: fields that the profile has switched on.
    """
    names = unique_names(header)
    asked_as = _aliases(fields) if source.kind in ("form", "api") else {}
    declared = {**{loose(theirs): ours for theirs, ours in source.fields.items()}, **source.fields}
    ignored_names = {*REJECT_COLUMNS, *source.ignore, *map(loose, source.ignore)}
    mapping: list[tuple[int, str]] = []
    ignored: list[int] = []
    unmapped: list[int] = []
    warnings = _oddities(header, names)
    for position, name in enumerate(names):
        field = declared.get(name) or declared.get(loose(name)) or (name if name in fields else None)
        if field is None and name not in ignored_names and loose(name) not in ignored_names:
            field = asked_as.get(_words(name))
        if name in ignored_names or (field is None and loose(name) in ignored_names):
            ignored.append(position)
        elif field in fields and field is not None:
            mapping.append((position, field))
        else:
            unmapped.append(position)
            off = f"; the field {field} is not switched on in this profile" if field else ""
            warnings.append(
                notice(
                    "not_mapped", f"The column is neither mapped nor ignored; its values are kept in extra{off}", name
                )
            )
    warnings += _absent(names, source, {field for _, field in mapping})
    return Columns(tuple(mapping), tuple(ignored), tuple(unmapped), tuple(warnings))


def looks_like_data(header: Sequence[str]) -> bool:
    """Whether the first record holds an address, a number or a date, as a header hardly would."""
    return any(_LOOKS_LIKE_DATA.fullmatch(tidy(cell)) or _HOLDS_ADDRESS.search(cell) for cell in header)


def _aliases(fields: Mapping[str, FieldRules]) -> dict[str, str]:
    known = {_words(alias): field for field, rules in fields.items() for alias in rules.asked_as}
    return known | {_words(field): field for field in fields}


def _words(name: str) -> str:
    """A name without regard to case and to what stands between its words: `your-email` is `Your email`."""
    return " ".join(_BETWEEN.sub(" ", name.casefold()).split())


def loose(name: str) -> str:
    """A name without regard to case and white space."""
    return " ".join(name.casefold().split())


def _oddities(header: Sequence[str], names: Sequence[str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for cell, name in zip(header, names, strict=True):
        if not tidy(cell):
            found.append(notice("column.blank_name", "The column has no name and is called by its position", name))
        elif tidy(cell) != name:
            found.append(
                notice(
                    "column.duplicate_name", "The name occurs more than once; only the first column may be mapped", name
                )
            )
    return found


def _absent(names: Sequence[str], source: SourceRules, mapped: set[str]) -> list[dict[str, str]]:
    present = set(map(loose, names))
    return [
        notice("column.absent", f"The source declares this column for {ours}, the file does not have it", theirs)
        for theirs, ours in source.fields.items()
        if loose(theirs) not in present and ours not in mapped
    ]
