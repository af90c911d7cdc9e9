"""How `make test` shares the tests among its workers."""

from __future__ import annotations

import pytest

from tests.sharing import TOGETHER, scope


@pytest.mark.parametrize(
    "file", ["tests/e2e/test_prefect_ui.py", "tests/flows/test_alarms.py", "tests/flows/test_canary.py"]
)
def test_what_needs_the_prefect_server_stays_together(file: str) -> None:
    assert scope(file) == TOGETHER


@pytest.mark.parametrize(
    "file", ["tests/flows/test_up.py", "tests/faults/test_crashes.py", "tests/unit/test_served.py"]
)
def test_what_needs_none_is_worked_by_whoever_is_free(file: str) -> None:
    assert scope(file) == file
