"""Who gets a lead: precedence, the first rule that matches, turns, queues, and the sentences that say why."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from sluice.batch import Batch, empty_rejects, empty_set_asides
from sluice.errors import BrokenPromise
from sluice.rota import Teams
from sluice.routing import Assignment, RoutingRules, Workforce, explain_assignment, route

AS_OF = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEAMS = Teams.model_validate(
    {
        "people": {
            "ana": {"name": "Ana Petrova", "email": "ana@example.com"},
            "ben": {"name": "Ben Ito", "email": "ben@example.com"},
            "cleo": {"name": "Cleo Marsh", "email": "cleo@example.com"},
            "gus": {"name": "Gus Hall", "email": "gus@example.com", "active": False},
        },
        "teams": {
            "illinois": {"name": "Illinois", "members": [{"person": "ana", "weight": 2}, {"person": "ben"}, {"person": "gus"}]},
            "partners": {"name": "Partner desk", "members": [{"person": "cleo"}]},
            "desk": {"name": "Intake desk", "kind": "queue"},
        },
    }
)  # fmt: skip
RULES = RoutingRules.model_validate(
    {
        "rules": [
            {"name": "by ZIP", "when": {"country": "US", "zip": {"between": ["60000", "62999"]}}, "to": {"team": "illinois"}},
            {"name": "partners", "when": {"lead_source": "Partner"}, "to": {"person": "cleo"}},
            {"name": "left", "when": {"lead_source": "Referral"}, "to": {"person": "gus"}},
        ],
        "otherwise": {"team": "desk"},
    }
)  # fmt: skip

COLUMNS = {
    "lead_id": "Int64", "is_last": "bool", "is_new_lead": "bool", "known_owner": "str", "owner_given": "str",
    "country": "str", "zip": "str", "lead_source": "str", "warnings": "str",
}  # fmt: skip
NEW: dict[str, Any] = {"is_last": True, "is_new_lead": True, "warnings": ""}
CHICAGO: dict[str, Any] = NEW | {"country": "US", "zip": "60614"}


def batch(*rows: dict[str, Any]) -> Batch:
    numbered = [{"lead_id": place, "row": place, **row} for place, row in enumerate(rows, 1)]
    leads = pd.DataFrame(numbered, columns=["row", *COLUMNS]).astype(COLUMNS)
    return Batch(leads, empty_rejects(), empty_set_asides())


def routed(
    *rows: dict[str, Any], away: frozenset[str] = frozenset(), rotas: dict[str, Any] | None = None
) -> pd.DataFrame:
    return route(batch(*rows), RULES, Workforce(TEAMS, away), rotas or {}, AS_OF)[0].leads


@pytest.mark.parametrize(
    ("row", "away", "owner", "team", "rule", "reason"),
    [
        pytest.param(CHICAGO, "", "ana", "illinois", "by ZIP", "turn", id="the first rule that matches"),
        pytest.param(CHICAGO | {"lead_source": "Partner"}, "", "ana", "illinois", "by ZIP", "turn", id="a later rule that matches too does not count"),
        pytest.param(CHICAGO, "ana", "ben", "illinois", "by ZIP", "turn", id="who is away is passed over"),
        pytest.param(CHICAGO, "ana ben", None, "illinois", "by ZIP", "nobody_available", id="nobody there: the team's queue"),
        pytest.param(NEW | {"lead_source": "Partner"}, "", "cleo", "partners", "partners", "person", id="a rule names a person"),
        pytest.param(NEW | {"lead_source": "Partner"}, "cleo", None, "desk", "partners", "queue", id="that person is away: the catch-all"),
        pytest.param(NEW | {"lead_source": "Referral"}, "", None, "desk", "left", "queue", id="that person has left: the catch-all"),
        pytest.param(NEW, "", None, "desk", "otherwise", "queue", id="no rule matches: the catch-all"),
        pytest.param(CHICAGO | {"known_owner": "cleo"}, "", "cleo", "partners", "existing_owner", "existing_owner", id="an owner stays"),
        pytest.param(CHICAGO | {"known_owner": "cleo"}, "cleo", "cleo", "partners", "existing_owner", "existing_owner", id="an owner stays while away"),
        pytest.param(CHICAGO | {"known_owner": "cleo", "owner_given": "ben"}, "", "cleo", "partners", "existing_owner", "existing_owner", id="before the one it came with"),
        pytest.param(CHICAGO | {"known_owner": "gus"}, "", "ana", "illinois", "by ZIP", "turn", id="an owner who left is replaced"),
        pytest.param(CHICAGO | {"owner_given": "Ben@example.com"}, "", "ben", "illinois", "owner_given", "owner_given", id="the owner it came with, by e-mail"),
        pytest.param(CHICAGO | {"owner_given": "nobody"}, "", "ana", "illinois", "by ZIP", "turn", id="an unknown owner is not one"),
        pytest.param(CHICAGO | {"is_new_lead": False}, "", "ana", "illinois", "by ZIP", "turn", id="a known lead without owner gets one"),
    ],
)  # fmt: skip
def test_one_lead(row: dict[str, Any], away: str, owner: str | None, team: str, rule: str, reason: str) -> None:
    lead = routed(row, away=frozenset(away.split())).iloc[0]
    assert (lead["owner"] if pd.notna(lead["owner"]) else None) == owner
    assert (lead["team"], lead["rule"], lead["reason"]) == (team, rule, reason)


def test_an_empty_batch_gets_the_columns_too() -> None:
    after, levels = route(batch(), RULES, Workforce(TEAMS), {}, AS_OF)
    assert {"owner", "team", "rule", "reason", "candidates", "turn_before", "turn_after"} <= set(after.leads.columns)
    assert levels == {}


def test_turns_follow_row_order_and_are_kept() -> None:
    shuffled = batch(*[CHICAGO] * 6)
    shuffled = shuffled.with_leads(shuffled.leads.iloc[[4, 0, 3, 5, 1, 2]])
    after, levels = route(shuffled, RULES, Workforce(TEAMS), {"illinois": {"ana": 1.0, "ben": 1.0}}, AS_OF)
    leads = after.leads.sort_values("row")
    assert leads["owner"].tolist() == ["ana", "ana", "ben", "ana", "ana", "ben"]
    assert leads["candidates"].tolist()[:3] == [
        ["ana:2/2", "ben:1/1", "gus:inactive"],
        ["ana:3/2", "ben:1/1", "gus:inactive"],
        ["ana:4/2", "ben:1/1", "gus:inactive"],
    ]
    assert leads["turn_before"].tolist() == [2, 3, 1, 4, 5, 2]
    assert leads["turn_after"].tolist() == [3, 4, 2, 5, 6, 3]
    assert levels == {"illinois": {"ana": 3.0, "ben": 3.0}}


def test_rows_of_one_lead_take_one_turn_and_get_one_owner() -> None:
    leads = routed(
        CHICAGO | {"lead_id": 7, "is_last": False, "zip": None}, CHICAGO | {"lead_id": 7}, CHICAGO | {"lead_id": 8}
    )
    assert leads["owner"].tolist() == ["ana", "ana", "ana"]
    assert leads["turn_after"].tolist() == [1, 1, 2]


def test_a_row_without_a_lead_has_no_owner_and_no_team() -> None:
    leads = routed(CHICAGO | {"lead_id": None, "is_last": False}, CHICAGO)
    assert leads["team"].isna().tolist() == [True, False]
    assert leads["candidates"].isna().tolist() == [True, False]


def test_a_lead_without_a_last_row_is_our_bug() -> None:
    with pytest.raises(BrokenPromise, match="1 leads have no last row"):
        routed(CHICAGO | {"is_last": False})


def test_an_owner_given_who_is_not_an_active_person_is_warned_about() -> None:
    leads = routed(
        CHICAGO | {"owner_given": "gus", "warnings": "phone:invalid"}, CHICAGO | {"owner_given": "ana"}, CHICAGO
    )
    assert leads["warnings"].tolist() == ["phone:invalid owner_given:unknown", "", ""]


def test_the_batch_that_came_in_is_left_as_it_was() -> None:
    before = batch(CHICAGO | {"owner_given": "nobody"})
    route(before, RULES, Workforce(TEAMS), {}, AS_OF)
    assert before.leads["warnings"].tolist() == [""]
    assert "owner" not in before.leads.columns


@pytest.mark.parametrize(
    ("assignment", "sentences"),
    [
        pytest.param(
            Assignment("ana", "illinois", "by ZIP", "turn", ["ana:3/2", "ben:2/1", "gus:inactive"]),
            ["Rule 'by ZIP': country is US and zip is between 60000 and 62999",
             "It was Ana Petrova's turn in Illinois, the one with the fewest turns for their weight after it",
             "Ana Petrova had taken 3 turns at weight 2", "Ben Ito had taken 2 turns at weight 1",
             "Gus Hall was passed over: inactive"],
            id="a turn",
        ),
        pytest.param(
            Assignment(None, "desk", "partners", "queue", ["cleo:away"]),
            ["Rule 'partners': lead_source is Partner",
             "It names Cleo Marsh, who was not available, so the catch-all decided",
             "Intake desk is a queue: somebody takes the lead by hand", "Cleo Marsh was passed over: away"],
            id="a person who was away",
        ),
        pytest.param(Assignment("cleo", None, "existing_owner", "existing_owner"), ["Cleo Marsh already owned the lead"], id="existing owner"),
        pytest.param(Assignment("cleo", None, "owner_given", "owner_given"), ["Cleo Marsh was named as the owner by the source"], id="owner given"),
        pytest.param(
            Assignment(None, "illinois", "by ZIP", "nobody_available"),
            ["Rule 'by ZIP': country is US and zip is between 60000 and 62999", "Nobody in Illinois was available: the lead waits in its queue"],
            id="nobody available",
        ),
        pytest.param(
            Assignment(None, "desk", "otherwise", "queue"),
            ["No rule matched, so the catch-all decided", "Intake desk is a queue: somebody takes the lead by hand"],
            id="catch-all",
        ),
    ],
)  # fmt: skip
def test_explain_assignment(assignment: Assignment, sentences: list[str]) -> None:
    assert explain_assignment(assignment, RULES, TEAMS) == sentences


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        pytest.param([{"name": "a", "when": {}, "to": {}}], "name either a team or a person", id="no target"),
        pytest.param([{"name": "a", "when": {}, "to": {"team": "x", "person": "y"}}], "name either a team or a person", id="two targets"),
        pytest.param([{"name": "a", "when": {}, "to": {"team": "x"}}] * 2, "'a' is used twice", id="two rules of one name"),
        pytest.param([{"name": "otherwise", "when": {}, "to": {"team": "x"}}], "'otherwise' is reserved", id="reserved name"),
    ],
)  # fmt: skip
def test_rules_that_contradict_themselves_are_refused(rules: list[Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RoutingRules.model_validate({"rules": rules, "otherwise": {"team": "desk"}})


def test_a_catch_all_is_mandatory() -> None:
    with pytest.raises(ValidationError, match="otherwise"):
        RoutingRules.model_validate({"rules": []})
