"""Invented firms, people and phone numbers, each made from its running number, so that nothing is remembered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import TypeVar

from anyascii import anyascii

from tests.bench.words import Land, Words, read_words

T = TypeVar("T")

SCATTER = 7_368_787  # a prime that divides no size used below: i * SCATTER % size visits every place once

AREA_CODES = (212, 312, 415, 512, 617, 713, 206, 303, 404, 503, 602, 614, 646, 718, 773, 860)
EXCHANGES = [n for n in range(200, 1000) if n % 100 != 11 and n != 555]  # neither service codes nor the fictional 555
PREFIXES = {
    "GB": ("44", "0", ("711", "722", "733")),
    "DE": ("49", "0", ("302", "892", "402", "692")),
    "FR": ("33", "0", ("14", "24", "34", "47", "55")),
    "ES": ("34", "", ("61", "62", "63", "65", "91")),
    "PL": ("48", "", ("22", "60", "66", "50")),
    "BG": ("359", "0", ("87", "88")),
}
"""Country code, trunk prefix, how valid numbers begin (seven more digits follow; GB: seven after three)."""

CYRILLIC = str.maketrans(
    "abcdefghijklmnopqrstuvwzBCDEFGHIJKLMNOPQRSTUVWZ", "абцдефгхийклмнопкрстуввзБЦДЕФГХИЙКЛМНОПКРСТУВВЗ", ""
) | {ord("x"): "кс", ord("X"): "Кс"}


ADDRESS_PATTERNS = (
    "{given}.{family}",
    "{initial}.{family}",
    "{initial}{family}",
    "{given}_{family}",
    "{family}.{given}",
)


@dataclass(slots=True, eq=False)
class Firm:
    """One company. `names` and `locals` hold who works there, so that people are only alike where it is meant."""

    id: str
    land: Land
    bare_name: str
    forms: tuple[str, ...]
    domain: str
    room: int
    pattern: str
    place: tuple[str, str, str, str]
    details: tuple[str, str, str]
    names: set[str] = field(default_factory=set[str])
    locals: set[str] = field(default_factory=set[str])
    staff: int = 0

    @property
    def name(self) -> str:
        return f"{self.bare_name} {self.forms[0]}"


@dataclass(slots=True, eq=False)
class Person:
    """One human being, as he or she would be written without mistakes. `phone` is national, without trunk prefix."""

    id: str
    first: str
    last: str
    email: str
    phone: str
    title: str
    firm: Firm
    is_role: bool = False


@cache
def plain(word: str) -> str:
    """The word in a to z, for addresses and for comparing names."""
    return re.sub(r"[^a-z]", "", anyascii(word).lower())


def pick(random: Random, choices: Sequence[T]) -> T:
    """One of the choices; three times as fast as `Random.choice`."""
    return choices[int(random.random() * len(choices))]


class World:
    """Makes firms and people. The same seed makes the same world.

    Attributes:
        free_share: how many people have an address with a free provider instead of their firm's.
    """

    def __init__(self, random: Random, free_share: float = 0.22) -> None:
        self.random = random
        self.free_share = free_share
        self.words: Words = read_words()
        self.firms = 0
        self.people = 0
        self._firms_by_land = Counter[str]()
        self._lands = [land for land in self.words.lands for _ in range(land.weight)]

    def firm(self, land: Land | None = None) -> Firm:
        """A new firm, in any country or in this one."""
        random, words = self.random, self.words
        land = land or pick(random, self._lands)
        names = words.stems * len(land.firms)
        lap, number = divmod(self._firms_by_land[land.code], names)
        self._firms_by_land[land.code] += 1
        self.firms += 1
        trade, number = divmod(number * SCATTER % names, words.stems)
        stem, suffix = words.stem(number), f" {lap + 1}" if lap else ""
        written = stem.translate(CYRILLIC) if land.code == "BG" else stem
        city, state, digits = pick(random, land.cities)
        street = pick(random, land.streets).format(name=pick(random, words.streets), no=1 + int(random.random() * 240))
        return Firm(
            id=f"c{self.firms}",
            land=land,
            bare_name=f"{written} {land.firms[trade]}{suffix}",
            forms=pick(random, land.forms),
            domain=f"{stem.lower()}-{plain(land.firms[trade])}{suffix.strip()}.example",
            room=1 + int(random.expovariate(0.2)),
            pattern=pick(random, ADDRESS_PATTERNS),
            place=(street, city, state, _zip(random, land.code, digits)),
            details=(pick(random, words.industries), pick(random, words.sizes), pick(random, words.revenues)),
        )

    def person(self, firm: Firm, *, namesake: tuple[str, str] | None = None) -> Person:
        """A new person of a firm; nobody there has the same name, unless it is to be a namesake."""
        random, land = self.random, firm.land
        self.people += 1
        first, last = namesake or self._name(firm)
        address = self._free_address if random.random() < self.free_share else self._business_address
        return Person(
            id=f"p{self.people}",
            first=first,
            last=last,
            email=address(firm, first, last),
            phone=phone_number(land.code, self.people),
            title=pick(random, land.titles if land.titles and random.random() < 0.6 else self.words.titles),
            firm=firm,
        )

    def _name(self, firm: Firm) -> tuple[str, str]:
        random, land = self.random, firm.land
        while True:
            first = pick(random, land.first)
            if random.random() < 0.2:
                other = pick(random, land.first)
                first = first if other == first else f"{first}-{other}"
            last = pick(random, land.starts) + land.between + pick(random, land.ends)
            if land.code == "BG" and last.endswith(("в", "и")) and first[-1] in "ая":
                last = last[:-1] + "а" if last.endswith("и") else last + "а"
            key = plain(first) + " " + plain(last)
            if key not in firm.names:
                firm.names.add(key)
                return first, last

    def _business_address(self, firm: Firm, first: str, last: str) -> str:
        given, family = plain(first), plain(last)
        local = firm.pattern.format(given=given, family=family, initial=given[0])
        number = 1
        while (unique := local if number == 1 else f"{local}{number}") in firm.locals:
            number += 1
        firm.locals.add(unique)
        return f"{unique}@{firm.domain}"

    def _free_address(self, firm: Firm, first: str, last: str) -> str:
        return f"{plain(first)}.{plain(last)}{self.people}@{pick(self.random, firm.land.providers)}"


def phone_number(country: str, serial: int) -> str:
    """The valid national number of this serial; no two serials up to ten million share one."""
    if country == "US":
        place, line = divmod(serial * SCATTER % (len(AREA_CODES) * len(EXCHANGES) * 10_000), 10_000)
        exchange, area = divmod(place, len(AREA_CODES))
        return f"{AREA_CODES[area]}{EXCHANGES[exchange]}{line:04d}"
    _, _, prefixes = PREFIXES[country]
    prefix, rest = divmod(serial * SCATTER % (len(prefixes) * 10_000_000), 10_000_000)
    return f"{prefixes[prefix]}{rest:07d}"


def write_phone(country: str, number: str, style: int) -> str:
    """One of five ways to write a number; styles 0 to 2 name the country, 3 and 4 need it from elsewhere."""
    if country == "US":
        area, exchange, line = number[:3], number[3:6], number[6:]
        return (
            f"+1{number}", f"+1 {area}-{exchange}-{line}", f"+1 ({area}) {exchange} {line}",
            f"({area}) {exchange}-{line}", f"{area}.{exchange}.{line}",
        )[style]  # fmt: skip
    code, trunk, _ = PREFIXES[country]
    area = _area_digits(country, number)
    head, middle, tail = number[:area], number[area : area + 3], number[area + 3 :]
    return (
        f"+{code}{number}", f"+{code} {head} {middle} {tail}", f"+{code}-{head}-{middle}{tail}",
        f"{trunk}{head} {middle} {tail}", f"{trunk}{head}-{middle}{tail}",
    )[style]  # fmt: skip


def _area_digits(country: str, number: str) -> int:
    if country == "FR":
        return 1
    if country == "GB":
        return {"2": 2, "1": 3}.get(number[0], 4)
    return 3 if country == "DE" and number[0] in "25" else 2


def write_company(random: Random, firm: Firm) -> str:
    """The firm's name as somebody else would write it: legal form, case or punctuation differ."""
    other = pick(random, firm.forms[1:])
    return (
        f"{firm.bare_name} {other}",
        firm.bare_name,
        firm.name.upper(),
        firm.name.lower(),
        f"{firm.bare_name}, {other}",
        f"{firm.bare_name}  {firm.forms[0]} ",
        f"{firm.bare_name.replace(' ', '-', 1)} {firm.forms[0]}",
    )[int(random.random() * 7)]


def _zip(random: Random, country: str, digits: str) -> str:
    number = int(random.random() * 1000)
    if country == "GB":
        return f"{digits} {number % 10}{'ABDEFGHJLN'[number // 10 % 10]}{'PQRSTUWXYZ'[number // 100]}"
    return f"{digits}{number:03d}" if country == "PL" else f"{digits}{number % 100:02d}"
