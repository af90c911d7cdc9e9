"""Who gets a lead, and why: the owner it has, the owner it came with, the first rule that matches, or the catch-all.

Nobody is forgotten: a lead without an owner is in a team's queue (S002-23..25).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from sluice.batch import Batch, add_warning, cells, column_of, map_uniques
from sluice.conditions import Condition, describe, true_of
from sluice.errors import BrokenPromise
from sluice.leadfacts import Facts
from sluice.rota import Rota, Rotas, Teams, unavailable
from sluice.rules import Rules

Reason = Literal["existing_owner", "owner_given", "person", "turn", "queue", "nobody_available"]
"""How the owner was found; the two last mean that the lead waits in the team's queue."""

OTHERWISE = "otherwise"
_RESERVED = (OTHERWISE, *get_args(Reason))
_COLUMNS = {
    "owner": "str", "team": "str", "rule": "str", "reason": "str",
    "candidates": "object", "turn_before": "Float64", "turn_after": "Float64",
}  # fmt: skip


class Target(Rules):
    """Where a rule sends a lead: to a team, or to one person."""

    team: str | None = None
    person: str | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.team is None) == (self.person is None):
            raise ValueError("name either a team or a person")
        return self


class CatchAll(Rules):
    """Where a lead goes that no rule takes."""

    team: str


class RoutingRule(Rules):
    """One line of the table; the first one whose condition holds decides."""

    name: str = Field(min_length=1, max_length=100)
    when: Condition
    to: Target


class RoutingRules(Rules):
    """`routing.yml`: rules in order of precedence, and the catch-all that makes sure that none is left over."""

    rules: tuple[RoutingRule, ...] = ()
    otherwise: CatchAll

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Self:
        names = [rule.name for rule in self.rules]
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        reserved = [name for name in names if name in _RESERVED]
        if twice or reserved:
            why = "used twice" if twice else f"reserved, as {', '.join(_RESERVED)} are"
            raise ValueError(f"rules: the name {(twice or reserved)[0]!r} is {why}")
        return self


