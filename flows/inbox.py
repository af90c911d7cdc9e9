"""Flow `inbox`: one window of what forms, API and mailboxes leave."""

from __future__ import annotations

import os
from typing import Any

from prefect import flow

from flows.supervision import end_with_runner
from sluice.intake import opened
from sluice.settings import Settings
from tasks.summarise import summarise
from tasks.work_inbox import work_inbox


@flow(name="inbox", flow_run_name="inbox · window", persist_result=False)
def inbox(minutes: float = 5) -> dict[str, Any]:
    """Works posted forms, API calls and mails within moments of their arrival, for one window.

    It waits for the run of the window before, which leaves as soon as this one is there. Killed at any moment, the next
    window, or the stand-in of `sluice up`, goes on where this one stood.

    Args:
        minutes: How long the window lasts; the schedule starts the next one then.
    """
    end_with_runner()
    with opened(Settings.read(os.environ)) as office:
        return summarise(work_inbox(office, minutes), of="arrival")
