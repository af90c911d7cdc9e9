"""Which company a row belongs to: by its own domain, by its canonical name, or by a name like it (S000-26, S002-38).

A likeness links companies or asks a person; it never merges two people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from sluice.matching.keys import company_keys
from sluice.matching.rules import CompanyRules

DETAILS = ("street", "city", "state", "zip", "phone", "website", "external_id")
"""Further columns of `companies`."""


@dataclass(frozen=True)
class CompanyClaim:
    """What a row says of its organisation; `details` are kept, but do not decide."""

    name: str
    canonical_name: str
    legal_class: str | None
    domain: str | None
    country: str | None
    details: Mapping[str, str | None] = field(default_factory=dict[str, str | None])

    @property
    def identity_key(self) -> str:
        """Everything that may tell two companies of one name apart."""
        return "|".join((self.canonical_name, self.legal_class or "", self.country or "", self.domain or ""))


@dataclass
class Company:
    """An organisation, known to the store or made by an earlier row."""

    company_id: int
    claim: CompanyClaim
    origin: tuple[int, int]
    is_new: bool = False
    learned_domain: str | None = None

    @property
    def domain(self) -> str | None:
        """Its own domain, stated at first or learned since."""
        return self.learned_domain or self.claim.domain


@dataclass(frozen=True)
class CompanyVerdict:
    """The company of a row, and how it was found; `suspect` is a much-alike one that a person should compare."""

    company: Company
    rule: str
    score: float
    suspect: Company | None = None


@dataclass
class CompanyRegistry:
    """The companies that rows of a batch may belong to, by the keys they are found under."""

    by_domain: dict[str, Company] = field(default_factory=dict[str, Company])
    by_name: dict[str, list[Company]] = field(default_factory=dict[str, list[Company]])
    by_key: dict[str, list[Company]] = field(default_factory=dict[str, list[Company]])

    @classmethod
    def of(cls, companies: Iterable[Company], rules: CompanyRules) -> CompanyRegistry:
        """A registry of companies known to the store."""
        registry = cls()
        for company in sorted(companies, key=lambda c: c.company_id):
            registry.add(company, rules)
        return registry

    def add(self, company: Company, rules: CompanyRules) -> None:
        """Files a company under its keys."""
        if company.domain:
            self.by_domain.setdefault(company.domain, company)
        self.by_name.setdefault(company.claim.canonical_name, []).append(company)
        for key in company_keys(company.claim.canonical_name, rules.key_length):
            self.by_key.setdefault(key, []).append(company)


def judge_company(
    claim: CompanyClaim, fresh: Company, registry: CompanyRegistry, rules: CompanyRules
) -> CompanyVerdict:
    """Finds the company that a claim means, or makes it a new one; the registry learns of it.

    Args:
        claim: with a canonical name of at least one letter.
        fresh: the company it becomes if none is found.
    """
    known = registry.by_domain.get(claim.domain or "")
    if known is not None and _alike(claim, known) >= rules.review_from:
        return CompanyVerdict(known, "same domain", 100)
    for known in registry.by_name.get(claim.canonical_name, []):
        if not _contradicts(claim, known):
            _learn(known, claim, registry)
            return CompanyVerdict(known, "same canonical name", 100)
    best, score = _most_alike(claim, registry, rules)
    if best is not None and score >= rules.link_from and not _contradicts(claim, best):
        _learn(best, claim, registry)
        return CompanyVerdict(best, "much the same name", score)
    registry.add(fresh, rules)
    suspect = best if best is not None and score >= rules.review_from else None
    return CompanyVerdict(fresh, "no company like this was known", score, suspect)


def _alike(claim: CompanyClaim, known: Company) -> float:
    """Similarity in percent; a name within the other ("Acme" in "Acme Logistics") counts fully under one domain."""
    return max(fuzz.token_set_ratio(claim.canonical_name, known.claim.canonical_name), 0)


def _contradicts(claim: CompanyClaim, known: Company) -> bool:
    pairs = (
        (claim.domain, known.domain),
        (claim.country, known.claim.country),
        (claim.legal_class, known.claim.legal_class),
    )
    return any(ours and theirs and ours != theirs for ours, theirs in pairs)


def _most_alike(claim: CompanyClaim, registry: CompanyRegistry, rules: CompanyRules) -> tuple[Company | None, float]:
    best: Company | None = None
    score = 0.0
    seen: set[int] = set()
    for key in company_keys(claim.canonical_name, rules.key_length):
        for candidate in registry.by_key.get(key, [])[: rules.most_candidates]:
            if candidate.company_id in seen:
                continue
            seen.add(candidate.company_id)
            likeness = fuzz.ratio(
                claim.canonical_name, candidate.claim.canonical_name, score_cutoff=max(score, rules.review_from)
            )
            if likeness > score and _digits(claim.canonical_name) == _digits(candidate.claim.canonical_name):
                best, score = candidate, likeness
    return best, score


def _learn(known: Company, claim: CompanyClaim, registry: CompanyRegistry) -> None:
    if claim.domain and not known.domain:
        known.learned_domain = claim.domain
        registry.by_domain.setdefault(claim.domain, known)


def _digits(name: str) -> list[str]:
    return [token for token in name.split() if any(letter.isdigit() for letter in token)]
