"""The invented people of `samples/inbox`: reserved domains, and phone numbers set apart for fiction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.bench.people import AREA_CODES, Person, World, pick
from tests.bench.variation import COLUMNS, again, broken_email, broken_phone, in_full

FICTIONAL = {
    "US": tuple(f"{area}55501" for area in AREA_CODES),
    "GB": ("2079460", "1134960", "1614960", "1214960"),
    "DE": ("3023125", "8999998", "2214710", "4066969", "6990009"),
    "FR": ("199001", "199002", "199003"),
}
"""Beginnings of national numbers that regulators keep free for films and books (NANPA 555-01xx, Ofcom, BNetzA, Arcep)."""

Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a sample: its cells by our field names, and what should become of it.

    `fate` is `lead`, `again` (somebody who is there already), `warned` (a lead that lost a value), `reject` or `aside`.
    """

    cells: Cells
    fate: str


class Crowd:
    """Everybody in the samples, so that the same people can turn up in several files."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.world = World(self.random, free_share=0.0)
        self.everybody: list[Person] = []
        self._firms = {
            land.code: [self.world.firm(land) for _ in range(land.weight * 5)] for land in self.world.words.lands
        }

    def meet(self, count: int, countries: str) -> list[Person]:
        """New people from these countries; a country named twice comes twice as often."""
        people = [self._new(pick(self.random, countries.split())) for _ in range(count)]
        self.everybody += people
        return people

    def known(self, count: int, countries: str) -> list[Person]:
        """People from these countries who are already in another file."""
        return self.random.sample([p for p in self.everybody if p.firm.land.code in countries.split()], count)

    def _new(self, country: str) -> Person:
        person = self.world.person(pick(self.random, self._firms[country]))
        person.phone = fictional(country, int(person.id[1:]))
        return person


def fictional(country: str, serial: int) -> str:
    """A number nobody has, national and without trunk prefix; empty where the country keeps none free."""
    beginnings = FICTIONAL.get(country)
    if beginnings is None:
        return ""
    width = 2 if country == "US" else 3
    beginning, rest = divmod(serial * 7919 % (len(beginnings) * 10**width), 10**width)
    return f"{beginnings[beginning]}{rest:0{width}d}"


def written(random: Random, new: list[Person], known: list[Person]) -> list[Row]:
    """New and known people in random order; one in sixteen new ones comes twice, and a few are beyond repair."""
    rows = [Row(dict(zip(COLUMNS, again(random, person), strict=True)), "again") for person in known]
    for place, person in enumerate(new):
        cells: Cells = dict(zip(COLUMNS, in_full(random, person), strict=True))
        rows.append(_spoil(random, place, person, cells))
        if place % 16 == 5:
            rows.append(Row(dict(zip(COLUMNS, again(random, person), strict=True)), "again"))
    random.shuffle(rows)
    return rows


def change(rows: list[Row], every: int, how: Callable[[Cells], None], fate: str | None = None) -> None:
    """Changes the cells of every so-manieth row that is to become a lead, and perhaps what should become of it."""
    for place in range(every // 2, len(rows), every):
        row = rows[place]
        if row.fate in ("lead", "again"):
            how(row.cells)
            rows[place] = Row(row.cells, fate or row.fate)


def _spoil(random: Random, place: int, person: Person, cells: Cells) -> Row:
    if place % 30 == 11:
        cells["email"] = broken_email(random, person.email)
        cells["phone"] = broken_phone(random)
        return Row(cells, "reject")
    if place % 40 == 7:
        cells["phone"] = broken_phone(random)
        return Row(cells, "warned")
    if place % 45 == 13 and cells["phone"]:
        cells["email"] = broken_email(random, person.email)
        return Row(cells, "warned")
    return Row(cells, "lead")
