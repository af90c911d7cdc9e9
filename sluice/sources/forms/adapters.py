"""From what a body says to submissions: which one it is, what was answered, and whether it can be a lead at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sluice.form_rules import Answers, Form, TestLead, listed
from sluice.problems import problem
from sluice.sources.forms.answers import Cells, NoAnswers, cells, flat, kind, pairs, text
from sluice.sources.forms.paths import at, elements, first
from sluice.sources.forms.providers import google_ads, jotform, tally, typeform
from sluice.sources.forms.requests import Posted
from sluice.sources.forms.spam import spam_signals
from sluice.submissions import Submission

_LONGEST_ID = 200
_HEADER = "header:"
_JOINED = " + "
_ANY = "*"


@dataclass(frozen=True)
class Identified:
    """Which submission a body is.

    Attributes:
        key: `id:<the provider's>`, or `content:<sha256>` where it has none; the same when it is sent again.
        fingerprint: sha256 of what was submitted; another one with the same id is another body under a used id.
    """

    key: str
    fingerprint: str


@dataclass(frozen=True)
class Announced:
    """A lead that the provider only names; it is fetched by its id.

    Attributes:
        lead_id: "" if there is none, and then `problems` says why.
        kept: cells that only the announcement has.
    """

    lead_id: str
    kept: dict[str, str]
    problems: tuple[dict[str, Any], ...] = ()


def identified(value: Any, posted: Posted, rules: Form) -> Identified:
    """Which submission it is, whatever JSON the body is.

    A body that holds several submissions has none of their ids: it is known by its content.
    """
    found = elements(value, rules.items)
    fingerprint = _fingerprint(found, value, rules)
    identity = _identity(found[0] if len(found) == 1 else None, value, posted, rules) if len(found) < 2 else ""
    if not identity:
        return Identified(f"content:{fingerprint}", fingerprint)
    if len(identity) > _LONGEST_ID or not identity.isprintable():
        identity = f"sha256:{hashlib.sha256(identity.encode('utf-8', 'backslashreplace')).hexdigest()}"
    return Identified(f"id:{identity}", fingerprint)


def submissions(value: Any, rules: Form) -> list[Submission]:
    """One submission per filled form, in their order; what is no form is one with problems, and the others go on."""
    found = elements(value, rules.items)
    return [
        _submission(element, value, rules, place if len(found) > 1 else 0) for place, element in enumerate(found, 1)
    ]


def announced(value: Any, rules: Form) -> list[Announced]:
    """The leads that a notification names; what names none is one with problems.

    Raises:
        ValueError: the source declares no `fetch:`.
    """
    if rules.fetch is None:
        raise ValueError("the source declares no fetch")
    found: list[Announced] = []
    for place, element in enumerate(elements(value, rules.items), 1):
        lead_id = at(element, rules.fetch.id)
        others = [path for path, wanted in rules.fetch.only.items() if text(at(element, path)) != wanted]
        if isinstance(element, dict) and others:
            complaint = problem(others[0], "element.other_kind", text(at(element, others[0])))
            found.append(Announced("", {}, (complaint,)))
        elif isinstance(lead_id, bool | dict | list) or not text(lead_id).strip():
            complaint = problem(rules.fetch.id, "element.unreadable", f"element {place}: {kind(lead_id)}")
            found.append(Announced("", {}, (complaint,)))
        else:
            kept = {name: text(at(element, path)) for name, path in rules.fetch.keep.items()}
            found.append(Announced(text(lead_id).strip(), {name: said for name, said in kept.items() if said}))
    return found


def fetched(answer: Any, announcement: Announced, rules: Form) -> Submission:
    """The submission that the provider's API gave for an announced lead."""
    submission = _submission(answer, answer, rules, 0)
    return replace(submission, cells={**announcement.kept, **submission.cells})


