"""What makes a filled form look like a program's work: signals with points, never a verdict of a single word."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from sluice.form_rules import SpamRules, TimeToFill

_LINK = re.compile(r"https?://|\bwww\.", re.IGNORECASE)
_SECONDS = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?")
_MILLISECONDS = 10**11


@dataclass(frozen=True)
class Signal:
    """One reason for doubt.

    Attributes:
        cell: where it shows, "" for the whole form.
        code: of `problems.CODES`.
        points: what it counts.
        reason: as a sentence.
    """

    cell: str
    code: str
    points: int
    reason: str


def spam_score(cells: Mapping[str, str], rules: SpamRules, context: Collection[str] = ()) -> tuple[int, list[str]]:
    """Points and reasons; from `rules.threshold` on the submission is set aside."""
    fired = spam_signals(cells, rules, context)
    return sum(signal.points for signal in fired), [signal.reason for signal in fired]


def spam_signals(cells: Mapping[str, str], rules: SpamRules, context: Collection[str] = ()) -> list[Signal]:
    """The signals that fired; a honeypot counts once, however many fields it has.

    Args:
        cells: of a submission.
        rules: points and threshold.
        context: names of cells that the provider wrote, not who filled in the form.
    """
    timed = rules.time_to_fill
    about = {*context, timed.cell, timed.start, timed.end} if timed else {*context}
    answers = {name: value for name, value in cells.items() if name not in about}
    return [*_honeypot(cells, rules), *_too_fast(cells, timed), *_links(answers, rules), *_alike(answers, rules)]


def _honeypot(cells: Mapping[str, str], rules: SpamRules) -> Iterator[Signal]:
    trap = rules.honeypot
    filled = next((name for name in trap.fields if cells.get(name, "").strip()), None) if trap else None
    if trap and filled is not None:
        yield Signal(
            filled,
            "honeypot_filled",
            trap.points,
            f"{filled!r}, which people do not see, is filled in (+{trap.points})",
        )


def _too_fast(cells: Mapping[str, str], rules: TimeToFill | None) -> Iterator[Signal]:
    if rules is None:
        return
    if rules.cell is not None:
        said = cells.get(rules.cell, "").strip()
        seconds = float(said) if _SECONDS.fullmatch(said) else None
    else:
        start, end = (_moment(cells.get(name or "", "").strip()) for name in (rules.start, rules.end))
        seconds = (end - start).total_seconds() if start and end else None
    if seconds is not None and seconds < rules.minimum_seconds:
        reason = f"filled in within {seconds:g} s, less than {rules.minimum_seconds:g} s (+{rules.points})"
        yield Signal(rules.cell or rules.end or "", "filled_too_fast", rules.points, reason)


def _links(cells: Mapping[str, str], rules: SpamRules) -> Iterator[Signal]:
    most, points = rules.links.most, rules.links.points
    for name, value in cells.items():
        if sum(1 for _ in islice(_LINK.finditer(value), most + 1)) > most:
            yield Signal(name, "many_links", points, f"{name!r} holds more than {most} web addresses (+{points})")
            return


def _alike(cells: Mapping[str, str], rules: SpamRules) -> Iterator[Signal]:
    said = [value.strip().casefold() for value in cells.values() if value.strip()]
    if len(said) >= rules.all_alike.answers and len(set(said)) == 1:
        points = rules.all_alike.points
        yield Signal("", "all_alike", points, f"all {len(said)} answers are the same text (+{points})")


def _moment(text: str) -> datetime | None:
    """A time in ISO 8601, or in seconds or milliseconds since 1970; one without a zone is taken as UTC."""
    try:
        if _SECONDS.fullmatch(text):
            number = float(text)
            return datetime.fromtimestamp(number / 1000 if number > _MILLISECONDS else number, UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
