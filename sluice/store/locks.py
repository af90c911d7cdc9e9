"""File locks that the kernel frees when their process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class Lock:
    """A lock on the file `path`, taken when it is made; `how` as for `flock`."""

    def __init__(self, path: Path, how: int) -> None:
        self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, how)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Lets go; a second time does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def shared(path: Path) -> Lock:
    """Takes part in the lock, waiting while somebody has it alone."""
    return Lock(path, fcntl.LOCK_SH)


def alone(path: Path) -> Lock | None:
    """Takes the lock alone, or None at once if anybody has it."""
    try:
        return Lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None


@contextmanager
def one_at_a_time(path: Path) -> Generator[None]:
    """Waits until nobody else is in such a block of the same file."""
    lock = Lock(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        lock.close()
