"""The step `dedupe`: every row of a batch finds its person and its company, and the surviving values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sluice import schema
from sluice.batch import Batch, cells, column_of
from sluice.distinct import as_arrow
from sluice.matching.facts import Circumstances, Decision, Findings, Known
from sluice.matching.linking import link_companies
from sluice.matching.persons import Claim, Person, Registry, Verdict, judge
from sluice.matching.survivorship import STRICTEST, Change, Golden, Rank, fold


def dedupe(batch: Batch, known: Known, about: Circumstances) -> tuple[Batch, Findings]:
    """Finds who and which company every lead is; afterwards its fields hold the lead's surviving values.

    Args:
        batch: keyed (`sluice.matching.keys.keyed`).

    Returns:
        The batch with `schema.STEP_COLUMNS["dedupe"]`, and the findings. A source of organisations only has companies
        and no leads: `lead_id` stays NA (`SourceRules.organisation_only`).
    """
    leads, findings = batch.leads, Findings()
    company_ids, makes_company = link_companies(leads, known, about, findings)
    found = _Found.nobody(len(leads), known, company_ids)
    if about.source.organisation_only:
        found.lead_ids[:], found.is_new[:] = 0, False
        found.outcomes[~makes_company] = "unchanged"
    else:
        _meet(leads, known, about, (found, findings))
    own = {f"own_{name}": leads[name] for name in schema.OWN_WORDS}
    batch = batch.with_columns(own | found.columns(leads))
    schema.check(batch.leads, "dedupe")
    return batch, findings


@dataclass
class _Found:
    """What was found of each lead of a batch, in their order.

    Attributes:
        lead_ids, company_ids: 0 where there is none.
        outcomes: text.
        met: lead → the last of its rows that was looked at: place, what it says, whose it is.
    """

    lead_ids: np.ndarray
    company_ids: np.ndarray
    outcomes: np.ndarray
    is_new: np.ndarray
    met: dict[int, tuple[int, Claim, Person]] = field(default_factory=dict[int, tuple[int, Claim, Person]])

    @classmethod
    def nobody(cls, many: int, known: Known, company_ids: np.ndarray) -> _Found:
        """Every row is somebody new."""
        lead_ids = np.array(known.new_lead_ids[:many], dtype=np.int64)
        return cls(lead_ids, company_ids, np.full(many, "created", dtype=object), np.ones(many, dtype=bool))

    def note(self, place: int, verdict: Verdict, claim: Claim, *, is_changed: bool) -> None:
        """Writes down who the row at a place was found to be."""
        person = verdict.person
        outcome = "updated" if is_changed or verdict.outcome == "reopened" else "unchanged"
        self.outcomes[place] = verdict.outcome if verdict.outcome in ("created", "flagged") else outcome
        self.lead_ids[place], self.is_new[place] = person.lead_id, person.is_new
        self.company_ids[place] = person.golden.values.get("company_id") or 0
        self.met[person.lead_id] = place, claim, person

    def columns(self, leads: pd.DataFrame) -> dict[str, Any]:
        """The columns that `dedupe` adds or changes; the last row of a lead has the values that survived."""
        changed = {name: _with(leads[name], places) for name, places in self._survived().items() if name in leads}
        _, from_the_end = np.unique(self.lead_ids[::-1], return_index=True)
        is_last = np.zeros(len(leads), dtype=bool)
        is_last[len(leads) - 1 - from_the_end] = True
        before = {place: person for place, _, person in self.met.values()}
        return changed | {
            "lead_id": pd.arrays.IntegerArray(self.lead_ids, self.lead_ids == 0),
            "company_id": pd.arrays.IntegerArray(self.company_ids, self.company_ids == 0),
            "outcome": column_of(self.outcomes, "str"),
            "is_last": is_last & (self.lead_ids > 0),
            "is_new_lead": self.is_new,
            "known_owner": _sparse(len(leads), {place: person.owner for place, person in before.items()}),
            "known_band": _sparse(len(leads), {place: person.band for place, person in before.items()}),
        }

    def _survived(self) -> dict[str, dict[int, Any]]:
        """Field → place → the value that survived, where it is not what the row itself says."""
        survived = defaultdict[str, dict[int, Any]](dict[int, Any])
        for place, claim, person in self.met.values():
            if person is claim.new:
                continue
            said, golden = claim.values, person.golden.values
            for name, value in golden.items():
                if said.get(name) != value:
                    survived[name][place] = value
            for name in said:
                if name not in golden:
                    survived[name][place] = None
            for name in ("identity_key", "person_key", "extra"):
                survived[name][place] = getattr(person, name)
        return survived


def _meet(leads: pd.DataFrame, known: Known, about: Circumstances, told: tuple[_Found, Findings]) -> None:
    """Looks one by one at the rows that could be somebody known, or somebody of the batch."""
    found, findings = told
    registry, rows = Registry.of(known.persons), leads["row"].tolist()
    meeting = _may_be_known(leads, known.persons)
    for place, claim in zip(meeting, _claims(leads, meeting, found, about), strict=True):
        verdict = judge(claim, registry, about.rules.persons, about.source.on_match)
        changes = _folded(verdict, claim)
        if changes:
            registry.learn(verdict.person, claim.person_key)
        row = rows[place]
        findings.persons[verdict.person.lead_id] = verdict.person
        findings.changes += [(row, verdict.person.lead_id, change) for change in changes]
        if verdict.other is not None:
            explanation = {"rule": verdict.rule, "key": claim.identity_key.partition(":")[0]}
            findings.decisions.append(Decision("person", row, verdict.other.origin, verdict.verdict, None, explanation))
        found.note(place, verdict, claim, is_changed=bool(changes))


def _may_be_known(leads: pd.DataFrame, persons: Sequence[Person]) -> list[int]:
    """Places of the rows whose identity, or phone and name, somebody else has too."""
    meets = _is_shared(leads["identity_key"], [person.identity_key for person in persons])
    meets |= _is_shared(leads["person_key"], [person.person_key for person in persons])
    return np.flatnonzero(meets).tolist()


def _is_shared(keys: pd.Series, known: Sequence[str | None]) -> np.ndarray:
    """Which rows have a key that another row or a known lead has too; a missing one is nobody's."""
    texts = as_arrow(keys)
    encoded = pc.dictionary_encode(texts)
    places = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy()
    many = np.bincount(places, minlength=len(encoded.dictionary) + 1)
    there = pc.is_in(encoded.dictionary, value_set=pa.array(known, pa.large_string())).to_numpy(zero_copy_only=False)
    return np.append((many[:-1] > 1) | there, False)[places]


