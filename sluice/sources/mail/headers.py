"""The headers of a mail or of a part: every value can be asked for, whatever was sent, and none can raise.

RFC 5322 (fields, folding), RFC 2047 (encoded words), RFC 2231 (parameters in pieces), RFC 6532 (UTF-8).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from sluice.sources.mail.charsets import clean, decode

MOST_FIELDS = 1_000
LONGEST_VALUE = 65_536
LONGEST_STRUCTURED = 8_192  # of a value that is taken apart: content types, dates, ids

_NAME = re.compile(rb"[!-9;-~]{1,200}[ \t]*:")
_PARAMETER = re.compile(rb"[a-z-]{2,20}\*?\d*\*?=", re.IGNORECASE)  # some programs forget the space that folds a line
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_SURELY = re.compile(
    rb"(?:from|to|cc|subject|date|message-id|mime-version|content-[a-z-]+|received|reply-to|x-[\w-]+)[ \t]*:",
    re.IGNORECASE,
)  # names that no sentence of a text begins with by chance
_BREAKS = re.compile(rb"[\r\n]+[ \t]*")
_WORD = re.compile(r"=\?([^?\s]{1,100})\?([bBqQ])\?([^?]*)\?=")
_PIECE = re.compile(r';\s*([^\s=;"]{1,100})\s*=\s*("(?:[^"\\]|\\.)*+"?|[^;]*+)', re.DOTALL)
_CONTINUED = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?$")


@dataclass(frozen=True)
class Headers:
    """Fields in the order of the mail, each name in lower case with its bytes as sent but unfolded.

    Attributes:
        fields: at most `MOST_FIELDS`, each at most `LONGEST_VALUE` bytes.
        warnings: codes of `sluice.problems` that hold for the block as a whole.
    """

    fields: tuple[tuple[str, bytes], ...] = ()
    warnings: tuple[str, ...] = ()

    def header(self, name: str) -> str | None:
        """The first value of that name, decoded and without line breaks; None if there is none."""
        return next(iter(self._named(name)), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of that name."""
        return tuple(self._named(name))

    def raw(self, name: str) -> str:
        """The first value with its encoded words as they are, to be taken apart before it is decoded; "" if none."""
        return next((_plain(value) for key, value in self.fields if key == name.lower()), "")

    def _named(self, name: str) -> Iterator[str]:
        wanted = name.lower()
        return (decoded(_plain(value)) for key, value in self.fields if key == wanted)


def read_headers(raw: bytes, start: int, end: int) -> tuple[Headers, int]:
    """The headers that begin at `start`, and where the body begins.

    A line that is no header ends them, unless a well-known header follows soon: then only that line is lost.
    """
    fields: list[tuple[str, list[bytes]]] = []
    warnings: list[str] = []
    place = start
    while place < end:
        line_end = min(_line_end(raw, place), end)
        line = raw[place : min(line_end, place + LONGEST_VALUE)].rstrip(b"\r\n")
        if not line.strip(b" \t") and line_end - place <= LONGEST_VALUE:
            place = line_end
            break
        if fields and (line[:1] in (b" ", b"\t") or (_PARAMETER.match(line) and fields[-1][1][-1].endswith(b";"))):
            fields[-1][1].append(line)
        elif name := _NAME.match(line):
            if len(fields) < MOST_FIELDS:
                fields.append((name[0].rstrip(b" \t:").decode("ascii").lower(), [line[name.end() :]]))
            elif "parts.too_many" not in warnings:
                warnings.append("parts.too_many")
        elif fields and _goes_on(raw, line_end, end):
            warnings.append("invalid")
        else:
            break
        place = line_end
    return Headers(tuple(_whole(fields, warnings)), tuple(dict.fromkeys(warnings))), place


