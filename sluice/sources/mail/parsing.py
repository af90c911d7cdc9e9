"""Parsing rules: what a portal, a directory or a form plugin writes in its mails, as fields of ours.

A text of at most `LONGEST` characters is looked at, labels are found line by line, and patterns are RE2's: no rule can
take long. What no field took stays as `unparsed`, so that nothing that a sender adds is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sluice.conditions import Condition, criteria, describe, mask
from sluice.findings import Finding
from sluice.mail_rules import FOLDER, ParsingRule, Sample, Taking
from sluice.sources.mail.message import Mail, read

LONGEST = 65_536
_LONGEST_VALUE = 20_000
_LONGEST_SHOWN = 200
_AFTER_LABEL = re.compile(r"\s*[:\uff1a]\s*|\s{2,}|\t\s*|\s*$")
_OWN_END = tuple(":\uff1a.?!-–>=")


@dataclass(frozen=True)
class Parse:
    """What a rule makes of a mail.

    Attributes:
        cells: our field → text, in the order of the rule.
        unparsed: lines, or what is left of them, that no field took and that the rule does not ignore.
        coverage: share of the text's letters that were taken or are ignored.
        missing: fields of the rule that have no value.
    """

    rule: ParsingRule
    cells: dict[str, str]
    unparsed: str
    coverage: float
    missing: tuple[str, ...]


def parsed(mail: Mail, rules: Iterable[ParsingRule]) -> Parse | None:
    """What the first rule that is for the mail, and finds all it requires, makes of it."""
    for rule in rules:
        if fits(mail, rule):
            found = applied(mail, rule)
            if not set(found.missing) & set(rule.require):
                return found
    return None


def fits(mail: Mail, rule: ParsingRule) -> bool:
    """Whether the rule's `when` holds for the mail."""
    return bool(mask(rule.when, pd.DataFrame([_asked(mail)])).iloc[0])


def unmet(mail: Mail, rule: ParsingRule) -> list[str]:
    """What the rule's `when` asks and the mail is not, in words: what is wanted, then what the mail has."""
    asked = _asked(mail)
    mails = pd.DataFrame([asked])
    failing = [part for part in _parts(rule.when) if not mask(part, mails).iloc[0]]
    return [f"{describe(part)}; {_has(part, asked)}" for part in failing]


def _parts(condition: Condition) -> Iterator[Condition]:
    """The conditions that must all hold for this one to hold."""
    for criterion in condition.criteria:
        yield Condition.model_construct(criteria=(criterion,))
    for part in condition.all_of:
        yield from _parts(part)
    if condition.any_of is not None:
        yield Condition.model_construct(any_of=condition.any_of)
    if condition.negated is not None:
        yield Condition.model_construct(negated=condition.negated)


def _has(part: Condition, asked: dict[str, Any]) -> str:
    """What the mail has of the fields that a condition asks for; its text, which is long, is not repeated."""
    names = dict.fromkeys(criterion.field for criterion in criteria(part))
    values = {name: " ".join(str(asked[name]).split())[:_LONGEST_SHOWN] if asked[name] else None for name in names}
    said = [
        f"has no {name}" if value is None else f"has another {name}" if name == "text" else f"has {name} {value!r}"
        for name, value in values.items()
    ]
    return f"the mail {' and '.join(said)}"


def looked_for(field: str, rule: ParsingRule) -> str:
    """Where the rule looks for a field, in words such as `email after 'E-mail:'`."""
    how = rule.fields[field]
    if how.after is not None:
        return f"{field} after {' or '.join(map(repr, how.after))}"
    if how.between is not None:
        opening, closing = how.between
        return f"{field} after {opening!r}" + (f", before {closing!r}" if closing.strip() else "")
    return f"{field} as {how.pattern}" if how.pattern is not None else f"{field} in the header {how.header}"


def applied(mail: Mail, rule: ParsingRule) -> Parse:
    """What a rule makes of a mail, be it for it or not."""
    text = mail.text[:LONGEST]
    taken = bytearray(len(text))
    labels = _labels(rule)
    found: dict[str, str] = {}
    for field, how in rule.fields.items():
        value = _value(mail, text, how, labels, taken)
        if value:
            found[field] = value[:_LONGEST_VALUE]
    _take_ignored(text, rule.ignore, taken)
    cells = {**found, **{field: value for field, value in rule.defaults.items() if field not in found}}
    said = [bool(taken[place]) for place, letter in enumerate(text) if not letter.isspace()]
    missing = tuple(field for field in rule.fields if field not in found)
    return Parse(rule, cells, _left(text, taken), round(sum(said) / len(said), 3) if said else 0.0, missing)


def check_samples(config: Path, rules: Iterable[ParsingRule]) -> list[Finding]:
    """What the golden samples of the rules say that the rules do not."""
    return [finding for rule in rules for sample in rule.samples for finding in _checked(config, rule, sample)]


