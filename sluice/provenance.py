"""Where the rows that are worked together come from: each one's receipt, its number in it, and when it happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa

_TIME = pa.timestamp("us", "UTC")


@dataclass(frozen=True)
class Provenance:
    """Rows of a file are those of one receipt; rows of the inbox are numbered through over many small receipts.

    Attributes:
        receipt_ids: the receipts, in the order of their rows.
        before: per receipt how many rows of others come first, ascending from 0.
        occurred_at: per receipt when its source says it happened.
    """

    receipt_ids: Sequence[int]
    before: Sequence[int]
    occurred_at: Sequence[datetime]

    @classmethod
    def of_one(cls, receipt_id: int, occurred_at: datetime) -> Provenance:
        """All rows are of this receipt, under their own numbers."""
        return cls((receipt_id,), (0,), (occurred_at,))

    @classmethod
    def of_many(cls, receipts: Sequence[tuple[int, int, datetime]]) -> Provenance:
        """Rows of several receipts, one after the other.

        Args:
            receipts: number, rows, time of each.
        """
        ends = np.cumsum([0, *(rows for _, rows, _ in receipts)]).tolist()
        return cls([number for number, _, _ in receipts], ends[:-1], [time for _, _, time in receipts])

    def origin(self, row: int) -> tuple[int, int]:
        """The receipt of a row, and the row's number in it."""
        place = self._place(row)
        return self.receipt_ids[place], row - self.before[place]

    def stated_at(self, row: int) -> pd.Timestamp:
        """When the receipt of a row says it happened."""
        return pd.Timestamp(self.occurred_at[self._place(row)])

    def columns(self, rows: Sequence[int] | np.ndarray | pd.Series) -> dict[str, pa.Array]:
        """`receipt_id` and `row_number` of many rows, as they are written."""
        numbers = np.asarray(rows, dtype=np.int64)
        places = self._places(numbers)
        return {
            "receipt_id": pa.array(np.asarray(self.receipt_ids, dtype=np.int64)[places]),
            "row_number": pa.array(numbers - np.asarray(self.before, dtype=np.int64)[places]),
        }

    def times(self, rows: Sequence[int] | np.ndarray | pd.Series) -> pa.Array:
        """When the receipts of many rows say they happened."""
        known = pa.array([time.astimezone(UTC) for time in self.occurred_at], _TIME)
        return known.take(pa.array(self._places(np.asarray(rows, dtype=np.int64))))

    def _place(self, row: int) -> int:
        return int(self._places(np.array([row], dtype=np.int64))[0]) if len(self.before) > 1 else 0

    def _places(self, rows: np.ndarray) -> np.ndarray:
        return np.searchsorted(np.asarray(self.before, dtype=np.int64), rows - 1, side="right") - 1
