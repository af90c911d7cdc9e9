"""Where copies of objects and papers lie while a file is worked: private folders that go when their process ends.

Each is locked for as long as it is used; what a killed process left behind is locked by nobody, and the next one
removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sluice.sources.bucket import BucketUnavailable


@contextmanager
def spooled(spool: Path) -> Generator[Path]:
    """A folder of mode 0700 in the spool, removed at the end of the block.

    Raises:
        BucketUnavailable: the spool cannot be written to, or has no space left.
    """
    with told(spool):
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_what_is_left(spool)
        folder = Path(tempfile.mkdtemp(dir=spool))
        lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


@contextmanager
def told(spool: Path) -> Generator[None]:
    """What the operating system says against writing there becomes a sentence.

    Raises:
        BucketUnavailable: instead of an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise BucketUnavailable(
            f"the spool {spool}",
            f"it cannot be written to ({error.strerror or type(error).__name__})",
            fix="Free some space there; the file stays in its bucket, and the next run takes it in",
        ) from error


def _remove_what_is_left(spool: Path) -> None:
    for folder in spool.iterdir():
        with contextlib.suppress(OSError):  # somebody uses it, or removes it too
            lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
