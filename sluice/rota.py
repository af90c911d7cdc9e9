"""Who may be given leads (`teams.yml`), and whose turn it is: a weighted round-robin without clock or chance.

A rota keeps one number per person, the *level*: turns taken divided by weight. The next turn goes to whoever would
have the lowest level after it, so nobody is ever given a row of leads at once, and the levels of people who are
eligible throughout never differ by more than one turn (S002-25; the divisor method of D'Hondt, spread over time).
Whoever was away or is new goes on from the lowest level of the others, neither flooded nor punished; a new weight
counts from the moment it is set.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from sluice.rules import Rules

Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
"""What a person or team is called in other files and in the store."""

Rotas = Mapping[str, Mapping[str, float]]
"""Team → person → level."""


class Person(Rules):
    """Somebody who can own leads; one who is not active is given none."""

    name: str = Field(min_length=1, max_length=200)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    active: bool = True


class Member(Rules):
    """A person's place in a team; weight 2 gets twice as many leads as weight 1."""

    person: str
    weight: int = Field(default=1, ge=1, le=100)


class Team(Rules):
    """People who share leads: in turn, or a queue from which somebody takes them by hand."""

    name: str = Field(min_length=1, max_length=200)
    kind: Literal["round_robin", "queue"] = "round_robin"
    members: tuple[Member, ...] = ()

    @model_validator(mode="after")
    def _each_person_once(self) -> Self:
        people = [member.person for member in self.members]
        twice = [person for person in dict.fromkeys(people) if people.count(person) > 1]
        if twice:
            raise ValueError(f"members: {', '.join(map(repr, twice))} listed twice; give one entry a weight instead")
        return self


class Teams(Rules):
    """`teams.yml`: everyone and every team, by key."""

    people: dict[Key, Person]
    teams: dict[Key, Team]

    def is_active(self, person: str) -> bool:
        """Whether there is such a person, who works here."""
        return person in self.people and self.people[person].active

    def team_of(self, person: str) -> str | None:
        """The first team that lists the person, or None."""
        return next((key for key, team in self.teams.items() if any(m.person == person for m in team.members)), None)

    def find(self, written: str) -> str | None:
        """The key of the person meant by a key, e-mail address or name in any case; None if nobody or several are."""
        wanted = " ".join(written.split()).casefold()
        found = [
            key
            for key, person in self.people.items()
            if wanted in (key.casefold(), person.email.casefold(), person.name.casefold())
        ]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class Turns:
    """Turns taken one after the other.

    Attributes:
        people: who had each (str).
        before, after: the turns that they had taken, in units of one lead.
        candidates: what `Rota.candidates` said before each (list of str).
    """

    people: pa.Array[Any]
    before: np.ndarray
    after: np.ndarray
    candidates: pa.Array[Any]

    def __len__(self) -> int:
        return len(self.people)

    def candidates_after(self, passed_over: Sequence[list[str]]) -> pa.Array[Any]:
        """The candidates of each turn after those whom its rule passed over before; mostly there are none."""
        if not any(passed_over):
            return self.candidates
        both = zip(passed_over, self.candidates.to_pylist(), strict=True)
        return pa.array([[*before, *others] for before, others in both], self.candidates.type)


