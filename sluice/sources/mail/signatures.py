"""What a signature says of its writer, each with a confidence and its reason: suggestions, never facts.

| confidence | evidence |
|---|---|
| 0.95 | the sender's own name, or a website of the sender's own domain |
| 0.9  | a label: `Tel.`, `Mobile`, `Web`, `Company`, `Title` |
| 0.85 | a company with a legal form, or named like the sender's domain; a name like the local part of the address |
| 0.8  | a line with a word of job titles beside the name |
| 0.75 | a telephone number in international form |
| 0.6  | a title elsewhere; a website of another domain |
| 0.5  | a number without label and country; what may be a name |

A suggestion below its threshold (`config/mail/signatures.yml`) does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sluice.mail_rules import SignatureRules, SuggestedField
from sluice.names import company_name
from sluice.sources.mail.addresses import Address

_MOST_LINES = 25
_LONGEST_LINE = 160
_LONGEST_VALUE = 80
_PIECES = re.compile(r"\s*(?:[|•·¦]|\t| {3,}| [/–—-] |,(?= ))\s*")
_BROAD_PIECES = re.compile(r"\s*(?:[|•·¦]|\t| {3,}| [/–—] )\s*")
_NUMBER = re.compile(r"\+?\(?\d[\d ()./–-]{5,24}\d")
_WEBSITE = re.compile(r"(?:https?://|www\.)[\w.-]{3,100}\.[a-z]{2,24}(?:/[^\s<>\"|]{0,100})?", re.IGNORECASE)
_BARE_DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.){1,3}[a-z]{2,24}(?:/\S{0,100})?", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*){1,4}")
_OTHERS_SITES = (
    "linkedin.", "facebook.", "twitter.", "x.com", "instagram.", "youtube.", "xing.", "calendly.", "tiktok.", "github.",
    "google.", "goo.gl", "bit.ly", "microsoft.", "zoom.us", "aka.ms", "apple.", "yahoo.",
)  # fmt: skip


@dataclass(frozen=True)
class Suggestion:
    """One thing that a signature seems to say.

    Attributes:
        confidence: 0 to 1; see the module's table.
        why: the evidence in words.
        counts: whether it reaches its field's threshold.
    """

    field: SuggestedField
    value: str
    confidence: float
    why: str
    counts: bool


_Found = tuple[SuggestedField, str, float, str]


def suggestions(signature: str, sender: Address, rules: SignatureRules) -> tuple[Suggestion, ...]:
    """The best suggestion for each field, in the order of the fields.

    Args:
        signature: of `bodies.parted`.
        sender: its name and domain are evidence.
        rules: labels and words of `config/mail/signatures.yml`.
    """
    lines = [" ".join(line.strip(" *_>").split(" ")) for line in signature.split("\n")[: 2 * _MOST_LINES]]
    lines = [line[:_LONGEST_LINE] for line in lines if line.strip()][:_MOST_LINES]
    best: dict[SuggestedField, _Found] = {}
    for found in _all(lines, sender, rules):
        field, value, confidence, _ = found
        if value and (field not in best or confidence > best[field][2]):
            best[field] = found
    return tuple(
        Suggestion(field, value[:_LONGEST_VALUE], confidence, why, confidence >= rules.thresholds.get(field, 1.0))
        for field, value, confidence, why in (best[name] for name in sorted(best))
    )


def _all(lines: list[str], sender: Address, rules: SignatureRules) -> Iterator[_Found]:
    name_line = next((number for number, line in enumerate(lines) if _is_name_of(line, sender)), None)
    labels = [(label.casefold(), kind) for kind, known in rules.labels.items() for label in known]
    labels.sort(key=lambda pair: -len(pair[0]))
    for number, line in enumerate(lines):
        beside = name_line is not None and abs(number - name_line) <= 2
        for piece in _BROAD_PIECES.split(line):
            labelled = _labelled(piece, labels)
            yield from _numbers(piece, labelled)
            yield from _websites(piece, labelled, sender)
            if labelled and labelled[0] in ("company", "title"):
                yield "company" if labelled[0] == "company" else "title", labelled[1], 0.9, "it has a label"
        for piece in _PIECES.split(line):
            yield from _titles(piece, beside, sender, rules.titles)
        yield from _companies(line, sender)
    yield from _names(lines, sender)


def _labelled(piece: str, labels: Iterable[tuple[str, str]]) -> tuple[str, str] | None:
    """The kind of the label that a piece begins with, and what follows."""
    folded = piece.casefold()
    for label, kind in labels:
        if folded.startswith(label):
            rest = piece[len(label) :]
            behind = re.match(r"(?:\.? ?[:.\uff1a]\s*| (?=[+(\d]))", rest)
            if behind and rest[behind.end() :].strip():
                return kind, rest[behind.end() :].strip()
    return None


def _numbers(piece: str, labelled: tuple[str, str] | None) -> Iterator[_Found]:
    found = _NUMBER.search(labelled[1] if labelled else piece)
    if found is None or not 7 <= sum(map(str.isdigit, found[0])) <= 15:
        return
    if labelled is None:
        known = found[0].startswith("+") and found[0] == piece.strip()
        why = "a number in international form" if known else "a number without label and country"
        yield "phone", found[0], 0.75 if known else 0.5, why
    elif labelled[0] in ("phone", "mobile"):
        yield "mobile" if labelled[0] == "mobile" else "phone", found[0], 0.9, "it has a label"


def _websites(piece: str, labelled: tuple[str, str] | None, sender: Address) -> Iterator[_Found]:
    is_labelled = labelled is not None and labelled[0] == "website"
    found = _WEBSITE.search(piece) or (_BARE_DOMAIN.match(labelled[1]) if labelled and is_labelled else None)
    if found is None or any(site in found[0].lower() for site in _OTHERS_SITES):
        return
    value = found[0].rstrip(".,;)")
    host = re.sub(r"^https?://|^www\.", "", value.lower()).removeprefix("www.").split("/")[0]
    if sender.domain and (host == sender.domain or sender.domain.endswith(f".{host}")):
        yield "website", value, 0.95, "it is of the sender's own domain"
    else:
        yield (
            "website",
            value,
            0.9 if is_labelled else 0.6,
            "it has a label" if is_labelled else "it is of another domain",
        )


def _titles(piece: str, beside: bool, sender: Address, titles: Iterable[str]) -> Iterator[_Found]:
    words = piece.casefold()
    if len(piece.split()) > 8 or any(mark in piece for mark in "@:?!") or _NUMBER.search(piece):
        return
    if _is_name_of(piece, sender) or not _NAME.match(f"{piece} x") or _legal_class(piece):
        return
    if any(re.search(rf"(?<!\w){re.escape(title.casefold())}(?!\w)", words) for title in titles):
        yield (
            "title",
            piece.strip(" ,"),
            0.8 if beside else 0.6,
            "a word of job titles" + (" beside the name" if beside else ""),
        )


def _companies(line: str, sender: Address) -> Iterator[_Found]:
    own = _squeezed(sender.domain.split(".")[0])
    for piece in _BROAD_PIECES.split(line):
        if len(piece.split()) > 8 or any(mark in piece for mark in "@:?!") or not re.search(r"[^\W\d_]{2}", piece):
            continue
        if _is_name_of(piece, sender) or _WEBSITE.search(piece) or _BARE_DOMAIN.fullmatch(piece):
            continue
        name = company_name(piece)
        if name is not None and name.legal_class is not None and len(piece.split()) > 1:
            yield "company", piece.strip(" ,"), 0.85, "it ends in a legal form"
        elif name is not None and len(own) > 3 and own == _squeezed(name.key):
            yield "company", piece.strip(" ,"), 0.85, "the sender's domain is called so"


def _names(lines: list[str], sender: Address) -> Iterator[_Found]:
    parts = [part for part in re.split(r"[._-]", sender.local) if len(part) > 1]
    for line in lines[:4]:
        piece = _PIECES.split(line)[0].strip(" ,.")
        if not _NAME.fullmatch(piece) or not piece[0].isupper():
            continue
        words = {_squeezed(word) for word in piece.split()}
        if _is_name_of(piece, sender):
            yield "full_name", piece, 0.95, "it is the sender's name"
        elif len(parts) > 1 and all(_squeezed(part) in words for part in parts):
            yield "full_name", piece, 0.85, "the sender's address is made of it"
        elif all(word[0].isupper() for word in piece.split()):
            yield "full_name", piece, 0.5, "it may be a name"


def _is_name_of(line: str, sender: Address) -> bool:
    words = set(re.findall(r"\w{2,}", line.casefold()))
    names = set(re.findall(r"\w{2,}", sender.name.casefold()))
    return len(names) > 1 and names <= words and len(words) <= len(names) + 6


def _legal_class(text: str) -> str | None:
    name = company_name(text)
    return name.legal_class if name else None


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())
