"""The parts of a multipart form; of a file only its name is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from sluice.sources.forms.refusal import UnreadableBody

MOST_PARTS = 100

_FIRST_LINE = re.compile(rb"\s*--([^\r\n]{1,200}?)[ \t]*\r\nContent-", re.IGNORECASE)
_FOLDER = re.compile(rb".*[/\\]", re.DOTALL)


@dataclass(frozen=True)
class Part:
    """One field of a multipart form.

    Attributes:
        name: as sent.
        value: empty for a file.
        file_name: without its folder; None if the part is no file.
        charset: that the part declares, or b"".
    """

    name: bytes
    value: bytes
    file_name: bytes | None
    charset: bytes


@dataclass
class _Reading:
    """What the parser's calls have told so far."""

    parts: list[Part] = field(default_factory=list)
    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    content: list[bytes] = field(default_factory=list)
    is_whole: bool = False

    def begin_part(self) -> None:
        if len(self.parts) >= MOST_PARTS:
            raise UnreadableBody(f"more than {MOST_PARTS} parts", f"at most {MOST_PARTS}")
        self.headers, self.content = {}, []

    def add_name(self, data: bytes, start: int, end: int) -> None:
        self.name += data[start:end]

    def add_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def end_header(self) -> None:
        self.headers.setdefault(bytes(self.name).lower(), bytes(self.value))
        self.name.clear()
        self.value.clear()

    def add_content(self, data: bytes, start: int, end: int) -> None:
        self.content.append(data[start:end])

    def end_part(self) -> None:
        _, said = parse_options_header(self.headers.get(b"content-disposition", b"").decode("latin-1"))
        _, kind = parse_options_header(self.headers.get(b"content-type", b"").decode("latin-1"))
        name, file_name = said.get(b"name"), said.get(b"filename")
        if name is None:
            raise UnreadableBody("a part without a name", "parts of form-data, each with a name")
        short = None if file_name is None else _FOLDER.sub(b"", file_name)
        value = b"".join(self.content) if file_name is None else b""
        self.parts.append(Part(name, value, short, kind.get(b"charset", b"")))

    def end(self) -> None:
        self.is_whole = True


def boundary_of(body: bytes, declared: bytes) -> bytes:
    """What separates the parts, by the header or, where that is wrong, by the body's first line; b"" if it has none."""
    start = body.lstrip(b"\r\n")
    if declared and start.startswith(b"--" + declared):
        return declared
    found = _FIRST_LINE.match(body[:4096])
    return found[1] if found else b""


def parts(body: bytes, boundary: bytes) -> list[Part]:
    """The parts, in their order.

    Raises:
        UnreadableBody: it breaks off, has more than 100 parts, or one without a name.
    """
    reading = _Reading()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reading.begin_part,
                "on_part_data": reading.add_content,
                "on_part_end": reading.end_part,
                "on_header_field": reading.add_name,
                "on_header_value": reading.add_value,
                "on_header_end": reading.end_header,
                "on_end": reading.end,
            },
        )
        parser.write(body.lstrip(b"\r\n"))
        parser.finalize()
    except FormParserError as error:
        raise UnreadableBody(f"no multipart form: {error}", fix="Send it again") from None
    if not reading.is_whole:
        raise UnreadableBody("a multipart form that breaks off", "a last line of the boundary and --", "Send it again")
    return reading.parts
