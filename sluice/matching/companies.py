"""Which company a row belongs to: by its own domain, by its canonical name, or by a name like it (S000-26, S002-38).

A likeness links companies or asks a person; it never merges two people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from rapidfuzz import fuzz, process

from sluice.matching.keys import company_keys
from sluice.matching.rules import CompanyRules

DETAILS = ("street", "city", "state", "zip", "phone", "website", "external_id")
"""Further columns of `companies`: kept, but they do not decide."""


@dataclass(frozen=True, slots=True)
class CompanyClaim:
    """What a row says of its organisation."""

    name: str
    canonical_name: str
    legal_class: str | None
    domain: str | None
    country: str | None

    @property
    def identity_key(self) -> str:
        """Everything that may tell two companies of one name apart."""
        return "|".join((self.canonical_name, self.legal_class or "", self.country or "", self.domain or ""))


@dataclass(slots=True)
class Company:
    """An organisation, known to the store or made by an earlier row; `details` are those of a new one."""

    company_id: int
    claim: CompanyClaim
    origin: tuple[int, int]
    is_new: bool = False
    learned_domain: str | None = None
    details: Mapping[str, str | None] = field(default_factory=dict[str, str | None])

    @property
    def domain(self) -> str | None:
        """Its own domain, stated at first or learned since."""
        return self.learned_domain or self.claim.domain


@dataclass(frozen=True, slots=True)
class CompanyVerdict:
    """The company of a row, and how it was found; `suspect` is a much-alike one that a person should compare."""

    company: Company
    rule: str
    score: float
    suspect: Company | None = None


@dataclass
class Shelf:
    """Companies that share a key, in the order in which they came, and their canonical names beside them."""

    companies: list[Company] = field(default_factory=list[Company])
    names: list[str] = field(default_factory=list[str])


@dataclass
class CompanyRegistry:
    """The companies that rows of a batch may belong to, by the keys they are found under.

    On the shelves, by which a name is compared with others, are only those whose names may be like one of the batch.
    """

    by_domain: dict[str, Company] = field(default_factory=dict[str, Company])
    by_name: dict[str, list[Company]] = field(default_factory=dict[str, list[Company]])
    by_start: dict[str, Shelf] = field(default_factory=dict[str, Shelf])
    by_word: dict[str, Shelf] = field(default_factory=dict[str, Shelf])

    @classmethod
    def of(cls, companies: Iterable[Company], alike: Collection[str], rules: CompanyRules) -> CompanyRegistry:
        """A registry of companies known to the store.

        Args:
            alike: canonical names of those that may be like a name that none of them has.
        """
        registry = cls()
        for company in sorted(companies, key=attrgetter("company_id")):
            registry.file(company)
            if company.claim.canonical_name in alike:
                registry.shelve(company, rules)
        return registry

    def file(self, company: Company) -> None:
        """Files a company under its domain and its name."""
        if company.domain:
            self.by_domain.setdefault(company.domain, company)
        self.by_name.setdefault(company.claim.canonical_name, []).append(company)

    def shelve(self, company: Company, rules: CompanyRules) -> None:
        """Puts a company where those with names like its own look for it."""
        name = company.claim.canonical_name
        start, word = company_keys(name, rules.key_length)
        for shelves, key in ((self.by_start, start), (self.by_word, word)):
            if key is not None:
                shelf = shelves.setdefault(key, Shelf())
                shelf.companies.append(company)
                shelf.names.append(name)


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
    registry.file(fresh)
    registry.shelve(fresh, rules)
    suspect = best if best is not None and score >= rules.review_from else None
    return CompanyVerdict(fresh, "no company like this was known", score, suspect)


def names_alike(name: str, others: Sequence[str], rules: CompanyRules) -> list[str]:
    """Those of some canonical names that are so like a name that a person should compare them."""
    return [
        other
        for other, *_ in process.extract(name, others, scorer=fuzz.ratio, score_cutoff=rules.review_from, limit=None)
    ]


def _alike(claim: CompanyClaim, known: Company) -> float:
    """Similarity in percent; a name within the other ("Acme" in "Acme Logistics") counts fully under one domain."""
    ours, theirs = claim.canonical_name, known.claim.canonical_name
    return 100 if ours == theirs else fuzz.token_set_ratio(ours, theirs)


def _contradicts(claim: CompanyClaim, known: Company) -> bool:
    theirs = known.claim
    return (
        bool(claim.domain and known.domain and claim.domain != known.domain)
        or bool(claim.country and theirs.country and claim.country != theirs.country)
        or bool(claim.legal_class and theirs.legal_class and claim.legal_class != theirs.legal_class)
    )


def _most_alike(claim: CompanyClaim, registry: CompanyRegistry, rules: CompanyRules) -> tuple[Company | None, float]:
    """The company with the most similar name among those that share a key, the first of several."""
    name = claim.canonical_name
    if namesakes := registry.by_name.get(name):
        return namesakes[0], 100
    best: Company | None = None
    score = 0.0
    start, word = company_keys(name, rules.key_length)
    for shelf in (registry.by_start.get(start), registry.by_word.get(word or "")):
        if shelf is None:
            continue
        cutoff = max(score, rules.review_from)
        for theirs, likeness, place in process.extract(
            name, shelf.names, scorer=fuzz.ratio, score_cutoff=cutoff, limit=None
        ):
            if likeness > score and _digits(name) == _digits(theirs):
                best, score = shelf.companies[place], likeness
                break
    return best, score


def _learn(known: Company, claim: CompanyClaim, registry: CompanyRegistry) -> None:
    if claim.domain and not known.domain:
        known.learned_domain = claim.domain
        registry.by_domain.setdefault(claim.domain, known)


def _digits(name: str) -> list[str]:
    return [token for token in name.split() if any(letter.isdigit() for letter in token)]
