"""Values out of a list: picklists, yes and no, tags, languages, tax numbers."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.localedata import exists

from sluice.normalization.readings import Reading
from sluice.normalization.rules import NormalizationRules
from sluice.normalization.text import fold

_TAG_SEPARATOR = re.compile(r"[,;|]")
_TIN_NOISE = re.compile(r"[\s./-]")
_TAG_LENGTH = 64


def read_choice(text: str, choices: dict[str, list[str]]) -> Reading:
    """The canonical value of a spelling; an unknown one is the list's `other`, if it has one, with a warning."""
    known = _spellings(tuple((name, tuple(others)) for name, others in choices.items()))
    hit = known.get(fold(text) or text.casefold())
    return Reading(hit) if hit else Reading(known.get("other"), "unknown")


def read_boolean(text: str, rules: NormalizationRules) -> Reading:
    """Yes or no in several languages; anything else is nothing, with a warning."""
    answer = _answers(tuple(rules.true_words), tuple(rules.false_words)).get(_answer(text))
    return Reading(answer, None if answer is not None else "invalid")


def read_opt_out(text: str, rules: NormalizationRules) -> Reading:
    """An objection to being contacted (S001-16): what cannot be read counts as one; errors are only stricter."""
    found = read_boolean(text, rules)
    return found if found.code is None else Reading(True, "assumed_yes")


def read_tags(text: str) -> Reading:
    """Tags between commas, semicolons or bars, each once, in their order (S000-09)."""
    tags = (tag.strip().removeprefix("#").strip()[:_TAG_LENGTH] for tag in _TAG_SEPARATOR.split(text))
    once: dict[str, str] = {}
    for tag in filter(None, tags):
        once.setdefault(tag.casefold(), tag)
    return Reading(list(once.values()) or None)


def read_tin(text: str, lengths: list[int]) -> Reading:
    """A tax number: digits of one of the lengths (S003-10: 9, 10 or 12)."""
    digits = _TIN_NOISE.sub("", text)
    valid = digits.isascii() and digits.isdigit() and len(digits) in lengths
    return Reading(digits) if valid else Reading(None, "invalid")


def read_language(text: str, languages: tuple[str, ...]) -> Reading:
    """A language's ISO 639 code from a code, a locale or its name ("de", "en-US", "Deutsch")."""
    code = re.split(r"[-_]", text.strip().lower(), maxsplit=1)[0]
    if code.isascii() and code.isalpha() and len(code) in (2, 3) and exists(code):
        return Reading(code)
    hit = _language_names(languages).get(fold(text))
    return Reading(hit, None if hit else "unknown")


@cache
def _spellings(choices: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, str]:
    return {
        fold(spelling) or spelling.casefold(): name
        for name, others in reversed(choices)
        for spelling in (*others, name)
    }


def _answer(text: str) -> str:
    return fold(text) or text.casefold()


@cache
def _answers(yes: tuple[str, ...], no: tuple[str, ...]) -> dict[str, bool]:
    return {_answer(word): False for word in no} | {_answer(word): True for word in yes}


@cache
def _language_names(languages: tuple[str, ...]) -> dict[str, str]:
    names: dict[str, str] = {}
    for language in languages:
        try:
            own = Locale.parse(language)
        except UnknownLocaleError:
            continue
        names |= {fold(name): code for code, name in own.languages.items() if len(code) <= 3}
    return names
