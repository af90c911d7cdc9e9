"""What the store knows about the people and companies of a slice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from sluice import schema
from sluice.batch import cells
from sluice.matching.companies import Company, CompanyClaim, names_alike
from sluice.matching.facts import Known
from sluice.matching.keys import company_keys, letters_alike
from sluice.matching.persons import Person
from sluice.matching.rules import CompanyRules, MatchingRules
from sluice.matching.survivorship import STRICTEST, Golden, Rank
from sluice.rules import SourceRules
from sluice.store.queries import rows
from sluice.store.tables import array_text

FAMILIAR_TRUST = 50
"""Trust of a source that is no longer declared: the default of a declared one."""

_FIELDS = (*schema.STORED, *STRICTEST)


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
    return Known(
        persons=_persons(connection, leads, sources),
        companies=_companies(connection, leads, rules.companies),
        new_lead_ids=range(taken["first_lead"], taken["first_lead"] + len(leads)),
        new_company_ids=range(taken["first_company"], taken["first_company"] + claims),
    )


def _persons(connection: Connection, leads: pd.DataFrame, sources: Mapping[str, SourceRules]) -> list[Person]:
    identities, persons = _distinct(leads["identity_key"]), _distinct(leads["person_key"])
    found = rows(connection, "leads_known", identities=array_text(identities), persons=array_text(persons))
    if not found:
        return []
    known = {row["lead_id"]: _person(row, sources) for row in found}
    for change in rows(connection, "leads_provenance", lead_ids=list(known)):
        golden = known[change["lead_id"]].golden
        golden.ranks[change["field"]] = _rank(change, change["occurred_at"], sources)
    return list(known.values())


def _person(row: Mapping[str, Any], sources: Mapping[str, SourceRules]) -> Person:
    values = {name: row[name] for name in _FIELDS if row[name] is not None} | (row["attributes"] or {})
    return Person(
        lead_id=row["lead_id"],
        identity_key=row["identity_key"],
        person_key=row["person_key"],
        golden=Golden(values, _rank(row, row["stated_at"], sources)),
        origin=(row["receipt_id"], row["row_number"]),
        is_open=row["is_open"],
        is_flagged=row["is_flagged"],
        owner=row["owner"],
        team=row["team"],
        band=row["band"],
    )


def _rank(row: Mapping[str, Any], stated_at: Any, sources: Mapping[str, SourceRules]) -> Rank:
    source = sources.get(row["source"])
    trust = source.trust if source else FAMILIAR_TRUST
    return Rank(row["kind"] == "manual", trust, stated_at, row["receipt_id"], row["row_number"])


def _companies(connection: Connection, leads: pd.DataFrame, rules: CompanyRules) -> list[Company]:
    """Those that rows name exactly; and for names that nobody has yet, those that may be alike."""
    names, domains = _distinct(leads["company_key"]), _distinct(leads["company_domain"])
    if not names and not domains:
        return []
    found = rows(connection, "companies_known", names=array_text(names), domains=array_text(domains))
    known = {row["canonical_name"] for row in found}
    if unheard := [name for name in names if name not in known]:
        kindred = rows(connection, "companies_alike", **_kindred(unheard, rules))
        alike = {other for row in kindred for other in names_alike(row["canonical_name"], row["others"], rules)} - known
        if alike:
            found += rows(connection, "companies_known", names=array_text(sorted(alike)), domains="{}")
    return list({row["company_id"]: _company(row) for row in found}.values())


def _kindred(names: list[str], rules: CompanyRules) -> dict[str, Any]:
    """What names that may be alike have in common with these."""
    keys = [company_keys(name, rules.key_length) for name in names]
    letters = [letters_alike(name, rules.review_from) for name in names]
    return {
        "names": array_text(names),
        "starts": array_text([start for start, _ in keys]),
        "words": [word for _, word in keys],
        "fewest": [fewest for fewest, _ in letters],
        "most": [most for _, most in letters],
        "candidates": rules.most_candidates,
    }


def _company(row: Mapping[str, Any]) -> Company:
    claim = CompanyClaim(row["name"], row["canonical_name"], row["legal_class"], row["domain"], row["country"])
    return Company(row["company_id"], claim, (row["receipt_id"], row["row_number"]))


def _distinct(keys: pd.Series) -> list[str]:
    """The keys that there are, each once, in their order."""
    found = dict.fromkeys(cells(keys))
    found.pop(None, None)
    return list(found)
