"""Countries, states and postal codes."""

from __future__ import annotations

import gzip
import pickle
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from babel import Locale
from babel.core import get_global
from babel.localedata import resolve_locale_filename

from sluice.distinct import distinct, pairs
from sluice.normalization.draft import Draft
from sluice.normalization.readings import Reading, read_each
from sluice.normalization.rules import NormalizationRules, ZipReading
from sluice.normalization.text import fold

_FLOAT = re.compile(r"(\d{3,9})\.0+")
_PLUS_FOUR = re.compile(r"(\d{5})[ -]?(\d{4})")
_CANADA = re.compile(r"([A-Z]\d[A-Z])[ -]?(\d[A-Z]\d)")
_BRITAIN = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?) ?(\d[A-Z]{2})")


def read_places(draft: Draft) -> None:
    """Adds `country` (ISO alpha-2), `zip`, `state` (codes in countries that `states` lists), `city`, `street`.

    A state that is missing is found by its ZIP (US). A row without a country is read as one of the source's country.
    """
    rules = draft.context.rules
    draft.put_read("country", read_each(draft.cells("country"), lambda text: read_country(text, rules)))
    where = draft.columns["country"].fillna(draft.context.source.country or "")
    countries = distinct(where)
    zips = read_each(pairs(draft.cells("zip"), countries), lambda pair: read_zip(pair[0], pair[1], rules.zips))
    draft.put_text("zip", zips.value())
    draft.note("zip", zips)
    states = read_each(pairs(draft.cells("state"), countries), lambda pair: read_state(pair[0], pair[1], rules))
    draft.note("state", states)
    state = states.value()
    by_zip = draft.columns["zip"].where((where == "US") & state.isna())
    draft.put_text("state", state.fillna(distinct(by_zip).map(lambda code: _us_states().get(code[:5]))))
    for field in ("street", "city"):
        draft.put_text(field, draft.given(field))


def read_country(text: str, rules: NormalizationRules) -> Reading:
    """A country in any language, or its two- or three-letter code, as ISO 3166 alpha-2."""
    code = text.strip(". ").upper()
    if code in territories():
        return Reading(code)
    folded = fold(text)
    aliases = _folded(tuple(rules.country_aliases.items()))
    hit = aliases.get(folded) or _alpha3().get(code) or names_in(tuple(rules.languages)).get(folded)
    if hit is None and 3 <= len(folded) <= 60 and not folded.isdigit():
        hit = _names_anywhere().get(folded)
    return Reading(hit, None if hit else "unknown")


def read_zip(text: str, country: str, zips: dict[str, ZipReading]) -> Reading:
    """A postal code as its country writes it; leading zeros that a spreadsheet lost are put back."""
    text = text.upper()
    plain = _FLOAT.fullmatch(text)
    text = plain[1] if plain else text
    if country == "US" and (long := _PLUS_FOUR.fullmatch(text)):
        return Reading(f"{long[1]}-{long[2]}")
    if country in ("CA", "GB") and (two := (_CANADA if country == "CA" else _BRITAIN).fullmatch(text)):
        return Reading(f"{two[1]} {two[2]}")
    rules = zips.get(country)
    if rules and text.isascii() and text.isdigit():
        if rules.digits - 2 <= len(text) < rules.digits:
            return Reading(text.zfill(rules.digits), "zero_restored")
        if country == "US" and len(text) == 8:
            return Reading(f"0{text[:4]}-{text[4:]}", "zero_restored")
    return Reading(text)


def read_state(text: str, country: str, rules: NormalizationRules) -> Reading:
    """The code of a state or province where the country's are known; otherwise as given."""
    known = rules.states.get(country)
    if known is None:
        return Reading(text)
    code = text.strip(". ").upper().removeprefix(f"{country}-")
    if code in known:
        return Reading(code)
    hit = _folded(tuple((name, code) for code, names in known.items() for name in names)).get(fold(text))
    return Reading(hit) if hit else Reading(text, "unknown")


@cache
def _us_states() -> dict[str, str]:
    """ZIP → state, from `data/us_zips.txt`: the library `zipcodes`, where it comes from, takes a second to load."""
    states: dict[str, str] = {}
    for line in files("sluice").joinpath("data/us_zips.txt").read_text("utf-8").splitlines():
        state, *runs = line.split(" ")
        for run in runs:
            first, _, last = run.partition("-")
            states |= dict.fromkeys([f"{code:05}" for code in range(int(first), int(last or first) + 1)], state)
    return states


@cache
def territories() -> frozenset[str]:
    """ISO 3166 alpha-2 codes of countries."""
    codes: set[str] = {str(code) for code in Locale.parse("en").territories}
    return frozenset(code for code in codes if len(code) == 2) - {"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"}


@cache
def _alpha3() -> dict[str, str]:
    aliases: Mapping[str, list[str]] = get_global("territory_aliases")
    return {old: new[0] for old, new in aliases.items() if len(old) == 3 and old.isalpha() and new[0] in territories()}


@cache
def names_in(languages: tuple[str, ...]) -> dict[str, str]:
    """Folded names of countries in some languages → code; the first language that has a name counts."""
    return {
        fold(name): code for language in reversed(languages) for code, name in _written_in(language) if name != code
    }


def _written_in(language: str) -> list[tuple[str, str]]:
    """Codes and names of countries in a language.

    From the library's own file of it: `Locale` would keep all that it knows of each language in memory for good (with
    all languages 115 MB).
    """
    parents: Mapping[str, str] = get_global("parent_exceptions")
    names: dict[str, str] = {}
    for name in (parents.get(language) or language.rpartition("_")[0], language):
        if name:
            with Path(resolve_locale_filename(name)).open("rb") as file:
                names |= pickle.load(file).get("territories", {})  # noqa: S301 -- of an installed package
    known = territories()
    return [(code, name) for code, name in names.items() if code in known]


@cache
def _names_anywhere() -> dict[str, str]:
    """The same of every language of CLDR, from `data/country_names.tsv.gz`: its 250 files take more than a second."""
    packed = files("sluice").joinpath("data/country_names.tsv.gz").read_bytes()
    lines = (line.split("\t") for line in gzip.decompress(packed).decode().splitlines())
    return {name: code for code, *names in lines for name in names}


@cache
def _folded(items: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {fold(name): value for name, value in items}
