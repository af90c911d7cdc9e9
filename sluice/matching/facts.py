"""What `dedupe` is told and what it finds, besides the batch itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sluice.matching.companies import Company
from sluice.matching.persons import Person
from sluice.matching.rules import MatchingRules
from sluice.matching.survivorship import Change
from sluice.provenance import Provenance
from sluice.rules import SourceRules


@dataclass(frozen=True)
class Known:
    """What the store knows that rows of this batch may turn out to be, and the numbers that new ones take.

    Attributes:
        alike: canonical names of companies that may be like a name of this batch that the store does not know.
    """

    persons: Sequence[Person] = ()
    companies: Sequence[Company] = ()
    alike: Collection[str] = frozenset()
    new_lead_ids: Sequence[int] = ()
    new_company_ids: Sequence[int] = ()


@dataclass(frozen=True)
class Circumstances:
    """What is true of the whole batch: where its rows come from, its source, the rules, and the further fields."""

    origins: Provenance
    source: SourceRules
    rules: MatchingRules
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """A pair of raw records that was judged, and why; `row` is of this batch, `other` is (receipt, row)."""

    level: str
    row: int
    other: tuple[int, int]
    verdict: str
    score: float | None
    explanation: dict[str, Any]


@dataclass
class Findings:
    """What `dedupe` found besides the batch: facts for the store to write.

    Attributes:
        persons: lead number → person, of every lead that a row was found to be or that a row replaced.
        companies: new ones, and known ones that learned their domain.
        changes: (row, lead number, change).
    """

    persons: dict[int, Person] = field(default_factory=dict[int, Person])
    companies: list[Company] = field(default_factory=list[Company])
    decisions: list[Decision] = field(default_factory=list[Decision])
    changes: list[tuple[int, int, Change]] = field(default_factory=list[tuple[int, int, Change]])
