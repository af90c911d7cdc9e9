"""The step `dedupe`: every row of a batch finds its person and its company, and the surviving values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from sluice import schema
from sluice.batch import Batch
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
    leads = batch.leads.assign(**{f"own_{name}": batch.leads[name] for name in schema.OWN_WORDS})
    findings = Findings()
    leads["company_id"], makes_company = link_companies(leads, known, about, findings)
    if about.source.organisation_only:
        leads = leads.assign(lead_id=None, is_last=False, is_new_lead=False, known_owner=None, known_band=None)
        leads["outcome"] = makes_company.map({True: "created", False: "unchanged"})
        leads["lead_id"] = leads["lead_id"].astype("Int64")
    else:
        leads = _persons(leads, known, about, findings)
    schema.check(leads, "dedupe")
    return batch.with_leads(leads), findings


def _persons(leads: pd.DataFrame, known: Known, about: Circumstances, findings: Findings) -> pd.DataFrame:
    registry = Registry.of(known.persons)
    leads["lead_id"] = pd.array(known.new_lead_ids[: len(leads)], dtype="Int64")
    leads["outcome"] = "created"
    leads["is_new_lead"] = True
    leads["known_owner"] = pd.Series(None, index=leads.index, dtype="str")
    leads["known_band"] = pd.Series(None, index=leads.index, dtype="str")
    meeting = leads[_may_be_known(leads, known.persons)]
    folded: list[dict[str, Any]] = []
    for claim, row in _claims(meeting, about):
        verdict = judge(claim, registry, about.rules.persons, about.source.on_match)
        changes = _folded(verdict, claim)
        if changes:
            registry.learn(verdict.person, claim.person_key)
        findings.changes += [(row, verdict.person.lead_id, change) for change in changes]
        folded.append(_become(verdict, claim, row, findings, is_changed=bool(changes)))
    if folded:
        for column in sorted({name for values in folded for name in values} & set(leads.columns)):
            leads[column] = _with(leads[column], meeting.index, [values.get(column) for values in folded])
    leads["is_last"] = ~leads["lead_id"].duplicated(keep="last")
    return leads


def _may_be_known(leads: pd.DataFrame, persons: Sequence[Person]) -> pd.Series:
    identity, person = leads["identity_key"], leads["person_key"]
    return (
        identity.duplicated(keep=False)
        | identity.isin([p.identity_key for p in persons])
        | (person.notna() & (person.duplicated(keep=False) | person.isin([p.person_key for p in persons])))
    )


def _claims(rows: pd.DataFrame, about: Circumstances) -> Iterable[tuple[Claim, int]]:
    columns = ["row", "lead_id", "identity_key", "person_key", "email_key", "created_at", "extra"]
    fields = [*schema.STORED, *STRICTEST, *about.attributes]
    table = rows[[*columns, *fields]].astype(object)
    for cells in table.where(table.notna(), None).itertuples(index=False, name=None):
        row, lead_id, identity_key, person_key, email_key, stated_at, extra = cells[: len(columns)]
        said = dict(zip(fields, cells[len(columns) :], strict=True))
        is_edit = about.source.kind == "manual"
        rank = Rank(is_edit, about.source.trust, stated_at or about.occurred_at, about.receipt_id, row)
        golden = Golden(dict(said), rank)
        new = Person(lead_id, identity_key, person_key, golden, (about.receipt_id, row), is_new=True, extra=extra)
        yield Claim(identity_key, person_key, email_key, said, new), row


def _folded(verdict: Verdict, claim: Claim) -> list[Change]:
    """What the row changes in the lead it touches."""
    golden, rank = verdict.person.golden, claim.new.golden.base
    if verdict.outcome in ("met", "reopened"):
        return fold(golden, claim.values, rank)
    if verdict.outcome == "touched":
        return fold(golden, {name: claim.values[name] for name in STRICTEST}, rank)
    return []


def _become(verdict: Verdict, claim: Claim, row: int, findings: Findings, *, is_changed: bool) -> dict[str, Any]:
    """Notes a verdict; the lead's surviving values for the row."""
    person = verdict.person
    findings.persons[person.lead_id] = person
    if verdict.other is not None:
        explanation = {"rule": verdict.rule, "key": claim.identity_key.partition(":")[0]}
        findings.decisions.append(Decision("person", row, verdict.other.origin, verdict.verdict, None, explanation))
    outcome = verdict.outcome if verdict.outcome in ("created", "flagged") else "updated" if is_changed else "unchanged"
    return {
        **person.golden.values,
        "lead_id": person.lead_id,
        "identity_key": person.identity_key,
        "person_key": person.person_key,
        "extra": person.extra,
        "outcome": "updated" if verdict.outcome == "reopened" else outcome,
        "is_new_lead": person.is_new,
        "known_owner": person.owner,
        "known_band": person.band,
    }


def _with(column: pd.Series, where: pd.Index, survived: list[Any]) -> pd.Series:
    """`column` with the values at some places replaced, its dtype kept; the very column if none differs."""
    said = column[where].astype(object)
    if said.where(said.notna(), None).tolist() == survived:
        return column
    merged = column.astype(object)
    merged[where] = pd.Series(survived, index=where, dtype=object)
    return merged.astype(column.dtype)
