"""Bytes of a mail as text: the charset that is declared, else the one that fits, never an error."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

_SPOKEN = {  # what senders write → what they mean (WHATWG's table, where mail differs from Python)
    "us-ascii": "utf-8", "ascii": "utf-8", "ansi": "cp1252", "iso-8859-1": "cp1252", "latin1": "cp1252",
    "iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949", "euc-kr": "cp949",
    "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "iso-2022-jp": "iso2022_jp_ext",
    "iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8", "unicode-1-1-utf-7": "utf-7", "utf8": "utf-8",
    "windows-874": "cp874", "x-gbk": "gb18030", "x-mac-roman": "mac_roman", "macintosh": "mac_roman",
}  # fmt: skip
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "unicode-escape"})
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029]")
_SAMPLE = 16_384
_FEWEST_HIGH_BYTES = 8
_MANY_HIGH_BYTES = 0.2  # below it a text is Western in all likelihood, and guessing charsets is worse than cp1252


def decode(data: bytes, declared: str | None, *, cut: bool = False) -> tuple[str, str | None]:
    """The text, and a code of `sluice.problems` if the declared charset was not to be had.

    Args:
        data: after its transfer encoding was taken off.
        declared: what the mail says; None if it says nothing.
        cut: the end is missing, so that half a character there is no mistake.
    """
    codec, code = _codec(declared)
    text = _strictly(data, codec, cut)
    if text is not None:
        return text, code
    text = _strictly(data, "utf-8", cut)
    if text is not None:
        return text, code or "bytes.undecodable"
    lenient = _leniently(data, codec) if code is None and codec != "utf-8" else None
    if lenient is not None and lenient.count("\ufffd") * 20 <= len(lenient):
        return lenient, "bytes.undecodable"
    return _guessed(data), code or "bytes.undecodable"


def clean(text: str) -> tuple[str, str | None]:
    """Without NULs, control characters and halves of surrogates, with plain line ends; and the code of what was."""
    text = _LINE_END.sub("\n", text)
    cleaned = _UNWANTED.sub("", text)
    if cleaned == text:
        return text, None
    return cleaned, "nul" if "\x00" in text else "control_characters"


def _codec(declared: str | None) -> tuple[str, str | None]:
    if not declared:
        return "utf-8", None
    name = declared.strip(" \t\"'").lower()[:40]
    name = _SPOKEN.get(name, name)
    try:
        found = codecs.lookup(name)
        found.incrementaldecoder("strict").decode(b"")
    except Exception:  # LookupError, ValueError (NUL in the name), TypeError (a codec of bytes): none is a charset
        return "utf-8", "charset.unknown"
    known = getattr(found, "_is_text_encoding", True) and found.name not in _NO_CHARSETS
    return (name, None) if known else ("utf-8", "charset.unknown")


def _strictly(data: bytes, codec: str, cut: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(codec)("strict").decode(data, not cut)
    except Exception:  # codecs raise more than UnicodeDecodeError on torture
        return None


def _leniently(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec, "replace")
    except Exception:  # as above
        return None


def _guessed(data: bytes) -> str:
    sample = data[:_SAMPLE]
    high = sum(byte > 127 for byte in sample)
    if high >= max(_FEWEST_HIGH_BYTES, _MANY_HIGH_BYTES * len(sample)):
        best = from_bytes(sample).best()
        text = _leniently(data, best.encoding) if best else None
        if text is not None:
            return text
    return data.decode("cp1252", "replace")