def _goes_on(raw: bytes, place: int, end: int) -> bool:
    for _ in range(3):
        if place >= end or raw[place : place + 1] in (b"\r", b"\n"):
            return False
        if _SURELY.match(raw, place, end):
            return True
        place = _line_end(raw, place)
    return False


def decoded(text: str) -> str:
    """A header's text with its encoded words read (RFC 2047), on one line, without control characters."""
    if "=?" in text:
        text = _read_words(text)
    return " ".join(clean(text)[0].split())


def parameters(value: str) -> dict[str, str]:
    """The parameters after the first `;` of a structured header, RFC 2231's pieces and charsets put together."""
    found: dict[str, list[tuple[int, bool, str]]] = {}
    for name, written in _PIECE.findall(value[:LONGEST_STRUCTURED]):
        known = _CONTINUED.match(name.lower())
        if known and len(found) < 100:
            text = re.sub(r"\\(.)", r"\1", written.strip('"')) if written.startswith('"') else written.strip()
            found.setdefault(known[1], []).append((int(known[2] or 0), bool(known[3]), text))
    return {name: _put_together(sorted(pieces, key=lambda piece: piece[0])) for name, pieces in found.items()}


def _whole(fields: list[tuple[str, list[bytes]]], warnings: list[str]) -> Iterator[tuple[str, bytes]]:
    for name, lines in fields:
        value = b"".join(lines).strip(b" \t")
        if len(value) >= LONGEST_VALUE - len(name) - 1:
            warnings.append("too_long")
        yield name, value[:LONGEST_VALUE]


def _line_end(raw: bytes, place: int) -> int:
    found = _LINE.match(raw, place)
    return found.end() if found else len(raw)


def _plain(value: bytes) -> str:
    """Header bytes as text: nearly always ASCII; else UTF-8, or what fits."""
    value = _BREAKS.sub(b" ", value)
    declared = "iso-2022-jp" if b"\x1b$" in value else None
    return decode(value, declared)[0]


def _read_words(text: str) -> str:
    """Encoded words side by side belong together: a character may be cut between them."""
    said: list[str] = []
    pending: list[tuple[str, bytes]] = []
    place = 0
    for word in _WORD.finditer(text):
        between = text[place : word.start()]
        if between.strip() or not pending:
            said += [_flush(pending), between]
            pending = []
        charset = word[1].partition("*")[0].lower()
        data = _word_bytes(word[2], word[3])
        if pending and pending[-1][0] == charset:
            pending[-1] = (charset, pending[-1][1] + data)
        else:
            pending.append((charset, data))
        place = word.end()
    return "".join([*said, _flush(pending), text[place:]])


def _flush(pending: list[tuple[str, bytes]]) -> str:
    return "".join(decode(data, charset)[0] for charset, data in pending)


def _word_bytes(kind: str, written: str) -> bytes:
    data = written.encode("utf-8", "replace")
    if kind in "qQ":
        return binascii.a2b_qp(data, header=True)
    return base64_bytes(data)


def base64_bytes(data: bytes) -> bytes:
    """Base64 with whatever else stands in it left out; what is too much at the end is dropped."""
    kept = re.sub(rb"[^A-Za-z0-9+/]+", b"", data)
    kept = kept[: len(kept) - 1] if len(kept) % 4 == 1 else kept
    try:
        return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))
    except binascii.Error:
        return b""


def _put_together(pieces: list[tuple[int, bool, str]]) -> str:
    if not any(encoded for _, encoded, _ in pieces):
        return decoded("".join(text for _, _, text in pieces))
    first = pieces[0][2]
    charset, mark, rest = first.partition("'")
    language_and_text = rest.partition("'")
    if mark and language_and_text[1]:
        pieces = [(0, pieces[0][1], language_and_text[2]), *pieces[1:]]
    else:
        charset = "utf-8"
    data = b"".join(
        unquote_to_bytes(text) if encoded else text.encode("utf-8", "replace") for _, encoded, text in pieces
    )
    return decoded(decode(data, charset)[0])
