"""The condition language of scoring and routing: what a rule file writes under `when:`, as masks over leads.

    when: {title: {has_word: [chief, vp]}, country: [BG, RO]}      # both must hold
    when: {any: [{employees: {at_least: 1000}}, {not: {state: IL}}]}

A missing value is neither equal nor unequal to anything: it never matches, not even under `not` (Kleene's logic); ask
for it with `is_empty: true`. Texts are compared without regard to case. `{}` holds for every lead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import model_validator

from sluice.criteria import KINDS, OPERATORS, Criterion, Kind, ask, suggest
from sluice.criteria import describe as describe_criterion
from sluice.leadfacts import Facts, Known
from sluice.rules import Rules
from sluice.schema import LEAD_BOOLEANS, LEAD_NUMBERS, LEAD_TEXTS, LEAD_TIMES, Fields, FieldType

_TYPES: Mapping[FieldType, Kind] = {
    "employees": "number", "money": "number", "number": "number", "integer": "number",
    "boolean": "boolean", "opt_out": "boolean", "tags": "tags", "datetime": "time",
}  # fmt: skip


class Condition(Rules):
    """All criteria and all nested conditions hold; without any it always holds."""

    criteria: tuple[Criterion, ...] = ()
    all_of: tuple[Condition, ...] = ()
    any_of: tuple[Condition, ...] | None = None
    negated: Condition | None = None

    @model_validator(mode="before")
    @classmethod
    def _read(cls, written: Any) -> Any:
        if not isinstance(written, dict):
            raise ValueError(f"found {written!r}; a condition is a mapping such as {{country: {{in: [BG, RO]}}}}")
        parts: dict[str, Any] = {"criteria": []}
        for key, value in cast(dict[str, Any], written).items():
            if key in ("all", "any") and not isinstance(value, list):
                raise ValueError(f"{key}: found {value!r}; it takes a list of conditions")
            match key:
                case "all":
                    parts["all_of"] = value
                case "any":
                    parts["any_of"] = value
                case "not":
                    parts["negated"] = value
                case _:
                    parts["criteria"] += _criteria(key, value)
        return parts

    @property
    def always(self) -> bool:
        """Whether it holds for every lead, so that a later rule is never asked."""
        any_holds = self.any_of is None or any(part.always for part in self.any_of)
        return not self.criteria and self.negated is None and any_holds and all(part.always for part in self.all_of)


def mask(condition: Condition, leads: pd.DataFrame, as_of: datetime | None = None) -> pd.Series:
    """Which leads a condition holds for.

    Args:
        condition: checked before with `problems`; a column that is absent counts as missing in every row.
        leads: any columns of `sluice.schema`.
        as_of: the time that `within_days` counts back from.

    Returns:
        bool, same index as `leads`, never missing.
    """
    return pd.Series(true_of(condition, Facts(leads), as_of), index=leads.index, dtype=bool)


def true_of(condition: Condition, facts: Facts, as_of: datetime | None = None) -> np.ndarray[Any, Any]:
    """As `mask`, for many conditions on the same leads: one boolean per lead, in their order."""
    return pc.fill_null(_holds(condition, facts, as_of), False).to_numpy(zero_copy_only=False)


def usable(fields: Fields, step: Literal["score", "route"]) -> dict[str, Kind]:
    """The fields that a condition may ask for in `scoring.yml` (`score`) or `routing.yml` (`route`), and their kinds.

    A field that the profile has switched off is not usable: its condition could never hold.
    """
    found: dict[str, Kind] = {**dict.fromkeys(LEAD_TEXTS, "text"), **dict.fromkeys(LEAD_NUMBERS, "number")}
    found |= {**dict.fromkeys(LEAD_BOOLEANS, "boolean"), **dict.fromkeys(LEAD_TIMES, "time"), "tags": "tags"}
    found |= dict.fromkeys(("email_is_free", "email_is_role", "email_is_disposable"), "boolean")
    found["email_verdict"] = "text"
    for name, rules in fields.fields.items():
        if not rules.enabled:
            found.pop(name, None)
        elif name not in found:
            found[name] = _TYPES.get(rules.type, "text")
    return {**found, "score": "number", "band": "text"} if step == "route" else found


def problems(condition: Condition, fields: Mapping[str, Kind]) -> list[str]:
    """What is wrong with a condition given the fields there are: one sentence each, with a suggestion."""
    return [found for criterion in criteria(condition) for found in _criterion_problems(criterion, fields)]


def criteria(condition: Condition) -> Iterator[Criterion]:
    """Every criterion of a condition, at any depth."""
    yield from condition.criteria
    nested = (*condition.all_of, *(condition.any_of or ()), *((condition.negated,) if condition.negated else ()))
    for part in nested:
        yield from criteria(part)


def describe(condition: Condition) -> str:
    """The condition in words, e.g. `country is US and employees is at least 1000`."""
    parts = [describe_criterion(criterion) for criterion in condition.criteria]
    parts += [describe(part) for part in condition.all_of]
    if condition.any_of is not None:
        parts.append("(" + (" or ".join(describe(part) for part in condition.any_of) or "never") + ")")
    if condition.negated is not None:
        parts.append(f"not ({describe(condition.negated)})")
    return " and ".join(parts) or "always"


def _criteria(field: str, written: Any) -> list[dict[str, Any]]:
    """A bare value means equals, a bare list means in, a mapping names operators that must all hold."""
    shorthand = "in" if isinstance(written, list) else "equals"
    operators = cast(dict[str, Any], written) if isinstance(written, dict) else {shorthand: written}
    if not operators or written is None:
        raise ValueError(f"{field}: found nothing to compare with; write a value or one of {', '.join(OPERATORS)}")
    for operator in operators:
        if operator not in OPERATORS:
            hint = suggest(operator, OPERATORS) or ";"
            raise ValueError(f"{field}: unknown operator {operator!r}{hint} there are {', '.join(OPERATORS)}")
    return [
        {"field": field, "operator": operator, "operand": value if isinstance(value, list) else [value]}
        for operator, value in operators.items()
    ]


def _criterion_problems(criterion: Criterion, fields: Mapping[str, Kind]) -> list[str]:
    name, operator = criterion.field, criterion.operator
    kind = fields.get(name)
    if kind is None:
        return [f"there is no field {name!r}, or it is switched off{suggest(name, fields)}"]
    if kind not in KINDS[operator]:
        allowed = ", ".join(operator for operator, kinds in KINDS.items() if kind in kinds)
        return [f"{name} holds a {kind} and cannot be asked {operator!r}; it can be asked {allowed}"]
    if operator == "is_empty" or criterion.kind == kind or (kind, criterion.kind) == ("tags", "text"):
        return []
    quotes = "; write it in quotes" if kind in ("text", "tags") else ""
    return [f"{name} holds a {kind}, found {value!r}{quotes}" for value in criterion.operand]


def _holds(condition: Condition, facts: Facts, as_of: datetime | None) -> Known:
    known: Known = pa.repeat(True, len(facts))
    for criterion in condition.criteria:
        known = pc.and_kleene(known, ask(criterion, facts, as_of))
    for part in condition.all_of:
        known = pc.and_kleene(known, _holds(part, facts, as_of))
    if condition.any_of is not None:
        some: Known = pa.repeat(False, len(facts))
        for part in condition.any_of:
            some = pc.or_kleene(some, _holds(part, facts, as_of))
        known = pc.and_kleene(known, some)
    if condition.negated is not None:
        known = pc.and_kleene(known, pc.invert(_holds(condition.negated, facts, as_of)))
    return known