def _submission(element: Any, whole: Any, rules: Form, place: int) -> Submission:
    """One element as a submission.

    Args:
        element: what should be a filled form.
        whole: the body, where the context may stand.
        rules: of the source.
        place: of the element among several, from 1, else 0.
    """
    before = f"element {place}: " if place else ""
    if not isinstance(element, dict):
        return Submission({}, problems=(problem("", "element.unreadable", before + kind(element)),))
    try:
        read = _cells(element, whole, rules)
    except NoAnswers as error:
        where = " or ".join(filter(None, listed(rules.answers.path)))
        return Submission({}, problems=(problem(where, "answers.missing", f"{before}{error}"),))
    problems = [problem(name, "cell.too_long") for name in read.too_long]
    if read.surplus:
        problems.append(problem("", "fields.too_many", f"{read.surplus} more"))
    if problems:
        return Submission(read.values, problems=tuple(problems))
    sign = next((shown for test in rules.test if (shown := _shows_test(test, element, read.values))), None)
    if sign is not None:
        return Submission(read.values, aside=("test_lead", f"The sender marks it as a test: {sign}"))
    fired = spam_signals(read.values, rules.spam, rules.context)
    points = sum(signal.points for signal in fired)
    if points >= rules.spam.threshold:
        reasons = "; ".join(signal.reason for signal in fired)
        return Submission(read.values, aside=("spam", f"{points} points of {rules.spam.threshold}: {reasons}"))
    return Submission(read.values, warnings=tuple(f"{signal.cell}:{signal.code}" for signal in fired))


def _cells(element: dict[str, Any], whole: Any, rules: Form) -> Cells:
    context = [(name, first((element, whole), listed(paths))) for name, paths in rules.context.items()]
    return cells(_answers(element, rules.answers), context)


def _answers(element: dict[str, Any], rules: Answers) -> Iterable[tuple[str, Any]]:
    found = first([element], listed(rules.path))
    match rules.format:
        case "typeform":
            return typeform(found)
        case "tally":
            return tally(found)
        case "jotform":
            return jotform(found)
        case "google_ads":
            return google_ads(found)
        case "pairs":
            return pairs(found, rules.name, rules.value)
        case "flat":
            return _flat(found)


def _flat(found: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(found, dict):
        raise NoAnswers(kind(found))
    yield from flat(found)


def _identity(element: Any, whole: Any, posted: Posted, rules: Form) -> str:
    """The first id that is there: of a header, or of the element or body; a joined one needs all its parts."""
    for declared in listed(rules.id):
        if declared.startswith(_HEADER):
            sent = posted.headers.get(declared.removeprefix(_HEADER), ())
            parts = [sent[0].strip() if len(sent) == 1 else ""]
        else:
            parts = [_id_text(first((element, whole), [path])) for path in declared.split(_JOINED)]
        if all(parts):
            return "|".join(parts)
    return ""


def _id_text(value: Any) -> str:
    return "" if isinstance(value, bool | dict | list) else text(value).strip()


def _fingerprint(found: list[Any], whole: Any, rules: Form) -> str:
    """sha256 over what was answered, element by element, without what differs when it is sent again."""
    digest = hashlib.sha256()
    for element in found:
        try:
            readable = rules.fetch is None and isinstance(element, dict)
            said = _cells(element, whole, rules) if readable else None
        except NoAnswers:
            said = None
        if said is not None and not said.too_long and not said.surplus:
            content = [pair for pair in said.values.items() if pair[0] not in rules.resent]
        else:
            content = [(name, text(value)) for name, value in flat({"": element})]
        digest.update(json.dumps(sorted(content)).encode())
    return digest.hexdigest()


def _shows_test(test: TestLead, element: dict[str, Any], values: dict[str, str]) -> str | None:
    """What shows that the submission is a test, in words, if the sign is there."""
    if test.path is not None:
        said = at(element, test.path)
        shown = {test.path: ("true" if said else "false") if isinstance(said, bool) else text(said)}
    elif test.cell == _ANY:
        shown = values
    else:
        shown = {test.cell or "": values.get(test.cell or "", "")}
    for name, value in shown.items():
        folded = value.strip().casefold()
        if test.contains and (part := next((part for part in test.contains if part.casefold() in folded), None)):
            return f"{name} holds {part!r}"
        if not test.contains and folded in {known.casefold() for known in test.equals}:
            return f"{name} is {value.strip()!r}"
    return None
