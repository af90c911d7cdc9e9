"""Cleaning a cell: one Unicode form, no invisible characters, no junk that stands for nothing."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
_NULL_LENGTH = 40
_ESCAPED = re.compile(r"\\[\Wdsw]")
_OTHER_DIALECT = re.compile(r"\(\?(?!:)|\\|\[\[:|\{,")
"""What Arrow's regular expressions (RE2) may understand differently from Python's, in texts of printable ASCII."""


class Cleaner:
    """Cleans cells as `normalization.yml` says."""

    def __init__(self, rules: NormalizationRules) -> None:
        self._nulls = frozenset(value.casefold() for value in rules.null_values)
        pattern = "|".join(f"(?:{pattern})" for pattern in rules.null_patterns)
        self._null = re.compile(pattern or r"(?!)", re.IGNORECASE)
        self._exempt = {name: frozenset(v.casefold() for v in values) for name, values in rules.null_exempt.items()}
        self._junk = pa.array(
            ["", *(null for null in self._nulls if null.isascii() and len(null) <= _NULL_LENGTH)], pa.large_string()
        )
        self._shared_pattern = f"^(?:{pattern})$" if not _OTHER_DIALECT.search(_ESCAPED.sub("_", pattern)) else None

    def clean_all(
        self, texts: pa.Array[Any], field: str, *, keep_lines: bool
    ) -> tuple[list[str | None], dict[int, str]]:
        """`clean` of each text, and at which places it has which warning.

        What is clean as it stands, and most of it is, is found by Arrow for a tenth of what Python takes.
        """
        odd = pc.or_(pc.invert(pc.ascii_is_printable(texts)), pc.match_substring(texts, "  "))
        odd = pc.or_(odd, pc.not_equal(texts, pc.ascii_trim_whitespace(texts)))
        odd = pc.or_(pc.or_(odd, pc.starts_with(texts, '="')), self._looks_null(texts))
        values: list[str | None] = texts.to_pylist()
        codes: dict[int, str] = {}
        for place in np.flatnonzero(odd.to_numpy(zero_copy_only=False)).tolist():
            values[place], code, _ = self.clean(str(values[place]), field, keep_lines=keep_lines)
            if code:
                codes[place] = code
        return values, codes

    def _looks_null(self, texts: pa.Array[Any]) -> pa.Array[Any]:
        """Which texts of printable ASCII stand for nothing in some field; more than those where it cannot be told."""
        listed = pc.is_in(pc.ascii_lower(texts), self._junk)
        if self._null.pattern == "(?!)":
            return listed
        short = pc.less_equal(pc.binary_length(texts), _NULL_LENGTH)
        if self._shared_pattern is None:
            return pc.or_(listed, short)
        try:
            return pc.or_(listed, pc.match_substring_regex(texts, self._shared_pattern, ignore_case=True))
        except pa.ArrowInvalid:  # a pattern that RE2 does not know
            return pc.or_(listed, short)

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
        if len(text) <= _NULL_LENGTH and self._is_null(text, field):
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
