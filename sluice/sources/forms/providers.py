"""Answers as Typeform, Tally, Jotform and Google Ads write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sluice.sources.forms.answers import LONGEST, MOST_CELLS, NoAnswers, kind, objects, text

Answered = Iterator[tuple[str, Any]]

_GOOGLE_STANDARD = re.compile(r"[A-Z]+(?:_[A-Z]+)*")
_JOTFORM_QUESTION = re.compile(r"q(\d+)_(.+)", re.DOTALL)
_ADDRESS = {"addr_line1", "addr_line2", "city", "state", "postal", "country"}
_PAYMENT = ("amount", "name", "success")


def typeform(response: Any) -> Answered:
    """A `form_response`: each answer under its question's title, then the hidden fields; scores are no answers.

    Source: typeform.com/developers/webhooks/example-payload.

    Raises:
        NoAnswers: it has no list of answers.
    """
    if not isinstance(response, dict):
        raise NoAnswers(kind(response))
    titles = _typeform_titles(response.get("definition"))
    hidden = response.get("hidden")
    for answer in objects(response.get("answers", [] if isinstance(hidden, dict) else None)):
        field = answer.get("field")
        field = field if isinstance(field, dict) else {}
        known = [text(field.get(key)) for key in ("id", "ref")]
        title = next((titles[key] for key in known if titles.get(key)), known[1] or known[0])
        yield title, _typeform_value(answer)
    if isinstance(hidden, dict):
        yield from hidden.items()


def _typeform_titles(definition: Any) -> dict[str, str]:
    """Title by id and by ref, of questions inside groups, too."""
    titles: dict[str, str] = {}
    waiting = [definition]
    while waiting:
        found = waiting.pop()
        inside = found.get("fields") if isinstance(found, dict) else None
        for field in inside if isinstance(inside, list) else ():
            if isinstance(field, dict):
                title = text(field.get("title"))
                titles.update({text(field.get(key)): title for key in ("id", "ref")})
                waiting += [field, field.get("properties")]
    return titles


def _typeform_value(answer: dict[str, Any]) -> Any:
    value = answer.get(text(answer.get("type")))
    if not isinstance(value, dict):
        return value
    if "labels" in value or "label" in value or "other" in value:
        labels = value.get("labels", value.get("label"))
        return [*(labels if isinstance(labels, list) else [labels]), value.get("other")]
    if "last4" in value:  # nothing of a card is kept
        return ", ".join(f"{key}: {text(value[key])}" for key in _PAYMENT if key in value)
    return value


def tally(fields: Any) -> Answered:
    """Fields of a response: ids of options become their texts, the copies of a checkbox per option are left out.

    Source: tally.so/help/webhooks.

    Raises:
        NoAnswers: it is no list of objects.
    """
    asked = objects(fields)
    with_options = {text(field.get("key")) for field in asked if isinstance(field.get("options"), list)}
    for field in asked:
        value = field.get("value")
        if isinstance(value, bool) and text(field.get("key")).rpartition("_")[0] in with_options:
            continue
        yield text(field.get("label")) or text(field.get("key")), _tally_value(field, value)


def _tally_value(field: dict[str, Any], value: Any) -> Any:
    if isinstance(value, dict) and isinstance(field.get("rows"), list):
        rows, columns = _texts_by_id(field["rows"]), _texts_by_id(field.get("columns"))
        return [f"{rows.get(row, row)}: {text(_chosen(cells, columns))}" for row, cells in value.items()]
    options = field.get("options")
    return _chosen(value, _texts_by_id(options)) if isinstance(options, list) else value


def _chosen(value: Any, texts: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_chosen(item, texts) for item in value if not isinstance(item, list)]
    return texts.get(value, value) if isinstance(value, str) else value


def _texts_by_id(options: Any) -> dict[str, str]:
    known = options if isinstance(options, list) else []
    return {text(option.get("id")): text(option.get("text")) for option in known if isinstance(option, dict)}


def jotform(body: Any) -> Answered:
    """A posted submission (`rawRequest`, named by `pretty`), or one as the API gives it (`answers`).

    Source: api.jotform.com/docs, jotform.com/help/245.

    Raises:
        NoAnswers: it has neither.
    """
    if not isinstance(body, dict):
        raise NoAnswers(kind(body))
    if isinstance(body.get("answers"), dict):
        return _jotform_of_api(body["answers"])
    asked = body.get("rawRequest")
    if not isinstance(asked, dict):
        raise NoAnswers(f"rawRequest is {kind(asked)}")
    return _jotform_posted(asked, text(body.get("pretty"))[:LONGEST])


def _jotform_of_api(answers: dict[str, Any]) -> Answered:
    asked = [answer for answer in answers.values() if isinstance(answer, dict) and "answer" in answer]
    for answer in sorted(asked, key=lambda each: text(each.get("order")).zfill(6)[:20]):
        name = text(answer.get("text")) or text(answer.get("name"))
        yield from _jotform_cells(name, _jotform_value(answer["answer"]))


def _jotform_posted(asked: dict[str, Any], pretty: str) -> Answered:
    """Questions are called `q3_name`; `pretty` reads `Full name:Kin Lane, E-mail:kin@example.com` in the same order."""
    for count, (key, value) in enumerate(asked.items()):
        question = _JOTFORM_QUESTION.fullmatch(key)
        if not question:
            continue
        said = _jotform_value(value)
        label, pretty = _jotform_label(pretty if count < MOST_CELLS else "", said)
        yield from _jotform_cells(label or question[2], said)


def _jotform_label(pretty: str, value: Any) -> tuple[str, str]:
    """What `pretty` calls the answer, and what of it comes after; no label if it shows the answer in another way."""
    shown = text(value)
    forms = dict.fromkeys((shown, shown.replace("; ", ", "), shown.replace("; ", " "), shown.replace("; ", "\n")))
    for form in forms if shown else ():
        start = pretty.find(f":{form}")
        end = start + 1 + len(form)
        if start > 0 and (end == len(pretty) or pretty.startswith(", ", end)):
            label = pretty[:start]
            # what precedes the label belongs to answers that are shown in another way
            return (label.rpartition(", ")[2] if ":" in label else label), pretty[end + 2 :]
    return "", pretty


def _jotform_value(value: Any) -> Any:
    """The value; a phone number that is written in parts as one text."""
    if isinstance(value, dict) and "full" in value:
        return value["full"]
    if isinstance(value, dict) and value.keys() == {"area", "phone"}:
        return f"{text(value['area'])} {text(value['phone'])}".strip()
    return value


def _jotform_cells(name: str, value: Any) -> Answered:
    if isinstance(value, dict) and value and value.keys() <= _ADDRESS:
        yield from ((f"{name}.{part}", inside) for part, inside in value.items())
    else:
        yield name, value


def google_ads(columns: Any) -> Answered:
    """`user_column_data`: standard questions under their id (`FULL_NAME`), others under what the form asks.

    Source: developers.google.com/google-ads/webhook/docs/implementation.

    Raises:
        NoAnswers: it is no list of objects.
    """
    for column in objects(columns):
        identity, asked = text(column.get("column_id")), text(column.get("column_name"))
        is_standard = _GOOGLE_STANDARD.fullmatch(identity) is not None
        value = next((inside for key, inside in column.items() if key.endswith("_value")), None)
        yield identity if is_standard else asked or identity, value
