"""Which value survives when a person comes again: a person's edit, the more trusted source, the newer word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sluice.schema import BLOCKS, ESSENTIALS, FIRST_WORDS


@dataclass(frozen=True, order=True, slots=True)
class Rank:
    """How much a value's word weighs; compared in this order.

    Attributes:
        is_edit: a person wrote it into the lead.
        trust: of its source, 0 to 100.
        stated_at: when the source says it happened, not when it arrived: the order of arrival decides nothing.
        receipt_id: only breaks ties, as does
        row: of two rows of one file the later one is the newer word.
    """

    is_edit: bool
    trust: int
    stated_at: datetime
    receipt_id: int
    row: int


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a lead that took a new value, and by which rule."""

    field: str
    old: Any
    new: Any
    rule: str


@dataclass(slots=True)
class Golden:
    """A lead's surviving values while rows are folded into it.

    Attributes:
        values: field → value, None or left out where there is none.
        ranks: field → rank of the value, where it is not `base`.
        base: rank of the touch that created the lead.
    """

    values: dict[str, Any]
    base: Rank
    ranks: dict[str, Rank] = field(default_factory=dict[str, Rank])

    def rank(self, fields: Iterable[str]) -> Rank:
        """The highest rank among the present values of some fields."""
        if not self.ranks:
            return self.base
        return max((self.ranks.get(f, self.base) for f in fields if self.values.get(f) is not None), default=self.base)


UNIONS = ("tags",)
STRICTEST = ("email_opt_out", "do_not_call")
_GROUPED = frozenset((*(f for block in BLOCKS.values() for f in block), *UNIONS, *STRICTEST))


def fold(golden: Golden, row: Mapping[str, Any], rank: Rank) -> list[Change]:
    """Folds a row's values into a lead, block by block, and says what changed.

    An empty value never replaces a value; an opt-out is never taken back (S001-16); tags are collected.

    Args:
        golden: changed in place.
        row: field → value or None.
        rank: of the row's word.
    """
    changes: list[Change] = []
    known, told = golden.values, {f: value for f, value in row.items() if value is not None}
    news = {f for f, value in told.items() if known.get(f) != value and not _same(known.get(f), value)}
    for block in _blocks(news, told) if news else ():
        changes += _fold_block(golden, block, {f: told[f] for f in block if f in told}, rank)
    for name in UNIONS:
        before = known.get(name)
        if name in told or before is not None:
            known[name] = sorted({*(before or ()), *told.get(name, ())}) or None
            if known[name] != before:
                changes.append(Change(name, before, known[name], "collected"))
    for name in STRICTEST:
        if told.get(name) and not known.get(name):
            known[name] = True
            changes.append(Change(name, False, True, "the stricter wish"))
    return changes


def _fold_block(golden: Golden, block: tuple[str, ...], fresh: dict[str, Any], rank: Rank) -> list[Change]:
    known = {f: golden.values.get(f) for f in block}
    if not _contradicts(fresh, known):
        taken, rule = {f: value for f, value in fresh.items() if known[f] is None}, "fills a gap"
        return _taken(golden, known, taken, (rank, rule))
    held = golden.rank(block)
    if block[0] in FIRST_WORDS:
        if rank.stated_at >= held.stated_at:
            return []
        taken, rule = fresh, "the earlier enquiry"
    elif rank < held or _is_poorer(block, fresh, known):
        return []
    else:
        taken = {f: fresh.get(f) for f in block}
        rule = _rule(rank, held)
    return _taken(golden, known, taken, (rank, rule))


def _contradicts(fresh: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    for name, value in fresh.items():
        held = known[name]
        if held is not None and held != value and not _same(held, value):
            return True
    return False


def _taken(golden: Golden, known: Mapping[str, Any], taken: Mapping[str, Any], why: tuple[Rank, str]) -> list[Change]:
    """Writes values into a lead, and says which of them are other than before."""
    rank, rule = why
    changes = [Change(f, known[f], value, rule) for f, value in taken.items() if known[f] != value]
    for change in changes:
        golden.values[change.field] = change.new
        golden.ranks[change.field] = rank
    return changes


def _is_poorer(block: tuple[str, ...], fresh: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether replacing the block would lose what makes it one."""
    name = next((name for name, fields in BLOCKS.items() if fields == block), "")
    return any(known[f] is not None and f not in fresh for f in ESSENTIALS.get(name, ()))


def _same(known: Any, new: Any) -> bool:
    """Equal, but for the case of letters: to shout a name is no news."""
    if isinstance(known, str) and isinstance(new, str):
        return known.casefold() == new.casefold()
    return bool(known == new)


def _rule(rank: Rank, held: Rank) -> str:
    if rank.is_edit:
        return "a person's edit"
    return "more trusted source" if rank.trust > held.trust else "more recent"


def _blocks(news: set[str], told: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The blocks and single fields in which a row says something new."""
    yield from (block for block in BLOCKS.values() if not news.isdisjoint(block))
    yield from ((f,) for f in told if f in news and f not in _GROUPED)
