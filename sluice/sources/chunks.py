"""Dividing a file into chunks while its records go by."""

from __future__ import annotations

import numpy as np

from sluice.sources.prepass import Chunk
from sluice.sources.records import Block
from sluice.sources.recovery import Limits


class Chunking:
    """Counts records and notes where each chunk begins.

    A chunk ends before the record that would make it too many rows or bytes; a single long record is a chunk too.

    Args:
        limits: what a chunk holds at most.
    """

    def __init__(self, limits: Limits) -> None:
        self.rows = 0
        self._limits = limits
        self._begins: list[tuple[int, int, int]] = []  # first row, line, offset
        self._end = 0

    def add(self, block: Block) -> None:
        """Takes in the records of a block, which follow those of the block before."""
        at = 0
        while at < len(block):
            if not self._begins or self._room(block, at) == 0:
                self._begins.append((self.rows + 1, int(block.lines[at]), int(block.starts[at])))
            taken = max(1, self._room(block, at))
            at, self.rows = at + taken, self.rows + taken
        self._end = int(block.ends[-1])

    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks of all records so far."""
        following = [*self._begins[1:], (self.rows + 1, 0, self._end)]
        return tuple(
            Chunk(index, row, next_row - row, line, start, end)
            for index, ((row, line, start), (next_row, _, end)) in enumerate(zip(self._begins, following, strict=True))
        )

    def _room(self, block: Block, at: int) -> int:
        """How many records of the block, from `at` on, still fit into the current chunk."""
        first_row, _, start = self._begins[-1]
        by_rows = self._limits.chunk_rows - (self.rows + 1 - first_row)
        by_bytes = int(np.searchsorted(block.ends, start + self._limits.chunk_bytes, "right")) - at
        return max(0, min(by_rows, by_bytes, len(block) - at))
