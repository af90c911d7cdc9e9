"""A short way through the numbering plans, made of the phonenumbers library's own metadata.

The library takes its time with every number; for plainly written, plainly valid ones its patterns are asked directly.
`quick` either agrees with the library or says nothing (a test compares them).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import phonenumbers

_PLAIN = re.compile(r"(\+?)[\d\s().-]+")
_NOT_DIGIT = re.compile(r"\D+")
_KINDS = (
    "premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail",
    "fixed_line", "mobile",
)  # fmt: skip


@dataclass(frozen=True)
class _Plan:
    """The numbers under one calling code: `valid` in regions that are told apart by their patterns only."""

    code: str
    valid: re.Pattern[str]
    elsewhere: re.Pattern[str]


@dataclass(frozen=True)
class _Region:
    """How a region's numbers are dialled: the prefix before an area, and the one before another country."""

    plan: _Plan
    prefix: re.Pattern[str]
    simple_prefix: str | None
    abroad: re.Pattern[str]


def quick(text: str, country: str | None) -> str | None:
    """E.164 of a valid number in plain writing; None means "ask the library", never "invalid"."""
    plain = _PLAIN.fullmatch(text)
    if not plain or not text.isascii():
        return None
    digits = _NOT_DIGIT.sub("", text)
    if plain[1]:
        return next((found for size in (1, 2, 3) if (found := _abroad(digits, size))), None)
    region = _region(country) if country else None
    if region is None or region.abroad.match(digits) or digits.startswith(region.plan.code):
        return None
    prefix = region.prefix.match(digits)
    if prefix:
        if prefix[0] != region.simple_prefix:
            return None
        digits = digits[prefix.end() :]
    return _checked(digits, region.plan)


def _abroad(digits: str, size: int) -> str | None:
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:size] or 0), ())
    region = _region(regions[0]) if regions and digits[0] != "0" else None
    if region is None or region.prefix.match(digits, size):
        return None
    return _checked(digits[size:], region.plan)


def _checked(digits: str, plan: _Plan) -> str | None:
    if digits.startswith("0") or plan.elsewhere.match(digits) or not plan.valid.fullmatch(digits):
        return None
    return f"+{plan.code}{digits}"


@cache
def _region(country: str) -> _Region | None:
    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    if metadata is None:
        return None
    never = "(?!)"
    return _Region(
        plan=_plan(metadata.country_code),
        prefix=re.compile(metadata.national_prefix_for_parsing or never),
        simple_prefix=None if metadata.national_prefix_transform_rule else metadata.national_prefix,
        abroad=re.compile(metadata.international_prefix or never),
    )


@cache
def _plan(code: int) -> _Plan:
    valid: list[str] = []
    elsewhere: list[str] = []
    for name in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]:
        metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(name, None)
        if metadata.leading_digits:
            elsewhere.append(metadata.leading_digits)
            continue
        patterns = [desc.national_number_pattern for kind in _KINDS if (desc := getattr(metadata, kind))]
        valid += [f"(?={metadata.general_desc.national_number_pattern}$)(?:{'|'.join(p for p in patterns if p)})"]
    return _Plan(
        str(code),
        re.compile("|".join(valid) or "(?!)"),
        re.compile("|".join(f"(?:{lead})" for lead in elsewhere) or "(?!)"),
    )
