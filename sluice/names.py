"""Canonical names of companies and people: what two spellings of the same name have in common.

`company_key` and `name_key` are for matching, never for showing. Both are idempotent: the key of a key is itself.
The legal forms are in `data/legal_forms.yml`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml
from anyascii import anyascii

_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}(?:[^\W\d_]\b)?")
_AND = re.compile(r"[&+]")
_APOSTROPHE = re.compile(r"(?<=\w)['’`\u00b4](?=\w)")
_OTHER = re.compile(r"[^a-z0-9]+")


class CompanyName(NamedTuple):
    """A company's name without its legal form, and which kind of form it was.

    `legal_class` is public, private, partnership or other; None where the name has no form.
    """

    key: str
    legal_class: str | None


@dataclass(frozen=True)
class LegalForms:
    """Legal forms by their tokens (`gmbh and co kg`) → class.

    Attributes:
        last: forms that may end a name.
        first: forms that may begin one.
        glued: forms of scripts without spaces, cut out of the text before it is transliterated.
        longest: tokens in the longest form.
        endings, beginnings: the last tokens of forms in `last`, the first ones of those in `first`: most names have
            neither, and need no further look (which took half of the time of `company_name`).
    """

    last: dict[str, str]
    first: dict[str, str]
    glued: dict[str, str]
    longest: int
    endings: frozenset[str]
    beginnings: frozenset[str]


def company_name(text: str) -> CompanyName | None:
    """The canonical name of a company: NFKC, transliterated, lower case, `&` as `and`, initials joined, no legal form.

    Forms are taken from the end and the beginning, never the last token that is left ("Limited" stays "limited").
    None where nothing but punctuation is given.
    """
    forms, found = legal_forms(), None
    if text.isascii() and text.replace(" ", "").isalnum():  # most names: nothing to cut out or to transliterate
        tokens = text.lower().split()
    else:
        text, found = _cut_glued(text, forms)
        tokens = _plain(text).split()
    tokens = _join_initials(tokens)
    while True:
        shorter, kind = _strip_once(tokens, forms)
        if shorter == tokens:
            break
        tokens, found = shorter, found or kind
    return CompanyName(" ".join(tokens), found) if tokens else None


def company_key(text: str) -> str | None:
    """The key of `company_name`: "Müller & Söhne GmbH" → "muller and sohne"."""
    name = company_name(text)
    return name.key if name else None


def name_key(text: str) -> str | None:
    """A person's name for matching: transliterated, lower case, letters and digits only ("José Núñez" → "jose nunez").

    None unless two words are left: a first name alone identifies nobody.
    """
    words = name_words(text)
    return words if " " in words else None


def name_words(text: str) -> str:
    """The words of `name_key`, however many; those of a first and a last name one after the other are the key."""
    if text.isascii() and text.isalnum():
        return text.lower()
    return _OTHER.sub(" ", _ascii(_APOSTROPHE.sub("", text))).strip()


@cache
def legal_forms() -> LegalForms:
    """The dictionary of legal forms, read once."""
    text = files("sluice").joinpath("data/legal_forms.yml").read_text("utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times faster where it is built
    data: dict[str, dict[str, list[str]]] = yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders
    last, first, glued = (_by_form(data[part]) for part in ("last", "first", "glued"))
    longest = max(len(form.split()) for form in [*last, *first])
    endings, beginnings = (form.rpartition(" ")[2] for form in last), (form.partition(" ")[0] for form in first)
    return LegalForms(last, first, glued, longest, frozenset(endings), frozenset(beginnings))


def _by_form(classes: dict[str, list[str]]) -> dict[str, str]:
    return {form: kind for kind, forms in classes.items() for form in forms}


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    return (plain if plain.isascii() else anyascii(plain)).lower()


def _plain(text: str) -> str:
    """Words of a name in ASCII, separated by single spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = _APOSTROPHE.sub("", text)
    text = _INITIALS.sub(lambda found: found[0].replace(".", "") + " ", text)
    return _OTHER.sub(" ", _AND.sub(" and ", _ascii(text))).strip()


def _cut_glued(text: str, forms: LegalForms) -> tuple[str, str | None]:
    if text.isascii():
        return text, None
    for form, kind in forms.glued.items():
        rest = text.replace(form, " ", 1)
        if rest != text and rest.strip():
            return rest, kind
    return text, None


def _join_initials(tokens: list[str]) -> list[str]:
    """Single letters in a row as one word: a b c company → abc company."""
    if min(map(len, tokens), default=2) > 1:
        return tokens
    joined: list[str] = []
    initials = False
    for token in tokens:
        single = len(token) == 1 and token.isalpha()
        if single and initials:
            joined[-1] += token
        else:
            joined.append(token)
        initials = single
    return joined


def _strip_once(tokens: list[str], forms: LegalForms) -> tuple[list[str], str | None]:
    """The tokens without one legal form, or the same list."""
    sizes = range(min(forms.longest, len(tokens) - 1), 0, -1)
    for size in sizes if tokens and tokens[-1] in forms.endings else ():
        kind = forms.last.get(" ".join(tokens[-size:]))
        if kind:
            return tokens[:-size], kind
    for size in sizes if tokens and tokens[0] in forms.beginnings else ():
        kind = forms.first.get(" ".join(tokens[:size]))
        if kind:
            return tokens[size:], kind
    if len(tokens) > 1 and tokens[-1] == "and":
        return tokens[:-1], None
    if len(tokens) > 1 and tokens[0] == "the":
        return tokens[1:], None
    return tokens, None
