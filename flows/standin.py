"""The stand-in: works the inbox whenever no run of the flow does. `python -m flows.standin` runs it alone.

It needs no Prefect: a server that is down, or still starting, delays no lead. As soon as a window comes it leaves.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

from sluice.errors import UserError
from sluice.fetching import Fetcher
from sluice.inbox import Inbox
from sluice.intake import opened
from sluice.keyring import Keyring
from sluice.settings import Settings
from sluice.windows import stand_in


def main() -> int:
    """Stands in until it is asked to end."""
    over = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        with opened(Settings.read(os.environ)) as office:
            fetcher = Fetcher(office, Keyring(office.settings.home, os.environ))
            stand_in(office, Inbox(office), over.is_set, fetcher)
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
