"""Very many files: the task runs of one flow run stay few, and what is left over is the next sweep's."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from sluice.intake import Order
from tasks.collect import collect
from tests.buckets import ANNA
from tests.desk import Desk

MOST = 100
"""Task runs that a flow run may have."""


@pytest.mark.parametrize("every", [False, True], ids=["of one bucket", "of every bucket"])
def test_a_sweep_is_done_in_portions(desk: Desk, tmp_path: Path, every: bool) -> None:
    """Files of different sources are not worked together: here each has one of its own; none is forgotten."""
    inbox, url = tmp_path / "bucket/inbox", (tmp_path / "bucket").as_uri()
    for number in range(2 * MOST):
        (inbox / f"partner-{number:03}").mkdir(parents=True)
        (inbox / f"partner-{number:03}/leads.csv").write_text(ANNA)
    (tmp_path / "buckets.yml").write_text(f"buckets:\n  partners: {{url: '{url}', settle_seconds: 0}}\n")
    office = replace(desk.office, settings=replace(desk.office.settings, config=tmp_path))
    taken: list[str] = []
    while work := collect(office, "" if every else url, Order(tmp_path)):
        assert len(work) <= MOST
        for file in chain.from_iterable(group for group in work if isinstance(group, tuple)):
            taken.append(file.entry.key)
            shutil.rmtree((inbox / file.entry.key).parent)
    assert sorted(taken) == [f"partner-{number:03}/leads.csv" for number in range(2 * MOST)]
