"""What a cell was read as, and how whole columns are read: one call per distinct value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


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


class Readings(NamedTuple):
    """`Reading`s of a column, part by part, on its index; dtype object."""

    value: pd.Series
    code: pd.Series
    also: pd.Series


NOTHING = Reading()


def read_uniques(values: pd.Series, read: Callable[[str], Reading]) -> Readings:
    """`read` of each text, called once per distinct one; a missing text is read as nothing."""
    codes, uniques = pd.factorize(values)
    texts = uniques.to_numpy(dtype=object)  # iterating over an Arrow array costs ten times as much
    found = [*map(read, texts), NOTHING]  # factorize's -1, a missing value, takes the last one
    return Readings(*(_spread([reading[part] for reading in found], codes, values.index) for part in range(3)))


def _spread(parts: list[Any], codes: np.ndarray, index: pd.Index) -> pd.Series:
    column = np.empty(len(parts), dtype=object)
    column[:] = parts
    return pd.Series(column[codes], index=index, dtype=object)
