"""Rows to companies: each distinct claim of a batch is judged once, in row order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from sluice.batch import cells
from sluice.distinct import as_arrow, joined
from sluice.matching.companies import DETAILS, Company, CompanyClaim, CompanyRegistry, judge_company
from sluice.matching.facts import Circumstances, Decision, Findings, Known
from sluice.matching.keys import COMPANY_CLAIM


def link_companies(
    leads: pd.DataFrame, known: Known, about: Circumstances, findings: Findings
) -> tuple[np.ndarray, np.ndarray]:
    """The company of every lead.

    Returns:
        Per lead the number of its company, 0 where it names none, and whether the row made the company.
    """
    firsts, which = _claims(leads)
    judge = _Judge(leads, known, about, findings)
    found: list[int] = []
    makes = np.zeros(len(leads), dtype=bool)
    claims = zip(*(cells(leads[name], firsts) for name in COMPANY_CLAIM), strict=True)
    for place, stated in zip(firsts, claims, strict=True):
        company, makes[place] = judge.company(stated, place)
        found.append(company.company_id if company else 0)
    findings.companies += [company for company in known.companies if company.learned_domain]
    return np.array(found, dtype=np.int64)[which], makes


def _claims(leads: pd.DataFrame) -> tuple[list[int], np.ndarray]:
    """The places where claims are first made, in row order, and per lead which of these claims is its own."""
    texts = [as_arrow(leads[name]).fill_null("") for name in COMPANY_CLAIM]  # no part is ever empty
    encoded = pc.dictionary_encode(joined(*texts, separator="\x1f"))  # in the order in which they come
    which = encoded.indices.to_numpy()
    _, firsts = np.unique(which, return_index=True)
    return firsts.tolist(), which


class _Judge:
    """Judges the claims of one batch; remembers the companies it made."""

    def __init__(self, leads: pd.DataFrame, known: Known, about: Circumstances, findings: Findings) -> None:
        self._about, self._findings = about, findings
        self._rules = about.rules.companies
        self._registry = CompanyRegistry.of(known.companies, known.alike, self._rules)
        self._fresh_ids: Iterator[int] = iter(known.new_company_ids)
        self._rows, self._names = leads["row"].tolist(), cells(leads["company"])
        self._details = {name: cells(leads[name]) for name in DETAILS if leads[name].notna().any()}

    def company(self, stated: tuple[str | None, ...], place: int) -> tuple[Company | None, bool]:
        """The company that a claim means, None if it has no name and no known domain; and whether the claim made it."""
        canonical_name, legal_class, domain, country = stated
        known = self._registry.by_domain.get(domain or "")
        if canonical_name is None or (known is not None and known.claim.canonical_name == canonical_name):
            return known, False
        claim = CompanyClaim(self._names[place] or canonical_name, canonical_name, legal_class, domain, country)
        fresh = Company(0, claim, self._about.origins.origin(self._rows[place]), is_new=True)
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
        return company, company is fresh
