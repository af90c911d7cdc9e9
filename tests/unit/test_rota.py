"""Whose turn it is: fair to weights, to newcomers, and to people who were away (S002-25)."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sluice.rota import Member, Person, Rota, Team, Teams, unavailable


def members(**weights: int) -> tuple[Member, ...]:
    return tuple(Member(person=person, weight=weight) for person, weight in weights.items())


def turns(rota: Rota, count: int) -> str:
    return " ".join(rota.take(count).people.to_pylist())


@pytest.mark.parametrize(
    ("weights", "order"),
    [
        pytest.param(
            {"ana": 1, "ben": 1}, "ana ben ana ben ana ben", id="equal weights alternate, the first listed begins"
        ),
        pytest.param({"ana": 2, "ben": 1}, "ana ana ben ana ana ben", id="weight 2 has two of three turns"),
        pytest.param({"ana": 1, "ben": 3}, "ben ben ana ben ben ben", id="who has the larger weight begins"),
        pytest.param({"ana": 1}, "ana ana ana ana ana ana", id="alone"),
        pytest.param({}, "", id="nobody"),
    ],
)
def test_turns(weights: dict[str, int], order: str) -> None:
    assert turns(Rota(members(**weights), {}, {}), 6) == order


def test_a_turn_tells_what_it_was_decided_by() -> None:
    rota = Rota(members(ana=2, ben=1, cleo=1), {"cleo": "away"}, {"ana": 1.5, "ben": 2.0})
    assert rota.candidates == ["ana:3/2", "ben:2/1", "cleo:away"]
    taken = rota.take(2)
    assert taken.people.to_pylist() == ["ana", "ana"]
    assert (taken.before.tolist(), taken.after.tolist()) == ([3.0, 4.0], [4.0, 5.0])
    assert taken.candidates.to_pylist() == [["ana:3/2", "ben:2/1", "cleo:away"], ["ana:4/2", "ben:2/1", "cleo:away"]]
    assert rota.candidates == ["ana:5/2", "ben:2/1", "cleo:away"]
    assert rota.levels() == {"ana": 2.5, "ben": 2.0}


@pytest.mark.parametrize(
    ("levels", "weights", "away", "order"),
    [
        pytest.param({"ana": 50.0, "ben": 50.0}, {"ana": 1, "ben": 1, "new": 1}, {}, "ana ben new ana", id="a newcomer is not flooded"),
        pytest.param({"ana": 50.0}, {"new": 1}, {"ana": "away"}, "new new new new", id="a newcomer while all others are away"),
        pytest.param({"ana": 20.0, "ben": 20.0}, {"ana": 3, "ben": 1}, {}, "ana ana ana ben", id="a new weight counts from now on"),
        pytest.param({"gone": 3.0, "ana": 9.0, "ben": 9.0}, {"ana": 1, "ben": 1}, {}, "ana ben ana ben", id="who left the team does not matter"),
    ],
)  # fmt: skip
def test_joining(levels: dict[str, float], weights: dict[str, int], away: dict[str, str], order: str) -> None:
    assert turns(Rota(members(**weights), away, levels), 4) == order


def test_a_newcomer_who_started_while_all_were_away_is_not_flooded_when_they_return() -> None:
    alone = Rota(members(ana=1, new=1), {"ana": "away"}, {"ana": 50.0})
    alone.take(1)
    together = Rota(members(ana=1, new=1), {}, alone.levels())
    assert Counter(turns(together, 10).split()) == {"ana": 5, "new": 5}


def test_whoever_returns_goes_on_from_the_lowest_level() -> None:
    without = Rota(members(ana=1, ben=1, cleo=1), {"cleo": "away"}, {"ana": 2.0, "ben": 2.0, "cleo": 2.0})
    turns(without, 100)
    again = Rota(members(ana=1, ben=1, cleo=1), {}, without.levels())
    assert Counter(turns(again, 9).split()) == {"ana": 3, "ben": 3, "cleo": 3}


@settings(max_examples=80, deadline=None)
@given(
    weights=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    batches=st.lists(st.tuples(st.integers(0, 25), st.sets(st.integers(0, 5))), max_size=12),
)
def test_turns_by_weight_never_differ_by_more_than_one_among_those_always_there(
    weights: list[int], batches: list[tuple[int, set[int]]]
) -> None:
    team = members(**{f"p{place}": weight for place, weight in enumerate(weights)})
    taken: Counter[str] = Counter()
    levels: dict[str, float] = {}
    ever_away: set[str] = set()
    for count, away in batches:
        passed_over = {f"p{place}": "away" for place in away if place < len(weights)}
        ever_away |= set(passed_over)
        rota = Rota(team, passed_over, levels)
        people = rota.take(count).people.to_pylist()
        assert len(people) == (count if len(passed_over) < len(team) else 0)
        assert not passed_over.keys() & set(people)
        taken.update(people)
        levels = rota.levels()
        shares = [taken[member.person] / member.weight for member in team if member.person not in ever_away]
        assert not shares or max(shares) - min(shares) <= 1 + 1e-6
        present = [levels[member.person] for member in team if member.person not in passed_over]
        assert not present or min(levels.values()) >= min(present) - 1e-6, "somebody would be flooded on return"


@settings(max_examples=80, deadline=None)
@given(
    team=st.lists(st.tuples(st.integers(1, 100), st.floats(0, 1e6)), min_size=1, max_size=6),
    counts=st.lists(st.integers(0, 30), min_size=1, max_size=5),
)
def test_turns_are_the_same_however_many_are_taken_at_once(team: list[tuple[int, float]], counts: list[int]) -> None:
    listed = members(**{f"p{place}": weight for place, (weight, _) in enumerate(team)})
    levels = {f"p{place}": level for place, (_, level) in enumerate(team)}
    at_once, in_parts = Rota(listed, {}, levels), Rota(listed, {}, levels)
    whole, parts = at_once.take(sum(counts)), [in_parts.take(count) for count in counts]
    for name in ("people", "before", "after", "candidates"):
        assert getattr(whole, name).tolist() == [value for part in parts for value in getattr(part, name).tolist()]
    assert at_once.levels() == in_parts.levels()


def test_teams_of_one_person_twice_are_refused() -> None:
    with pytest.raises(ValidationError, match="'ana' listed twice"):
        Team(name="Field", members=members(ana=1) * 2)


TEAMS = Teams(
    people={
        "ana": Person(name="Ana Petrova", email="ana@example.com"),
        "ben": Person(name="Ben Ito", email="ben@example.com", active=False),
        "cleo": Person(name="Ana Petrova", email="cleo@example.com"),
    },
    teams={
        "field": Team(name="Field", members=members(ana=1, ben=1)),
        "desk": Team(name="Desk", kind="queue", members=members(ana=1)),
    },
)


@pytest.mark.parametrize(
    ("written", "person"),
    [
        pytest.param("ana", "ana", id="key"),
        pytest.param(" ANA@Example.com ", "ana", id="e-mail address"),
        pytest.param("ben  ito", "ben", id="name; whether active is another question"),
        pytest.param("Ana Petrova", None, id="a name that two people have"),
        pytest.param("zoe", None, id="nobody"),
    ],
)
def test_find(written: str, person: str | None) -> None:
    assert TEAMS.find(written) == person


def test_who_is_passed_over_and_why() -> None:
    assert unavailable(TEAMS, "field", {"ana", "ben"}) == {"ana": "away", "ben": "inactive"}
    assert (TEAMS.team_of("ana"), TEAMS.team_of("cleo")) == ("field", None)
