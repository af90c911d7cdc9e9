"""A body as values: JSON, a form, or a multipart form, whatever its Content-Type says, and never more than it may cost.

The size of the body is limited by whoever received it.
"""

from __future__ import annotations

import codecs
import re
from binascii import unhexlify
from dataclasses import dataclass
from typing import Any

from python_multipart.multipart import parse_options_header

from sluice.sources.forms.json_text import parsed
from sluice.sources.forms.parts import Part, boundary_of, parts
from sluice.sources.forms.refusal import UnreadableBody

MOST_FIELDS = 500
NESTED = ("data.json", "rawRequest")
"""Fields that hold JSON: Unbounce's and Jotform's answers."""

_CHARSETS = frozenset(
    "utf-8 utf-16 utf-16-le utf-16-be ascii iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 "
    "iso8859-8 iso8859-9 iso8859-10 iso8859-13 iso8859-14 iso8859-15 iso8859-16 cp1250 cp1251 cp1252 cp1253 cp1254 "
    "cp1255 cp1256 cp1257 cp1258 cp437 cp850 cp866 cp874 cp932 cp949 koi8-r koi8-u mac-roman shift_jis euc_jp "
    "euc_kr gb2312 gbk gb18030 big5".split()
)
"""What a body may declare; Python knows further ones that take quadratic time or are no charsets at all."""

_ODD = re.compile("[\0\ud800-\udfff]")
_LATIN = {"ascii", "iso8859-1"}  # as browsers do: what is called Latin-1 is Windows' superset of it
_MARKUP = re.compile(r"\s*<(?:\?xml|!doctype|html|[a-z]+[\s>])", re.IGNORECASE)
_LIST_NAME = "[]"
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Decoded:
    """What a body says.

    Attributes:
        value: a dict or a list of JSON's values; numbers are kept as they were written, as texts. In a form, a field
            that was sent several times is a list.
        warnings: notes of the form `field:code`.
    """

    value: dict[str, Any] | list[Any]
    warnings: tuple[str, ...] = ()


def decoded(body: bytes, content_type: str) -> Decoded:
    """Reads a body.

    Args:
        body: as it arrived.
        content_type: the header; "" if there was none. What the body plainly is counts more.

    Raises:
        UnreadableBody: it is nothing of the kind, or made to do harm.
    """
    if not body.strip():
        raise UnreadableBody("it is empty")
    declared, options = parse_options_header(content_type.encode("latin-1", "replace").decode("latin-1"))
    kind, charset = declared.decode("latin-1"), _charset(options.get(b"charset", b""))
    boundary = boundary_of(body, options.get(b"boundary", b""))
    if boundary:
        return _form([_text_part(part, charset) for part in parts(body, boundary)])
    if kind.startswith("multipart/"):
        raise UnreadableBody("multipart without its boundary", "parts that each begin with the boundary")
    text, is_assumed = _text(body, charset)
    plain = text.strip("\ufeff \t\r\n")
    if plain[:1] + plain[-1:] in ("{}", "[]") or "json" in kind:
        value, is_replaced = _json(plain)
        if not isinstance(value, dict | list):
            raise UnreadableBody("a single value", "an object or a list")
        notes = [":charset_assumed"] * is_assumed + [":characters_replaced"] * is_replaced
        return Decoded(value, tuple(notes))
    if _MARKUP.match(plain) or "=" not in plain:
        raise UnreadableBody(
            "neither JSON nor a form", "JSON, application/x-www-form-urlencoded or multipart/form-data"
        )
    return _form(_urlencoded(body.strip(), charset))


@dataclass(frozen=True)
class _Field:
    name: str
    value: str
    is_assumed: bool


