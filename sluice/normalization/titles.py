"""What a job title says: how senior somebody is, and in which department."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial

from sluice.distinct import distinct
from sluice.normalization.choices import read_choice
from sluice.normalization.draft import Draft
from sluice.normalization.readings import Reading, read_each
from sluice.normalization.rules import TitlePhrases
from sluice.normalization.text import fold

_PATTERN = re.compile(r"[^\w*^$ ]+")


def read_titles(draft: Draft) -> None:
    """Adds `title` as given, and `seniority` and `department`: as stated where known, else read from the title."""
    rules = draft.context.rules
    draft.put_text("title", draft.given("title"))
    titles = distinct(draft.columns["title"])
    for field, phrases in (("seniority", rules.seniority), ("department", rules.department)):
        reader = title_reader(phrases)
        stated = draft.nothing()
        if draft.has(field):
            choices = draft.fields[field].choices
            found = read_each(draft.cells(field), partial(_stated, choices=choices, reader=reader))
            draft.note(field, found)
            stated = found.value()
        draft.put(field, stated.fillna(titles.map(reader)))


def title_reader(phrases: list[TitlePhrases]) -> Callable[[str], str | None]:
    """A function from a job title to the first name whose phrases are in it, word by word.

    In a phrase `*` stands for letters (`*leiter`), `^` for the title's beginning, `$` for its end.
    """
    compiled = _compiled(tuple((entry.name, tuple(entry.phrases)) for entry in phrases))

    def read(title: str) -> str | None:
        words = f" {fold(title)} "
        return next((name for name, pattern in compiled if pattern.search(words)), None)

    return read


@cache
def _compiled(phrases: tuple[tuple[str, tuple[str, ...]], ...]) -> list[tuple[str, re.Pattern[str]]]:
    return [(name, re.compile("|".join(_phrase(phrase) for phrase in several))) for name, several in phrases]


def _phrase(phrase: str) -> str:
    start, end = phrase.startswith("^"), phrase.endswith("$")
    words = (
        "[^ ]*".join(re.escape(fold(piece)) for piece in word.split("*"))
        for word in _PATTERN.sub(" ", phrase.strip("^$ ")).split()
    )
    return ("^ " if start else " ") + " ".join(words) + (" $" if end else " ")


def _stated(text: str, choices: dict[str, list[str]], reader: Callable[[str], str | None]) -> Reading:
    """A seniority or department as stated: one of the choices, else what its words show."""
    found = read_choice(text, choices)
    shown = None if found.code is None else reader(text)
    return Reading(shown) if shown else found
