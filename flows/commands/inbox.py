"""`sluice inbox`: works what forms, API and mailboxes leave, without Prefect."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from flows.commands import opening
from flows.commands.terminal import say, show, show_json
from tasks.counted import counted

Once = Annotated[bool, typer.Option("--once", help="Work what waits, then end.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON when it ends.")]
BUSY = 7
"""Exit code if another process works the inbox already."""


def inbox(once: Once = False, as_json: AsJson = False) -> None:
    """Work the posted forms, API calls and mails that wait, and what comes, until Ctrl-C.

    A run of the flow `inbox` takes over when it comes. Killed at any moment, whoever comes next goes on from there.
    """
    from sluice.fetching import Fetcher
    from sluice.inbox import Inbox
    from sluice.keyring import Keyring
    from sluice.windows import Hours, drain, window

    with opening.office() as office:
        worker = Inbox(office, lambda many: None)
        is_free = True
        try:
            fetcher = Fetcher(office, Keyring(office.settings.home, os.environ))
            if once:
                is_free = drain(office, worker, fetcher)
            else:
                say("Working the inbox; Ctrl-C ends it.")
                waiting = "Another process works the inbox; waiting for it."
                window(office, worker, Hours(at_most=None), lambda: say(waiting), fetcher)
        except KeyboardInterrupt:
            say("Ended; what is committed stays.")
        found: dict[str, Any] = {"settled": worker.settled, "quarantined": list(worker.quarantined)}
    if as_json:
        show_json(found)
    elif not is_free:
        say("Another process works the inbox already.")
    else:
        show(f"{counted(worker.settled, 'arrival')} settled, {len(worker.quarantined):,} of them quarantined")
        for number in worker.quarantined:
            show(f"`sluice receipt {number}` says why it was quarantined")
    raise typer.Exit(0 if is_free else BUSY)
