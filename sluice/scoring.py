"""How promising a lead is: points for signals, in groups with caps, and the band that the sum falls into (S000-25)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import Field, PrivateAttr, model_validator

from sluice.batch import Batch, shared
from sluice.conditions import Condition, describe, true_of
from sluice.criteria import suggest
from sluice.distinct import as_series
from sluice.leadfacts import Facts
from sluice.rules import Rules

Lines = tuple[list[str], list[int], int]
"""Names of a score's lines, their points, and the sum."""

_MOST_PATTERNS = 20_000
"""Of signals that fired together, how many are remembered before a batch begins anew."""


class GroupRules(Rules):
    """Signals that together are worth at most `cap` points, e.g. demographic 40 (S002-10)."""

    cap: int | None = Field(default=None, ge=1, le=1_000)


class Signal(Rules):
    """Something that speaks for or against a lead.

    Attributes:
        points: negative ones speak against it.
        exclusive: name of a set within the group; of the set's signals only the one with most points counts (tiers).
    """

    name: str = Field(min_length=1, max_length=100)
    group: str
    when: Condition
    points: int = Field(ge=-1_000, le=1_000)
    exclusive: str | None = None


class Clamp(Rules):
    """Bounds that the score is held to, e.g. 0 and 100 (S001-21)."""

    minimum: int | None = None
    maximum: int | None = None


class BandAction(Rules):
    """An activity that is set up when a lead enters a band (S000-22..24), due so many hours later."""

    name: str = Field(min_length=1, max_length=200)
    kind: Literal["call", "task", "email"]
    due_hours: int = Field(ge=0, le=24 * 366)
    subject: str = Field(default="", max_length=255)


class Band(Rules):
    """A range of scores with a name; `to` may be left out and is then just below the next band."""

    name: str = Field(min_length=1, max_length=50)
    start: int = Field(alias="from")
    to: int | None = None
    actions: tuple[BandAction, ...] = ()


class ScoringRules(Rules):
    """`scoring.yml`. Bands ascend and cover every score there can be, each score once."""

    groups: dict[str, GroupRules]
    signals: tuple[Signal, ...]
    clamp: Clamp = Clamp()
    bands: tuple[Band, ...] = Field(min_length=1)
    _known: dict[bytes, Lines] = PrivateAttr(default_factory=dict[bytes, Lines])

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        found = [*_signal_problems(self), *_clamp_problems(self.clamp)] or _band_problems(self)
        if found:
            raise ValueError("; ".join(found))
        return self

    def lines(self, patterns: Sequence[np.ndarray]) -> list[Lines]:
        """The lines of the scores of leads for which these signals fired; worked out once, most leads are alike."""
        known = self._known
        if len(known) >= _MOST_PATTERNS:
            known.clear()
        found: list[Lines] = []
        for fired in patterns:
            pattern = fired.tobytes()
            lines = known.get(pattern)
            if lines is None:
                lines = known[pattern] = _lines(self, fired)
            found.append(lines)
        return found

    def reach(self) -> tuple[int, int]:
        """The lowest and the highest score there can be, if the conditions do not exclude each other."""
        low = high = 0
        for name, group in self.groups.items():
            points = _best_of_sets(self.signals, name)
            low += sum(min(p) for p in points)
            most = sum(max(p) for p in points)
            high += most if group.cap is None else min(most, group.cap)
        return _clamped(low, self.clamp), _clamped(high, self.clamp)


def score(batch: Batch, rules: ScoringRules, as_of: datetime) -> Batch:
    """Says of each lead how promising it is, and why.

    Args:
        batch: leads as validated and deduplicated.
        rules: checked against the fields there are.
        as_of: the time that `within_days` counts back from.

    Returns:
        The batch with score (Int64), band (str), score_signals (object, list[str]) and score_points (object,
        list[int]) added. Caps and the clamp are lines too, `cap <group>` and `clamp`, so `sum(score_points) == score`
        always. Rows with the same signals share their lists: replace them, never change them.
    """
    leads = batch.leads
    fired = np.zeros((len(leads), len(rules.signals)), dtype=bool)
    facts = Facts(leads)
    for place, signal in enumerate(rules.signals):
        fired[:, place] = true_of(signal.when, facts, as_of)
    patterns, which = _distinct(fired)
    lines = rules.lines(patterns)
    totals = np.array([total for _, _, total in lines], dtype="int64")
    different, which_total = np.unique(totals[which], return_inverse=True)
    bands = pa.array([band_of(rules, total).name for total in different.tolist()], pa.large_string())
    return batch.with_columns(
        {
            "score": pd.array(totals[which], dtype="Int64"),
            "band": as_series(bands.take(pa.array(which_total)), leads.index),
            "score_signals": shared([names for names, _, _ in lines], which),
            "score_points": shared([points for _, points, _ in lines], which),
        }
    )


def band_of(rules: ScoringRules, total: int) -> Band:
    """The band that a score falls into."""
    return [band for band in rules.bands if band.start <= total or band is rules.bands[0]][-1]


def band_actions(rules: ScoringRules, band: str) -> tuple[BandAction, ...]:
    """What is set up for a lead that enters the band of that name; nothing for a band the rules do not have."""
    return next((found.actions for found in rules.bands if found.name == band), ())


