"""Who a row is: a new lead, a known one, or one that a person must judge (S002-38, S000-26, S000-27).

Rows are decided one after the other, in row order, as if each came alone, so that a file, its slices and five files in
five minutes all come to the same end. Only rows that could be somebody known are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sluice.matching.rules import PersonRules
from sluice.matching.survivorship import Golden
from sluice.rules import MatchPolicy


@dataclass(slots=True)
class Person:
    """A lead, known to the store or made by an earlier row.

    Attributes:
        lead_id: its number.
        identity_key, person_key: keys it is found under.
        golden: its surviving values.
        origin: receipt and row of the touch that created it.
        is_new: made by this batch.
        extra: of a new one: what its row has in columns that nobody declared.
    """

    lead_id: int
    identity_key: str
    person_key: str | None
    golden: Golden
    origin: tuple[int, int]
    is_open: bool = True
    is_flagged: bool = False
    is_new: bool = False
    owner: str | None = None
    team: str | None = None
    band: str | None = None
    flagged_of: int | None = None
    previous_lead_id: int | None = None
    rekeyed: bool = False
    was_closed: bool = False
    extra: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a row's person was found to be.

    Attributes:
        person: the lead that the row touches.
        outcome: created, flagged, or met (an earlier lead met again).
        rule: which rule found it, in words.
        other: the lead it was compared with, when there was one.
        verdict: same, unsure, or "" when nobody was found.
    """

    person: Person
    outcome: str
    rule: str
    other: Person | None = None
    verdict: str = ""


@dataclass
class Registry:
    """The leads that rows of a batch may meet, by the keys they are found under."""

    by_identity: dict[str, Person] = field(default_factory=dict[str, Person])
    flagged: dict[str, Person] = field(default_factory=dict[str, Person])
    closed: dict[str, Person] = field(default_factory=dict[str, Person])
    by_person: dict[str, list[Person]] = field(default_factory=dict[str, list[Person]])

    @classmethod
    def of(cls, persons: Iterable[Person]) -> Registry:
        """A registry of leads known to the store; the youngest of several closed ones counts."""
        registry = cls()
        for person in sorted(persons, key=lambda p: p.lead_id):
            registry.add(person)
        return registry

    def add(self, person: Person) -> None:
        """Files a lead under its keys."""
        shelf = self.closed if not person.is_open else self.flagged if person.is_flagged else self.by_identity
        shelf[person.identity_key] = person
        if person.person_key and person.is_open and not person.is_flagged:
            self.by_person.setdefault(person.person_key, []).append(person)

    def learn(self, person: Person, person_key: str | None) -> None:
        """Files a lead whose phone or name was missing under both, now that a row told them."""
        if person_key and not person.person_key:
            person.person_key = person_key
            if person.is_open and not person.is_flagged:
                self.by_person.setdefault(person_key, []).append(person)

    def rekey(self, person: Person, identity_key: str) -> None:
        """Files a lead that had no e-mail under the e-mail that it has now."""
        self.by_identity.pop(person.identity_key, None)
        person.identity_key, person.rekeyed = identity_key, True
        self.by_identity[identity_key] = person


@dataclass(frozen=True, slots=True)
class Claim:
    """What a row says of its person."""

    identity_key: str
    person_key: str | None
    email_key: str | None
    values: Mapping[str, Any]  # without those that are missing
    new: Person  # the lead it becomes if nobody is found


def judge(claim: Claim, registry: Registry, rules: PersonRules, policy: MatchPolicy) -> Verdict:
    """Finds the lead that a row belongs to, or makes it a new one; the registry learns of it.

    Exact identity first; then phone + full name, which merges only if at most one side has a valid e-mail and exactly
    one lead answers to it; else the row's lead is flagged for a person to judge.
    """
    if (known := registry.by_identity.get(claim.identity_key)) is not None:
        return _met_open(claim, known, registry, policy, "same identity")
    if (known := registry.flagged.get(claim.identity_key)) is not None:
        return Verdict(known, "met", "same identity as a flagged lead", known, "same")
    verdict = _by_phone_and_name(claim, registry, rules, policy)
    if verdict is not None:
        return verdict
    if (known := registry.closed.get(claim.identity_key)) is not None:
        return _met_closed(claim, known, registry, policy)
    registry.add(claim.new)
    return Verdict(claim.new, "created", "nobody like this was known")


def _by_phone_and_name(claim: Claim, registry: Registry, rules: PersonRules, policy: MatchPolicy) -> Verdict | None:
    namesakes = registry.by_person.get(claim.person_key or "", [])
    if not namesakes or rules.phone_and_name == "off":
        return None
    same = [known for known in namesakes if not (claim.email_key and _email_key(known))]
    if len(same) == 1 and rules.phone_and_name == "merge":
        verdict = _met_open(claim, same[0], registry, policy, "same phone and full name")
        if verdict.outcome == "met" and claim.email_key and not _email_key(same[0]):
            registry.rekey(same[0], claim.identity_key)
        return verdict
    return _flag(claim, namesakes[0], registry, "same phone and full name, but another e-mail")


def _met_open(claim: Claim, known: Person, registry: Registry, policy: MatchPolicy, rule: str) -> Verdict:
    if policy.open == "flag":
        return _flag(claim, known, registry, rule)
    return Verdict(known, "met" if policy.open == "update" else "touched", rule, known, "same")


def _met_closed(claim: Claim, known: Person, registry: Registry, policy: MatchPolicy) -> Verdict:
    if policy.closed == "touch_only":
        return Verdict(known, "touched", "same identity as a closed lead", known, "same")
    if policy.closed == "reopen":
        registry.closed.pop(known.identity_key)
        known.is_open, known.was_closed = True, True
        registry.add(known)
        return Verdict(known, "reopened", "same identity as a closed lead", known, "same")
    claim.new.previous_lead_id = known.lead_id
    claim.new.owner, claim.new.team = known.owner, known.team
    registry.add(claim.new)
    return Verdict(claim.new, "created", "a new enquiry of a person known from a closed lead", known, "same")


def _flag(claim: Claim, known: Person, registry: Registry, rule: str) -> Verdict:
    person = claim.new
    person.is_flagged, person.flagged_of = True, known.lead_id
    person.owner, person.team = known.owner, known.team
    registry.add(person)
    return Verdict(person, "flagged", rule, known, "unsure")


def _email_key(person: Person) -> str | None:
    kind, _, rest = person.identity_key.partition(":")
    return rest.partition("|")[0] if kind == "mail" else None