def _checked(config: Path, rule: ParsingRule, sample: Sample) -> Iterator[Finding]:
    file = f"{FOLDER}/rules/{rule.name}.yml"
    path = config / FOLDER / "rules" / "samples" / sample.file
    try:
        mail = read(path.read_bytes())
    except OSError as error:
        yield Finding(file, 0, "samples", f"{sample.file} cannot be read: {error.strerror}")
        return
    if not fits(mail, rule):
        yield Finding(file, 0, "when", f"it does not hold for the sample {sample.file}")
    found = applied(mail, rule)
    for field in sorted({*found.cells, *sample.cells}):
        got, wanted = found.cells.get(field), sample.cells.get(field)
        if got != wanted:
            yield Finding(file, 0, f"fields.{field}", f"{sample.file} gives {got!r}", f"{wanted!r}, as the sample says")
    if found.coverage < sample.coverage:
        yield Finding(
            file, 0, "samples", f"{sample.file} is understood to {found.coverage}", f"{sample.coverage} or more"
        )


def _asked(mail: Mail) -> dict[str, Any]:
    said = {
        "from": mail.sender.address,
        "from_domain": mail.sender.domain,
        "from_name": mail.sender.name,
        "reply_to": mail.reply_to[0].address if mail.reply_to else None,
        "to": " ".join(one.address for one in mail.to if one.address),
        "subject": mail.subject,
        "text": mail.text[:LONGEST],
        "list_id": mail.headers.header("list-id"),
    }
    return {name: value or None for name, value in said.items()}


def _labels(rule: ParsingRule) -> list[str]:
    every = {label for how in rule.fields.values() for label in how.after or ()}
    return sorted(every, key=len, reverse=True)


def _value(mail: Mail, text: str, how: Taking, labels: list[str], taken: bytearray) -> str | None:
    if how.after is not None:
        return _after(text, how.after, labels, taken)
    if how.between is not None:
        return _between(text, *how.between, taken)
    if how.pattern is not None:
        return _matched(text, how.pattern, taken)
    match how.header:
        case "reply_to":
            return mail.reply_to[0].address if mail.reply_to else None
        case "reply_to_name":
            return mail.reply_to[0].name if mail.reply_to else None
        case "from_name":
            return mail.sender.name
        case _:
            return mail.subject


def _after(text: str, wanted: tuple[str, ...], labels: list[str], taken: bytearray) -> str | None:
    """The rest of the first line with one of the labels; the next line, if nothing follows and it has none itself."""
    lines = list(_lines(text))
    for number, (start, line) in enumerate(lines):
        label = _label(line, labels)
        if label is None or label[0] not in wanted or taken[start + label[1] - 1]:
            continue
        _take(taken, start, start + len(line))
        value = line[label[1] :].strip()
        if value:
            return " ".join(value.split())
        for below, following in lines[number + 1 : number + 3]:
            if following.strip():
                if _label(following, labels) is None:
                    _take(taken, below, below + len(following))
                    return " ".join(following.split())
                break
    return None


def _label(line: str, labels: list[str]) -> tuple[str, int] | None:
    """The longest label that a line begins with, and where the value begins."""
    indent = len(line) - len(line.lstrip(" \t*>|•-"))
    folded = line[indent:].lower()
    for label in labels:
        written = label.lower().rstrip(" :\uff1a") if label.endswith((":", "\uff1a")) else label.lower()
        if folded.startswith(written):
            place = indent + len(written)
            behind = _AFTER_LABEL.match(line, place)
            if behind or label.endswith(_OWN_END):
                return label, behind.end() if behind else place
    return None


def _between(text: str, opening: str, closing: str, taken: bytearray) -> str | None:
    first = re.search(re.escape(opening), text, re.IGNORECASE)
    if first is None:
        return None
    last = re.compile(re.escape(closing), re.IGNORECASE).search(text, first.end()) if closing.strip() else None
    end = last.start() if last else len(text)
    if closing.strip() and last is None:
        return None
    _take(taken, first.start(), end)
    value = text[first.end() : end].strip(" \t\n:\uff1a")
    return "\n".join(line.strip() for line in value.split("\n")) or None


def _matched(text: str, pattern: str, taken: bytearray) -> str | None:
    """RE2 takes time in proportion to the text, whatever the pattern."""
    found = pc.extract_regex(pa.array([text]), pattern=pattern).to_pylist()[0]
    value = next(iter(found.values()), None) if found else None
    if not value or not value.strip():
        return None
    place = text.find(value)
    _take(taken, place, place + len(value))
    return " ".join(value.split())


def _take_ignored(text: str, beginnings: tuple[str, ...], taken: bytearray) -> None:
    folded = tuple(beginning.casefold() for beginning in beginnings)
    for start, line in _lines(text):
        if folded and line.strip().casefold().startswith(folded):
            _take(taken, start, start + len(line))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    place = 0
    for line in text.split("\n"):
        yield place, line
        place += len(line) + 1


def _take(taken: bytearray, start: int, end: int) -> None:
    taken[start:end] = b"\1" * (end - start)


def _left(text: str, taken: bytearray) -> str:
    said = (
        "".join(letter for place, letter in enumerate(line, start) if not taken[place]).strip()
        for start, line in _lines(text)
    )
    return "\n".join(line for line in said if any(map(str.isalnum, line)))
