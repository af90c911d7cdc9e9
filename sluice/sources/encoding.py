"""Which bytes mean which characters: finding a file's encoding, and reading any encoding as ASCII-compatible bytes."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from functools import cache
from typing import BinaryIO

import numpy as np
from charset_normalizer import from_bytes

FORMATS = {
    b"PK\x03\x04": "an Excel workbook or zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip archive",
}
"""First bytes of files that people send instead of a CSV file."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark starts with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NOT_LATIN = frozenset(
    "cp1251 koi8_r koi8_u cp866 iso8859_5 cp1253 iso8859_7 cp1255 cp1256 cp932 shift_jis euc_jp gb18030 gbk gb2312 "
    "big5 big5hkscs euc_kr cp949 cp874 tis_620".split()
)
_CP1252 = {code: bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xA0)}
_SAMPLE = 65_536


def detect(head: bytes) -> tuple[str, bool]:
    """The encoding that the first bytes of a file show, and whether that is a guess.

    A byte order mark decides; then NUL bytes at every second place (UTF-16); then valid UTF-8. What is left is a guess.
    """
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, False
    sample = np.frombuffer(head[: len(head) // 2 * 2], np.uint8)[:_SAMPLE]
    if sample.size >= 8:
        even, odd = (float(np.mean(sample[part::2] == 0)) for part in (0, 1))
        if max(even, odd) > 0.4 and min(even, odd) < 0.1:
            return ("utf-16-le" if odd > even else "utf-16-be"), True
    tally = Utf8Tally()
    tally.feed(head)
    return tally.verdict()


class Utf8Tally:
    """Counts, block by block, whether bytes are UTF-8."""

    def __init__(self) -> None:
        self.characters = 0
        self.damaged = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._sample = b""

    def feed(self, block: bytes) -> None:
        """Looks at the next bytes of the file."""
        if block.isascii() and not self._decoder.getstate()[0]:
            return
        text = self._decoder.decode(block)
        damaged = text.count("\ufffd") - block.count(b"\xef\xbf\xbd")
        self.characters += int(np.count_nonzero(np.frombuffer(block, np.uint8) >= 0xC0))
        if damaged > 0:
            self.damaged += damaged
            lines = (line for line in block.splitlines() if not line.isascii())
            self._sample = self._sample or b"\n".join(line[:2000] for line, _ in zip(lines, range(500), strict=False))

    def verdict(self) -> tuple[str, bool]:
        """`("utf-8", False)`, unless damaged bytes outweigh: then the likeliest other encoding, as a guess.

        A file with some damaged characters among many good ones is UTF-8 still; only its damaged cells are guessed.
        """
        if self.damaged == 0 or self.characters > 2 * self.damaged:
            return "utf-8", False
        best = from_bytes(self._sample[:_SAMPLE]).best()
        return (best.encoding if best and best.encoding in _NOT_LATIN else "cp1252"), True


@cache
def is_direct(name: str) -> bool:
    """Whether bytes of this encoding can be searched for delimiters and quotes as they are.

    True for UTF-8 and for single-byte encodings that extend ASCII.

    Raises:
        LookupError: there is no such encoding.
    """
    if codecs.lookup(name).name in ("utf-8", "utf-8-sig", "ascii"):
        return True
    if bytes(range(128)).decode(name, "replace") != bytes(range(128)).decode("ascii"):
        return False
    return all(len(bytes((lead, trail)).decode(name, "replace")) == 2 for lead in range(256) for trail in (0x41, 0xA1))


def decode(cell: bytes, name: str) -> tuple[str, bool]:
    """The text of a cell, and whether it is valid in its encoding; if not, it is read as Windows-1252."""
    try:
        return cell.decode(name), True
    except UnicodeDecodeError:
        return cell.decode("latin-1").translate(_CP1252), False


class Stream:
    """A file's bytes in reading order: as they are if the encoding is direct, else as UTF-8.

    Args:
        file: opened for reading bytes.
        encoding: of the file.
        start: offset of the first byte to deliver, in delivered bytes.
        marks: `marks` of an earlier pass over the same file; they spare reading it from its beginning.
        watch: is given every byte of the file, as it lies there.
    """

    def __init__(
        self,
        file: BinaryIO,
        encoding: str,
        start: int = 0,
        marks: tuple[tuple[int, int], ...] = (),
        watch: Callable[[bytes], object] | None = None,
    ) -> None:
        self.marks: list[tuple[int, int]] = []
        self._file, self._watch = file, watch
        self._decoder = None if is_direct(encoding) else codecs.getincrementaldecoder(encoding)("replace")
        ours, theirs = max((mark for mark in marks if mark[0] <= start), default=(0, 0))
        if self._decoder is None and watch is None:
            ours = theirs = start
        file.seek(theirs)
        self._ours, self._theirs = ours, theirs
        self._left = b""
        self.damaged = 0
        while self._ours < start and (block := self.read(min(start - self._ours, 1 << 20))):
            surplus = self._ours - start
            self._left = block[len(block) - surplus :] if surplus > 0 else b""

    def read(self, size: int) -> bytes:
        """About `size` further bytes; none only at the end of the file."""
        if self._left:
            left, self._left = self._left, b""
            return left
        while raw := self._file.read(size):
            if self._watch:
                self._watch(raw)
            if self._decoder is None:
                self._ours += len(raw)
                return raw
            if not self._decoder.getstate()[0]:
                self.marks.append((self._ours, self._theirs))
            self._theirs += len(raw)
            text = self._decoder.decode(raw)
            self.damaged += text.count("\ufffd")
            block = text.encode()
            self._ours += len(block)
            if block:
                return block
        rest = self._decoder.decode(b"", True).encode() if self._decoder else b""
        self._ours += len(rest)
        return rest
