"""What the tests of buckets share: two files, and what lies in an inbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sluice.bucket_rules import own
from sluice.buckets import Dropped, dropped, opened, take_in
from sluice.intake import Order, Watch
from tests.desk import Desk

ANNA = "full_name,email\nAnna Schmidt,anna@nordwind.example\n"
BEN = "full_name,email\nBen Carter,ben@kaltenbach.example\n"

Drop = Callable[..., Path]


def found(desk: Desk, bucket: Path, order: Order | None = None) -> list[Dropped]:
    """What lies in the inbox."""
    rules = own(bucket)
    there = opened(rules, desk.office.settings)
    return list(dropped(there, rules, there.entries(), order or Order(bucket), desk.office.sources))


def take(desk: Desk, bucket: Path, watch: Watch | None = None) -> dict[str, Any]:
    """Takes in the one file that lies in the inbox."""
    (file,) = found(desk, bucket)
    return take_in(desk.office, replace(file, order=replace(file.order, watch=watch or Watch())))
