"""How `make test` shares the tests among its workers; each of them has servers of its own, by the fixtures of its session."""

from __future__ import annotations

from functools import cache

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from sluice.settings import REPOSITORY

TOGETHER = "on one Prefect server"


class Sharing(LoadScopeScheduling):
    """The worker that is free takes the next file as a whole, in the order of collection: what is quick comes last.

    All that needs the Prefect server of the session is one such whole: a second server costs more than it saves.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False  # most tests first would be: those of `tests/unit`, which are quick
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid.partition("::")[0])


@cache
def scope(file: str) -> str:
    """With what a file of tests stays together: its own name, or `TOGETHER`."""
    return TOGETHER if "prefect_server: PrefectServer" in (REPOSITORY / file).read_text(encoding="utf-8") else file
