"""Numbers with their nouns, as people read them."""

from __future__ import annotations


def counted(many: int, noun: str) -> str:
    """`1 arrival`, `0 arrivals`, `1,200 arrivals`; the noun's plural ends in s."""
    return f"{many:,} {noun}" if many == 1 else f"{many:,} {noun}s"


def waiting(many: int) -> str:
    """`1 arrival waits`, `5 arrivals wait`."""
    return f"{counted(many, 'arrival')} {'waits' if many == 1 else 'wait'}"
