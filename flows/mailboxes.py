"""Flow `mailboxes`: one window of reading the accounts of `config/mailboxes.yml`."""

from __future__ import annotations

import os
from typing import Any

from prefect import flow

from flows.supervision import end_with_runner
from sluice.intake import opened
from sluice.settings import Settings
from tasks.read_mailboxes import read_mailboxes


@flow(name="mailboxes", flow_run_name="mailboxes · window", persist_result=False)
def mailboxes(minutes: float = 5) -> list[dict[str, Any]]:
    """Stores mails as they come in, each once, for one window; the inbox makes leads of them.

    It waits for the run of the window before, which leaves as soon as this one is there. Killed at any moment, the next
    window, or the stand-in of `sluice up`, goes on where this one stood.

    Args:
        minutes: How long the window lasts; the schedule starts the next one then.
    """
    end_with_runner()
    with opened(Settings.read(os.environ)) as office:
        return read_mailboxes(office, minutes)
