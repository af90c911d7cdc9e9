"""Names of people: one field or four, capitals or not, family name first or last."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import pandas as pd
import pyarrow.compute as pc

from sluice.distinct import as_arrow, as_series, distinct, joined
from sluice.names import name_key, name_words
from sluice.normalization.draft import Draft
from sluice.normalization.readings import Reading, read_each
from sluice.normalization.rules import NormalizationRules
from sluice.normalization.text import fold

_SIMPLE = re.compile(r"[^\W\d_][^\W\d_'’-]* [^\W\d_][^\W\d_'’-]*")
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_WORD = re.compile(r"[^\W\d_]+")
_ROMAN = re.compile(r"[IVX]+")
_PARTS = ("first_name", "middle_name", "last_name")


class Person(NamedTuple):
    """The parts of a full name; None where it has none."""

    salutation: str | None
    first: str | None
    middle: str | None
    last: str | None
    suffix: str | None = None


def read_people(draft: Draft) -> None:
    """Adds `salutation`, the name parts, `full_name`, `name_key`; stated parts beat those read from the full name."""
    rules = draft.context.rules
    salutations = known_salutations(rules)
    parts = {name: draft.cells(name).map(lambda text: recase(text, rules.particles)) for name in _PARTS}
    spoken = read_each(draft.cells("salutation"), lambda text: _salutation(text, salutations))
    draft.note("salutation", spoken)
    whole = draft.given("full_name")
    people = draft.cells("full_name").map(lambda text: read_full_name(text, rules), "object")
    taken = parts["first_name"].isna() & parts["last_name"].isna() & whole.notna()
    salutation = spoken.value()
    suffix = draft.nothing()
    if whole.notna().any():
        salutation = salutation.fillna(_part(people, "salutation"))
        suffix = _part(people, "suffix").where(taken)
        for name in _PARTS:
            parts[name] = parts[name].where(~taken, _part(people, name.removesuffix("_name")))
    draft.put_text("salutation", salutation)
    for name in _PARTS:
        draft.put_text(name, parts[name])
    full = _joined([*(draft.columns[name] for name in _PARTS), suffix])
    full = full.mask(taken & _is_han(whole), whole)  # family name first, as it was written
    draft.put_text("full_name", full.mask(full == ""))
    draft.put("name_key", _keys(draft))


def _joined(parts: list[pd.Series]) -> pd.Series:
    """The parts that are there, with one space between them."""
    full = as_series(joined(*(as_arrow(part) for part in parts), separator=" ", skip=True), parts[0].index)
    is_loose = pc.match_substring_regex(as_arrow(full), r"\s\s|^\s|\s$")
    return full.str.replace(r"\s+", " ", regex=True).str.strip() if pc.any(is_loose).as_py() else full


def _keys(draft: Draft) -> pd.Series:
    """`name_key` of first and last name where both are there, else of the full name.

    The words of each name are worked out once: there are ten times fewer first and last names than pairs of them.
    """
    first, last = (distinct(draft.columns[name]).map(name_words) for name in ("first_name", "last_name"))
    paired = first.notna() & last.notna()
    pair = (first + " " + last).str.strip()
    pair = pair.where(pair.str.contains(" ", regex=False).fillna(value=False))
    alone = draft.columns["full_name"].where(~paired)
    return pair.where(paired, distinct(alone).map(name_key))


def read_full_name(text: str, rules: NormalizationRules) -> Person:
    """The parts of "SCHMIDT, Dr. Anna", "Herr Hans von der Heide" or "山田 太郎"."""
    salutations = known_salutations(rules)
    words = text.split()
    found: list[str] = []
    while len(words) > 1 and (known := salutations.get(fold(words[0]))):
        found.append(known)
        words.pop(0)
    salutation = min(found, key=list(rules.salutations).index) if found else None
    text = recase(" ".join(words), rules.particles)
    if _SIMPLE.fullmatch(text):
        first, last = (recase(part, rules.particles) for part in text.split())
        if _HAN.fullmatch(first) and _HAN.fullmatch(last):
            first, last = last, first
        return Person(salutation, first, None, last)
    if len(words) == 1 or len(text) > 120:
        return Person(salutation, text, None, None)
    return _unusual(text, salutation, salutations, rules.particles)


def recase(text: str, particles: list[str]) -> str:
    """A name in capitals as people write it ("MCDONALD-VAN DYK" → "McDonald-van Dyk"); any other is left as given."""
    if not text.isupper() or sum(map(str.isalpha, text)) < 3:
        return text
    words = text.split(" ")
    return " ".join(_titled(word, particles, alone=len(words) == 1) for word in words)


@cache
def _lookup(items: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, str]:
    return {fold(spelling): name for name, others in items for spelling in (name, *others)}


def known_salutations(rules: NormalizationRules) -> dict[str, str]:
    """Folded spelling → canonical salutation."""
    return _lookup(tuple((name, tuple(others)) for name, others in rules.salutations.items()))


def _salutation(text: str, known: dict[str, str]) -> Reading:
    hit = _known_word(text, known)
    return Reading(hit, None if hit else "unknown")


def _known_word(text: str, known: dict[str, str]) -> str | None:
    folded = fold(text)
    return known.get(folded) or next((known[word] for word in folded.split() if word in known), None)


def _titled(word: str, particles: list[str], *, alone: bool) -> str:
    if not alone and word.lower() in particles:
        return word.lower()
    if _ROMAN.fullmatch(word) and len(word) > 1 and word not in ("VI", "XI"):
        return word
    return "-".join(_capital(piece, particles) for piece in word.split("-"))


def _capital(piece: str, particles: list[str]) -> str:
    if piece.lower() in particles:
        return piece.lower()
    shown = _WORD.sub(lambda found: found[0].capitalize(), piece)
    if shown.startswith("Mc") and len(shown) > 3:
        shown = "Mc" + shown[2:].capitalize()
    return re.sub(r"(?<=[a-z]['’])S$", "s", shown)


def _unusual(text: str, salutation: str | None, known: dict[str, str], particles: list[str]) -> Person:
    """By nameparser: commas, particles, suffixes, several given names."""
    from nameparser import HumanName  # imports slowly, and most names do not need it

    human = HumanName(text)
    title = _known_word(human.title, known)
    first, middle, last = human.first, human.middle, human.last
    if not (first or last):
        return Person(salutation or title, text, None, None)
    first, middle, last = (recase(part, particles) or None for part in (first, middle, last))
    return Person(salutation or title, first, middle, last, human.suffix or None)


def _part(people: pd.Series, name: str) -> pd.Series:
    values = [getattr(person, name) if person is not None else None for person in people]
    return pd.Series(values, index=people.index, dtype="str")


def _is_han(whole: pd.Series) -> pd.Series:
    return whole.str.fullmatch(rf"(?:{_HAN.pattern}) ?(?:{_HAN.pattern})?").fillna(value=False).astype(bool)
