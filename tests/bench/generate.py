"""Leads with known truth, for measuring: who is the same person, and who only looks like it.

    python -m tests.bench.generate 20000 --seed 7 --out DIR

writes `DIR/leads.csv` (canonical column names, so that no source file is needed) and `DIR/truth.csv`. The shares of
rows are those of `SHARES`; two rows are the same person exactly if they have the same `person_id`. The same count
and seed give the same bytes; memory does not grow with the count.

What a perfect policy can reach. A duplicate has the e-mail of an earlier row (in another spelling), or none at all
with the same phone and full name, or a broken one with the same phone and full name: these are found. Half of the
typos (0.12 % of rows, 1 % of duplicates) leave an address that is valid and somebody else's, so the row must be
flagged and not merged. Such a row loses its pairs with all other rows of its person, 1.14 to 1.27 of them instead
of one, hence recall is at most about .989 while precision can be 1. Rows with both contacts broken must be refused;
they have no duplicates, like all broken rows.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar

from tests.bench.people import Firm, Person, World, pick, write_company
from tests.bench.variation import (
    COLUMNS,
    COMPANY,
    EMAIL,
    PHONE,
    again,
    again_by_phone,
    broken_email,
    broken_phone,
    in_full,
    mistyped,
    spoilt,
)

T = TypeVar("T")

SHARES = {
    "duplicate": 1140,  # the same person again: same e-mail key, all else may vary
    "typo": 12,  # a duplicate whose e-mail is another valid address; same phone and full name
    "typo_broken": 12,  # a duplicate whose e-mail is no address any more; same phone and full name
    "no_email": 36,  # a duplicate without e-mail; same phone and full name
    "shared_phone": 200,  # another person of the firm with a phone that somebody there already gave
    "namesake": 100,  # another person of the firm with the same full name
    "role": 200,  # one of several people behind info@ of a firm
    "variant": 800,  # a new person whose company is written differently than before
    "broken_email": 105,
    "broken_phone": 105,
    "broken_both": 90,  # no way left to reach this person: a reject
}
"""Kinds per ten thousand rows, all others are `new`: first the 12 % duplicates, last the 3 % broken values."""

DUPLICATES = frozenset({"duplicate", "typo", "typo_broken", "no_email"})
ROLES = ("info", "sales", "office", "contact")
REMEMBERED, OPEN_FIRMS, BLOCK = 20_000, 4_000, 10_000


@dataclass(frozen=True, slots=True)
class Truth:
    """What is so about one row. `row` counts data rows from 1."""

    row: int
    person_id: str
    company_id: str
    kind: str


class Generator:
    """Rows of leads with their truth, one after the other."""

    def __init__(self, count: int, seed: int) -> None:
        self.count = count
        self.random = Random(seed)
        self.world = World(self.random)
        self._people: list[Person] = []
        self._mailboxes: list[tuple[Firm, str]] = []
        windows = max(10, min(OPEN_FIRMS, count // 25))
        self._firms = [self.world.firm() for _ in range(windows)]

    def __iter__(self) -> Iterator[tuple[list[str], Truth]]:
        for row, kind in enumerate(self._kinds(), start=1):
            person, cells = self._duplicate(kind) if kind in DUPLICATES else self._newcomer(kind)
            cells[0] = f"L{row:08d}"
            yield cells, Truth(row, person.id, person.firm.id, kind)

    def _kinds(self) -> Iterator[str]:
        """Kinds in random order, with exact shares in every ten thousand rows; the first tenth of them only `new`."""
        for start in range(0, self.count, BLOCK):
            size = min(BLOCK, self.count - start)
            kinds = [kind for kind, share in SHARES.items() for _ in range(round(share * size / BLOCK))]
            self.random.shuffle(kinds)
            kinds += ["new"] * (size - len(kinds))
            quiet = size // 10 if start == 0 else 0
            busy = kinds[: size - quiet]
            self.random.shuffle(busy)
            yield from ["new"] * quiet + busy

    def _newcomer(self, kind: str) -> tuple[Person, list[str]]:
        random = self.random
        person = self._new_person(kind)
        if kind == "new" and random.random() < 0.05:
            person.phone = ""
        cells = in_full(random, person)
        if kind == "variant":
            cells[COMPANY] = write_company(random, person.firm)
        if kind in ("broken_email", "broken_both"):
            cells[EMAIL] = broken_email(random, person.email)
        if kind in ("broken_phone", "broken_both"):
            cells[PHONE] = broken_phone(random)
        if not kind.startswith("broken"):
            _keep(self._people, person, REMEMBERED, random)
        return person, cells

    def _new_person(self, kind: str) -> Person:
        if kind == "role":
            return self._behind_a_mailbox()
        if kind == "namesake":
            other = self._somebody()
            return self.world.person(other.firm, namesake=(other.first, other.last))
        if kind == "shared_phone":
            other = self._somebody()
            person = self.world.person(other.firm)
            person.phone = other.phone
            return person
        return self.world.person(self._open_firm(known=kind == "variant"))

    def _duplicate(self, kind: str) -> tuple[Person, list[str]]:
        random = self.random
        if kind == "duplicate":
            person = pick(random, self._people)
            return person, again(random, person)
        person = self._somebody(forget=True)  # once more without their address is enough
        cells = again_by_phone(random, person)
        if kind != "no_email":
            cells[EMAIL] = mistyped(random, person) if kind == "typo" else spoilt(random, person.email)
        return person, cells

    def _behind_a_mailbox(self) -> Person:
        random = self.random
        if self._mailboxes and random.random() < 0.6:
            firm, address = pick(random, self._mailboxes)
        else:
            firm = self._open_firm()
            address = f"{pick(random, ROLES)}@{firm.domain}"
            _keep(self._mailboxes, (firm, address), OPEN_FIRMS, random)
        person = self.world.person(firm)
        person.email, person.is_role = address, True
        return person

    def _somebody(self, *, forget: bool = False) -> Person:
        """Somebody known with a phone and an e-mail of their own."""
        while True:
            place = int(self.random.random() * len(self._people))
            person = self._people[place]
            if person.is_role or not person.phone:
                continue
            if forget:
                self._people[place] = self._people[-1]
                self._people.pop()
            return person

    def _open_firm(self, *, known: bool = False) -> Firm:
        """A firm that still takes people on; one that is full makes room for a new one."""
        while True:
            place = int(self.random.random() * len(self._firms))
            firm = self._firms[place]
            if known and not firm.staff and self.random.random() < 0.98:
                continue
            firm.staff += 1
            if firm.staff >= firm.room:
                self._firms[place] = self.world.firm()
            return firm


def write(count: int, seed: int, out: Path) -> tuple[Path, Path]:
    """Writes `leads.csv` and `truth.csv` into a folder and returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    leads, truth = out / "leads.csv", out / "truth.csv"
    with leads.open("w", encoding="utf-8", newline="") as rows, truth.open("w", encoding="utf-8", newline="") as facts:
        lead_rows, truth_rows = csv.writer(rows, lineterminator="\n"), csv.writer(facts, lineterminator="\n")
        lead_rows.writerow(COLUMNS)
        truth_rows.writerow(("row", "person_id", "company_id", "kind"))
        for cells, fact in Generator(count, seed):
            lead_rows.writerow(cells)
            truth_rows.writerow((fact.row, fact.person_id, fact.company_id, fact.kind))
    return leads, truth


