"""What the door logs: one JSON object a line, with ids and codes; no body, address, name or secret."""

from __future__ import annotations

import json
import logging
import traceback
from collections import Counter
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from sluice.errors import SluiceError

LOGGER = "sluice.api"
_log = logging.getLogger(LOGGER)

CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "sluice.api.log.Lines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}},
    "loggers": {
        LOGGER: {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
    },
}
"""For uvicorn, whose own lines quote addresses and URLs."""


class Lines(logging.Formatter):
    """A record as a line of JSON; of an exception the types and frames, never its message."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        said |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[1]:
            said |= frames(record.exc_info[1])
        return json.dumps(said, ensure_ascii=True, default=str)


def say(event: str, level: int = logging.INFO, **facts: Any) -> None:
    """Logs an event with its facts."""
    _log.log(level, event, extra={"facts": facts})


def frames(error: BaseException) -> dict[str, Any]:
    """Of an error: its type, where it was raised, and its message if it is one of ours, which quote no data."""
    places = [
        f"{frame.f_globals.get('__name__', '?')}:{line}" for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    said = str(error) if isinstance(error, SluiceError) else ""
    return {"error": type(error).__name__, "said": said, "frames": places[-12:]}


class Tally:
    """Refusals, counted and logged together: a flood of them must not become a flood of lines."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = Lock()

    def add(self, source: str, code: str) -> None:
        """Counts one; `source` is that of a declared source, or `other`."""
        with self._lock:
            self._counts[source, code] += 1

    def flush(self) -> None:
        """Logs what was counted since the last time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        for (source, code), times in sorted(counts.items()):
            say("refused", logging.WARNING, source=source, code=code, times=times)
