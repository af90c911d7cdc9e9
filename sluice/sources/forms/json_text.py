"""JSON as strictly as leads need it: nothing is lost silently, and no text takes more than its length in time."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from sluice.sources.forms.refusal import UnreadableBody

DEEPEST = 32
MOST_VALUES = 50_000

# an unclosed string counts to the end: looking for its end again from each quote inside would take quadratic time
_STRINGS = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")


def parsed(text: str) -> Any:
    """What a text says; numbers stay as they were written, as texts, so that none is too long or rounded.

    Raises:
        UnreadableBody: it is no JSON, deeper than 32 levels, has more than 50,000 values, an object has a key twice, or
            a number is none (NaN, Infinity).
    """
    _measure(text)
    try:
        return json.loads(
            text,
            strict=False,  # plugins put line breaks into strings as they are
            parse_int=str,
            parse_float=str,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        raise UnreadableBody(
            f"no JSON: {error.msg} in line {error.lineno}, column {error.colno}",
            "one JSON object, or an array of them",
            "In a program, let a JSON library write the body; at a form's provider, correct its template",
        ) from None


def _measure(text: str) -> None:
    """Refuses what is too deep or too much before it is parsed, without recursion."""
    structure = _STRINGS.sub("", text)
    if structure.count(",") + structure.count("[") + structure.count("{") > MOST_VALUES:
        raise UnreadableBody(f"more than {MOST_VALUES} values")
    depth = 0
    for bracket in _BRACKETS.findall(structure):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST:
            raise UnreadableBody(f"JSON nested deeper than {DEEPEST} levels", f"at most {DEEPEST} levels")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise UnreadableBody("an object with the same key twice", "each key once")
    return value


def _no_number(name: str) -> NoReturn:
    raise UnreadableBody(f"{name}, which is no number", "numbers that JSON knows, or null")
