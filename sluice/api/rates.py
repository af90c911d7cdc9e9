"""Token buckets: how quick a sender may be, over a long time and at once."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

from sluice.api.rules import Rate

MOST = 20_000
"""Senders that are remembered; who was quiet the longest is forgotten first, which does him no harm."""


class Buckets:
    """A bucket per sender, each full at the start.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, sender: str, rate: Rate) -> int:
        """Takes a token out of the sender's bucket.

        Returns:
            0, or whole seconds until there will be one again.
        """
        now = self._clock()
        level, since = self._levels.get(sender, (float(rate.burst), now))
        level = min(rate.burst, level + (now - since) * rate.per_second)
        is_there = level >= 1
        self._levels[sender] = (level - 1 if is_there else level, now)
        self._levels.move_to_end(sender)
        if len(self._levels) > MOST:
            self._levels.popitem(last=False)
        return 0 if is_there else max(1, math.ceil((1 - level) / rate.per_second))
