"""Doing a transaction again after the database went away, or after another transaction was in the way.

A COMMIT that raised may have happened all the same: whoever is patient must be able to find its own work done.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sluice.errors import DatabaseUnavailable
from sluice.store.faults import DatabaseRefuses, Retry

PATIENCE = (0.2, 0.5, 1, 2, 4)
"""Seconds to wait before each further try: longer than Postgres takes to start again."""

P = ParamSpec("P")
T = TypeVar("T")


def patient(work: Callable[P, T]) -> Callable[P, T]:
    """`work`, tried again for some seconds while the database is away or another transaction is in the way.

    Args:
        work: whole transactions that may find themselves done already: by a natural key, or by a checkpoint.

    Raises:
        DatabaseUnavailable: the database stayed away, or it refuses us and waiting would not help.
        Retry: another transaction was in the way every time.
    """

    @wraps(work)
    def again(*arguments: P.args, **named: P.kwargs) -> T:
        for pause in PATIENCE:
            try:
                return work(*arguments, **named)
            except DatabaseRefuses:
                raise
            except (Retry, DatabaseUnavailable):
                time.sleep(pause)
        return work(*arguments, **named)

    return again