class Rota:
    """The turns of one team while a batch is routed; made from the stored levels, read back with `levels`."""

    def __init__(
        self, members: tuple[Member, ...], unavailable: Mapping[str, str], levels: Mapping[str, float]
    ) -> None:
        """Lets everyone join who is eligible.

        Args:
            members: of the team, in the order that breaks ties.
            unavailable: person → why they are passed over (away, inactive).
            levels: as stored; also of people who are not in the team any more.
        """
        self._weights = {m.person: m.weight for m in members if m.person not in unavailable}
        self._passed_over = [f"{m.person}:{unavailable[m.person]}" for m in members if m.person in unavailable]
        present = [levels[person] for person in self._weights if person in levels]
        join = min(present or list(levels.values()), default=0.0)
        self._levels = dict(levels) | {person: levels.get(person, join) for person in self._weights}

    @property
    def candidates(self) -> list[str]:
        """Everyone in the team: `ana:3/2` (3 turns taken at weight 2), or `ben:away` where passed over."""
        levels = self._levels
        return [*(_said(p, levels[p], weight) for p, weight in self._weights.items()), *self._passed_over]

    def take(self, many: int) -> Turns:
        """The next turns, as if each were asked for alone; none if nobody is eligible."""
        many = many if self._weights else 0
        ahead = {p: _levels_ahead(self._levels[p], weight, many) for p, weight in self._weights.items()}
        chosen = _merged([levels[1:] for levels in ahead.values()])[:many]
        taken = np.zeros((many, len(ahead)), dtype=np.int64)  # how many each had taken of them, before each
        taken[np.arange(many), chosen] = 1
        taken = np.cumsum(taken, axis=0) - taken
        own, people = taken[np.arange(many), chosen], list(ahead)
        weights = np.array(list(self._weights.values()), dtype=np.float64)[chosen]
        exact = np.array(list(ahead.values()))[chosen, own] * weights if many else np.zeros(0)
        before = np.round(exact, 6)
        turns = Turns(
            pa.array(people, pa.large_string()).take(pa.array(chosen)),
            before,
            np.where(before == np.floor(before), before + 1, np.round(exact + 1, 6)),
            self._candidates_of(ahead, taken),
        )
        for place, count in enumerate(np.bincount(chosen, minlength=len(people)).tolist()):
            self._levels[people[place]] = float(ahead[people[place]][count])
        return turns

    def _candidates_of(self, ahead: Mapping[str, np.ndarray], taken: np.ndarray) -> pa.Array[Any]:
        """What `candidates` says after each number of turns taken by each; every text is made once."""
        most = taken.max(axis=0, initial=0)
        said = [
            _said(person, level, self._weights[person])
            for (person, levels), count in zip(ahead.items(), most.tolist(), strict=True)
            for level in levels[: count + 1].tolist()
        ]
        starts = np.cumsum(most + 1) - (most + 1)
        others = len(said) + np.arange(len(self._passed_over))
        which = np.hstack([taken + starts, np.tile(others, (len(taken), 1))])
        texts = pa.array([*said, *self._passed_over], pa.string()).take(pa.array(which.ravel()))
        return pa.ListArray.from_arrays(pa.array(np.arange(len(which) + 1, dtype=np.int32) * which.shape[1]), texts)

    def levels(self) -> dict[str, float]:
        """What to store: whoever was passed over has risen to the lowest level of those who were not."""
        lowest = min((self._levels[person] for person in self._weights), default=0.0)
        return {p: level if p in self._weights else max(level, lowest) for p, level in self._levels.items()}


def unavailable(teams: Teams, team: str, away: Collection[str]) -> dict[str, str]:
    """The members who are passed over, and why: inactive or away."""
    members = [member.person for member in teams.teams[team].members]
    inactive = {person: "inactive" for person in members if not teams.is_active(person)}
    return {person: "away" for person in members if person in away} | inactive


def _levels_ahead(level: float, weight: int, many: int) -> np.ndarray:
    """A person's level now and after each of so many turns, added one by one: batches of any size give the same."""
    return np.add.accumulate(np.concatenate([[level], np.full(many, 1 / weight)]))


def _merged(ascending: Sequence[np.ndarray]) -> np.ndarray:
    """Which of some ascending lists has the lowest number, then the next, and so on; the first of those that tie."""
    if not ascending:
        return np.zeros(0, dtype=np.int64)
    whose = np.repeat(np.arange(len(ascending)), [len(levels) for levels in ascending])
    return whose[np.lexsort((whose, np.round(np.concatenate(ascending), 6)))]


def _said(person: str, level: float, weight: int) -> str:
    return f"{person}:{_number(level * weight)}/{weight}"


def _number(value: float) -> str:
    if value.is_integer():
        return str(int(value))
    return f"{value:.2f}".rstrip("0").rstrip(".")
