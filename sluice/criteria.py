"""One question to one field of a lead, e.g. `title has the word chief or vp`: how it is written, said and answered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import model_validator

from sluice.errors import BrokenPromise
from sluice.leadfacts import Facts, Known
from sluice.rules import Rules

Kind = Literal["text", "number", "boolean", "tags", "time"]
Operator = Literal[
    "equals", "in", "has_word", "contains", "matches", "at_least", "at_most", "between", "is_empty", "within_days",
]  # fmt: skip
Scalar = bool | int | float | str

OPERATORS: tuple[Operator, ...] = get_args(Operator)
KINDS: Mapping[Operator, tuple[Kind, ...]] = {
    "equals": ("text", "number", "boolean", "tags"),
    "in": ("text", "number", "tags"),
    "has_word": ("text",),
    "contains": ("text",),
    "matches": ("text",),
    "at_least": ("number",),
    "at_most": ("number",),
    "between": ("text", "number"),
    "is_empty": ("text", "number", "boolean", "tags", "time"),
    "within_days": ("time",),
}
"""Which kinds of fields an operator can be asked of."""

_OPERANDS: Mapping[Operator, str] = {
    "equals": "one value",
    "in": "a list of values",
    "has_word": "a word or a list of words",
    "contains": "a text or a list of texts",
    "matches": "a regular expression in RE2 syntax",
    "at_least": "a number",
    "at_most": "a number",
    "between": "a list of two, the lower one first: numbers, or texts in quotes",
    "is_empty": "true or false",
    "within_days": "a whole number of days, 1 or more",
}

_NEITHER_LETTER_NOR_DIGIT = r"[^\pL\pM\pN_]"


class Criterion(Rules):
    """One question to one field."""

    field: str
    operator: Operator
    operand: tuple[Scalar, ...]

    @model_validator(mode="after")
    def _operand_fits(self) -> Self:
        if not _fits(self.operator, self.operand):
            shown = list(self.operand) if len(self.operand) != 1 else self.operand[0]
            raise ValueError(f"{self.field}: {self.operator} found {shown!r}; it takes {_OPERANDS[self.operator]}")
        return self

    @property
    def kind(self) -> Kind:
        """The kind of field that the operand was written for."""
        if self.operator == "within_days":
            return "time"
        first = self.operand[0]
        return "boolean" if isinstance(first, bool) else "text" if isinstance(first, str) else "number"


def ask(criterion: Criterion, facts: Facts, as_of: datetime | None) -> Known:
    """Whether it is true of each lead; null where the lead has no value (a column that is absent has none).

    Args:
        criterion: checked before against the fields there are.
        facts: of leads with any columns of `sluice.schema`.
        as_of: the time that `within_days` counts back from.
    """
    wants_empty, name = criterion.operator == "is_empty", criterion.field
    if name not in facts:
        return pa.array([criterion.operand[0] if wants_empty else None] * len(facts), pa.bool_())
    if wants_empty:
        return pc.equal(facts.missing(name), criterion.operand[0])
    if facts.has_tags(name):
        return _ask_tags(criterion, facts.column(name))
    match criterion.kind:
        case "text":
            return _ask_text(criterion, facts)
        case "number":
            return _ask_number(criterion, facts.numbers(name))
        case "boolean":
            return pc.equal(facts.booleans(name), criterion.operand[0])
        case _:
            return _ask_time(criterion, facts.column(name), as_of)


def describe(criterion: Criterion) -> str:
    """The question in words, e.g. `employees is at least 1000`."""
    field, values = criterion.field, [_say(value) for value in criterion.operand]
    match criterion.operator:
        case "equals" | "in":
            if isinstance(criterion.operand[0], bool):
                return f"{field} is {'true' if criterion.operand[0] else 'not true'}"
            return f"{field} is {' or '.join(values)}"
        case "is_empty":
            return f"{field} is {'missing' if criterion.operand[0] else 'given'}"
        case "between":
            return f"{field} is between {values[0]} and {values[1]}"
        case "within_days":
            return f"{field} is at most {values[0]} days ago"
        case "has_word":
            return f"{field} has the word {' or '.join(values)}"
        case operator:
            said = {"at_least": "is at least", "at_most": "is at most"}.get(operator, operator)
            return f"{field} {said} {' or '.join(values)}"


def suggest(found: str, allowed: Iterable[str]) -> str:
    """`; did you mean 'country'?` when something close to `found` is allowed, else nothing."""
    close = get_close_matches(found.lower(), list(allowed), n=1, cutoff=0.7)
    return f"; did you mean {close[0]!r}?" if close else ""


def _fits(operator: Operator, operand: tuple[Scalar, ...]) -> bool:
    kinds = {"boolean" if isinstance(v, bool) else "text" if isinstance(v, str) else "number" for v in operand}
    one, texts, numbers = len(operand) == 1, kinds == {"text"}, kinds == {"number"}
    match operator:
        case "equals":
            return one
        case "in":
            return texts or numbers
        case "has_word" | "contains":
            return texts and all(str(value).strip() for value in operand)
        case "matches":
            return one and texts and _is_re2(str(operand[0]))
        case "at_least" | "at_most":
            return one and numbers
        case "between":
            if len(operand) != 2 or not (texts or numbers):
                return False
            low, high = operand
            return str(low) <= str(high) if texts else float(low) <= float(high)
        case "is_empty":
            return one and kinds == {"boolean"}
        case "within_days":
            return one and numbers and isinstance(operand[0], int) and 1 <= operand[0] <= 36_500


def _is_re2(pattern: str) -> bool:
    try:
        pc.match_substring_regex(pa.array([""]), pattern=pattern)
    except pa.ArrowInvalid:
        return False
    return True


def _ask_text(criterion: Criterion, facts: Facts) -> Known:
    match criterion.operator:
        case "equals" | "in":
            operand: Any = pa.array([str(value) for value in criterion.operand], pa.large_string())
            return _is_in(facts.lowered(criterion.field), pc.utf8_lower(operand))
        case "between":
            low, high = (str(value) for value in criterion.operand)
            return _between(facts.lowered(criterion.field), low.lower(), high.lower())
        case "has_word":
            words = "|".join(_escape(str(word).strip()) for word in criterion.operand)
            pattern = f"(?:^|{_NEITHER_LETTER_NOR_DIGIT})(?:{words})(?:$|{_NEITHER_LETTER_NOR_DIGIT})"
        case "contains":
            pattern = "|".join(_escape(str(text)) for text in criterion.operand)
        case _:
            pattern = str(criterion.operand[0])
    return pc.match_substring_regex(facts.texts(criterion.field), pattern=pattern, ignore_case=True)


def _escape(text: str) -> str:
    """RE2 refuses a backslash before a letter beyond ASCII or a space, which `re.escape` may write."""
    return re.sub(r"([\\.^$|?*+()\[\]{}])", r"\\\1", text)


def _is_in(values: Any, operand: Any) -> Known:
    found = pc.is_in(values, value_set=operand)
    return pc.if_else(pc.is_valid(values), found, None)


def _between(values: Any, low: str, high: str) -> Known:
    """Compared by as many characters as the bounds have: `62999-1234` lies within 60000 to 62999, `6100` does not."""
    long_enough = pc.greater_equal(pc.utf8_length(values), max(len(low), len(high)))
    above = pc.greater_equal(pc.utf8_slice_codeunits(values, 0, len(low)), low)
    below = pc.less_equal(pc.utf8_slice_codeunits(values, 0, len(high)), high)
    return pc.and_kleene(long_enough, pc.and_kleene(above, below))


def _ask_number(criterion: Criterion, values: Any) -> Known:
    numbers = [float(value) for value in criterion.operand]
    match criterion.operator:
        case "at_least":
            return pc.greater_equal(values, numbers[0])
        case "at_most":
            return pc.less_equal(values, numbers[0])
        case "between":
            return pc.and_kleene(pc.greater_equal(values, numbers[0]), pc.less_equal(values, numbers[1]))
        case _:
            return _is_in(values, pa.array(numbers, pa.float64()))


def _ask_tags(criterion: Criterion, column: pd.Series) -> Known:
    """One of the lead's tags is one of those asked for."""
    lists: Any = pa.array(column.tolist(), pa.list_(pa.string()), from_pandas=True)
    wanted = pc.utf8_lower(pa.array([str(value) for value in criterion.operand], pa.string()))
    hits = pc.is_in(pc.utf8_lower(lists.flatten()), value_set=wanted).to_numpy(zero_copy_only=False)
    found = np.zeros(len(column), dtype=bool)
    found[pc.list_parent_indices(lists).to_numpy()[hits]] = True
    return pc.if_else(lists.is_valid(), pa.array(found), None)


def _ask_time(criterion: Criterion, column: pd.Series, as_of: datetime | None) -> Known:
    """Not before `as_of` minus the days, and not in the future either: such a time is a mistake, not recent."""
    if as_of is None:
        raise BrokenPromise(f"{criterion.field}: within_days was asked without a point in time")
    recent = column.between(as_of - timedelta(days=int(criterion.operand[0])), as_of).to_numpy(dtype=bool)
    return pc.if_else(pa.array(column.notna().to_numpy(dtype=bool)), pa.array(recent), None)


def _say(value: Scalar) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
