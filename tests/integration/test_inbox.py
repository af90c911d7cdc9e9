"""The inbox: what was stored at a door becomes leads, rejects and set-asides, whatever is in it."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sluice import inbox as inbox_module
from sluice.errors import DatabaseUnavailable
from sluice.explanation import explain, sections, show
from sluice.inbox import PAUSES, Inbox, bundles
from sluice.profiles import from_content
from sluice.store import inbox as stored_inbox
from sluice.store.engine import Database
from sluice.windows import drain
from tests.desk import Desk
from tests.posts import Posts, person


@pytest.fixture
def posts(desk: Desk) -> Posts:
    return Posts(desk)


def test_nothing_waits(posts: Posts) -> None:
    assert posts.work().settled == 0


def test_a_posted_lead_gets_an_owner_and_an_explanation(posts: Posts) -> None:
    number = posts.post(person(1, phone="+46 8 123 456 78", title="Inköpschef"))
    assert list(posts.work().worked) == [number]
    desk = posts.desk
    assert desk.ask("select email, company, country, receipt_id, row_number from leads") == [
        ("rosa.lindqvist1@nordlicht1.example", "Nordlicht 1 Energi AB", "SE", number, 1)
    ]
    assert desk.ask("select state, row_count, checkpoint, attempts from receipts") == [("done", 1, 1, 1)]
    (lead_id,) = desk.ask("select lead_id from leads where owner is not null or team is not null")
    said = dict(sections(explain(desk.office, str(lead_id))))
    assert f"POST to api, line 1 (receipt {number}, source api): created" in said["Where it came from"][0]
    assert said["Score"]
    assert said["Owner"]
    shown = {field["name"]: field["raw"] for field in show(desk.office, str(lead_id))["fields"]}
    assert shown["title"] == "Inköpschef"
    desk.whole()


def test_many_receipts_are_worked_together_and_each_keeps_its_own_rows(posts: Posts) -> None:
    numbers = [posts.post([person(n, note="a"), person(n + 100, remark="b")]) for n in range(1, 6)]
    assert list(posts.work().worked) == numbers
    desk = posts.desk
    expected = [(number, row) for number in numbers for row in (1, 2)]
    assert desk.ask("select receipt_id, row_number from touches order by 1, 2") == expected
    assert desk.ask("select receipt_id, row_number from leads order by 1, 2") == expected
    assert desk.ask("select receipt_id, row_number from assignments order by 1, 2") == expected
    assert set(desk.ask("select extra::text from leads")) == {'{"note": "a"}', '{"remark": "b"}'}
    assert len(desk.ask("select distinct header::text from receipts")) == 1
    desk.whole()


def test_the_same_person_in_several_posts_of_a_bundle_is_one_lead(posts: Posts) -> None:
    first = posts.post(person(1))
    second = posts.post(person(1, title="Head of Procurement"))
    posts.work()
    desk = posts.desk
    assert desk.ask("select title, receipt_id from leads") == [("Head of Procurement", first)]
    assert desk.ask("select receipt_id, outcome from touches order by 1") == [(first, "created"), (second, "updated")]
    assert desk.ask("select receipt_id, row_number, field from lead_changes where field = 'title'") == [
        (second, 1, "title")
    ]
    desk.whole()


def test_what_a_post_says_and_what_a_file_says_become_the_same_lead(posts: Posts) -> None:
    """Webhook, API and file leads go the very same way."""
    desk, said = posts.desk, person(1, phone="+46 8 123 456 78")
    desk.take(",".join(said) + "\n" + ",".join(said.values()) + "\n")
    as_file = desk.ask("select email, full_name, phone, company_domain, score, band, score_signals from leads")
    desk.do("truncate leads, touches, companies, assignments, activities, lead_changes, match_decisions, receipts")
    posts.post(said)
    posts.work()
    assert desk.ask("select email, full_name, phone, company_domain, score, band, score_signals from leads") == as_file


BROKEN_BODIES = {
    "no JSON": b'{"email": "rosa@nord',
    "NaN": b'{"email": NaN}',
    "a bomb of brackets": b"[" * 100_000,
    "the same key twice": b'{"email": "a@nord.example", "email": "b@nord.example"}',
    "bytes of nothing": bytes(range(256)),
    "empty": b"",
}


@pytest.mark.parametrize("body", BROKEN_BODIES.values(), ids=BROKEN_BODIES)
def test_what_cannot_be_read_is_quarantined_with_its_bytes_and_the_next_is_worked(posts: Posts, body: bytes) -> None:
    """R20."""
    bad, good = posts.post(body), posts.post(person(1))
    worked = posts.work()
    assert (list(worked.quarantined), list(worked.worked)) == ([bad], [good])
    desk = posts.desk
    ((kept, failure),) = desk.ask(f"select body, failure from receipts where receipt_id = {bad}")
    assert bytes(kept) == body
    assert failure["found"]
    assert failure["fix"]
    desk.whole()


def test_one_bad_element_does_not_hold_up_the_others(posts: Posts) -> None:
    """R22: element 57 of 100."""
    body: list[Any] = [person(n) for n in range(1, 101)]
    body[56] = "not an object"
    number = posts.post(body)
    posts.work()
    desk = posts.desk
    assert desk.ask("select count(*) from leads") == [99]
    ((row, problems),) = desk.ask(f"select row_number, problems from rejects where receipt_id = {number}")
    assert (row, problems[0]["code"]) == (57, "element.unreadable")
    desk.whole()


def test_an_undeclared_source_is_quarantined_and_says_so(posts: Posts) -> None:
    number = posts.post(person(1), source="new-campaign")
    assert list(posts.work().quarantined) == [number]
    ((failure,),) = [posts.desk.ask("select failure from receipts")]
    assert "new-campaign" in failure["found"]


def test_the_rules_of_the_time_of_arrival_count(posts: Posts) -> None:
    """A receipt pins its config: it is worked by the rules that were in force, even if the source is gone by now."""
    posts.post(person(1))
    desk = posts.desk
    others = {path: text for path, text in desk.office.profile.content.items() if path != "sources/api.yml"}
    office = replace(desk.office, profile=from_content(others, "standard"))
    assert "api" not in office.profile.sources
    assert drain(office, Inbox(office))
    assert desk.ask("select count(*) from leads") == [1]


class Poison(Exception):
    """What no reader expects."""


def test_what_breaks_its_worker_is_found_and_quarantined_after_three_attempts(
    posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R20: the rest of its bundle goes on."""
    numbers = [posts.post(person(n)) for n in range(1, 8)]
    poison = numbers[3]
    land = Inbox._land

    def explode(self: Inbox, prepared: Any, *others: Any) -> Any:
        if poison in [one.waiting.receipt_id for one in prepared[1]]:
            raise Poison
        return land(self, prepared, *others)

    monkeypatch.setattr(Inbox, "_land", explode)
    monkeypatch.setattr(inbox_module, "PAUSES", (0.0, 0.0))
    worked = posts.work()
    assert sorted(worked.worked) == [number for number in numbers if number != poison]
    assert list(worked.quarantined) == [poison]
    assert posts.desk.ask(f"select attempts, failure ->> 'found' from receipts where receipt_id = {poison}") == [
        (3, "it was begun 3 times and not finished, the last time with Poison")
    ]
    posts.desk.whole()


