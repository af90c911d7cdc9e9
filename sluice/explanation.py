"""Why a lead is what it is: every number, owner and value with its reason, in the words of the rules it was decided by.

What is returned is ready for JSON. Each fact carries `said`, the sentence for people; `sections` puts these together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sluice import routing, scoring
from sluice.errors import NotFound
from sluice.intake import Office, kept_rules
from sluice.normalization.emails import email_key, read_email
from sluice.problems import CODES
from sluice.profiles import Profile
from sluice.rota import Teams
from sluice.routing import Assignment
from sluice.schema import STORED
from sluice.store.queries import rows

Facts = dict[str, Any]

_HEAD = (
    "lead_id", "full_name", "email", "phone", "company", "title", "status", "is_open", "is_flagged", "flagged_of",
    "previous_lead_id", "owner", "team", "created_at", "updated_at",
)  # fmt: skip
_WISHES = {"email_opt_out": "Wants no e-mail", "do_not_call": "Wants no calls"}
_BIGGEST = 2**63 - 1


def find(office: Office, who: str) -> list[Facts]:
    """The leads that a number or an e-mail address means, the open one first.

    Raises:
        NotFound: there is none, or `who` is neither.
    """
    if who.isascii() and who.isdecimal():
        parameters: Facts = {"lead_id": min(int(who), _BIGGEST), "identity": None}
    else:
        reading = office.profile.normalization.email
        address = read_email(who, reading).value
        if address is None:
            raise NotFound(f"lead {who!r}", "it is neither", "the number of a lead, or an e-mail address")
        parameters = {"lead_id": None, "identity": f"mail:{email_key(str(address), reading)}"}
    with office.database.connection() as connection:
        found = rows(connection, "lead_find", **parameters)
    if not found:
        raise NotFound(f"lead {who!r}", "there is none", fix="`sluice status` says how many leads there are")
    return found


def explain(office: Office, who: str) -> Facts:
    """Everything that was decided about a lead, and why; of several the open one, the others are named.

    Raises:
        NotFound: as `find`.
    """
    lead, *others = find(office, who)
    number = {"lead_id": lead["lead_id"]}
    with office.database.connection() as connection:
        touches = rows(connection, "lead_touches", **number)
        changes = rows(connection, "lead_history", **number)
        decisions = rows(connection, "lead_decisions", **number)
        activities = rows(connection, "lead_activities", **number)
        assigned = rows(connection, "lead_assignments", **number)
    versions = {lead["config_id"], *(row["config_id"] for row in assigned)}
    rules = {version: kept_rules(office, version) for version in versions}
    return {
        "lead": {name: lead[name] for name in _HEAD},
        "score": _score(lead, rules[lead["config_id"]]),
        "owners": [_owner(row, rules[row["config_id"]]) for row in assigned],
        "arrivals": [_arrival(row) for row in touches],
        "judgements": [_judgement(row, lead["lead_id"]) for row in decisions],
        "changes": [_change(row) for row in changes],
        "wishes": [{"wish": name, "said": said} for name, said in _WISHES.items() if lead[name]],
        "activities": [row | {"said": _activity(row, office.profile.teams)} for row in activities],
        "others": [{name: other[name] for name in ("lead_id", "is_open", "is_flagged", "status")} for other in others],
    }


def sections(explained: Facts) -> list[tuple[str, list[str]]]:
    """The explanation as titled lists of sentences; what there is nothing to say about is left out."""
    said: list[tuple[str, list[str]]] = [
        ("Score", explained["score"]["said"]),
        ("Owner", [sentence for owner in explained["owners"] for sentence in owner["said"]]),
        ("Where it came from", [arrival["said"] for arrival in explained["arrivals"]]),
        ("Warnings", [warning["said"] for arrival in explained["arrivals"] for warning in arrival["warnings"]]),
        ("Compared with others", [judgement["said"] for judgement in explained["judgements"]]),
        ("What changed", [change["said"] for change in explained["changes"]]),
        ("Wishes", [wish["said"] for wish in explained["wishes"]]),
        ("To do", [activity["said"] for activity in explained["activities"]]),
        ("Other leads of this address", [_other(other) for other in explained["others"]]),
    ]
    return [(title, sentences) for title, sentences in said if sentences]


def show(office: Office, who: str) -> Facts:
    """A lead's values beside what its latest row said, as it came.

    Returns:
        `lead`, `latest` (receipt, file, line, source) and `fields`: name, label, value, column, raw.

    Raises:
        NotFound: as `find`.
    """
    lead = find(office, who)[0]
    with office.database.connection() as connection:
        latest = rows(connection, "lead_touches", lead_id=lead["lead_id"])[-1]
    columns: dict[str, int] = {field: position for position, field in latest["mapping"] or []}
    attributes: Facts = lead["attributes"] or {}
    values = lead | attributes | {"created_at": lead["stated_at"] if "created_at" in columns else None}
    names = [*(name for name in STORED if name != "company_id"), *_WISHES, *columns, *attributes]
    fields: list[Facts] = []
    for name in dict.fromkeys(names):
        position = columns.get(name, len(latest["record"]))
        raw = latest["record"][position] if position < len(latest["record"]) else None
        column = latest["header"][position] if name in columns else None
        value = values.get(name)
        if value not in (None, False) or raw:
            label = _label(name, office.profile)
            fields.append({"name": name, "label": label, "value": value, "column": column, "raw": raw})
    where = ("receipt_id", "name", "line", "source", "occurred_at")
    head = {name: lead[name] for name in (*_HEAD, "score", "band", "lead_source", "extra")}
    return {"lead": head, "latest": {name: latest[name] for name in where}, "fields": fields}


def owner_in_words(lead: Facts, teams: Teams) -> str:
    """Who owns a lead: a person and the team, or the queue it waits in."""
    team = teams.teams[lead["team"]].name if lead["team"] in teams.teams else lead["team"]
    if lead["owner"] is None:
        return f"nobody yet, it waits in the queue {team}"
    return f"{_person(lead['owner'], teams)}, {team}" if team else _person(lead["owner"], teams)


def _score(lead: Facts, profile: Profile) -> Facts:
    """The lines of the score; they add up to it, caps and clamp included."""
    names, points = lead["score_signals"] or [], lead["score_points"] or []
    said = scoring.explain(profile.scoring, names, points)
    if lead["config_id"] is not None:
        said.append(f"by the rules of profile {profile.name}, version {profile.hash[:12]}")
    lines = [{"signal": name, "points": worth} for name, worth in zip(names, points, strict=True)]
    config = {"profile": profile.name, "hash": profile.hash}
    return {"total": lead["score"], "band": lead["band"], "lines": lines, "config": config, "said": said}


def _owner(row: Facts, profile: Profile) -> Facts:
    """An assignment; the last one that has not ended is in force."""
    kept = ("owner", "team", "rule", "reason", "candidates", "turn_before", "turn_after")
    assignment = Assignment(**{name: row[name] for name in kept})
    teams = profile.teams
    named = _person(row["owner"], teams) if row["owner"] else "nobody yet"
    team = teams.teams[row["team"]].name if row["team"] in teams.teams else row["team"]
    until = f" until {_at(row['ended_at'])}" if row["ended_at"] else ""
    head = f"{named}{f', {team},' if team else ''} since {_at(row['assigned_at'])}{until}"
    said = [head, *routing.explain_assignment(assignment, profile.routing, teams)]
    return row | {"config": {"profile": profile.name, "hash": profile.hash}, "said": said}


def _arrival(row: Facts) -> Facts:
    warnings = [_warning(warning, row) for warning in row["warnings"] or []]
    attribution = ", ".join(str(part) for part in (row["lead_source"], row["campaign"]) if part)
    said = f"{_at(row['occurred_at'])}: {row['name']}, line {row['line']}"
    said += f" (receipt {row['receipt_id']}, source {row['source']})" + (f", {attribution}" if attribution else "")
    kept = ("receipt_id", "row_number", "line", "name", "source", "kind", "outcome", "lead_source", "campaign")
    facts = {name: row[name] for name in (*kept, "occurred_at", "received_at")}
    return facts | {"warnings": warnings, "said": f"{said}: {row['outcome']}"}


def _warning(warning: str, row: Facts) -> Facts:
    field, _, code = warning.partition(":")
    meaning = f"{CODES[code].meaning}. {CODES[code].fix}" if code in CODES else code
    said = f"{field}, receipt {row['receipt_id']} line {row['line']}: {meaning}"
    return {"field": field, "code": code, "said": said}


def _judgement(row: Facts, lead_id: int) -> Facts:
    """A comparison that was made when a row of the lead arrived."""
    why, here = row["explanation"], f"Row {row['row_number']} of receipt {row['receipt_id']}"
    if row["level"] == "company":
        alike = "" if row["score"] is None else f", {row['score']:.0f}% alike"
        names = f"{why.get('ours')!r} and {why.get('theirs')!r}"
        what = {"same": "are the same company", "different": "are different companies"}.get(
            row["verdict"], "may be the same company: a person must judge"
        )
        return row | {"said": f"{here}: {names} {what} ({why['rule']}{alike})"}
    other = row["other_lead_id"]
    whom = "an earlier row of this lead" if other == lead_id else f"lead {other}"
    what = {"same": f"is the same person as {whom}", "different": f"is not the person of {whom}"}.get(
        row["verdict"], f"may be the person of {whom}: a person must judge"
    )
    return row | {"said": f"{here} {what} ({why['rule']}), decided by {row['decided_by']}"}


def _change(row: Facts) -> Facts:
    old = "nothing" if row["old_value"] is None else repr(row["old_value"])
    new = "nothing" if row["new_value"] is None else repr(row["new_value"])
    where = f"{row['name']}, row {row['row_number']} (receipt {row['receipt_id']}, source {row['source']})"
    return row | {"said": f"{row['field']}: {old} became {new} by {where}: {row['rule']}"}


def _activity(row: Facts, teams: Teams) -> str:
    who = f" by {_person(row['owner'], teams)}" if row["owner"] else ""
    when = f", done {_at(row['done_at'])}" if row["done_at"] else f", due {_at(row['due_at'])}" if row["due_at"] else ""
    return f"{row['kind']}: {row['subject'] or row['action']}{who}{when} ({row['action']})"


def _other(other: Facts) -> str:
    state = "flagged as a possible duplicate" if other["is_flagged"] else "open" if other["is_open"] else "closed"
    return f"lead {other['lead_id']}, {other['status']}, {state}"


def _label(field: str, profile: Profile) -> str:
    known = profile.fields.fields.get(field)
    return known.label if known else field.replace("_", " ").capitalize()


def _person(key: str, teams: Teams) -> str:
    return teams.people[key].name if key in teams.people else key


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
