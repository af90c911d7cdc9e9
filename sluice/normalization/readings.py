"""What a cell was read as, and how whole columns are read: one call per distinct value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd

from sluice.distinct import Distinct


class Reading(NamedTuple):
    """What one cell was read as.

    Attributes:
        value: None if there is none.
        code: of the warning, see `sluice.problems`.
        also: what was learnt beside it: a currency, where a phone's country came from.
    """

    value: Any = None
    code: str | None = None
    also: Any = None


NOTHING = Reading()


class Readings:
    """`Reading`s of a column; a part becomes a column of its own only when somebody asks for it.

    Args:
        found: per distinct value.
        over: the column's distinct values.
    """

    def __init__(self, found: list[Reading], over: Distinct) -> None:
        self._found, self._over = found, over

    def value(self, dtype: str = "str") -> pd.Series:
        """What the cells were read as."""
        return self._over.spread([reading[0] for reading in self._found], dtype)

    def also(self, dtype: str = "str") -> pd.Series:
        """What was learnt beside it."""
        return self._over.spread([reading[2] for reading in self._found], dtype)

    def codes(self) -> pd.Series | None:
        """Codes of the warnings; None where there is none at all, as in most columns."""
        codes = [reading[1] for reading in self._found]
        return self._over.spread(codes) if any(codes) else None


def read_each(over: Distinct, read: Callable[[Any], Reading]) -> Readings:
    """`read` of each distinct value; nothing is read as nothing."""
    return Readings([NOTHING if value is None else read(value) for value in over.values], over)
