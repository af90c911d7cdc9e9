"""Dates and times: ISO, the column's own order, month names, a spreadsheet's day numbers."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale

from sluice.normalization.readings import Reading
from sluice.normalization.text import fold

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_THREE = re.compile(r"(\d{1,2})[./ -]{1,2}(\d{1,2})[./ -]{1,2}(\d{4}|\d{2})")
_SERIAL = re.compile(r"(\d{5})(?:[.,](\d+))?")
_EPOCH = re.compile(r"\d{10}|\d{13}")
_PIECE = re.compile(r"\d+|[^\W\d_]+")
_TIME = re.compile(
    r"(?:^|[T ,]+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"  # hour, minute, second, fraction
    r"\s*([ap]\.?m\.?)?\s*(z|utc|gmt|[+-]\d{2}:?\d{2}|[+-]\d{2})?$",
    re.IGNORECASE,
)
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000  # 1954 to 2119: other five-digit numbers are no dates
_ORDERS = {"dmy": (0, 1, 2), "mdy": (1, 0, 2), "ymd": (2, 1, 0)}


def read_date(text: str, order: str | None, as_of: datetime, languages: tuple[str, ...]) -> Reading:
    """A day as ISO text.

    Args:
        text: as written; a time behind it is dropped.
        order: dmy, mdy or ymd for days that can be read in two ways; None makes them `ambiguous`.
        as_of: for years of two digits: at most 20 years ahead of it.
        languages: whose month names are known.
    """
    if serial := _SERIAL.fullmatch(text):
        return _day(_from_serial(int(serial[1]), 0.0))
    clock = _TIME.search(text)
    found = _read_day(text[: clock.start()] if clock else text, order, as_of, languages)
    return _day(found.value) if found.value else found


def read_datetime(text: str, order: str | None, as_of: datetime, zone: str, languages: tuple[str, ...]) -> Reading:
    """A moment in UTC; one without a zone is taken in `zone`, a day without a time as its beginning there."""
    if _EPOCH.fullmatch(text):
        return Reading(datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), UTC))
    if serial := _SERIAL.fullmatch(text):
        moment = _from_serial(int(serial[1]), float(f"0.{serial[2] or 0}"))
        return Reading(moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)) if moment else Reading(None, "invalid")
    clock = _TIME.search(text)
    found = _read_day(text[: clock.start()] if clock else text, order, as_of, languages)
    if found.value is None:
        return found
    at = _clock(clock) if clock else time()
    if at is None:
        return Reading(None, "invalid")
    local = datetime.combine(found.value, at)
    return Reading((local if local.tzinfo else local.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC))


def _day(found: Any) -> Reading:
    return (
        Reading(found.date().isoformat() if isinstance(found, datetime) else found.isoformat())
        if found
        else Reading(None, "invalid")
    )


def _read_day(text: str, order: str | None, as_of: datetime, languages: tuple[str, ...]) -> Reading:
    text = text.strip(" ,T")
    if not text.isascii():
        text = text.replace("年", "-").replace("月", "-").replace("日", "")
    numbers = _ISO.fullmatch(text) or _COMPACT.fullmatch(text)
    if numbers:
        return _checked(int(numbers[1]), int(numbers[2]), int(numbers[3]))
    if three := _THREE.fullmatch(text):
        return _ordered((three[1], three[2], three[3]), order, as_of)
    return _named(text, as_of, languages)


def _ordered(parts: tuple[str, str, str], order: str | None, as_of: datetime) -> Reading:
    """Three numbers; the column's order decides only what the numbers leave open."""
    if order == "ymd" and len(parts[2]) == 2:
        return _checked(_year(parts[0], as_of), int(parts[1]), int(parts[2]))
    first, second, year = int(parts[0]), int(parts[1]), _year(parts[2], as_of)
    if first > 12 or second > 12 or first == second:
        return _checked(year, *((second, first) if first > 12 else (first, second)))
    if order not in _ORDERS:
        return Reading(None, "ambiguous")
    return _checked(year, *((first, second) if order == "mdy" else (second, first)))


def _named(text: str, as_of: datetime, languages: tuple[str, ...]) -> Reading:
    """A day with its month as a word: 5 Nov 2026, November 5th, 2026, 5. November 26."""
    words = [fold(piece) for piece in _PIECE.findall(text)]
    numbers = [word for word in words if word.isascii() and word.isdigit()]
    months = [month for word in words if (month := month_names(languages).get(word))]
    if len(numbers) != 2 or len(months) != 1 or len(words) > 6:
        return Reading(None, "invalid")
    day, year = (numbers[1], numbers[0]) if len(numbers[0]) == 4 else (numbers[0], numbers[1])
    return (
        _checked(_year(year, as_of), months[0], int(day))
        if len(day) <= 2 and len(year) in (2, 4)
        else Reading(None, "invalid")
    )


def _year(text: str, as_of: datetime) -> int:
    if len(text) == 4:
        return int(text)
    century = as_of.year // 100 * 100
    return century + int(text) if century + int(text) <= as_of.year + 20 else century - 100 + int(text)


def _checked(year: int, month: int, day: int) -> Reading:
    try:
        found = date(year, month, day)
    except ValueError:
        return Reading(None, "invalid")
    return Reading(found) if 1900 <= year <= 2200 else Reading(None, "out_of_range")


def _from_serial(days: int, fraction: float) -> datetime | None:
    if not _FIRST_SERIAL <= days <= _LAST_SERIAL:
        return None
    return datetime(1899, 12, 30) + timedelta(days=days, seconds=round(fraction * 86_400))  # noqa: DTZ001 - has no zone yet


def _clock(found: re.Match[str]) -> time | None:
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[5]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[5][0] in "pP" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return time(hour, minute, second, int((found[4] or "0").ljust(6, "0")[:6]), _zone(found[6]))


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes)) if minutes < 24 * 60 else None


@cache
def month_names(languages: tuple[str, ...]) -> dict[str, int]:
    """Folded month name or abbreviation → month."""
    found: dict[str, int] = {}
    for language in reversed(languages):
        months: Any = Locale.parse(language).months
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                found |= {
                    fold(name): number for number, name in months[form][width].items() if not fold(name).isdigit()
                }
    return found | {"sept": 9}
