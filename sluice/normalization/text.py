"""Cleaning a cell: one Unicode form, no invisible characters, no junk that stands for nothing."""

from __future__ import annotations

import re
import unicodedata

from sluice.normalization.readings import Reading
from sluice.normalization.rules import NormalizationRules

_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
_JOINERS = re.compile("[\u200c\u200d]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile(r"\s+")
_BLANKS = re.compile(r"[^\S\n]+")
_WORD = re.compile(r"[^\W_]+")


class Cleaner:
    """Cleans cells as `normalization.yml` says."""

    def __init__(self, rules: NormalizationRules) -> None:
        self._nulls = frozenset(value.casefold() for value in rules.null_values)
        self._null = re.compile("|".join(f"(?:{pattern})" for pattern in rules.null_patterns) or r"(?!)", re.IGNORECASE)
        self._exempt = {name: frozenset(v.casefold() for v in values) for name, values in rules.null_exempt.items()}

    def clean(self, text: str, field: str, *, keep_lines: bool = False) -> Reading:
        """The cleaned text, or nothing for junk.

        Args:
            text: a cell as decoded.
            field: whose it is; some null values are real in some fields.
            keep_lines: keep line breaks.
        """
        code = None
        if not (text.isascii() and text.isprintable()):
            text, code = self._unusual(text, keep_lines=keep_lines)
        elif "  " in text:
            text = _SPACES.sub(" ", text)
        text = text.strip()
        if text[:2] == '="' and text[-1] == '"':  # how spreadsheets are told to keep leading zeros
            text = text[2:-1].strip()
        if len(text) <= 40 and self._is_null(text, field):
            return Reading(None, code)
        return Reading(text, code)

    def _unusual(self, text: str, *, keep_lines: bool) -> tuple[str, str | None]:
        text = _BREAKS.sub("\n", text)
        shown = _CONTROLS.sub("", text)
        code = "control_characters" if shown != text else None
        shown = _INVISIBLE.sub("", unicodedata.normalize("NFC", shown))
        if not keep_lines:
            return _SPACES.sub(" ", _JOINERS.sub("", shown)), code
        return "\n".join(line.strip() for line in _BLANKS.sub(" ", shown).split("\n")), code

    def _is_null(self, text: str, field: str) -> bool:
        folded = text.casefold()
        if not folded:
            return True
        if folded in self._exempt.get(field, ()):
            return False
        return folded in self._nulls or self._null.fullmatch(text) is not None


def fold(text: str) -> str:
    """Words for looking up: without case and accents, punctuation as single spaces; other scripts are kept."""
    if text.isascii():
        return " ".join(_WORD.findall(text.lower()))
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join(_WORD.findall("".join(char for char in plain if not unicodedata.combining(char))))
