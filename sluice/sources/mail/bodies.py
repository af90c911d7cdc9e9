"""What a person has just written, apart from the mails quoted below it and from the signature."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sluice.mail_rules import ReplyRules
from sluice.sources.mail.addresses import Address

_LONGEST = 98_304  # a message is cut to a fifth of it; what follows would only take time
_LONGEST_ATTRIBUTION = 400
_MOST_ATTRIBUTION_LINES = 4
_MOST_SIGNATURE_LINES = 15
_MOST_SENT_FROM_WORDS = 7

_QUOTED = re.compile(r"\s{0,8}[>\uff1e|](?!From )")
_DELIMITER = re.compile(r"\s*(?:--|—|__+)\s*")
_DASHED_NAME = re.compile(r"\s*[-–—~] ?[^\W\d_]\w*(?: [^\W\d_]\w*\.?){0,3}\s*")
_RULE = re.compile(r"\s*(?:[-_=*]\s?){5,}\s*")
_TIME_OR_ADDRESS = re.compile(r"\d{1,2}[:.]\d{2}|@|<")
_DIGITS = re.compile(r"\d")
_CONTACT = re.compile(r"\+?\d[\d ()./-]{6,}\d|@\w|www\.|https?://", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?][\"')]?\s*$")


@dataclass(frozen=True)
class Parted:
    """A mail's text in its parts.

    Attributes:
        new: what the sender wrote; answers between quoted lines are put together.
        quoted: earlier mails, with the lines that introduce them.
        signature: from the closing or the delimiter on, without quoted text.
        forwarded: the mail that was passed on, if it is one; it is part of `quoted` too.
    """

    new: str
    quoted: str = ""
    signature: str = ""
    forwarded: str = ""


def parted(text: str, sender: Address, rules: ReplyRules) -> Parted:
    """Takes a text apart.

    Args:
        text: of `Mail.text`; what is longer than it may be is cut.
        sender: a last line with this name may begin a signature.
        rules: the words of `config/mail/replies.yml`.
    """
    lines = text[:_LONGEST].split("\n")
    marks = _Marks.of(rules)
    quoted, forwarded_from = _quoted_lines(lines, marks)
    new = [line for line, is_quoted in zip(lines, quoted, strict=True) if not is_quoted]
    while new and (not new[-1].strip() or _RULE.fullmatch(new[-1])):
        new.pop()
    begin = _signature_begin(new, sender, marks)
    return Parted(
        _joined(new[:begin]),
        _joined(line for line, is_quoted in zip(lines, quoted, strict=True) if is_quoted),
        _joined(line for line in new[begin:] if not _DELIMITER.fullmatch(line)),
        _joined(lines[forwarded_from:]) if forwarded_from is not None else "",
    )


@dataclass(frozen=True)
class _Marks:
    """The words of the rules as expressions."""

    attribution: re.Pattern[str]
    attribution_without_begin: re.Pattern[str]
    headers: re.Pattern[str]
    names: dict[str, str]
    original: re.Pattern[str]
    forwarded: re.Pattern[str]
    sent_from: tuple[str, ...]
    closings: frozenset[str]

    @classmethod
    def of(cls, rules: ReplyRules) -> _Marks:
        begun: list[str] = []
        bare: list[str] = []
        for language in rules.attributions:
            ends = _any(language.ends)
            begins = [word for word in language.begins if word]
            if begins:
                begun.append(rf"(?:{_any(begins)})(?!\w).*(?<!\w)(?:{ends})(?!\w)")
            if "" in language.begins:
                bare.append(rf"(?:{ends})(?!\w)")
        names = {word.casefold(): kind for kind, words in rules.header_lines.items() for word in words}
        around = r"[\s>*_=-]*"
        return cls(
            re.compile(rf"[\s>*]*(?:{'|'.join(begun)})", re.IGNORECASE),
            re.compile("|".join(bare) or r"(?!)", re.IGNORECASE),
            re.compile(rf"[>\s*_]*({_any(names)})\s*[*_]?\s*[:\uff1a]", re.IGNORECASE),
            names,
            re.compile(rf"{around[:-1]}+(?:{_any(rules.original)}){around}:?{around}", re.IGNORECASE),
            re.compile(rf"{around}(?:{_any(rules.forwarded)})(?:\s*:|{around}|.{{0,80}}[-]+)\s*", re.IGNORECASE),
            tuple(word.casefold() for word in rules.sent_from),
            frozenset(word.casefold() for word in rules.closings),
        )


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _quoted_lines(lines: list[str], marks: _Marks) -> tuple[list[bool], int | None]:
    """Which lines are quoted, and where a forwarded mail begins."""
    quoted = [False] * len(lines)
    place = 0
    while place < len(lines):
        line = lines[place]
        if _QUOTED.match(line):
            quoted[place] = True
            place += 1
            continue
        if not line.strip():
            place += 1
            continue
        is_forward = marks.forwarded.fullmatch(line) is not None
        if is_forward or marks.original.fullmatch(line) or _is_header_block(lines, place, marks):
            quoted[place:] = [True] * (len(lines) - place)
            return quoted, place + 1 if is_forward else None
        length = _attribution_length(lines, place, marks)
        if length:
            quoted[place : place + length] = [True] * length
            place += length
            if not _goes_on_with_marks(lines, place):
                quoted[place:] = [True] * (len(lines) - place)
                return quoted, None
            continue
        place += 1
    return quoted, None


def _is_header_block(lines: list[str], place: int, marks: _Marks) -> bool:
    """From with Sent, To or Subject in the next lines; if nothing stands before, it is the text of a form."""
    found: list[str] = []
    for line in lines[place : place + 5]:
        known = marks.headers.match(line)
        if known is None:
            if line.strip() and not found:
                return False
            continue
        found.append(marks.names[known[1].casefold()])
    begins = found[:1] == ["from"] or (found[:1] == ["sent"] and "from" in found)
    return begins and len(set(found) & {"sent", "to", "subject", "cc"}) >= 2 and any(map(str.strip, lines[:place]))


def _attribution_length(lines: list[str], place: int, marks: _Marks) -> int:
    """How many lines from here introduce a quoted mail, e.g. 2 for one that is broken; 0 if none does."""
    joined = ""
    for count, line in enumerate(lines[place : place + _MOST_ATTRIBUTION_LINES], 1):
        if not line.strip():
            return 0
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > _LONGEST_ATTRIBUTION:
            return 0
        if joined[-1] not in ":\uff1a" and not joined.endswith(":*"):
            continue
        if marks.attribution.match(joined) and (_DIGITS.search(joined) or _TIME_OR_ADDRESS.search(joined)):
            return count
        if marks.attribution_without_begin.search(joined) and _TIME_OR_ADDRESS.search(joined):
            return count
    return 0


def _goes_on_with_marks(lines: list[str], place: int) -> bool:
    """Whether each quoted line has its mark, so that unmarked ones below are new."""
    following = next((line for line in lines[place:] if line.strip()), "")
    return _QUOTED.match(following) is not None


def _signature_begin(lines: list[str], sender: Address, marks: _Marks) -> int:
    """Index of the signature's first line; the number of lines if there is none."""
    filled = [number for number, line in enumerate(lines) if line.strip()]
    tail = filled[-_MOST_SIGNATURE_LINES - 1 :]
    for number in tail:
        line = lines[number]
        if _DELIMITER.fullmatch(line) or _is_signed(lines, number):
            return number
        if _is_sent_from(line, marks):
            return _with_block_above(lines, number, sender, marks)
    return _closing_or_block(lines, tail, sender, marks)


