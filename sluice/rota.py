"""Who may be given leads (`teams.yml`), and whose turn it is: a weighted round-robin without clock or chance.

A rota keeps one number per person, the *level*: turns taken divided by weight. The next turn goes to whoever would
have the lowest level after it, so nobody is ever given a row of leads at once, and the levels of people who are
eligible throughout never differ by more than one turn (S002-25; the divisor method of D'Hondt, spread over time).
Whoever was away or is new goes on from the lowest level of the others, neither flooded nor punished; a new weight
counts from the moment it is set.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

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


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn taken: who had it, and the turns they had taken before and after, in units of one lead."""

    person: str
    before: float
    after: float


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
        self._said: dict[str, str] = {}
        self._after: dict[str, float] = {}  # the level that each would have after the next turn
        for person in self._weights:
            self._note(person)

    @property
    def candidates(self) -> list[str]:
        """Everyone in the team: `ana:3/2` (3 turns taken at weight 2), or `ben:away` where passed over."""
        return [*self._said.values(), *self._passed_over]

    def take(self) -> Turn | None:
        """The next turn; None if nobody is eligible."""
        if not self._weights:
            return None
        person = min(self._after, key=self._after.__getitem__)
        weight, before = self._weights[person], self._levels[person]
        self._levels[person] = before + 1 / weight
        self._note(person)
        turns = round(before * weight, 6)
        return Turn(person, turns, turns + 1 if turns.is_integer() else round(before * weight + 1, 6))

    def _note(self, person: str) -> None:
        """Works out anew what follows from a person's level."""
        level, weight = self._levels[person], self._weights[person]
        self._after[person] = round(level + 1 / weight, 6)
        self._said[person] = f"{person}:{_number(level * weight)}/{weight}"

    def levels(self) -> dict[str, float]:
        """What to store: whoever was passed over has risen to the lowest level of those who were not."""
        lowest = min((self._levels[person] for person in self._weights), default=0.0)
        return {p: level if p in self._weights else max(level, lowest) for p, level in self._levels.items()}


def unavailable(teams: Teams, team: str, away: Collection[str]) -> dict[str, str]:
    """The members who are passed over, and why: inactive or away."""
    members = [member.person for member in teams.teams[team].members]
    inactive = {person: "inactive" for person in members if not teams.is_active(person)}
    return {person: "away" for person in members if person in away} | inactive


def _number(value: float) -> str:
    if value.is_integer():
        return str(int(value))
    return f"{value:.2f}".rstrip("0").rstrip(".")
