"""Where the records of a file are: a vectorised scan for the many sound ones, the slow reader for the few others.

A record's bounds follow from the bytes after its start alone, so every pass finds the same records wherever its blocks
begin and end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sluice.sources.dialect import Dialect
from sluice.sources.encoding import Stream
from sluice.sources.recovery import Limits, Verdict, judge, too_long

Offsets = npt.NDArray[np.int64]

SOUND, EMPTY, ODD = 0, 1, 2
_LF, _CR, _NUL = 10, 13, 0
_READ_AHEAD = 65_536


@dataclass(frozen=True)
class Block:
    """Consecutive records and their bytes.

    Attributes:
        data: bytes that hold them (of a record that is too long, only the beginning).
        base: offset of `data` in the file.
        starts, ends: offsets in the file; a record's end is the next one's start.
        lines: physical line each starts on.
        kinds: SOUND (header's width, quotes in order), EMPTY (a line without a character) or ODD.
        odd: position in the block → verdict, for each ODD record.
    """

    data: bytes
    base: int
    starts: Offsets
    ends: Offsets
    lines: Offsets
    kinds: npt.NDArray[np.uint8]
    odd: dict[int, Verdict]

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True)
class _View:
    """All records of a buffer, given that an even (or odd) number of quotes precedes each record's start."""

    starts: Offsets
    ends: Offsets
    is_empty: npt.NDArray[np.bool_]
    suspects: Offsets


def blocks(
    stream: Stream, shape: tuple[Dialect, int], at: tuple[int, int], stop: int | None, limits: Limits
) -> Iterator[Block]:
    """Finds the records from an offset on.

    Args:
        stream: delivers the bytes from that offset on.
        shape: how the file is written, and the header's width.
        at: offset and physical line of the first record's start.
        stop: records from this offset on are not wanted; None reads to the end of the file.
        limits: how long things may be.
    """
    (base, line), carry, final = at, b"", False
    while stop is None or base < stop:
        wanted = limits.block if stop is None else min(limits.block, max(stop - base - len(carry), _READ_AHEAD))
        fresh = b"" if final else stream.read(max(wanted, min(len(carry), limits.block)))
        final = not fresh
        data = carry + fresh
        if not data:
            return
        scan = _Scan(data, final, shape, limits)
        block, consumed, is_endless = scan.run(base, line, len(data) if stop is None else min(len(data), stop - base))
        if len(block):
            yield block
        base, line = base + consumed, line + scan.line_ends_before(consumed)
        carry = data[consumed:]
        if is_endless:
            block, carry = _skip_line(stream, carry, base, line, limits)
            yield block
            base, line = int(block.ends[-1]), line + 1


class _Scan:
    """One buffer: where its quotes, delimiters and line ends are, and which records that makes."""

    def __init__(self, data: bytes, final: bool, shape: tuple[Dialect, int], limits: Limits) -> None:
        self.data, self.final, self.shape, self.limits = data, final, shape, limits
        self.bytes: npt.NDArray[np.uint8] = np.frombuffer(data, np.uint8)
        self.quotes = np.flatnonzero(self.bytes == shape[0].quote[0])
        stretches = np.diff(np.concatenate([[0], self.quotes, [len(data)]]))
        self.parity = np.repeat(
            np.arange(len(stretches), dtype=np.int64).astype(np.uint8) & 1, stretches
        )  # a cumsum is 4x slower
        self.delimiters = np.flatnonzero(self.bytes == shape[0].delimiter[0])
        self.line_ends = self._find_line_ends()
        self.views: dict[int, _View] = {}

    def run(self, base: int, line: int, stop: int) -> tuple[Block, int, bool]:
        """All records that start before `stop`, how many bytes they take, and whether an endless one follows."""
        at, is_endless = 0, False
        starts: list[Offsets] = []
        ends: list[Offsets] = []
        kinds: list[npt.NDArray[np.uint8]] = []
        odd: dict[int, Verdict] = {}
        count = 0
        while at < stop:
            view = self._view(int(self.parity[at - 1]) if at else 0)
            first, last = (int(found) for found in np.searchsorted(view.starts, (at, stop)))
            verdict: Verdict | None = None
            if first < last and int(view.starts[first]) == at:
                until, judged, verdict = self._judge_suspects(view, first, last)
                kind = view.is_empty[first:until].astype(np.uint8)
                kind[[position - first for position in judged]] = ODD
                odd.update({count + position - first: found for position, found in judged.items()})
                starts.append(view.starts[first:until])
                ends.append(view.ends[first:until])
                kinds.append(kind)
                count += until - first
                at = int(view.ends[until - 1]) if until > first else at
                if until == last:
                    continue
            else:
                verdict = judge(self.data, at, self.final, self.shape, self.limits)
            if verdict is None:
                break
            if verdict.end < 0:
                is_endless = True
                break
            starts.append(np.array([at]))
            ends.append(np.array([verdict.end]))
            kinds.append(np.array([ODD], np.uint8))
            odd[count] = verdict
            count += 1
            at = verdict.end
        none = np.zeros(0, np.int64)
        found = np.concatenate([none, *starts])
        lines = np.searchsorted(self.line_ends, found, "right") + line
        every = np.concatenate([np.zeros(0, np.uint8), *kinds])
        return (
            Block(self.data, base, found + base, np.concatenate([none, *ends]) + base, lines, every, odd),
            at,
            is_endless,
        )

    def _judge_suspects(self, view: _View, first: int, last: int) -> tuple[int, dict[int, Verdict], Verdict | None]:
        """Judges suspects one by one while they end where the view says.

        Returns:
            The record that does not (or `last`), the verdicts on those before it, and the verdict on it.
        """
        judged: dict[int, Verdict] = {}
        begin, end = np.searchsorted(view.suspects, (first, last))
        for suspect in range(int(begin), int(end)):
            position = int(view.suspects[suspect])
            start, expected_end = int(view.starts[position]), int(view.ends[position])
            verdict = judge(self.data, start, self.final, self.shape, self.limits)
            if verdict is None or verdict.end != expected_end:
                return position, judged, verdict
            judged[position] = verdict
        return last, judged, None

    def line_ends_before(self, offset: int) -> int:
        """How many physical lines end at or before an offset of the buffer."""
        return int(np.searchsorted(self.line_ends, offset, "right"))

    def _find_line_ends(self) -> Offsets:
        feeds = np.flatnonzero(self.bytes == _LF) + 1
        if b"\r" not in self.data:
            return feeds
        returns = np.flatnonzero(self.bytes == _CR)
        if returns[-1] == len(self.data) - 1 and not self.final:
            returns = returns[:-1]  # its line feed may be the next byte
        following = np.append(self.bytes, 0)[returns + 1]
        lone = returns[following != _LF] + 1
        return np.sort(np.concatenate([feeds, lone])) if lone.size else feeds

    def _view(self, phase: int) -> _View:
        if phase not in self.views:
            self.views[phase] = self._make_view(phase)
        return self.views[phase]

    def _make_view(self, phase: int) -> _View:
        size = len(self.data)
        ends = self.line_ends[self.parity[self.line_ends - 1] == phase]
        has_tail = self.final and (not ends.size or int(ends[-1]) < size)
        if has_tail:
            ends = np.append(ends, size)
        edges = np.concatenate([np.zeros(1, np.int64), ends]) if phase == 0 else ends
        starts, ends = edges[:-1], edges[1:]
        if not starts.size:
            return _View(starts, ends, np.zeros(0, np.bool_), np.zeros(0, np.int64))
        outside = self.delimiters[self.parity[self.delimiters] == phase]
        widths = np.diff(np.searchsorted(outside, edges)) + 1
        is_feed = self.bytes[ends - 1] == _LF
        lengths = ends - starts
        is_empty = (lengths == 1) & (is_feed | (self.bytes[ends - 1] == _CR))
        is_empty |= (lengths == 2) & is_feed & (self.bytes[starts] == _CR)
        is_suspect = ((widths != self.shape[1]) & ~is_empty) | (lengths > self.limits.cell)
        if has_tail and int(self.parity[-1]) != phase:
            is_suspect[-1] = True
        for offsets in (self._misplaced(phase), np.flatnonzero(self.bytes == _NUL) if b"\0" in self.data else None):
            if offsets is not None and offsets.size:
                inside = offsets[(offsets >= starts[0]) & (offsets < ends[-1])]
                is_suspect[np.searchsorted(starts, inside, "right") - 1] = True
        return _View(starts, ends, is_empty, np.flatnonzero(is_suspect))

    def _misplaced(self, phase: int) -> Offsets | None:
        """Quotes that open a cell elsewhere than at its start, or close it elsewhere than at its end."""
        if not self.quotes.size:
            return None
        is_edge = np.zeros(256, np.bool_)
        is_edge[[_LF, _CR, self.shape[0].delimiter[0], self.shape[0].quote[0]]] = True
        opening, closing = self.quotes[phase::2], self.quotes[1 - phase :: 2]
        before = is_edge[self.bytes[np.maximum(opening - 1, 0)]] | (opening == 0)
        last = len(self.data) - 1
        after = is_edge[self.bytes[np.minimum(closing + 1, last)]] | (closing == last)
        return np.concatenate([opening[~before], closing[~after]])


def _skip_line(stream: Stream, carry: bytes, base: int, line: int, limits: Limits) -> tuple[Block, bytes]:
    """Passes over a line that is longer than the window, keeping its beginning; also returns the bytes after it."""
    kept, length = carry[: limits.kept], 0
    while carry:
        end = min((at for at in (carry.find(b"\n"), carry.find(b"\r")) if at >= 0), default=-1)
        if end >= 0:
            if carry[end : end + 1] == b"\r" and end + 1 == len(carry):
                carry += stream.read(1)
            end += 2 if carry[end : end + 2] == b"\r\n" else 1
            length, carry = length + end, carry[end:]
            break
        length += len(carry)
        carry = stream.read(limits.block)
    verdict = too_long(kept, base + length, length)
    at, kind = np.array([base], np.int64), np.array([ODD], np.uint8)
    return Block(kept, base, at, at + length, np.array([line], np.int64), kind, {0: verdict}), carry
