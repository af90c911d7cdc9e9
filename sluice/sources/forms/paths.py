"""Finding things in JSON by dotted paths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def at(value: Any, path: str) -> Any:
    """What stands at a dotted path, or None; a key may itself hold dots (`data.json`), a number counts in a list."""
    if not path:
        return value
    if isinstance(value, dict):
        if path in value:
            return value[path]
        for place, char in enumerate(path):
            if char == "." and path[:place] in value:
                return at(value[path[:place]], path[place + 1 :])
    if isinstance(value, list):
        head, _, rest = path.partition(".")
        if head.isdecimal() and len(head) < 6 and int(head) < len(value):
            return at(value[int(head)], rest)
    return None


def first(values: Iterable[Any], paths: Iterable[str]) -> Any:
    """What stands at the first path that leads to something in one of the values, else None."""
    looked_in = list(values)
    for path in paths:
        for value in looked_in:
            found = at(value, path)
            if found is not None and found != "":
                return found
    return None


def elements(value: Any, path: str | None) -> list[Any]:
    """The submissions of a body: those at a path, all of a list, or the body itself.

    Lists on the way are gone through (`entry.changes`: the changes of every entry). What should hold the next step and
    does not is an element itself, so that it is seen and refused by whoever reads it.
    """
    level = value if isinstance(value, list) else [value]
    for step in path.split(".") if path else ():
        following: list[Any] = []
        for element in level:
            if isinstance(element, dict) and step in element:
                inside = element[step]
                following += inside if isinstance(inside, list) else [inside]
            else:
                following.append(None)
        level = following
    return level
