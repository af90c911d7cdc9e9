"""What the tests on a database share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sluice.fetching import Fetcher
from sluice.keyring import Keyring
from sluice.settings import Settings
from sluice.store.engine import Database
from tests.buckets import ANNA
from tests.desk import Desk
from tests.graph import META, Announced, Graph, answering
from tests.posts import Posts, with_sources

if TYPE_CHECKING:
    from tests.objects import Gate


@pytest.fixture
def desk(settings: Settings, database: Database, tmp_path: Path) -> Desk:
    """A desk with the standard rules, on a database of the test's own."""
    return Desk.at(settings, database, tmp_path)


@pytest.fixture
def drop(tmp_path: Path) -> Callable[..., Path]:
    """Drops a file into the inbox of a bucket, by its name below the inbox; the bucket."""

    def drop_file(name: str | bytes, content: str | bytes = ANNA) -> Path:
        path = tmp_path / "bucket" / "inbox" / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / "bucket"

    return drop_file


@pytest.fixture(scope="module")
def store() -> Iterator[Gate]:
    """An S3 API on loopback."""
    from tests.objects import gated  # a second of imports that few tests need

    with gated() as gate:
        yield gate


@pytest.fixture
def gate(store: Gate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Its bucket `leads`, empty, named in the environment."""
    from tests.objects import known

    with known(store, monkeypatch) as gate:
        yield gate


@pytest.fixture
def graph() -> Iterator[Graph]:
    """A provider that gives announced leads."""
    with answering() as found:
        yield found


@pytest.fixture
def meta(desk: Desk, graph: Graph, home: Path) -> Announced:
    """A desk with a source whose leads are announced."""
    made = with_sources(desk, meta=META.format(url=graph.url))
    return Announced(Posts(made), Fetcher(made.office, Keyring(home, {"SLUICE_SECRET_META_PAGE": "page-token-7"})))
