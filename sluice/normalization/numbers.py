"""Numbers as people write them: "ca. 1.200", "50-100", "10k", "€ 3,5 Mio"."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from sluice.normalization.readings import Reading
from sluice.normalization.rules import NumberReading

_NUMBER = re.compile(r"[-\u2212]?\d[\d.,'’ ]*")
_LETTERS = re.compile(r"[^\W\d_]+\.?|[$€£¥₹₽₩₺₴₪₫฿]")
_STARS = re.compile(r"[★⭐*]\ufe0f?")
_LOWER = re.compile(r"(?:<|under|less than|fewer than|up to|unter|bis|moins de|weniger als)\s*\d", re.IGNORECASE)
_CURRENCY = re.compile(r"[A-Z]{3}")
_HUGE = 1e15


class _Amount(NamedTuple):
    number: float
    factor: float | None


def read_number(text: str, mark: str | None, rules: NumberReading) -> Reading:
    """An amount; of a range its lower bound, of "less than" zero; `also` is the currency, if one is written."""
    if len(text) > 80:
        return Reading(None, "invalid")
    amounts, currency, readable = _amounts(text, mark, rules)
    if not amounts or len(amounts) > 2 or not readable:
        return Reading(None, "invalid")
    factor = amounts[0].factor or (amounts[-1].factor if len(amounts) == 2 else None) or 1
    value = amounts[0].number * factor
    if len(amounts) == 1 and _LOWER.search(text):
        value = 0.0
    return Reading(value, None, currency) if abs(value) <= _HUGE else Reading(None, "out_of_range")


def read_employees(text: str, mark: str | None, rules: NumberReading) -> Reading:
    """A head count: whole, of a range the lower bound, never less than 1 where it says "less than"."""
    known = {word.casefold(): count for word, count in rules.employees.items()}.get(text.casefold())
    if known is not None:
        return Reading(known)
    found = read_number(text, mark, rules)
    if found.value is None or found.also is not None:
        return Reading(None, found.code or "invalid")
    return Reading(max(int(found.value), 1) if _LOWER.search(text) else int(found.value))


def read_integer(text: str, mark: str | None, rules: NumberReading) -> Reading:
    """A whole number; stars are counted, "4/5" is 4 (S001-13)."""
    stars = len(_STARS.findall(text))
    if stars and not any(char.isdigit() for char in text):
        return Reading(stars)
    found = read_number(text.partition("/")[0] if re.fullmatch(r"\s*\d+\s*/\s*\d+\s*", text) else text, mark, rules)
    if found.value is None or found.value != int(found.value):
        return Reading(None, found.code or "invalid")
    return Reading(int(found.value))


def read_currency(text: str, rules: NumberReading) -> Reading:
    """An ISO 4217 code from a code, sign or word."""
    hit = _words(rules)[1].get(text.casefold())
    return Reading(hit, None if hit else "unknown")


def _amounts(text: str, mark: str | None, rules: NumberReading) -> tuple[list[_Amount], str | None, bool]:
    """The numbers in a text with the multiplier behind each, the currency, and whether every word was understood."""
    factors, currencies, filler = _words(rules)
    amounts: list[_Amount] = []
    currency, readable, end = None, True, 0
    numbers = list(_NUMBER.finditer(text))
    for place, number in enumerate([*numbers, None]):
        for word in _LETTERS.findall(text[end : number.start() if number else len(text)]):
            plain = word.rstrip(".").casefold()
            if plain in factors and amounts:
                amounts[-1] = _Amount(amounts[-1].number, (amounts[-1].factor or 1) * factors[plain])
            elif plain in currencies:
                currency = currencies[plain]
            else:
                readable = readable and plain in filler
        if number:
            end = number.end()
            dash = place > 0  # the dash of a range is not a minus
            value = _value(number[0].lstrip("-\u2212") if dash else number[0], mark)
            if value is None:
                return [], currency, False
            amounts.append(_Amount(value, None))
    return amounts, currency, readable


_GROUPED = {mark: re.compile(rf"[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+") for mark in ".,"}
"""Thousands, whatever the rest of the column uses as its decimal mark: nobody writes amounts to a thousandth."""


def _value(text: str, mark: str | None) -> float | None:
    """One number; without a known decimal mark the separators have to tell."""
    negative = text[0] in "-\u2212"
    digits = re.sub(r"[\s'’\u2212-]", "", text).rstrip(".,")
    mark = _mark(digits) if mark is None or _GROUPED[mark].fullmatch(digits) else mark
    thousands = "," if mark == "." else "."
    digits = digits.replace(thousands, "").replace(mark, ".")
    try:
        value = float(digits)
    except ValueError:
        return None
    return -value if negative else value


def _mark(digits: str) -> str:
    """The decimal mark of a lone number: the last of two kinds; a single one before three digits groups thousands."""
    point, comma = digits.rfind("."), digits.rfind(",")
    if point >= 0 and comma >= 0:
        return "." if point > comma else ","
    used = "." if point >= 0 else ","
    other = "," if used == "." else "."
    groups = digits.split(used)
    grouped = (
        len(groups) > 1
        and 1 <= len(groups[0]) <= 3
        and groups[0] != "0"
        and all(len(group) == 3 for group in groups[1:])
    )
    return other if grouped or len(groups) > 2 else used


@cache
def _cached_words(
    multipliers: tuple[tuple[str, float], ...], currencies: tuple[tuple[str, str], ...], filler: tuple[str, ...]
) -> tuple[dict[str, float], dict[str, str], frozenset[str]]:
    codes = {sign.casefold(): code for sign, code in currencies}
    codes |= {code.casefold(): code for code in codes.values() if _CURRENCY.fullmatch(code)}
    return (
        {word.casefold(): factor for word, factor in multipliers},
        codes,
        frozenset(word.casefold() for word in filler),
    )


def _words(rules: NumberReading) -> tuple[dict[str, float], dict[str, str], frozenset[str]]:
    return _cached_words(tuple(rules.multipliers.items()), tuple(rules.currencies.items()), tuple(rules.filler))