def test_what_was_begun_and_not_finished_goes_with_few_then_alone(posts: Posts) -> None:
    numbers = [posts.post(person(n)) for n in range(1, 31)]
    begun, twice = numbers[:12], numbers[10:12]
    stored_inbox.begin(posts.desk.database, begun, PAUSES)
    stored_inbox.begin(posts.desk.database, twice, PAUSES)
    assert posts.desk.ask("select count(*) from receipts where retry_at > now()") == [2], "it is left alone for a while"
    posts.desk.do("update receipts set retry_at = null")
    found = bundles(stored_inbox.waiting(posts.desk.database))
    assert [len(bundle) for bundle in found] == [18, 10, 1, 1]


def test_what_killed_its_worker_three_times_is_not_begun_again(posts: Posts) -> None:
    number = posts.post(person(1))
    for _ in range(3):
        stored_inbox.begin(posts.desk.database, [number], PAUSES)
    posts.desk.do("update receipts set retry_at = null")
    assert list(posts.work().quarantined) == [number]
    assert posts.desk.ask("select count(*) from leads") == [0]


def test_what_was_begun_when_the_database_went_away_was_no_attempt(
    posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    posts.post(person(1))
    worker = Inbox(posts.desk.office)

    def away(self: Inbox, prepared: Any, *others: Any) -> Any:
        raise DatabaseUnavailable(posts.desk.database.where, "it does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "_land", away)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                worker.drain(lambda: False)
    assert worker.drain(lambda: False) == 1
    assert posts.desk.ask("select attempts from receipts") == [1]


def test_what_ends_every_session_that_works_it_is_quarantined_in_the_end(
    posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R20: the others do not wait for it for ever."""
    bad, good = posts.post(person(1)), posts.post(person(2))
    land = Inbox._land

    def cut(self: Inbox, prepared: Any, *others: Any) -> Any:
        if bad in [one.waiting.receipt_id for one in prepared[1]]:
            raise DatabaseUnavailable(posts.desk.database.where, "the session was ended")
        return land(self, prepared, *others)

    monkeypatch.setattr(Inbox, "_land", cut)
    worker = Inbox(posts.desk.office)
    for _ in range(12):
        posts.desk.do("update receipts set retry_at = null")
        with contextlib.suppress(DatabaseUnavailable):
            worker.drain(lambda: False)
    assert (posts.state(bad), posts.state(good)) == ("failed", "done")


def test_two_workers_on_one_bundle_load_it_once(posts: Posts) -> None:
    """R3: a session that was cut may leave two holders."""
    for n in range(1, 60):
        posts.post(person(n))
    found = stored_inbox.waiting(posts.desk.database)
    workers = [Inbox(posts.desk.office) for _ in range(3)]
    threads = [threading.Thread(target=worker._attempt, args=(found,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(worker.settled for worker in workers) == 59
    assert posts.desk.ask("select count(*) from touches") == [59]
    posts.desk.whole()


@pytest.mark.parametrize("seed", [1, 2])
def test_what_the_source_says_of_the_time_counts_not_the_order_of_arrival(
    posts: Posts, make_database: Callable[..., Database], seed: int
) -> None:
    """R19: late retries, shuffled and repeated, give the same leads."""
    said = [
        person(n % 4, title=f"Head of Line {n}", created_at=f"2026-11-{n + 1:02}T08:00:00Z", city=f"Ort {n}")
        for n in range(12)
    ]
    for one in said:
        posts.post(one)
    posts.work()
    desk = posts.desk
    other = Posts(replace(desk, office=replace(desk.office, database=make_database("template_of_tests"))))
    shuffled = [*said, *said[:5]]
    random.Random(seed).shuffle(shuffled)
    for place, one in enumerate(shuffled):
        other.post(one)
        if place % 5 == 0:
            other.work()
    other.work()
    assert other.desk.whole() == desk.whole()
