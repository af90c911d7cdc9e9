"""What Prefect may keep of a failure: it stores messages and tracebacks, and those of libraries quote rows."""

from __future__ import annotations

import traceback
from collections.abc import Generator
from contextlib import contextmanager

from sluice.errors import BrokenPromise, SluiceError


@contextmanager
def discreet() -> Generator[None]:
    """Lets our own errors through, which hold no personal data; of any other only its type and where it was raised.

    Raises:
        BrokenPromise: instead of an error that is not ours.
    """
    try:
        yield
    except SluiceError:
        raise
    except Exception as error:
        frames = [f"{frame.f_globals.get('__name__')}:{line}" for frame, line in traceback.walk_tb(error.__traceback__)]
        raise BrokenPromise(f"{type(error).__name__} at {' ← '.join(reversed(frames[1:]))}") from None