def _with_block_above(lines: list[str], end: int, sender: Address, marks: _Marks) -> int:
    """A signature may stand above "Sent from my phone"."""
    tail = [number for number in range(max(0, end - 2 * _MOST_SIGNATURE_LINES), end) if lines[number].strip()]
    begin = _closing_or_block(lines[:end], tail[-_MOST_SIGNATURE_LINES:], sender, marks)
    return begin if begin < end else end


def _closing_or_block(lines: list[str], tail: list[int], sender: Address, marks: _Marks) -> int:
    for number in tail[1:] if tail and tail[0] == 0 else tail:
        below = [line for line in lines[number + 1 :] if line.strip()]
        if _is_closing(lines[number], marks) and len(below) < _MOST_SIGNATURE_LINES and _are_short(below):
            return number
    names = [word for word in re.findall(r"\w{2,}", sender.name.casefold())]
    for number in tail[1:]:
        words = re.findall(r"\w{2,}", lines[number].casefold())
        below = [line for line in lines[number + 1 :] if line.strip()]
        named = bool(names) and bool(set(names) & set(words)) and len(words) <= 6
        if named and _are_short(below) and (not below or any(map(_CONTACT.search, below))):
            return number
    return len(lines)


def _is_closing(line: str, marks: _Marks) -> bool:
    return " ".join(line.casefold().strip(" \t,.!*_-–—~").split()) in marks.closings


def _is_signed(lines: list[str], number: int) -> bool:
    """A line such as `-Ana`, alone at the end or above a list's footer; several of them are a list."""
    if number == 0 or not _DASHED_NAME.fullmatch(lines[number]) or lines[number - 1].strip():
        return False
    below = next((line for line in lines[number + 1 :] if line.strip()), "")
    return not below or _RULE.fullmatch(below) is not None or _DELIMITER.fullmatch(below) is not None


def _is_sent_from(line: str, marks: _Marks) -> bool:
    said = " ".join(line.casefold().strip(" \t*_[(").split())
    known = next((phrase for phrase in marks.sent_from if said.startswith(phrase)), None)
    return known is not None and "," not in said and len(said[len(known) :].split()) <= _MOST_SENT_FROM_WORDS


def _are_short(lines: list[str]) -> bool:
    """Lines of a signature: none is a sentence that fills the line."""
    return all(len(line.strip()) <= 60 or _CONTACT.search(line) or not _SENTENCE.search(line) for line in lines)
