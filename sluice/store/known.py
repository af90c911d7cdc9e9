"""What the store knows about the people and companies of a slice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from sluice import schema
from sluice.matching.companies import Company, CompanyClaim
from sluice.matching.facts import Known
from sluice.matching.keys import COMPANY_CLAIM, company_keys
from sluice.matching.persons import Person
from sluice.matching.rules import MatchingRules
from sluice.matching.survivorship import STRICTEST, Golden, Rank
from sluice.rules import SourceRules
from sluice.store.queries import rows

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
    return Known(
        persons=_persons(connection, leads, sources),
        companies=_companies(connection, leads, rules),
        new_lead_ids=_take(connection, "lead_ids_take", len(leads)),
        new_company_ids=_take(connection, "company_ids_take", len(leads[COMPANY_CLAIM].drop_duplicates())),
    )


def _persons(connection: Connection, leads: pd.DataFrame, sources: Mapping[str, SourceRules]) -> list[Person]:
    found = rows(
        connection,
        "leads_known",
        identities=leads["identity_key"].unique().tolist(),
        persons=leads["person_key"].dropna().unique().tolist(),
    )
    if not found:
        return []
    persons = {row["lead_id"]: _person(row, sources) for row in found}
    for change in rows(connection, "leads_provenance", lead_ids=list(persons)):
        golden = persons[change["lead_id"]].golden
        golden.ranks[change["field"]] = _rank(change, change["occurred_at"], sources)
    return list(persons.values())


def _person(row: Mapping[str, Any], sources: Mapping[str, SourceRules]) -> Person:
    values = {name: row[name] for name in (*schema.STORED, *STRICTEST)} | (row["attributes"] or {})
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
    return Rank(row["kind"] == "manual", trust, pd.Timestamp(stated_at), row["receipt_id"], row["row_number"])


def _companies(connection: Connection, leads: pd.DataFrame, rules: MatchingRules) -> list[Company]:
    names = leads["company_key"].dropna().unique().tolist()
    keys = {key for name in names for key in company_keys(name, rules.companies.key_length)}
    found = rows(
        connection,
        "companies_known",
        domains=leads["company_domain"].dropna().unique().tolist(),
        names=names,
        keys=sorted(keys),
    )
    return [
        Company(
            company_id=row["company_id"],
            claim=CompanyClaim(
                name=row["name"],
                canonical_name=row["canonical_name"],
                legal_class=row["legal_class"],
                domain=row["domain"],
                country=row["country"],
            ),
            origin=(row["receipt_id"], row["row_number"]),
        )
        for row in found
    ]


def _take(connection: Connection, name: str, many: int) -> list[int]:
    return [row["id"] for row in rows(connection, name, many=many)] if many else []
