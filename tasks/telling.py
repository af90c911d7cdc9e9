"""What people are told about a run: gladly, but the work does not depend on it, since the ledger has it all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from httpx import HTTPError  # what Prefect's client raises when its server is away, after tries of its own
from prefect import get_run_logger

T = TypeVar("T")


class Telling:
    """Tells the Prefect server something for as long as it listens.

    A server that did not listen is not told any more: each try may take a minute, and rows wait.
    """

    def __init__(self) -> None:
        self._listens = True

    def __call__(self, tell: Callable[[], T]) -> T | None:
        """What `tell` answers, or None if nobody listened."""
        if not self._listens:
            return None
        try:
            return tell()
        except HTTPError as error:
            self._listens = False
            get_run_logger().warning("the Prefect server did not listen (%s); the work goes on", type(error).__name__)
            return None
