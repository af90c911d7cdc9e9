"""What is true of a whole slice while it is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sluice.matching.rules import MatchingRules
from sluice.provenance import Provenance
from sluice.scoring import ScoringRules


@dataclass(frozen=True)
class Loading:
    """What is true of a whole slice while it is written."""

    origins: Provenance
    config_id: int
    now: datetime
    matching: MatchingRules
    scoring: ScoringRules
    attributes: tuple[str, ...] = ()
