"""A mail's parts (RFC 2045, 2046): found by their offsets, so that an attachment is not copied before it is asked for.

Nothing here fails: what is no proper multipart is a part with text.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sluice.sources.mail.headers import LONGEST_STRUCTURED, Headers, base64_bytes, decoded, parameters, read_headers

MOST_PARTS = 1_000
DEEPEST = 30
_TYPE = re.compile(r"\s*([a-z0-9!#$&^_.+-]{1,80})/([a-z0-9!#$&^_.+-]{1,80})", re.IGNORECASE)
_REST_OF_LINE = re.compile(rb"(--)?[ \t]*(?:\r\n|\n|\r|\Z)")
_SURE_OF_ITS_BOUNDARY = re.compile(rb"\s*--([^\s]{1,70})[ \t]*[\r\n]")
_UU_START = re.compile(rb"begin [0-7]{3,4}[^\r\n]*[\r\n]+")


@dataclass(frozen=True)
class Part:
    """One part of a mail.

    Attributes:
        index: its place in the order of the mail; the whole mail is 0.
        media_type: `text/plain` and the like, in lower case.
        parameters: of its Content-Type: charset, boundary, report-type, method and so on.
        start: offset of its body in the mail; `end` is behind its last byte.
        children: the parts of a multipart.
    """

    index: int
    headers: Headers
    media_type: str
    parameters: dict[str, str]
    start: int
    end: int
    children: tuple[Part, ...] = ()

    @property
    def disposition(self) -> str:
        """`attachment`, `inline` or ""."""
        return (self.headers.header("content-disposition") or "").partition(";")[0].strip().lower()

    @property
    def name(self) -> str | None:
        """The file name it was sent with, without folders."""
        said = parameters(self.headers.raw("content-disposition")).get("filename") or self.parameters.get("name")
        return re.split(r"[/\\]", said)[-1][:200] or None if said else None

    def walk(self) -> Iterator[Part]:
        """The part and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass
class Splitting:
    """What is true of a mail while it is taken apart: its bytes, and how many parts there were."""

    raw: bytes
    count: int = 0
    warnings: list[str] = field(default_factory=list)

    def split(self, start: int, end: int, depth: int = 0, default: str = "text/plain") -> Part:
        """The part between two offsets, with all below it."""
        index, self.count = self.count, self.count + 1
        headers, body = read_headers(self.raw, start, end)
        said = headers.raw("content-type")[:LONGEST_STRUCTURED]
        known = _TYPE.match(said)
        media_type = f"{known[1]}/{known[2]}".lower() if known else default
        told = parameters(said)
        whole = Part(index, headers, media_type, told, body, end)
        if not media_type.startswith("multipart/"):
            return whole
        if depth >= DEEPEST:
            self.warnings.append("parts:parts.too_deep")
            return whole
        boundary = told.get("boundary", "").encode("utf-8", "replace") or self._guessed_boundary(body)
        if not boundary:
            return whole
        inside = "message/rfc822" if media_type == "multipart/digest" else "text/plain"
        children: list[Part] = []
        for first, last in self._between(boundary, body, end):
            if self.count >= MOST_PARTS:
                self.warnings.append("parts:parts.too_many")
                break
            children.append(self.split(first, last, depth + 1, inside))
        return Part(index, headers, media_type, told, body, end, tuple(children))

    def _guessed_boundary(self, body: int) -> bytes:
        found = _SURE_OF_ITS_BOUNDARY.match(self.raw, body)
        return found[1] if found else b""

    def _between(self, boundary: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Start and end of what stands between the boundary's lines; a last one that is missing is the end."""
        delimiter, raw = b"--" + boundary, self.raw
        opened: int | None = None
        place = start
        while (found := raw.find(delimiter, place, end)) >= 0:
            place = found + len(delimiter)
            if found > start and raw[found - 1] not in b"\r\n":
                continue
            rest = _REST_OF_LINE.match(raw, place, end)
            if rest is None:
                continue
            if opened is not None:
                yield opened, max(opened, _without_line_end(raw, found))
            opened, place = rest.end(), rest.end()
            if rest[1]:
                return
        if opened is not None:
            yield opened, end


def content(raw: bytes, part: Part, most: int | None = None) -> bytes:
    """The bytes of a part without their transfer encoding; of a great one the first `most`, roughly."""
    encoding = (part.headers.header("content-transfer-encoding") or "").split(";")[0].strip(" \"'").lower()
    end = part.end if most is None else min(part.end, part.start + most)
    written = raw[part.start : end]
    if encoding == "base64":
        return base64_bytes(written)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(written)
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return _uu(written)
    return written


def method_of(part: Part) -> str:
    """What a calendar part is sent for: `REQUEST`, `REPLY` and so on."""
    return decoded(part.parameters.get("method", "")).upper()


def _uu(written: bytes) -> bytes:
    start = _UU_START.search(written)
    lines = written[start.end() if start else 0 :].splitlines()
    said: list[bytes] = []
    for line in lines:
        if line.strip() == b"end":
            break
        try:
            said.append(binascii.a2b_uu(line))
        except binascii.Error:
            continue
    return b"".join(said)


def _without_line_end(raw: bytes, place: int) -> int:
    if raw[place - 2 : place] == b"\r\n":
        return place - 2
    return place - 1
