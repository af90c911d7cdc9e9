"""Answers as cells: texts under the names that people see, whatever JSON a provider writes them in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sluice.errors import SluiceError

DEEPEST = 32
MOST_CELLS = 500
LONGEST = 131_072
BETWEEN = "; "

_LONGEST_NAME = 200
_SAID_BY = ("label", "text", "name", "value", "title", "url")
_PERSON = ("prefix", "first", "middle", "last", "suffix")
_PICTURE = ";base64,"


class NoAnswers(SluiceError):
    """The answers are not where they should be; the message says what is there."""


@dataclass(frozen=True)
class Cells:
    """Cells by name.

    Attributes:
        values: name → text, in the sender's order, then those of the context.
        too_long: names of cells that were cut at 128 KiB.
        surplus: how many cells there are beyond the 500 that are kept.
    """

    values: dict[str, str]
    too_long: tuple[str, ...]
    surplus: int


def cells(answers: Iterable[tuple[str, Any]], context: Iterable[tuple[str, Any]] = ()) -> Cells:
    """Texts under names that no other cell has.

    A second `name` becomes `name (2)`, a blank one `field_3`; an answer never takes the name of a cell of the context,
    since nobody who fills in a form shall write the campaign.

    Args:
        answers: name → value of JSON, as the form asked them.
        context: name → value, of what the provider says about the submission.
    """
    about = {name: text(value) for name, value in context}
    values: dict[str, str] = {}
    count = 0
    again: dict[str, int] = {}
    for count, (said, value) in enumerate(answers, 1):
        if count > MOST_CELLS:
            continue
        name = base = tidy_name(said) or f"field_{count}"
        shown = text(value)
        if name in about and about[name] == shown:
            continue
        while name in values or name in about:
            again[base] = again.get(base, 1) + 1
            name = f"{base} ({again[base]})"
        values[name] = shown
    values.update({name: value for name, value in about.items() if value})
    too_long = tuple(name for name, value in values.items() if len(value) > LONGEST)
    values.update({name: values[name][:LONGEST] for name in too_long})
    return Cells(values, too_long, max(0, count - MOST_CELLS))


def tidy_name(name: str) -> str:
    """A question as the name of a cell: one line of at most 200 characters."""
    return " ".join(name.replace("\0", " ").split())[:_LONGEST_NAME].strip("\ufeff ")


def text(value: Any, depth: int = 0) -> str:
    """A value of JSON as a person reads it.

    Several values are joined by "; "; yes and no for booleans; a person's name in its parts is one name; dates in parts
    are ISO dates; of an enclosed picture only its kind is kept.
    """
    if isinstance(value, str):
        kind, is_picture, _ = value[:100].partition(_PICTURE)
        return kind if is_picture and kind.startswith("data:") else value
    if value is None or depth > DEEPEST:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return BETWEEN.join(shown for item in value if (shown := text(item, depth + 1)))
    if isinstance(value, dict):
        return _object_text(value, depth)
    return _number(value)


def _object_text(value: dict[Any, Any], depth: int) -> str:
    if value.keys() >= {"year", "month", "day"}:
        parts = [text(value[part], depth + 1).strip() for part in ("year", "month", "day")]
        return f"{parts[0]}-{parts[1]:>02}-{parts[2]:>02}" if all(parts) else ""
    if value.keys() <= set(_PERSON) and value:
        return " ".join(shown for part in _PERSON if (shown := text(value.get(part), depth + 1).strip()))
    for key in _SAID_BY:
        if (said := value.get(key)) is not None and said != "" and not isinstance(said, dict | list):
            return text(said, depth + 1)
    pairs = [(str(key), text(inside, depth + 1)) for key, inside in value.items()]
    return BETWEEN.join(f"{key}: {shown}" for key, shown in pairs if shown)


def flat(value: dict[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Answers of an object; those of an object inside it get dotted names, those of objects in a list its place."""
    for key, inside in value.items():
        name = f"{before}{key[:_LONGEST_NAME]}"[: 2 * _LONGEST_NAME]  # a long key must not be copied for each inside it
        if isinstance(inside, list) and any(isinstance(item, dict) for item in inside):
            inside = {str(place): item for place, item in enumerate(inside)}
        if isinstance(inside, dict) and inside and depth < DEEPEST:
            yield from flat(inside, f"{name}.", depth + 1)
        else:
            yield name, inside


def pairs(value: Any, name_key: str, value_key: str) -> Iterator[tuple[str, Any]]:
    """Answers of a list of objects that hold a name and a value each.

    Raises:
        NoAnswers: it is no list of objects.
    """
    for pair in objects(value):
        yield text(pair.get(name_key)), pair.get(value_key)


def objects(value: Any) -> list[dict[str, Any]]:
    """A list of objects, as it should be.

    Raises:
        NoAnswers: it is something else.
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise NoAnswers(kind(value) if not isinstance(value, list) else "a list with other things than objects")
    return value


def kind(value: Any) -> str:
    """What a value of JSON is, in words."""
    names = {type(None): "nothing", str: "a text", bool: "a truth value", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")


def _number(value: Any) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than Python shows
        return hex(value)
