"""Named points at which a test may kill the process, to prove that nothing is lost there (reliability R1).

Outside tests `SLUICE_CRASH_AT` is not set, and a point costs one dictionary look-up.
"""

from __future__ import annotations

import os
import signal

POINTS = ("received", "stored", "prepared", "before_commit", "after_commit", "before_move", "after_move")
INBOX_POINTS = ("begun", "before_commit", "after_commit")


def point(name: str) -> None:
    """Dies by SIGKILL if `SLUICE_CRASH_AT` names this point; `name:3` dies the third time it is passed."""
    wanted, _, times = os.environ.get("SLUICE_CRASH_AT", "").partition(":")
    if wanted != name:
        return
    _passed[name] = _passed.get(name, 0) + 1
    if _passed[name] == int(times or 1):
        os.kill(os.getpid(), signal.SIGKILL)


_passed: dict[str, int] = {}