def explain(rules: ScoringRules, signals: Sequence[str], points: Sequence[int]) -> list[str]:
    """A score in sentences: a line per signal, cap and clamp, the sum with its band, and what the next band takes.

    Args:
        rules: those the score was computed with.
        signals: `score_signals` of the lead.
        points: `score_points` of the lead.
    """
    known = {signal.name: signal for signal in rules.signals}
    said: list[str] = []
    for name, worth in zip(signals, points, strict=True):
        if name in known:
            said.append(f"{worth:+d} {name}: {describe(known[name].when)} ({known[name].group})")
        elif name == "clamp":
            bound = f"at most {rules.clamp.maximum}" if worth < 0 else f"at least {rules.clamp.minimum}"
            said.append(f"{worth:+d} because a score is {bound}")
        else:
            group = name.removeprefix("cap ")
            cap = rules.groups[group].cap if group in rules.groups else "?"
            said.append(f"{worth:+d} because {group} counts for at most {cap}")
    total = sum(points)
    band = band_of(rules, total)
    said.append(f"= {total}, band {band.name} ({band.start} and more)")
    higher = [other for other in rules.bands if other.start > total]
    if higher:
        said.append(f"{higher[0].start - total} more would make it {higher[0].name}")
    return said


def _distinct(fired: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """The different rows of a boolean matrix, and for each row which of them it is."""
    if not fired.size:
        return [fired[0]] if len(fired) else [], np.zeros(len(fired), dtype=int)
    packed = np.ascontiguousarray(np.packbits(fired, axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    return [fired[place] for place in first], which


def _lines(rules: ScoringRules, pattern: np.ndarray) -> Lines:
    counted = _without_lesser_tiers([signal for signal, on in zip(rules.signals, pattern, strict=True) if on])
    names, points = [signal.name for signal in counted], [signal.points for signal in counted]
    for name, group in rules.groups.items():
        surplus = sum(signal.points for signal in counted if signal.group == name) - (group.cap or 0)
        if group.cap is not None and surplus > 0:
            names.append(f"cap {name}")
            points.append(-surplus)
    total = sum(points)
    bounded = _clamped(total, rules.clamp)
    if bounded != total:
        names.append("clamp")
        points.append(bounded - total)
    return names, points, bounded


def _without_lesser_tiers(signals: list[Signal]) -> list[Signal]:
    best: dict[tuple[str, str], Signal] = {}
    for signal in signals:
        if signal.exclusive is not None:
            rival = best.setdefault((signal.group, signal.exclusive), signal)
            if signal.points > rival.points:
                best[signal.group, signal.exclusive] = signal
    return [s for s in signals if s.exclusive is None or best[s.group, s.exclusive] is s]


def _clamped(total: int, clamp: Clamp) -> int:
    raised = total if clamp.minimum is None else max(total, clamp.minimum)
    return raised if clamp.maximum is None else min(raised, clamp.maximum)


def _best_of_sets(signals: Sequence[Signal], group: str) -> list[list[int]]:
    """Per independent choice of a group the points it can bring: a lone signal or none, one of a set or none."""
    alone = [[0, s.points] for s in signals if s.group == group and s.exclusive is None]
    names = dict.fromkeys(s.exclusive for s in signals if s.group == group and s.exclusive is not None)
    return alone + [[0, *(s.points for s in signals if s.group == group and s.exclusive == name)] for name in names]


def _signal_problems(rules: ScoringRules) -> list[str]:
    names = [signal.name for signal in rules.signals]
    found = [f"signals: the name {name!r} is used twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    taken = [name for name in names if name == "clamp" or name.startswith("cap ")]
    found += [f"signals: {name!r} is what a line of a cap or clamp is called; choose another name" for name in taken]
    return found + [
        f"signals: {signal.name!r} is in the group {signal.group!r}, which `groups` does not list"
        f"{suggest(signal.group, rules.groups)}"
        for signal in rules.signals
        if signal.group not in rules.groups
    ]


def _clamp_problems(clamp: Clamp) -> list[str]:
    wrong = clamp.minimum is not None and clamp.maximum is not None and clamp.minimum >= clamp.maximum
    return [f"clamp: minimum {clamp.minimum} is not below maximum {clamp.maximum}"] if wrong else []


def _band_problems(rules: ScoringRules) -> list[str]:
    bands, (lowest, _) = rules.bands, rules.reach()
    names = [band.name for band in bands]
    found = [f"bands: the name {name!r} is used twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    for below, above in pairwise(bands):
        end = above.start - 1 if below.to is None else below.to
        if above.start <= below.start or end >= above.start:
            found.append(f"bands: {below.name!r} and {above.name!r} overlap or do not ascend")
        elif end < above.start - 1:
            found.append(f"bands: no band for {end + 1} to {above.start - 1} between {below.name!r} and {above.name!r}")
    if bands[-1].to is not None and bands[-1].to < rules.reach()[1]:
        found.append(f"bands: no band for scores above {bands[-1].to}; leave out `to` of the highest band")
    if lowest < bands[0].start:
        found.append(f"bands: no band for {lowest} to {bands[0].start - 1}; start lower or set clamp.minimum")
    return found
