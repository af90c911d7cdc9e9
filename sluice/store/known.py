"""What the store knows about the people and companies of a slice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from sluice import schema
from sluice.batch import cells
from sluice.errors import BrokenPromise
from sluice.matching.companies import Company, CompanyClaim, names_alike
from sluice.matching.facts import Known
from sluice.matching.keys import company_keys, letters_alike
from sluice.matching.persons import Person
from sluice.matching.rules import CompanyRules, MatchingRules
from sluice.matching.survivorship import STRICTEST, Golden, Rank
from sluice.rules import SourceRules
from sluice.store.queries import rows, table
from sluice.store.tables import array_text

FAMILIAR_TRUST = 50
"""Trust of a source that is no longer declared: the default of a declared one."""


def gather(
    connection: Connection, leads: pd.DataFrame, sources: Mapping[str, SourceRules], rules: MatchingRules
) -> Known:
    """Leads and companies that the rows of a slice may turn out to be, and numbers for those that are new.

    Args:
        connection: in the load transaction, after the slice lock.
        leads: keyed leads (`identity_key`, `person_key`, `company_key`, `company_domain`).
        sources: declared sources, for their trust.
    """
    if leads.empty:
        return Known()
    claims = int(leads["company_key"].count())
    taken = rows(connection, "ids_take", leads=len(leads), companies=claims)[0]
    companies, alike = _companies(connection, leads, rules.companies)
    return Known(
        persons=_persons(connection, leads, sources),
        companies=companies,
        alike=alike,
        new_lead_ids=range(taken["first_lead"], taken["first_lead"] + len(leads)),
        new_company_ids=range(taken["first_company"], taken["first_company"] + claims),
    )


def _persons(connection: Connection, leads: pd.DataFrame, sources: Mapping[str, SourceRules]) -> list[Person]:
    """Leads with the identities, or the phones and names, of rows.

    Raises:
        BrokenPromise: the query and `sluice.schema` do not name the same fields.
    """
    identities, persons = _distinct(leads["identity_key"]), _distinct(leads["person_key"])
    names, found = table(connection, "leads_known", identities=array_text(identities), persons=array_text(persons))
    if not found:
        return []
    fields = names.index("attributes") + 1
    if names[fields:] != [*schema.STORED, *STRICTEST]:
        raise BrokenPromise("leads_known leaves out a field of leads, or has another order")
    known = {row[0]: _person(row[:fields], zip(names[fields:], row[fields:], strict=True), sources) for row in found}
    for change in rows(connection, "leads_provenance", lead_ids=array_text(list(known))):
        golden = known[change["lead_id"]].golden
        golden.ranks[change["field"]] = _rank_of(change, sources)
    return list(known.values())


def _person(about: Sequence[Any], fields: Iterable[tuple[str, Any]], sources: Mapping[str, SourceRules]) -> Person:
    """A lead from the first columns of `leads_known` and its fields."""
    lead_id, identity_key, person_key, receipt_id, row, stated_at, source, kind, *states, attributes = about
    is_open, is_flagged, owner, team, band = states
    values = {name: value for name, value in fields if value is not None}
    if attributes:
        values |= attributes
    rank = Rank(kind == "manual", _trust(source, sources), stated_at, receipt_id, row)
    return Person(
        lead_id=lead_id,
        identity_key=identity_key,
        person_key=person_key,
        golden=Golden(values, rank),
        origin=(receipt_id, row),
        is_open=is_open,
        is_flagged=is_flagged,
        owner=owner,
        team=team,
        band=band,
    )


def _rank_of(change: Mapping[str, Any], sources: Mapping[str, SourceRules]) -> Rank:
    trust = _trust(change["source"], sources)
    return Rank(change["kind"] == "manual", trust, change["occurred_at"], change["receipt_id"], change["row_number"])


def _trust(source: str, sources: Mapping[str, SourceRules]) -> int:
    declared = sources.get(source)
    return declared.trust if declared else FAMILIAR_TRUST


def _companies(connection: Connection, leads: pd.DataFrame, rules: CompanyRules) -> tuple[list[Company], set[str]]:
    """Those that rows name exactly; and for names that nobody has yet, those that may be alike, with their names."""
    names, domains = _distinct(leads["company_key"]), _distinct(leads["company_domain"])
    if not names and not domains:
        return [], set()
    found, alike = _named(connection, names, domains), set[str]()
    known = {company.claim.canonical_name for company in found}
    if unheard := [name for name in names if name not in known]:
        _, kindred = table(connection, "companies_alike", **_kindred(unheard, rules))
        alike = {other for name, others in kindred if others for other in names_alike(name, others, rules)}
        if further := sorted(alike - known):
            found += _named(connection, further, [])
    return list({company.company_id: company for company in found}.values()), alike


def _named(connection: Connection, names: list[str], domains: list[str]) -> list[Company]:
    _, found = table(connection, "companies_known", names=array_text(names), domains=array_text(domains))
    return [
        Company(company_id, CompanyClaim(*claim), (receipt_id, row)) for company_id, *claim, receipt_id, row in found
    ]


def _kindred(names: list[str], rules: CompanyRules) -> dict[str, Any]:
    """What names that may be alike have in common with these."""
    keys = [company_keys(name, rules.key_length) for name in names]
    letters = [letters_alike(name, rules.review_from) for name in names]
    return {
        "names": array_text(names),
        "starts": array_text([start for start, _ in keys]),
        "words": array_text([word or "" for _, word in keys]),  # which no company has
        "fewest": array_text([fewest for fewest, _ in letters]),
        "most": array_text([most for _, most in letters]),
        "candidates": rules.most_candidates,
    }


def _distinct(keys: pd.Series) -> list[str]:
    """The keys that there are, each once, in their order."""
    found = dict.fromkeys(cells(keys))
    found.pop(None, None)
    return list(found)
