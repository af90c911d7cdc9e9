"""Phone numbers in E.164, with the reason why a country was assumed."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pandas as pd
import phonenumbers

from sluice.distinct import distinct, pairs
from sluice.normalization.draft import Draft
from sluice.normalization.phoneplans import quick, quick_all
from sluice.normalization.readings import NOTHING, Reading, Readings

_SCIENTIFIC = re.compile(r"\+?\d(?:[.,]\d+)?[eE]\+?\d{1,2}")
_NOT_DIGIT = re.compile(r"\D")
_SEVERAL = re.compile(r"[;,/|]| (?:or|oder|ou|o|und|and) ")


def read_phones(draft: Draft) -> None:
    """Adds every field of type phone as E.164, and `phone_country_source` (of `phone`, else of `mobile`).

    Needs `country` and `email_domain`. The first known of these countries reads a number without a prefix: the
    address's, the e-mail domain's, the source's for phones, the source's; the next is tried when it is not valid there.
    """
    countries = distinct(_countries(draft))
    area_code = draft.context.source.phone.area_code
    sources = draft.nothing()
    for field in (name for name, kind in draft.fields.items() if kind.type == "phone" and draft.has(name)):
        both = pairs(draft.cells(field), countries)
        found = Readings(read_all_phones([pair or ("", "") for pair in both.values], area_code), both)
        draft.put_read(field, found)
        if field in ("phone", "mobile"):
            sources = sources.fillna(found.also())
    draft.put("phone_country_source", sources)


def read_all_phones(keyed: list[tuple[str, str]], area_code: str | None = None) -> list[Reading]:
    """`read_phone` of many texts, each with its countries as `DE:address US:source`.

    Those that are plainly written and valid in their first country are found together; numbers that may lack their
    area code are not among them.
    """
    known = {stated: stated_countries(stated) for stated in {stated for _, stated in keyed}}
    first = {stated: countries[0] if countries else (None, None) for stated, countries in known.items()}
    texts = [text for text, _ in keyed]
    quickly = quick_all(texts, [first[stated][0] for _, stated in keyed])
    return [
        Reading(number, None, "prefix" if text[0] == "+" else first[stated][1])
        if number and not (area_code and len(_NOT_DIGIT.sub("", text)) == 7)
        else read_phone(text, known[stated], area_code)
        if text
        else NOTHING
        for (text, stated), number in zip(keyed, quickly, strict=True)
    ]


def read_phone(text: str, countries: list[tuple[str, str]], area_code: str | None = None) -> Reading:
    """A phone number as E.164; extensions are dropped.

    Args:
        text: as written.
        countries: (ISO alpha-2, where it comes from), the most credible first; only for numbers without a prefix.
        area_code: put before 7-digit numbers of the North American plan.

    Returns:
        `also` says where the country came from: prefix, address, email or source.
    """
    if _SCIENTIFIC.fullmatch(text):
        return Reading(None, "damaged_number")
    text = text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text
    found = _one(text, countries, area_code)
    if found is None:
        parts = [part for part in _SEVERAL.split(text)[:10] if part.strip()]
        found = next((number for part in parts if (number := _one(part, countries, area_code))), None)
    return Reading(found[0], None, found[1]) if found else Reading(None, "invalid")


def _countries(draft: Draft) -> pd.Series:
    """Per row the countries to try, as `DE:address US:source`."""
    source = draft.context.source
    generic = frozenset(draft.context.rules.generic_cctlds)
    stated = list(dict.fromkeys(country for country in (source.phone.country, source.country) if country))
    tail = "".join(f" {country}:source" for country in stated)
    address = (draft.columns["country"] + ":address").fillna("")
    mail = distinct(draft.columns["email_domain"]).map(lambda domain: _by_domain(domain, generic))
    return address + mail.fillna("") + tail


def _by_domain(domain: str, generic: frozenset[str]) -> str | None:
    country = _cctld(domain.rpartition(".")[2], generic)
    return f" {country}:email" if country else None


def _cctld(name: str, generic: frozenset[str]) -> str | None:
    country = "GB" if name == "uk" else name.upper()
    return country if name not in generic and country in phonenumbers.SUPPORTED_REGIONS else None


def stated_countries(stated: str) -> list[tuple[str, str]]:
    """`DE:address US:source` as pairs."""
    pairs: list[tuple[str, str]] = []
    for item in stated.split():
        country, _, origin = item.partition(":")
        pairs.append((country, origin))
    return pairs


def _one(text: str, countries: list[tuple[str, str]], area_code: str | None) -> tuple[str, str] | None:
    text = text.strip(" '\"")
    digits = _NOT_DIGIT.sub("", text)
    if not 5 <= len(digits) <= 40:
        return None if not any(char.isalpha() for char in text) or len(text) > 40 else _tried(text, countries)
    if text.lstrip("( ")[:1] in ("+", "\uff0b"):
        return _international(text)
    if digits.startswith("00") and (found := _international("+" + text.lstrip("( 0").replace("(0)", "", 1))):
        return found
    if area_code and len(digits) == 7 and countries and _is_nanp(countries[0][0]):
        text = area_code + digits
    return _tried(text, countries)


def _tried(text: str, countries: list[tuple[str, str]]) -> tuple[str, str] | None:
    return next(((number, origin) for country, origin in countries if (number := _parsed(text, country))), None)


def _international(text: str) -> tuple[str, str] | None:
    number = _parsed(text, None)
    return (number, "prefix") if number else None


def _parsed(text: str, country: str | None) -> str | None:
    known = quick(text, country)
    if known:
        return known
    try:
        number: Any = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@cache
def _is_nanp(country: str) -> bool:
    return phonenumbers.country_code_for_region(country) == 1
