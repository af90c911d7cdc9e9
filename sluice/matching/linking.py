"""Rows to companies: each distinct claim of a batch is judged once, in row order."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sluice.batch import cells
from sluice.matching.companies import DETAILS, Company, CompanyClaim, CompanyRegistry, judge_company
from sluice.matching.facts import Circumstances, Decision, Findings, Known
from sluice.matching.keys import COMPANY_CLAIM

Stated = tuple[str | None, str | None, str | None, str | None]
"""A row's cells of `COMPANY_CLAIM`."""


def link_companies(
    leads: pd.DataFrame, known: Known, about: Circumstances, findings: Findings
) -> tuple[list[int | None], list[bool]]:
    """The company of every lead.

    Returns:
        Per lead the number of its company, None where it names none, and whether the row made the company.
    """
    claims: list[Stated] = list(zip(*(cells(leads[name]) for name in COMPANY_CLAIM), strict=True))
    firsts = {stated: place for place, stated in reversed(list(enumerate(claims)))}
    judge = _Judge(leads, known, about, findings)
    found: dict[Stated, int | None] = {}
    makes = [False] * len(claims)
    for stated, place in sorted(firsts.items(), key=lambda first: first[1]):
        company = judge.company(stated, place)
        found[stated] = company and company.company_id
        makes[place] = company is not None and company.origin == judge.origin(place)
    findings.companies += [company for company in known.companies if company.learned_domain]
    return [found[stated] for stated in claims], makes


class _Judge:
    """Judges the claims of one batch; remembers the companies it made."""

    def __init__(self, leads: pd.DataFrame, known: Known, about: Circumstances, findings: Findings) -> None:
        self._about, self._findings = about, findings
        self._rules = about.rules.companies
        self._registry = CompanyRegistry.of(known.companies, self._rules)
        self._fresh_ids: Iterator[int] = iter(known.new_company_ids)
        self._rows, self._names = cells(leads["row"]), cells(leads["company"])
        self._details = {name: cells(leads[name]) for name in DETAILS if leads[name].notna().any()}

    def origin(self, place: int) -> tuple[int, int]:
        """Receipt and number of a row."""
        return self._about.receipt_id, self._rows[place]

    def company(self, stated: Stated, place: int) -> Company | None:
        """The company that a claim means; None where it has neither a name nor a domain that is known."""
        canonical_name, legal_class, domain, country = stated
        known = self._registry.by_domain.get(domain or "")
        if canonical_name is None or (known is not None and known.claim.canonical_name == canonical_name):
            return known
        claim = CompanyClaim(self._names[place] or canonical_name, canonical_name, legal_class, domain, country)
        fresh = Company(0, claim, self.origin(place), is_new=True)
        verdict = judge_company(claim, fresh, self._registry, self._rules)
        company = verdict.company
        if company is fresh:
            company.company_id = next(self._fresh_ids)
            company.details = {name: column[place] for name, column in self._details.items()}
            self._findings.companies.append(company)
        compared = verdict.suspect or (company if verdict.score < 100 and company is not fresh else None)
        if compared is not None:
            explanation = {"rule": verdict.rule, "ours": canonical_name, "theirs": compared.claim.canonical_name}
            judged, score = "unsure" if verdict.suspect else "same", round(verdict.score, 1)
            self._findings.decisions.append(
                Decision("company", self._rows[place], compared.origin, judged, score, explanation)
            )
        return company