@dataclass(frozen=True)
class Workforce:
    """Who can be given leads at the moment: the teams, and who of them is away."""

    teams: Teams
    away: Collection[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who got a lead and why, compact, as `assignments` keeps it."""

    owner: str | None
    team: str | None
    rule: str
    reason: str
    candidates: list[str] = field(default_factory=list[str])
    turn_before: float | None = None
    turn_after: float | None = None


def route(
    batch: Batch, rules: RoutingRules, workforce: Workforce, rotas: Rotas, as_of: datetime
) -> tuple[Batch, dict[str, dict[str, float]]]:
    """Gives every lead an owner or a queue, and says why.

    Decided once per lead, on its last row in the batch, in row order: its owner stays while active; else the owner it
    came with (an unknown or inactive one is warned about: `owner_given:unknown`); else the first rule that matches;
    else the catch-all. Only the last two take a turn. If the rule's person is not available, the catch-all decides; if
    nobody in the team is, the lead waits in the team's queue.

    Args:
        batch: leads as scored.
        rules: checked against the fields and teams there are.
        workforce: teams, and who is away.
        rotas: levels as stored.
        as_of: the time that `within_days` counts back from.

    Returns:
        The batch with owner, team, rule, reason (str), candidates (object, list[str]; see `Rota.candidates`) and
        turn_before, turn_after (Float64, turns of the owner) added, all missing for rows without a lead; and the
        levels of the teams that rows came to, to be stored in the same transaction.

    Raises:
        BrokenPromise: a lead has no last row in the batch.
    """
    leads, given = _owners_given(batch.leads, workforce.teams)
    known = cells(leads["known_owner"]) if "known_owner" in leads else [None] * len(leads)
    lead_ids, is_last = cells(leads["lead_id"]), leads["is_last"].tolist()
    rule_of = _first_match(rules, leads, as_of)
    dispatcher = _Dispatcher(rules, workforce, rotas)
    by_lead: dict[int | None, Assignment | None] = {None: None}
    for place in _in_row_order(leads):
        if is_last[place] and lead_ids[place] is not None:
            by_lead[lead_ids[place]] = dispatcher.decide(known[place], given[place], rule_of[place])
    unknown = set(lead_ids) - by_lead.keys()
    if unknown:
        raise BrokenPromise(f"{len(unknown)} leads have no last row in the batch")
    rows = [by_lead[lead] for lead in lead_ids]
    columns = {name: [None if row is None else getattr(row, name) for row in rows] for name in _COLUMNS}
    decided = {name: column_of(column, _COLUMNS[name]) for name, column in columns.items()}
    return batch.with_leads(leads).with_columns(decided), dispatcher.levels()


def explain_assignment(assignment: Assignment, rules: RoutingRules, teams: Teams) -> list[str]:
    """An assignment in sentences: which rule, whose turn it was among whom, who was passed over.

    Args:
        assignment: as stored.
        rules: those it was made with.
        teams: those it was made with.
    """
    who = _name(assignment.owner, teams)
    team = teams.teams[assignment.team].name if assignment.team in teams.teams else assignment.team
    if assignment.reason == "existing_owner":
        return [f"{who} already owned the lead"]
    if assignment.reason == "owner_given":
        return [f"{who} was named as the owner by the source"]
    rule = next((rule for rule in rules.rules if rule.name == assignment.rule), None)
    said = [
        "No rule matched, so the catch-all decided" if rule is None else f"Rule {rule.name!r}: {describe(rule.when)}"
    ]
    if rule is not None and rule.to.person is not None and assignment.reason != "person":
        said.append(f"It names {_name(rule.to.person, teams)}, who was not available, so the catch-all decided")
    match assignment.reason:
        case "person":
            said.append(f"The rule names {who}")
        case "turn":
            said.append(f"It was {who}'s turn in {team}, the one with the fewest turns for their weight after it")
        case "nobody_available":
            said.append(f"Nobody in {team} was available: the lead waits in its queue")
        case _:
            said.append(f"{team} is a queue: somebody takes the lead by hand")
    return said + [_say_candidate(candidate, teams) for candidate in assignment.candidates]


class _Dispatcher:
    """Takes the decisions of one batch; remembers the turns."""

    def __init__(self, rules: RoutingRules, workforce: Workforce, rotas: Rotas) -> None:
        self._rules, self._teams, self._away, self._stored = rules.rules, workforce.teams, workforce.away, rotas
        self._otherwise = rules.otherwise.team
        self._rotas: dict[str, Rota] = {}
        self._named: dict[tuple[str, str, str], Assignment] = {}

    def decide(self, known: Any, given: Any, rule: int) -> Assignment:
        """The assignment of one lead; `rule` is the place of the first rule that matches, or -1."""
        for owner, reason in ((known, "existing_owner"), (given, "owner_given")):
            if isinstance(owner, str) and self._teams.is_active(owner):
                return self._by_name(owner, reason, reason)
        if rule < 0:
            return self._to_team(self._otherwise, OTHERWISE, [])
        name, to = self._rules[rule].name, self._rules[rule].to
        if to.team is not None:
            return self._to_team(to.team, name, [])
        person = str(to.person)
        if not self._teams.is_active(person) or person in self._away:
            why = "away" if self._teams.is_active(person) else "inactive"
            return self._to_team(self._otherwise, name, [f"{person}:{why}"])
        return self._by_name(person, name, "person")

    def levels(self) -> dict[str, dict[str, float]]:
        """Of every team whose rota was asked."""
        return {team: rota.levels() for team, rota in self._rotas.items()}

    def _by_name(self, person: str, rule: str, reason: str) -> Assignment:
        """Of a person who did not come by turn; the same one for all such leads."""
        facts = person, rule, reason
        if facts not in self._named:
            self._named[facts] = Assignment(person, self._teams.team_of(person), rule, reason)
        return self._named[facts]

    def _to_team(self, team: str, rule: str, passed_over: list[str]) -> Assignment:
        if self._teams.teams[team].kind == "queue":
            return Assignment(None, team, rule, "queue", passed_over)
        if team not in self._rotas:
            absent = unavailable(self._teams, team, self._away)
            self._rotas[team] = Rota(self._teams.teams[team].members, absent, self._stored.get(team, {}))
        rota = self._rotas[team]
        candidates, turn = passed_over + rota.candidates, rota.take()
        if turn is None:
            return Assignment(None, team, rule, "nobody_available", candidates)
        return Assignment(turn.person, team, rule, "turn", candidates, turn.before, turn.after)


def _owners_given(leads: pd.DataFrame, teams: Teams) -> tuple[pd.DataFrame, list[str | None]]:
    """The person that a row names as its owner; a warning where there is no such active person."""
    nobody: list[str | None] = [None] * len(leads)
    if "owner_given" not in leads.columns or not leads["owner_given"].notna().any():
        return leads, nobody
    leads = leads.copy()
    found = map_uniques(leads["owner_given"], teams.find)
    found = found.where(found.map(teams.is_active, na_action="ignore").eq(True))
    add_warning(leads, leads["owner_given"].notna() & found.isna(), "owner_given", "unknown")
    return leads, cells(found)


def _in_row_order(leads: pd.DataFrame) -> Iterable[int]:
    """The places of the leads in the order of their rows."""
    return range(len(leads)) if leads["row"].is_monotonic_increasing else leads["row"].argsort().tolist()


def _first_match(rules: RoutingRules, leads: pd.DataFrame, as_of: datetime) -> list[int]:
    """Per lead the place of the first rule whose condition holds, or -1."""
    first, facts = np.full(len(leads), -1), Facts(leads)
    for place, rule in enumerate(rules.rules):
        first[(first == -1) & true_of(rule.when, facts, as_of)] = place
    return first.tolist()


def _name(person: str | None, teams: Teams) -> str:
    return teams.people[person].name if person is not None and person in teams.people else str(person or "nobody")


def _say_candidate(candidate: str, teams: Teams) -> str:
    person, _, state = candidate.rpartition(":")
    turns, slash, weight = state.partition("/")
    said = f"had taken {turns} turns at weight {weight}" if slash else f"was passed over: {state}"
    return f"{_name(person, teams)} {said}"
