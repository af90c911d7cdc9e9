"""HTML of a mail as text: tables row by row, lists, no scripts, no pictures, whatever the HTML is like."""

from __future__ import annotations

import html
import re

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig

LONGEST = 1_000_000
_CONFIG = ParserConfig(css=CSS_PROFILES["strict"])
_MOST_TAGS = 20_000
_UNSEEN = re.compile(r"<(script|style|head|title)\b[^>]{0,2000}>.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_LINES = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/table|/blockquote)\b[^>]{0,2000}>", re.IGNORECASE)
_CELLS = re.compile(r"</t[dh]\b[^>]{0,2000}>", re.IGNORECASE)
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<[a-zA-Z/!?][^<>]*>", re.DOTALL)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\xa0\u200b\ufeff]+$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")
_INVISIBLE = re.compile(r"[\u200b\u200c\u200d\u2060\ufeff\xad\u034f]")


def as_text(markup: str) -> str:
    """What a reader sees of it. HTML that is too much for the library (nested too deep) loses its layout only."""
    markup = markup[:LONGEST]
    if markup.count("<") > _MOST_TAGS:
        return _tidy(_stripped(markup))
    try:
        return _tidy(get_text(markup, _CONFIG))
    except Exception:  # RecursionError on deep nesting, ParserError and ValueError on what is no HTML
        return _tidy(_stripped(markup))


def declared_charset(data: bytes) -> str | None:
    """The charset that the page states for itself near its beginning."""
    found = _META.search(data[:2_048])
    return found[1].decode("ascii") if found else None


def _stripped(markup: str) -> str:
    text = _UNSEEN.sub(" ", markup)
    text = _CELLS.sub("  ", _LINES.sub("\n", re.sub(r"\s+", " ", text)))
    return html.unescape(_TAG.sub("", text))


def _tidy(text: str) -> str:
    text = _INVISIBLE.sub("", text).replace("\xa0", " ")
    return _BLANK_LINES.sub("\n\n", _SPACES.sub("", text)).strip("\n")
