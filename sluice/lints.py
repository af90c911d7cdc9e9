"""What only shows when config files are read together: fields, teams and people that there are not, idle rules."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from itertools import combinations
from zoneinfo import ZoneInfo

from sluice.conditions import Condition, criteria, problems, usable
from sluice.criteria import suggest
from sluice.findings import Finding, at
from sluice.rota import Teams
from sluice.routing import RoutingRule, RoutingRules
from sluice.rules import SourceRules
from sluice.schema import FieldRules, Fields
from sluice.scoring import ScoringRules
from sluice.strict_yaml import Document, KeyPath


def lint_scoring(rules: ScoringRules, document: Document, fields: Fields) -> Iterator[Finding]:
    """Conditions on fields that there are not; groups without cap or signal; bands that no lead can reach."""
    known = usable(fields, "score")
    for place, signal in enumerate(rules.signals):
        for found in problems(signal.when, known):
            yield at(document, ("signals", place, "when"), f"signal {signal.name!r}: {found}")
        for value, allowed in _not_a_choice(signal.when, fields):
            yield at(document, ("signals", place, "when"), f"signal {signal.name!r}: {value!r} never occurs", allowed)
        if signal.points == 0:
            yield at(document, ("signals", place, "points"), f"signal {signal.name!r} is worth nothing", warn=True)
    for name, group in rules.groups.items():
        if group.cap is None:
            yield at(document, ("groups", name), f"group {name!r} has no cap", "a cap, e.g. {cap: 40}", warn=True)
        if not any(signal.group == name for signal in rules.signals):
            yield at(document, ("groups", name), f"no signal is in the group {name!r}", warn=True)
    _, highest = rules.reach()
    for place, band in enumerate(rules.bands):
        if band.start > highest:
            yield at(
                document,
                ("bands", place),
                f"band {band.name!r} starts at {band.start}, the highest score is {highest}",
                warn=True,
            )


def lint_routing(rules: RoutingRules, document: Document, fields: Fields, teams: Teams) -> Iterator[Finding]:
    """Conditions on fields that there are not, teams or people that there are not, rules that are never reached."""
    known = usable(fields, "route")
    for place, rule in enumerate(rules.rules):
        for found in problems(rule.when, known):
            yield at(document, ("rules", place, "when"), f"rule {rule.name!r}: {found}")
        for value, allowed in _not_a_choice(rule.when, fields):
            yield at(document, ("rules", place, "when"), f"rule {rule.name!r}: {value!r} never occurs", allowed)
        if rule.to.team is not None:
            yield from _lint_team(rule.to.team, ("rules", place, "to", "team"), document, teams)
        if rule.to.person is not None:
            yield from _lint_person(rule.to.person, ("rules", place, "to", "person"), document, teams)
    yield from _lint_team(rules.otherwise.team, ("otherwise", "team"), document, teams)
    yield from _unreachable(rules.rules, document)
    yield from _overlapping_zips(rules.rules, document)


def lint_teams(teams: Teams, document: Document) -> Iterator[Finding]:
    """Members who do not exist, teams nobody can get a lead in, people in no team, one address for two people."""
    for key, team in teams.teams.items():
        path = ("teams", key, "members")
        for place, member in enumerate(team.members):
            yield from _lint_person(member.person, (*path, place), document, teams)
        if team.kind == "round_robin" and not team.members:
            yield at(document, path, f"team {key!r} has no members", "members, or `kind: queue`")
        elif team.kind == "round_robin" and not any(teams.is_active(member.person) for member in team.members):
            yield at(document, path, f"nobody in the team {key!r} is active: its leads wait in its queue", warn=True)
    for key, person in teams.people.items():
        if person.active and teams.team_of(key) is None:
            yield at(document, ("people", key), f"{key!r} is in no team", warn=True)
    for (one, first), (other, second) in combinations(teams.people.items(), 2):
        if first.email.casefold() == second.email.casefold():
            yield at(
                document, ("people", other, "email"), f"{one!r} and {other!r} have the same e-mail address", warn=True
            )


def lint_source(source: SourceRules, document: Document, fields: Fields, kinds: Mapping[str, str]) -> Iterator[Finding]:
    """Fields, values, zones, encodings and sources that do not exist; a column with two meanings.

    Args:
        source: the one that is looked at.
        document: where it is written.
        fields: that the profile has.
        kinds: name → kind of all declared sources.
    """
    for key, field in source.fields.items():
        if field not in fields.fields:
            yield at(
                document,
                ("fields", key),
                f"there is no field {field!r}{suggest(field, fields.fields)}",
                "a field of fields.yml",
            )
        elif source.kind == "file" and list(source.fields.values()).index(field) != list(source.fields).index(key):
            yield at(document, ("fields", key), f"another column is read as {field!r} already", "one column per field")
        if key in source.ignore:
            yield at(document, ("ignore",), f"{key!r} is both read and ignored", "one of both")
    for field, value in source.defaults.items():
        if field not in fields.fields:
            yield at(
                document,
                ("defaults", field),
                f"there is no field {field!r}{suggest(field, fields.fields)}",
                "a field of fields.yml",
            )
        elif fields.fields[field].choices and value.casefold() not in _choices(fields.fields[field]):
            yield at(document, ("defaults", field), f"found {value!r}", ", ".join(fields.fields[field].choices))
    if source.timezone is not None and not is_zone(source.timezone):
        yield at(document, ("timezone",), f"found {source.timezone!r}", "a zone of the IANA list, e.g. Europe/Sofia")
    if source.encoding is not None and not _is_encoding(source.encoding):
        yield at(
            document, ("encoding",), f"found {source.encoding!r}", "an encoding that Python knows, e.g. utf-8 or cp1252"
        )
    if source.attachments is not None:
        yield from _lint_attachments(source, source.attachments, document, kinds)


def _lint_attachments(
    source: SourceRules, name: str, document: Document, kinds: Mapping[str, str]
) -> Iterator[Finding]:
    if source.kind != "mailbox":
        yield at(document, ("attachments",), f"a source of kind {source.kind} brings none", "sources of kind mailbox")
    elif name not in kinds:
        files = sorted(other for other, kind in kinds.items() if kind == "file")
        yield at(document, ("attachments",), f"there is no source {name!r}{suggest(name, files)}", ", ".join(files))
    elif kinds[name] != "file":
        yield at(document, ("attachments",), f"{name!r} is of kind {kinds[name]}", "a source of kind file")


def is_zone(name: str) -> bool:
    """Whether the time zone database has a zone of that name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _lint_team(team: str, path: KeyPath, document: Document, teams: Teams) -> Iterator[Finding]:
    if team not in teams.teams:
        yield at(document, path, f"there is no team {team!r}{suggest(team, teams.teams)}", ", ".join(teams.teams))


