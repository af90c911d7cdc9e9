"""Flow `upkeep`: looks after what no single run can see."""

from __future__ import annotations

import os

from prefect import flow

from flows.supervision import end_with_runner
from sluice.intake import opened
from sluice.settings import Settings
from tasks.look_out import look_out


@flow(name="upkeep", flow_run_name="upkeep · watch", persist_result=False)
def upkeep() -> dict[str, int]:
    """Finds sources that have fallen silent and receipts that are stuck, and raises an event for each."""
    end_with_runner()
    with opened(Settings.read(os.environ)) as office:
        return look_out(office)
