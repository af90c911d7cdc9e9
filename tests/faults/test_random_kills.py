"""R1: killed at random moments, again and again, an import loses nothing and doubles nothing."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sluice.store.engine import Database
from tests.faults.conftest import bucket_of
from tests.faults.kills import Tally, Work, campaign

KILLS = int(os.environ.get("SLUICE_KILLS") or 10)
"""Processes killed in each test; the long run has 300."""
LANES = int(os.environ.get("SLUICE_LANES") or 1)
MINUTES = float(os.environ.get("SLUICE_MINUTES") or 30)
"""After which a test ends with what it has done."""
SEED = int(os.environ.get("SLUICE_SEED") or random.randrange(2**32))


@pytest.mark.parametrize("door", ["file", "folder"])
def test_killed_at_any_moment_the_next_run_completes_it(
    door: str,
    leads_file: Path,
    several_files: list[Path],
    make_undisturbed: Callable[[Path], list[str]],
    make_database: Callable[..., Database],
    tmp_path: Path,
) -> None:
    """R1: any moment from the start of the process to its exit; of a folder, the moves of its files included."""
    files = [leads_file] if door == "file" else several_files
    began = time.monotonic()
    undisturbed = make_undisturbed(leads_file if door == "file" else bucket_of(files, tmp_path / "undisturbed"))
    seconds = time.monotonic() - began
    work = Work(files, door == "folder", undisturbed, lambda: make_database("template_of_tests"))
    print(f"seed {SEED} (SLUICE_SEED), {KILLS} kills of a {door} (SLUICE_KILLS), {LANES} at a time (SLUICE_LANES)")
    tally = Tally(KILLS, time.monotonic() + 60 * MINUTES, seconds)
    campaign(work, tally, SEED, LANES, tmp_path)
    print(tally)
    assert not tally.failures and tally.kills >= KILLS, tally