def _form(fields: list[_Field]) -> Decoded:
    """A form's fields by name, in their order; `interests[]` is called `interests`."""
    if len(fields) > MOST_FIELDS:
        raise UnreadableBody(f"more than {MOST_FIELDS} fields", f"at most {MOST_FIELDS}")
    value: dict[str, Any] = {}
    notes: dict[str, None] = {}
    for field in fields:
        name, _ = _without_odd(field.name.removesuffix(_LIST_NAME))
        content, is_replaced = _without_odd(field.value)
        if field.is_assumed:
            notes[f"{name}:charset_assumed"] = None
        if name in NESTED and name not in value:
            content, is_nested = _nested(content)
            if not is_nested:
                notes[f"{name}:unreadable"] = None
        if is_replaced:
            notes[f"{name}:characters_replaced"] = None
        if name not in value:
            value[name] = content
        elif isinstance(value[name], list) and name not in NESTED:
            value[name].append(content)
        else:
            value[name] = [value[name], content]
    if not value:
        raise UnreadableBody("a form without fields")
    return Decoded(value, tuple(notes))


def _nested(text: str) -> tuple[Any, bool]:
    """JSON inside a field; what cannot be read stays a text, for the adapter to refuse with the field's name."""
    if not text.strip():
        return text, True
    try:
        value, _ = _json(text.strip())
    except UnreadableBody:
        return text, False
    return value, True


def _urlencoded(body: bytes, charset: str) -> list[_Field]:
    pairs = [pair for pair in body.split(b"&") if pair]
    if len(pairs) > MOST_FIELDS:
        raise UnreadableBody(f"{len(pairs)} fields", f"at most {MOST_FIELDS}")
    halves = [pair.replace(b"+", b" ").partition(b"=") for pair in pairs]
    return [_field(_unescaped(name), _unescaped(value), charset) for name, _, value in halves]


def _unescaped(half: bytes) -> bytes:
    """Without per cent escapes; `urllib` takes most of a second for 1 MB of stray per cent signs."""
    return _ESCAPE.sub(lambda found: unhexlify(found[1]), half) if b"%" in half else half


def _text_part(part: Part, charset: str) -> _Field:
    value = part.value if part.file_name is None else part.file_name
    return _field(part.name, value, _charset(part.charset) or charset)


def _field(name: bytes, value: bytes, charset: str) -> _Field:
    text, is_assumed = _text(value, charset)
    return _Field(_text(name, charset)[0], text, is_assumed)


def _charset(name: bytes) -> str:
    """A declared charset by Python's name for it, or "" for none that we read."""
    try:
        known = codecs.lookup(name.decode("ascii").strip("'\" ")).name if name else ""
    except (LookupError, UnicodeDecodeError, ValueError):
        return ""
    return "cp1252" if known in _LATIN else known if known in _CHARSETS else ""


def _text(raw: bytes, charset: str) -> tuple[str, bool]:
    """The text, and whether its charset had to be assumed.

    What is valid UTF-8 is UTF-8, since headers lie more often; then the declared one counts, then Windows' Latin.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        charset = "utf-16"
    first = charset if charset.startswith("utf-16") and b"\0" in raw else "utf-8"
    for candidate in (first, charset):
        try:
            if candidate:
                return raw.decode(candidate), False
        except UnicodeError:
            continue
    return raw.decode("cp1252", "replace"), True


def _json(text: str) -> tuple[Any, bool]:
    """What JSON says, without odd characters; most texts can have none, and are not gone through."""
    value = parsed(text)
    return _without_odd(value) if "\\u" in text or _ODD.search(text) else (value, False)


def _without_odd(value: Any) -> tuple[Any, bool]:
    """The value with U+FFFD for NUL and lone surrogates, which no database takes, and whether there were any."""
    if isinstance(value, str):
        shown = _ODD.sub("\ufffd", value)
        return shown, shown != value
    if isinstance(value, list):
        items = [_without_odd(item) for item in value]
        return [item for item, _ in items], any(odd for _, odd in items)
    if isinstance(value, dict):
        pairs = [(_without_odd(key), _without_odd(item)) for key, item in value.items()]
        return {key: item for (key, _), (item, _) in pairs}, any(odd or also for (_, odd), (_, also) in pairs)
    return value, False
