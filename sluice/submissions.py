"""What a posted form, an API call or a mail says: one submission is one row of its receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Submission:
    """One filled form, one object of an API call, or one mail.

    Attributes:
        cells: their name → what stands there, in the sender's order; several values of one field are joined by "; ".
        aside: a kind of `schema.SET_ASIDE_KINDS` and the reason in words, if it can be no lead whatever it says.
        problems: why it cannot be read as a row: dicts of field, code, found and fix (`sluice.problems`).
        warnings: notes of the form `field:code`.
    """

    cells: Mapping[str, str]
    aside: tuple[str, str] | None = None
    problems: tuple[dict[str, Any], ...] = ()
    warnings: tuple[str, ...] = field(default=())
