"""Scores: lines that always add up, groups within caps, tiers, clamps, bands and their actions."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sluice.batch import Batch, empty_rejects, empty_set_asides
from sluice.scoring import ScoringRules, band_actions, explain, score

AS_OF = datetime(2026, 11, 22, 12, tzinfo=UTC)
CALL = {"name": "call within 24 h", "kind": "call", "due_hours": 24, "subject": "Call to qualify"}
BANDS: list[dict[str, Any]] = [
    {"name": "nurture", "from": 0},
    {"name": "warm", "from": 21},
    {"name": "hot", "from": 51, "actions": [CALL]},
]


def rules(**changes: Any) -> ScoringRules:
    return ScoringRules.model_validate(
        {
            "groups": {"demographic": {"cap": 40}, "firmographic": {"cap": 20}},
            "signals": [
                {"name": "vp", "group": "demographic", "exclusive": "rank", "when": {"title": {"has_word": "vp"}}, "points": 25},
                {"name": "sales", "group": "demographic", "exclusive": "rank", "when": {"title": {"has_word": "sales"}}, "points": 5},
                {"name": "home", "group": "demographic", "when": {"country": "BG"}, "points": 22},
                {"name": "large", "group": "firmographic", "when": {"employees": {"at_least": 1000}}, "points": 15},
                {"name": "throw-away", "group": "demographic", "when": {"email_is_disposable": True}, "points": -30},
            ],
            "clamp": {"minimum": 0, "maximum": 50},
            "bands": [{"name": "nurture", "from": 0, "to": 20}, {"name": "warm", "from": 21, "to": 49}, {"name": "hot", "from": 50, "actions": [CALL]}],
        }
        | changes
    )  # fmt: skip


def batch(rows: list[tuple[str | None, str | None, int | None, bool | None]]) -> Batch:
    leads = pd.DataFrame(rows, columns=["title", "country", "employees", "email_is_disposable"])
    leads = leads.astype({"title": "str", "country": "str", "employees": "Int64", "email_is_disposable": "boolean"})
    return Batch(leads.assign(row=range(1, len(rows) + 1)), empty_rejects(), empty_set_asides())


@pytest.mark.parametrize(
    ("row", "signals", "points", "total", "band"),
    [
        pytest.param((None, None, None, None), [], [], 0, "nurture", id="nothing is known"),
        pytest.param(("VP", None, None, None), ["vp"], [25], 25, "warm", id="one signal"),
        pytest.param(("VP Sales", None, None, None), ["vp"], [25], 25, "warm", id="only the best of a set counts"),
        pytest.param(("Sales", None, None, None), ["sales"], [5], 5, "nurture", id="the lesser of a set counts alone"),
        pytest.param(("VP", "BG", None, None), ["vp", "home", "cap demographic"], [25, 22, -7], 40, "warm", id="a cap is a line"),
        pytest.param(("VP", "BG", 5000, None), ["vp", "home", "large", "cap demographic", "clamp"], [25, 22, 15, -7, -5], 50, "hot", id="a clamp from above is a line"),
        pytest.param((None, None, None, True), ["throw-away", "clamp"], [-30, 30], 0, "nurture", id="a clamp from below is a line"),
        pytest.param(("VP", None, None, True), ["vp", "throw-away", "clamp"], [25, -30, 5], 0, "nurture", id="points may be taken away"),
    ],
)  # fmt: skip
def test_score(row: Any, signals: list[str], points: list[int], total: int, band: str) -> None:
    leads = score(batch([row]), rules(), AS_OF).leads
    assert leads["score_signals"].tolist() == [signals]
    assert leads["score_points"].tolist() == [points]
    assert (leads["score"].tolist(), leads["band"].tolist()) == ([total], [band])


def test_an_empty_batch_gets_the_columns_too() -> None:
    leads = score(batch([]), rules(), AS_OF).leads
    assert {"score": "Int64", "band": "str", "score_points": "object"}.items() <= leads.dtypes.astype(
        str
    ).to_dict().items()


def test_rules_without_signals_score_zero() -> None:
    leads = score(batch([("VP", "BG", 1, None)] * 2), rules(signals=[], groups={}), AS_OF).leads
    assert leads["score"].tolist() == [0, 0]


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(st.integers(-60, 60), min_size=5, max_size=5),
    caps=st.tuples(st.none() | st.integers(1, 50), st.none() | st.integers(1, 50)),
    minimum=st.integers(-300, 0),
    maximum=st.none() | st.integers(1, 200),
    rows=st.lists(
        st.tuples(st.sampled_from([None, "VP", "Sales", "VP Sales"]), st.sampled_from([None, "BG"]), st.sampled_from([None, 5000]), st.none() | st.booleans()),
        max_size=12,
    ),
)  # fmt: skip
def test_lines_always_add_up(points: list[int], caps: Any, minimum: int, maximum: int | None, rows: list[Any]) -> None:
    written = rules().model_dump(by_alias=True)["signals"]
    signals = [
        {k: old[k] for k in ("name", "group", "exclusive")} | {"when": when, "points": worth}
        for old, when, worth in zip(
            written,
            [{"title": {"has_word": "vp"}}, {"title": {"has_word": "sales"}}, {"country": "BG"}, {"employees": {"at_least": 1}}, {"email_is_disposable": True}],
            points,
            strict=True,
        )
    ]  # fmt: skip
    these = rules(
        groups={"demographic": {"cap": caps[0]}, "firmographic": {"cap": caps[1]}},
        signals=signals,
        clamp={"minimum": minimum, "maximum": maximum},
        bands=[{"name": "low", "from": minimum}, {"name": "high", "from": minimum + 50}],
    )
    leads = score(batch(rows), these, AS_OF).leads
    low, high = these.reach()
    for total, worth in zip(leads["score"], leads["score_points"], strict=True):
        assert total == sum(worth)
        assert low <= total <= high


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"bands": [{"name": "a", "from": 0, "to": 10}, {"name": "b", "from": 12}]}, "no band for 11 to 11 between 'a' and 'b'", id="gap"),
        pytest.param({"bands": [{"name": "a", "from": 0, "to": 12}, {"name": "b", "from": 12}]}, "'a' and 'b' overlap", id="overlap"),
        pytest.param({"bands": [{"name": "a", "from": 20}, {"name": "b", "from": 0}]}, "do not ascend", id="descending"),
        pytest.param({"bands": [{"name": "a", "from": 0}, {"name": "a", "from": 20}]}, "'a' is used twice", id="two bands of one name"),
        pytest.param({"bands": [{"name": "a", "from": 5}]}, "no band for 0 to 4; start lower", id="nothing for low scores"),
        pytest.param({"clamp": {}, "bands": BANDS}, "no band for -30 to -1", id="negative points without a clamp"),
        pytest.param({"bands": [{"name": "a", "from": 0, "to": 20}]}, "no band for scores above 20", id="nothing for high scores"),
        pytest.param({"groups": {"demographics": {}, "firmographic": {}}}, "did you mean 'demographics'", id="unknown group"),
        pytest.param({"clamp": {"minimum": 9, "maximum": 9}}, "minimum 9 is not below maximum 9", id="empty clamp"),
        pytest.param({"signals": [{"name": "clamp", "group": "firmographic", "when": {}, "points": 1}]}, "choose another name", id="reserved name"),
        pytest.param({"signals": [{"name": "a", "group": "firmographic", "when": {}, "points": 1}] * 2}, "the name 'a' is used twice", id="two signals of one name"),
    ],
)  # fmt: skip
def test_rules_that_contradict_themselves_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        rules(**changes)
    assert message in str(refused.value)


def test_band_actions() -> None:
    (call,) = band_actions(rules(), "hot")
    assert (call.name, call.kind, call.due_hours, call.subject) == ("call within 24 h", "call", 24, "Call to qualify")
    assert band_actions(rules(), "nurture") == ()
    assert band_actions(rules(), "no such band") == ()


def test_explain_says_why_and_what_would_change_the_band() -> None:
    assert explain(rules(), ["vp", "home", "cap demographic"], [25, 22, -7]) == [
        "+25 vp: title has the word vp (demographic)",
        "+22 home: country is BG (demographic)",
        "-7 because demographic counts for at most 40",
        "= 40, band warm (21 and more)",
        "10 more would make it hot",
    ]
    assert explain(rules(), ["vp", "home", "large", "cap demographic", "clamp"], [25, 22, 15, -7, -5])[-2:] == [
        "-5 because a score is at most 50",
        "= 50, band hot (50 and more)",
    ]
