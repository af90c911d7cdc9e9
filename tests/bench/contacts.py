"""Phone numbers and e-mail addresses of every kind, and whether our quick ways agree with the libraries about them.

    python -m tests.bench.contacts 1000000 --seed 3

Sluice reads what is plainly written by itself and asks `phonenumbers` and `email-validator` about the rest. Whatever it
reads by itself must be exactly what the library says: each of these values is given to both.
"""

from __future__ import annotations

import argparse
import string
import sys
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from sluice.normalization.emails import plain_addresses
from sluice.normalization.phoneplans import quick, quick_all
from tests.bench.people import pick

BATCH = 20_000
COUNTRIES = sorted(phonenumbers.SUPPORTED_REGIONS)
COMMON = ("US", "GB", "DE", "FR", "ES", "IT", "PL", "BG", "NL", "AT", "CH", "CA", "AU", "IN", "BR", "MX", "AR", "RU")
STYLES = ("{}", "{} ", "({}) ", "{}-", "{}.", "{} - ")
LABELS = (
    "acme", "x", "a-b", "a--b", "xn--mller-kva", "xn--x", "-a", "a-", "1", "9x", "x9", "", "müller", "a_b", "x" * 63,
    "x" * 64,
)  # fmt: skip
ENDS = (
    *("example", "com", "co.uk", "de", "net") * 5,
    *("test", "invalid", "local", "arpa", "onion", "localhost", "1", "c1", "1c", "c", "xn--p1ai"),
)
LOCALS = string.ascii_letters + string.digits + "....--__++'&%!#$*/=?^`{|}~"
MARKS = " .,;:@\"'()<>[]\\+-é\u00a0"


def phones(random: Random) -> Iterator[tuple[str, str | None]]:
    """Numbers with the country they are read in: valid ones in many writings, and such as a slip makes of them."""
    while True:
        country = pick(random, COMMON) if random.random() < 0.6 else pick(random, COUNTRIES)
        digits = _national(random, country)
        if random.random() < 0.3:
            place = int(random.random() * len(digits))
            digits = digits[:place] + pick(random, ("", "0", "9", digits[place] * 2)) + digits[place + 1 :]
        style, cut = pick(random, STYLES), 2 + int(random.random() * 3)
        head = f"+{phonenumbers.country_code_for_region(country)}" if random.random() < 0.5 else ""
        if not head and random.random() < 0.5:
            digits = pick(random, ("0", "1", "8", "00", "011")) + digits
        text = head + pick(random, ("", " ", "-", "(0)")) * bool(head) + style.format(digits[:cut]) + digits[cut:]
        yield text, None if head else country if random.random() < 0.8 else pick(random, COMMON)


def addresses(random: Random) -> Iterator[str]:
    """Addresses: plain ones, odd ones, and such as a slip makes of them."""
    while True:
        size = 1 + int(random.expovariate(0.15)) if random.random() < 0.98 else 60 + int(random.random() * 10)
        local = "".join(pick(random, LOCALS[:62] if random.random() < 0.8 else LOCALS) for _ in range(size))
        labels = [
            pick(random, LABELS) if random.random() < 0.15 else _word(random) for _ in range(int(random.random() * 3))
        ]
        text = f"{local}@{'.'.join([*labels, pick(random, ENDS)])}"
        if random.random() < 0.2:
            place = int(random.random() * len(text))
            text = text[:place] + pick(random, MARKS) + text[place + int(random.random() * 2) :]
        yield text


def phone_disagreements(count: int, seed: int) -> tuple[int, list[tuple[str, str | None]]]:
    """How many of so many numbers are read without the library, and those that it reads differently."""
    stream, known, wrong = phones(Random(seed)), 0, list[tuple[str, str | None]]()
    for start in range(0, count, BATCH):
        given = [next(stream) for _ in range(min(BATCH, count - start))]
        together = quick_all([text for text, _ in given], [country for _, country in given])
        for (text, country), found in zip(given, together, strict=True):
            alone = quick(text, country)
            known += found is not None
            expected = _by_the_library(text, country) if alone or found else None
            wrong += [(text, country)] if (alone or expected, found or expected) != (expected, expected) else []
    return known, wrong


def address_disagreements(count: int, seed: int) -> tuple[int, list[str]]:
    """How many of so many addresses are taken without the library, and those that it refuses or writes differently."""
    stream, known, wrong = addresses(Random(seed)), 0, list[str]()
    for start in range(0, count, BATCH):
        given = [next(stream) for _ in range(min(BATCH, count - start))]
        plain = [text for text, is_plain in zip(given, plain_addresses(given), strict=True) if is_plain]
        known += len(plain)
        wrong += [text for text in plain if _validated(text) != text]
    return known, wrong


def _national(random: Random, country: str) -> str:
    example: Any = phonenumbers.example_number_for_type(
        country, pick(random, (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE))
    )
    digits = phonenumbers.national_significant_number(example) if example else "2025550123"
    kept = int(random.random() * len(digits))
    return digits[:kept] + "".join(pick(random, string.digits) for _ in digits[kept:])


def _word(random: Random) -> str:
    return "".join(pick(random, string.ascii_lowercase + "19-") for _ in range(1 + int(random.random() * 9)))


def _by_the_library(text: str, country: str | None) -> str | None:
    try:
        number: Any = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _validated(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        return None


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code says whether all agree."""
    parser = argparse.ArgumentParser(description="Compares the quick ways with the libraries.")
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args(arguments)
    failed = False
    compare: dict[str, Callable[[int, int], tuple[int, list[Any]]]] = {
        "phone numbers": phone_disagreements,
        "e-mail addresses": address_disagreements,
    }
    for what, disagreements in compare.items():
        known, wrong = disagreements(options.count, options.seed)
        print(f"{options.count:,} {what}: {known:,} read without the library, {len(wrong)} of them differently")
        print(*wrong[:20], sep="\n")
        failed |= bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