def _lint_person(person: str, path: KeyPath, document: Document, teams: Teams) -> Iterator[Finding]:
    if person not in teams.people:
        yield at(
            document, path, f"there is no person {person!r}{suggest(person, teams.people)}", ", ".join(teams.people)
        )
    elif not teams.people[person].active:
        yield at(document, path, f"{person!r} is not active and is given no leads", warn=True)


def _unreachable(rules: tuple[RoutingRule, ...], document: Document) -> Iterator[Finding]:
    for earlier, later in combinations(range(len(rules)), 2):
        if rules[earlier].when.always or rules[earlier].when == rules[later].when:
            why = f"rule {rules[later].name!r} is never reached: {rules[earlier].name!r} takes all its leads"
            yield at(document, ("rules", later), why, "a narrower rule before it", warn=True)


def _overlapping_zips(rules: tuple[RoutingRule, ...], document: Document) -> Iterator[Finding]:
    """Two rules that differ in their ZIP range only, and share ZIP codes: the first one wins, which is hardly meant."""
    ranges = [(place, *_zip_range(rule.when)) for place, rule in enumerate(rules)]
    for (_, one, rest), (later, other, remainder) in combinations(ranges, 2):
        if one and other and rest == remainder and max(one[0], other[0]) <= min(one[1], other[1]):
            shared = f"{max(one[0], other[0])} to {min(one[1], other[1])}"
            yield at(document, ("rules", later, "when"), f"ZIP codes {shared} are taken by an earlier rule", warn=True)


def _zip_range(when: Condition) -> tuple[tuple[str, str] | None, frozenset[object]]:
    """The ZIP range of a condition, and everything else it asks."""
    zips = [c for c in when.criteria if c.field == "zip" and c.operator == "between"]
    rest = frozenset([*(c for c in criteria(when) if c not in zips)])
    if len(zips) != 1:
        return None, rest
    return (str(zips[0].operand[0]), str(zips[0].operand[1])), rest


def _not_a_choice(when: Condition, fields: Fields) -> Iterator[tuple[str, str]]:
    """Values that a field with choices is compared with and cannot have; other spellings are gone by then."""
    for criterion in criteria(when):
        choices = fields.fields[criterion.field].choices if criterion.field in fields.fields else {}
        canonical = {choice.casefold() for choice in choices}
        if choices and criterion.operator in ("equals", "in"):
            wrong = [str(value) for value in criterion.operand if str(value).casefold() not in canonical]
            yield from ((value, ", ".join(choices)) for value in wrong)


def _choices(rules: FieldRules) -> set[str]:
    spellings: Mapping[str, list[str]] = rules.choices
    return {word.casefold() for value, others in spellings.items() for word in (value, *others)}


def _is_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True
