"""Leads that a provider only announces: fetched, whatever the provider answers, and never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice import fetching
from sluice.fetching import Fetcher
from sluice.keyring import Keyring
from tests.desk import Desk, broken
from tests.graph import META, Announced, Answer, Graph
from tests.posts import Posts, with_sources


def test_an_announced_lead_is_fetched_and_worked(meta: Announced, graph: Graph) -> None:
    notice = meta.announce("6276465415920")
    meta.posts.work()
    assert meta.ask("select state, row_count from receipts order by receipt_id") == [("done", 0), ("received", None)]
    assert meta.fetcher.fetch_due() == 1
    assert graph.asked == [("6276465415920", "Bearer page-token-7")]
    meta.posts.work()
    assert meta.ask("select email from leads") == ["rosa6276465415920@nordlicht.example"]
    assert meta.ask("select key, parent_id, state from receipts order by 1 desc limit 1") == [
        ("id:6276465415920", notice, "done")
    ]
    assert meta.ask("select header from receipts where parent_id is not null")[0][0] == "meta_form"
    meta.posts.desk.whole()


def test_several_announcements_of_one_lead_are_one_lead(meta: Announced, graph: Graph) -> None:
    """Meta sends a message again for 36 hours, and several leads in one message."""
    for ids in (("1", "2"), ("2", "3"), ("3", "1")):
        meta.announce(*ids)
    meta.posts.work()
    meta.fetcher.fetch_due()
    meta.posts.work()
    assert sorted(one for one, _ in graph.asked) == ["1", "2", "3"]
    assert meta.ask("select count(*) from leads") == [3]
    meta.posts.desk.whole()


def test_what_is_no_announcement_is_a_reject_and_the_others_are_fetched(meta: Announced) -> None:
    changes = [{"field": "feed", "value": {}}, {"field": "leadgen", "value": {"leadgen_id": "9"}}, 7]
    meta.posts.post({"object": "page", "entry": [{"changes": changes}]}, "meta", kind="form")
    meta.posts.work()
    assert meta.ask("select problems -> 0 ->> 'code' from rejects order by row_number") == [
        "element.other_kind",
        "element.unreadable",
    ]
    assert meta.fetcher.fetch_due() == 1


@pytest.mark.parametrize(
    "troubles",
    [
        pytest.param([(404, {})] * 3, id="404, then it is there"),
        pytest.param([(429, {})], id="429"),
        pytest.param([(500, {}), (503, {})], id="500"),
        pytest.param(["silence"], id="no answer"),
        pytest.param([(200, b"x" * 2_000_000)], id="an answer without end"),
        pytest.param([(302, {})], id="elsewhere"),
    ],
)
def test_a_lead_is_asked_for_again_until_it_comes(
    meta: Announced, graph: Graph, monkeypatch: pytest.MonkeyPatch, troubles: list[Answer]
) -> None:
    """R21."""
    monkeypatch.setattr(fetching, "SECONDS", 0.5)
    graph.answers["5"] = [one if one != "silence" else ("silence", None) for one in troubles]
    meta.announce("5")
    meta.posts.work()
    for number in range(len(troubles)):
        assert meta.fetcher.fetch_due() == 0
        assert meta.fetcher.fetch_due() == 0, "it is not due yet"
        ((attempts, pause),) = meta.ask(
            "select attempts, extract(epoch from retry_at - now())::int from receipts where parent_id is not null"
        )
        assert attempts == number + 1
        assert pause >= (6 if troubles == [(429, {})] else 5)
        meta.hurry()
    assert meta.fetcher.fetch_due() == 1
    meta.posts.work()
    assert meta.ask("select count(*) from leads") == [1]
    meta.posts.desk.whole()


@pytest.mark.parametrize("refusal", [(401, {}), (403, {}), (400, {"error": {"code": 190, "message": "expired"}})])
def test_an_expired_token_is_an_alarm_and_no_loss(meta: Announced, graph: Graph, refusal: Answer) -> None:
    """R21: a day without a token."""
    graph.answers = {str(n): [refusal] * 96 for n in range(3)}
    meta.announce("0", "1", "2")
    meta.posts.work()
    for _ in range(96):
        meta.fetcher.fetch_due()
        meta.hurry()
    assert "does not take the token" in meta.fetcher.troubles["meta"]
    assert "page-token-7" not in str(meta.fetcher.troubles)
    assert meta.fetcher.fetch_due() == 3
    assert meta.fetcher.troubles == {}
    meta.posts.work()
    assert meta.ask("select count(*) from leads") == [3]


def test_without_a_token_it_waits(desk: Desk, graph: Graph, home: Path) -> None:
    made = with_sources(desk, meta=META.format(url=graph.url))
    meta = Announced(Posts(made), Fetcher(made.office, Keyring(home, {})))
    meta.announce("1")
    meta.posts.work()
    assert meta.fetcher.fetch_due() == 0
    assert "there is no such secret" in meta.fetcher.troubles["meta"]
    assert meta.ask("select state from receipts where parent_id is not null") == ["received"]


def test_after_a_week_a_person_must_look(meta: Announced, graph: Graph) -> None:
    graph.answers["5"] = [(404, {}), (404, {})]
    meta.announce("5")
    meta.posts.work()
    meta.fetcher.fetch_due()
    meta.hurry()
    meta.posts.desk.do("update receipts set received_at = now() - interval '8 days'")
    meta.fetcher.fetch_due()
    assert meta.ask("select state, failure ->> 'found' from receipts where parent_id is not null") == [
        ("failed", "the provider did not give the lead for 7 days; the last time the provider answered 404")
    ]
    assert broken(meta.posts.desk.database) == {}


def test_an_id_cannot_lead_elsewhere(meta: Announced, graph: Graph) -> None:
    meta.announce("../me?fields=accounts#")
    meta.posts.work()
    meta.fetcher.fetch_due()
    ((asked, _),) = graph.asked
    assert asked == "..%2Fme%3Ffields%3Daccounts%23"
