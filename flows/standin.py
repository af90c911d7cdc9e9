"""The stand-in: works the inbox and reads the mailboxes whenever no run of the flows does.

`python -m flows.standin` runs it alone. It needs no Prefect: a server that is down, or still starting, delays no lead.
As soon as a window comes it leaves.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

from sluice import mailboxes
from sluice.errors import UserError
from sluice.fetching import Fetcher
from sluice.inbox import Inbox
from sluice.intake import opened
from sluice.keyring import Keyring
from sluice.settings import Settings
from sluice.windows import stand_in

JOIN_SECONDS = 5.0
"""For the thread that reads the mailboxes; what it has not stored is read again."""


def main() -> int:
    """Stands in until it is asked to end."""
    over = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        with opened(Settings.read(os.environ)) as office:
            reader = threading.Thread(target=mailboxes.stand_in, args=(office, over.is_set), daemon=True)
            reader.start()
            fetcher = Fetcher(office, Keyring(office.settings.home, os.environ))
            stand_in(office, Inbox(office), over.is_set, fetcher, _say)
            reader.join(JOIN_SECONDS)
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    return 0


def _say(text: str) -> None:
    print(f"Error: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
