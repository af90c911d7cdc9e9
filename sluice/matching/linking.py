"""Rows to companies: each distinct claim of a batch is judged once, in row order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from sluice.matching.companies import DETAILS, Company, CompanyClaim, CompanyRegistry, judge_company
from sluice.matching.facts import Circumstances, Decision, Findings, Known
from sluice.matching.keys import COMPANY_CLAIM


def link_companies(
    leads: pd.DataFrame, known: Known, about: Circumstances, findings: Findings
) -> tuple[pd.Series, pd.Series]:
    """The company of every lead.

    Returns:
        `company_id` per lead (Int64, NA where it names none), and whether the row made the company (bool).
    """
    stated = leads[leads["company_key"].notna() | leads["company_domain"].notna()]
    groups = stated.groupby(COMPANY_CLAIM, dropna=False, sort=False).ngroup()
    firsts = stated[~groups.duplicated()]
    registry = CompanyRegistry.of(known.companies, about.rules.companies)
    domains = {company.company_id: company.domain for company in known.companies}
    fresh_ids = iter(known.new_company_ids)
    found: dict[int, int] = {}
    makers: list[int] = []
    for group, record in zip(groups[firsts.index], _records(firsts), strict=True):
        company = _company(record, registry, fresh_ids, about, findings)
        if company is None:
            continue
        found[group] = company.company_id
        if company.origin == (about.receipt_id, record["row"]):
            makers.append(record["row"])
    findings.companies += [c for c in known.companies if c.domain != domains[c.company_id]]
    numbers = pd.Series(pd.NA, index=leads.index, dtype="Int64")
    numbers.loc[stated.index] = groups.map(found).astype("Int64")
    return numbers, leads["row"].isin(makers)


def _records(firsts: pd.DataFrame) -> list[dict[str, Any]]:
    table = firsts[["company", *COMPANY_CLAIM, *DETAILS, "row"]].astype(object)
    return table.where(table.notna(), None).to_dict("records")  # pyright: ignore[reportReturnType] -- keys are names


def _company(
    record: Mapping[str, Any],
    registry: CompanyRegistry,
    fresh_ids: Iterator[int],
    about: Circumstances,
    findings: Findings,
) -> Company | None:
    if record["company_key"] is None:
        return registry.by_domain.get(record["company_domain"])
    claim = CompanyClaim(
        name=record["company"] or record["company_key"],
        canonical_name=record["company_key"],
        legal_class=record["legal_class"],
        domain=record["company_domain"],
        country=record["country"],
        details={name: record[name] for name in DETAILS},
    )
    fresh = Company(0, claim, (about.receipt_id, record["row"]), is_new=True)
    verdict = judge_company(claim, fresh, registry, about.rules.companies)
    company = verdict.company
    if company is fresh:
        company.company_id = next(fresh_ids)
        findings.companies.append(company)
    compared = verdict.suspect or (company if verdict.score < 100 and company is not fresh else None)
    if compared is not None:
        explanation = {"rule": verdict.rule, "ours": claim.canonical_name, "theirs": compared.claim.canonical_name}
        judged = "unsure" if verdict.suspect else "same"
        score = round(verdict.score, 1)
        findings.decisions.append(Decision("company", record["row"], compared.origin, judged, score, explanation))
    return company
