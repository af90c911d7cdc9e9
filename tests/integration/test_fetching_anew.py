"""Fetching announced leads while rules and tokens change, and while the inbox is handed over."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sluice.fetching import Fetcher, beside
from sluice.keyring import Keyring
from tests.graph import META, Announced, Answer, Graph, lead


@pytest.fixture
def folder(meta: Announced, tmp_path: Path) -> Path:
    """The config folder of a process that began before the source `meta` was declared there."""
    desk = meta.posts.desk
    config = Path(shutil.copytree(desk.office.settings.config, tmp_path / "config"))
    office = replace(desk.office, settings=replace(desk.office.settings, config=config), sources={})
    meta.fetcher = Fetcher(office, meta.fetcher.keyring)
    return config


NOBODY = "http://127.0.0.1:9/v24.0"
"""Where no provider is."""


def test_a_source_that_was_declared_later_is_fetched(meta: Announced, graph: Graph, folder: Path) -> None:
    (folder / "sources" / "meta.yml").write_text(META.format(url=graph.url))
    meta.announce("1")
    meta.posts.work()
    assert meta.fetcher.fetch_due() == 1


def test_rules_that_are_mended_count_for_leads_that_wait(meta: Announced, graph: Graph, folder: Path) -> None:
    """Without a restart; while somebody writes there what cannot be, the rules stay as they were."""
    meta.announce("1")
    meta.posts.work()
    declared = folder / "sources" / "meta.yml"
    for text in (META.format(url=NOBODY), "kind: [", "kind: form\nform: {signature: 7}\n"):
        declared.write_text(text)
        assert meta.fetcher.fetch_due() == 0
        meta.hurry()
    assert graph.asked == []
    declared.write_text(META.format(url=graph.url))
    assert meta.fetcher.fetch_due() == 1


LEFT = {"nothing": None, "a form without fetch": "kind: form\nform: {signature: {scheme: bearer, secret: meta}}\n"}


@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT)
def test_a_source_that_is_gone_is_fetched_as_it_was_announced(meta: Announced, folder: Path, left: str | None) -> None:
    declared = folder / "sources" / "meta.yml"
    declared.write_text(META.format(url=NOBODY))
    meta.announce("1")
    meta.posts.work()
    assert meta.fetcher.fetch_due() == 0
    meta.hurry()
    declared.unlink()
    if left:
        declared.write_text(left)
    assert meta.fetcher.fetch_due() == 1
    meta.posts.work()
    assert meta.ask("select count(*) from leads") == [1]


def test_rules_that_nobody_can_read_lose_no_lead(meta: Announced, folder: Path) -> None:
    """A newer Sluice kept them, or somebody has emptied the folder."""
    assert not (folder / "sources" / "meta.yml").exists()
    meta.announce("1")
    meta.posts.work()
    meta.posts.desk.do("update config_versions set hash = 'of another', content = '{}'")
    meta.posts.desk.do("update receipts set received_at = now() - interval '8 days'")
    assert meta.fetcher.fetch_due() == 0
    assert "Its leads wait" in meta.fetcher.troubles["meta"]
    assert meta.ask("select state from receipts where parent_id is not null") == ["received"]


def test_a_token_that_is_renewed_is_used(meta: Announced, graph: Graph, home: Path) -> None:
    """Without a restart."""
    path = home / "secrets" / "meta_page"
    path.parent.mkdir(exist_ok=True)
    path.touch(0o600)
    path.write_text("old")
    meta.fetcher = Fetcher(meta.posts.desk.office, Keyring(home, {}))
    graph.answers["1"] = [(401, {})]
    meta.announce("1")
    meta.posts.work()
    assert meta.fetcher.fetch_due() == 0
    meta.hurry()
    path.write_text("new")
    assert meta.fetcher.fetch_due() == 1
    assert [token for _, token in graph.asked] == ["Bearer old", "Bearer new"]


def test_it_fetches_beside_the_work(meta: Announced, until: Callable[[Callable[[], Any]], Any]) -> None:
    meta.announce("1")
    meta.posts.work()
    with beside(meta.fetcher):
        until(lambda: meta.ask("select body is not null from receipts where parent_id is not null") == [True])


LATE: dict[str, Answer] = {"the lead": (200, lead("1")), "a refusal": (401, {}), "nothing": (404, {})}


@pytest.mark.parametrize("answer", LATE.values(), ids=LATE)
def test_a_slow_provider_does_not_hold_up_the_handing_over(
    meta: Announced, graph: Graph, until: Callable[[Callable[[], Any]], Any], answer: Answer
) -> None:
    """What it says when the next holder has fetched the lead does no harm, though the lead is older than we wait."""
    graph.answers["1"], graph.held = [answer], [threading.Event()]
    (may_answer,) = graph.held
    meta.announce("1", "2")
    meta.posts.work()
    meta.posts.desk.do("update receipts set received_at = now() - interval '81 days'")
    with beside(meta.fetcher):
        until(lambda: graph.asked)
        (late,) = (thread for thread in threading.enumerate() if thread.name == "fetcher")
    assert late.is_alive(), "the block was left while the provider was silent"
    assert meta.fetcher.fetch_due() == 2
    may_answer.set()
    late.join(20)
    assert not late.is_alive()
    assert [one for one, _ in graph.asked] == ["1", "1", "2"], "it did not go on to the next lead"
    assert meta.fetcher.troubles == {}
    meta.posts.work()
    assert meta.ask("select state, attempts from receipts where parent_id is not null") == [("done", 1)] * 2
    assert meta.ask("select count(*) from leads") == [2]
    meta.posts.desk.whole()


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    def wait(found: Callable[[], Any]) -> Any:
        end = time.monotonic() + 20
        while not (so := found()):
            assert time.monotonic() < end, "it never came to that"
            time.sleep(0.05)
        return so

    return wait