def read_truth(path: Path) -> dict[int, Truth]:
    """Row number → what is so about it."""
    with path.open(encoding="utf-8", newline="") as facts:
        return {
            int(fact["row"]): Truth(int(fact["row"]), fact["person_id"], fact["company_id"], fact["kind"])
            for fact in csv.DictReader(facts)
        }


def pairs_score(assigned: Mapping[int, Hashable], truth: Mapping[int, Truth]) -> tuple[float, float]:
    """How well rows were put together, over all pairs of accepted rows.

    Args:
        assigned: row → the lead it went to; rows that are missing were not accepted and do not count.
        truth: row → what is so.

    Returns:
        Precision (pairs put together that are one person) and recall (pairs of one person that were put together); 1.0
        where there is no pair at all.
    """
    both = Counter((lead, truth[row].person_id) for row, lead in assigned.items())
    leads, people = Counter[Hashable](), Counter[str]()
    for (lead, person), rows in both.items():
        leads[lead] += rows
        people[person] += rows
    right, claimed, true = (_pairs(counts.values()) for counts in (both, leads, people))
    return right / claimed if claimed else 1.0, right / true if true else 1.0


def _pairs(sizes: Iterable[int]) -> int:
    return sum(rows * (rows - 1) // 2 for rows in sizes)


def _keep(kept: list[T], one: T, most: int, random: Random) -> None:
    if len(kept) < most:
        kept.append(one)
    else:
        kept[int(random.random() * most)] = one


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Writes leads.csv and truth.csv.")
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args()
    for path in write(options.count, options.seed, options.out):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
