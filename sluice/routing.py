"""Who gets a lead, and why: the owner it has, the owner it came with, the first rule that matches, or the catch-all.

Nobody is forgotten: a lead without an owner is in a team's queue (S002-23..25).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from sluice.batch import Batch, add_warning, floats, map_uniques
from sluice.conditions import Condition, describe, true_of
from sluice.distinct import distinct
from sluice.errors import BrokenPromise
from sluice.leadfacts import Facts
from sluice.rota import Rota, Rotas, Teams, unavailable
from sluice.rules import Rules

Reason = Literal["existing_owner", "owner_given", "person", "turn", "queue", "nobody_available"]
"""How the owner was found; the two last mean that the lead waits in the team's queue."""

OTHERWISE = "otherwise"
_RESERVED = (OTHERWISE, *get_args(Reason))
_OTHERWISE, _NO_LEAD = -1, 0  # kind of a lead that no rule takes; stands for the number of no lead


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
        The batch with owner, team, rule, reason (str), candidates (Arrow's list of str; see `Rota.candidates`) and
        turn_before, turn_after (Float64, turns of the owner) added, all missing for rows without a lead; and the
        levels of the teams that rows came to, to be stored in the same transaction.

    Raises:
        BrokenPromise: a lead has no last row in the batch.
    """
    leads, given = _owners_given(batch.leads, workforce.teams)
    lead_ids, is_last = leads["lead_id"].to_numpy("int64", na_value=_NO_LEAD), leads["is_last"].to_numpy(bool)
    dispatcher = _Dispatcher(rules, workforce, rotas)
    kinds = _first_match(rules, leads, as_of)
    for owners, reason in ((given, "owner_given"), (leads.get("known_owner"), "existing_owner")):
        if owners is not None:
            kinds = dispatcher.with_owners(kinds, owners, reason)
    places = _in_row_order(leads)
    decided = places[is_last[places] & (lead_ids[places] != _NO_LEAD)]
    columns = dispatcher.decide(kinds[decided], _of_lead(lead_ids, lead_ids[decided]))
    return batch.with_leads(leads).with_columns(columns), dispatcher.levels()


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
    """Takes the decisions of one batch; remembers the turns.

    A lead's *kind* is the place of the first rule that matches, `_OTHERWISE`, or above all rules an owner whom it has
    already. What is the same for all leads of a kind is worked out once; turns are taken a team at a time.
    """

    def __init__(self, rules: RoutingRules, workforce: Workforce, rotas: Rotas) -> None:
        self._rules, self._teams, self._away, self._stored = rules.rules, workforce.teams, workforce.away, rotas
        self._otherwise = rules.otherwise.team
        self._rotas: dict[str, Rota] = {}
        self._named: list[Assignment] = []

    def with_owners(self, kinds: np.ndarray, owners: pd.Series, reason: str) -> np.ndarray:
        """The kinds of leads, where those of which `owners` names an active person go to that person."""
        people = distinct(owners)
        kind_of = np.full(len(people.values) + 1, _OTHERWISE)
        for place, person in enumerate(people.values):
            if isinstance(person, str) and self._teams.is_active(person):
                kind_of[place] = len(self._rules) + len(self._named)
                self._named.append(self._by_name(person, reason, reason))
        found = kind_of[people.places.fill_null(len(people.values)).to_numpy()]
        return np.where(found == _OTHERWISE, kinds, found)

    def decide(self, kinds: np.ndarray, places: pa.Array[Any]) -> dict[str, Any]:
        """The columns that routing adds.

        Args:
            kinds: of the leads to be decided, in the order in which they take their turns.
            places: per row the place of its lead in `kinds`; null where it has none.
        """
        few, which = np.unique(kinds, return_inverse=True)
        common = [self._common(int(kind)) for kind in few]
        texts = {
            name: pa.array([getattr(one, name) for one in common], pa.large_string()).take(pa.array(which))
            for name in ("owner", "team", "rule", "reason")
        }
        before, after = np.full(len(kinds), np.nan), np.full(len(kinds), np.nan)
        lists, list_of = [pa.array([one.candidates for one in common], pa.list_(pa.string()))], which.copy()
        for team in dict.fromkeys(one.team for one in common if one.reason == "turn"):
            here = np.isin(which, [k for k, one in enumerate(common) if (one.team, one.reason) == (team, "turn")])
            turns = self._rotas[str(team)].take(int(here.sum()))
            texts["owner"] = pc.replace_with_mask(texts["owner"], pa.array(here), turns.people)
            before[here], after[here] = turns.before, turns.after
            list_of[here] = sum(map(len, lists)) + np.arange(len(turns))
            lists.append(turns.candidates_after([common[kind].candidates for kind in which[here].tolist()]))
        return {
            **{name: pd.Series(found.take(places), dtype="str").array for name, found in texts.items()},
            "candidates": pd.arrays.ArrowExtensionArray(pa.concat_arrays(lists).take(pa.array(list_of)).take(places)),
            "turn_before": floats(before, places),
            "turn_after": floats(after, places),
        }

    def levels(self) -> dict[str, dict[str, float]]:
        """Of every team whose rota was asked."""
        return {team: rota.levels() for team, rota in self._rotas.items()}

    def _common(self, kind: int) -> Assignment:
        """What all leads of a kind have in common; where it is a turn, its owner and the other candidates are not."""
        if kind >= len(self._rules):
            return self._named[kind - len(self._rules)]
        if kind == _OTHERWISE:
            return self._to_team(self._otherwise, OTHERWISE, [])
        name, to = self._rules[kind].name, self._rules[kind].to
        if to.team is not None:
            return self._to_team(to.team, name, [])
        person = str(to.person)
        if not self._teams.is_active(person) or person in self._away:
            why = "away" if self._teams.is_active(person) else "inactive"
            return self._to_team(self._otherwise, name, [f"{person}:{why}"])
        return self._by_name(person, name, "person")

    def _by_name(self, person: str, rule: str, reason: str) -> Assignment:
        """Of a person who did not come by turn."""
        return Assignment(person, self._teams.team_of(person), rule, reason)

    def _to_team(self, team: str, rule: str, passed_over: list[str]) -> Assignment:
        if self._teams.teams[team].kind == "queue":
            return Assignment(None, team, rule, "queue", passed_over)
        members, absent = self._teams.teams[team].members, unavailable(self._teams, team, self._away)
        self._rotas.setdefault(team, Rota(members, absent, self._stored.get(team, {})))
        if all(member.person in absent for member in members):
            return Assignment(None, team, rule, "nobody_available", passed_over + self._rotas[team].candidates)
        return Assignment(None, team, rule, "turn", passed_over)


def _of_lead(lead_ids: np.ndarray, decided: np.ndarray) -> pa.Array[Any]:
    """Per row the last place of its lead among the decided ones; null where it has no lead."""
    order = np.argsort(decided, kind="stable")
    place = np.searchsorted(decided[order], lead_ids, side="right") - 1
    found = (np.append(decided[order], _NO_LEAD)[place] == lead_ids) & (lead_ids != _NO_LEAD)
    if unknown := len(np.unique(lead_ids[~found & (lead_ids != _NO_LEAD)])):
        raise BrokenPromise(f"{unknown} leads have no last row in the batch")
    spread = np.zeros(len(lead_ids), dtype=np.int64)
    spread[found] = order[place[found]]
    return pa.array(spread, mask=~found)


def _owners_given(leads: pd.DataFrame, teams: Teams) -> tuple[pd.DataFrame, pd.Series | None]:
    """The person that a row names as its owner; a warning where there is no such active person."""
    if "owner_given" not in leads.columns or not leads["owner_given"].notna().any():
        return leads, None
    leads = leads.copy()
    found = map_uniques(leads["owner_given"], teams.find)
    found = found.where(found.map(teams.is_active, na_action="ignore").eq(True))
    add_warning(leads, leads["owner_given"].notna() & found.isna(), "owner_given", "unknown")
    return leads, found


def _in_row_order(leads: pd.DataFrame) -> np.ndarray:
    """The places of the leads in the order of their rows."""
    return np.argsort(leads["row"].to_numpy(), kind="stable")


def _first_match(rules: RoutingRules, leads: pd.DataFrame, as_of: datetime) -> np.ndarray:
    """Per lead the place of the first rule whose condition holds, or `_OTHERWISE`."""
    first, facts = np.full(len(leads), _OTHERWISE), Facts(leads)
    for place, rule in enumerate(rules.rules):
        first[(first == _OTHERWISE) & true_of(rule.when, facts, as_of)] = place
    return first


def _name(person: str | None, teams: Teams) -> str:
    return teams.people[person].name if person is not None and person in teams.people else str(person or "nobody")


def _say_candidate(candidate: str, teams: Teams) -> str:
    person, _, state = candidate.rpartition(":")
    turns, slash, weight = state.partition("/")
    said = f"had taken {turns} turns at weight {weight}" if slash else f"was passed over: {state}"
    return f"{_name(person, teams)} {said}"
