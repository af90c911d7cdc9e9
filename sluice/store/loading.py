"""What is true of a whole slice while it is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sluice.matching.rules import MatchingRules
from sluice.scoring import ScoringRules


@dataclass(frozen=True)
class Loading:
    """What is true of a whole slice while it is written."""

    receipt_id: int
    config_id: int
    occurred_at: datetime
    now: datetime
    matching: MatchingRules
    scoring: ScoringRules
    attributes: tuple[str, ...] = ()