def _claims(leads: pd.DataFrame, meeting: list[int], found: _Found, about: Circumstances) -> Iterator[Claim]:
    """What the rows at some places say; a field that they leave empty is not among their values."""
    said: list[dict[str, Any]] = [{} for _ in meeting]
    for name in (*schema.STORED, *STRICTEST, *about.attributes):
        if name != "company_id" and leads[name].isna().all():
            continue
        told = (
            [i or None for i in found.company_ids[meeting].tolist()]
            if name == "company_id"
            else cells(leads[name], meeting)
        )
        for values, value in zip(said, told, strict=True):
            if value is not None:
                values[name] = value
    keys = ("row", "identity_key", "person_key", "email_key", "created_at", "extra")
    is_edit, trust = about.source.kind == "manual", about.source.trust
    for place, values, cells_ in zip(
        meeting, said, zip(*(cells(leads[k], meeting) for k in keys), strict=True), strict=True
    ):
        row, identity_key, person_key, email_key, stated_at, extra = cells_
        origin = about.origins.origin(row)
        rank = Rank(is_edit, trust, stated_at or about.origins.stated_at(row), *origin)
        golden = Golden(dict(values), rank)
        new = Person(
            int(found.lead_ids[place]),
            identity_key,
            person_key,
            golden,
            origin,
            is_new=True,
            extra=extra,
        )
        yield Claim(identity_key, person_key, email_key, values, new)


def _folded(verdict: Verdict, claim: Claim) -> list[Change]:
    """What the row changes in the lead it touches."""
    golden, rank = verdict.person.golden, claim.new.golden.base
    if verdict.outcome in ("met", "reopened"):
        return fold(golden, claim.values, rank)
    if verdict.outcome == "touched":
        return fold(golden, {name: claim.values.get(name) for name in STRICTEST}, rank)
    return []


def _with(column: pd.Series, survived: dict[int, Any]) -> pd.Series:
    """`column` with the values at some places replaced, its dtype kept."""
    changed = column.array.copy()
    if column.dtype == object:
        for place, value in survived.items():
            changed[place] = value
    else:
        changed[np.fromiter(survived, dtype=np.int64)] = list(survived.values())
    return pd.Series(changed, index=column.index)


def _sparse(many: int, texts: dict[int, str | None]) -> Any:
    """A column of so many rows that has texts at few places."""
    column = np.full(many, None, dtype=object)
    column[list(texts)] = list(texts.values())
    return column_of(column, "str")
