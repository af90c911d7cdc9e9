"""Validation: which rows are no leads at all, which lack too much to be one, and what an e-mail address is worth."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import pandas as pd
from pydantic import Field
from rapidfuzz.distance import OSA

from sluice.batch import Batch, add_warning, map_uniques
from sluice.domains import is_disposable, is_free
from sluice.problems import CODES, problem
from sluice.rules import IntakeMinimum, Rules, SourceRules
from sluice.schema import check

_AMOUNT = re.compile(r"[\d.,:%+\-\s$€£]*")
_WORDS = re.compile(r"[^\W_]+")
_HARMLESS = ("control_characters", "zero_restored", "assumed_yes")
_REASONS = {
    "blank": "every cell of the row is empty",
    "total_line": "the row sums up others",
    "test_lead": "the name or mailbox is one that people type to try a form",
}


class TestLeads(Rules):
    """What people type to try a form: names by themselves, mailboxes together with a name that has the word `test`."""

    names: list[str] = Field(default_factory=list)
    mailboxes: list[str] = Field(default_factory=list)


class ValidationRules(Rules):
    """`validation.yml`.

    Attributes:
        intake_minimum: what a row must have where the source does not say it.
        recommended: fields whose absence is warned about (S002-03).
        total_words: first cells of lines that sum up others.
        roles: local parts that belong to a role (info, sales).
        not_disposable, also_disposable, not_free, also_free: corrections of the packaged lists of mail providers.
        disposable: whether a throw-away address is warned about or costs the row its place.
        great_providers: a domain one typing error away from one of these gets a hint; nothing is changed.
        typo_min_length: of a provider's domain; shorter ones have real neighbours (aol.com, aon.com).
    """

    intake_minimum: IntakeMinimum = "contact"
    recommended: list[str] = Field(default_factory=list)
    total_words: list[str] = Field(default_factory=list)
    test_leads: TestLeads = TestLeads()
    roles: list[str] = Field(default_factory=list)
    not_disposable: list[str] = Field(default_factory=list)
    also_disposable: list[str] = Field(default_factory=list)
    not_free: list[str] = Field(default_factory=list)
    also_free: list[str] = Field(default_factory=list)
    disposable: Literal["warn", "reject"] = "warn"
    great_providers: list[str] = Field(default_factory=list)
    typo_min_length: int = Field(default=9, ge=1)


def validate(batch: Batch, rules: ValidationRules, source: SourceRules) -> Batch:
    """Puts aside what is no lead, judges the e-mail addresses, and rejects rows that miss the intake minimum.

    A bad phone never costs a lead with a good e-mail, nor the other way round: `normalize` has emptied the bad one and
    warned; only a row that cannot do without is rejected, with every problem it has.

    Args:
        batch: as `normalize` delivers it.
        rules: `validation.yml`.
        source: its `intake_minimum` beats the profile's; `organisation_only` asks for a company and nothing else.

    Returns:
        The same rows; leads with `email_is_free`, `email_is_role`, `email_is_disposable` (boolean, NA without an
        e-mail) and `email_verdict` (`ok` or `risky`: disposable or probably mistyped).
    """
    batch = batch.set_aside(_set_asides(batch.leads, rules), _REASONS)
    leads = _judge_emails(batch.leads.copy(), rules)
    for name in rules.recommended:
        if name in leads:
            add_warning(leads, leads[name].isna(), name, "missing")
    batch = batch.with_leads(leads)
    batch = batch.reject(_problems(leads, rules, source))
    check(batch.leads, "validate")
    return batch


def _set_asides(leads: pd.DataFrame, rules: ValidationRules) -> pd.Series:
    """Per row the kind of set-aside, or NA."""
    kinds = pd.Series(None, index=leads.index, dtype="str")
    unreachable = leads["email"].isna() & leads["phone"].isna() & leads["mobile"].isna()
    words = frozenset(word.casefold() for word in rules.total_words)
    records: Any = leads["record"]
    for index in leads.index[unreachable]:
        cells = list(records[index])
        filled = [cell.strip() for cell in cells if cell.strip()]
        if cells and not filled:
            kinds[index] = "blank"
        elif filled and _is_total(filled, words):
            kinds[index] = "total_line"
    names = {" ".join(_WORDS.findall(name.casefold())) for name in rules.test_leads.names}
    said = map_uniques(leads["full_name"], lambda name: " ".join(_WORDS.findall(str(name).casefold())))
    mailbox = map_uniques(leads["email_key"], lambda key: str(key).partition("@")[0]).isin(rules.test_leads.mailboxes)
    tested = said.isin(names) | (mailbox & said.str.contains(r"\btest", regex=True).fillna(value=False))
    return kinds.mask(tested & kinds.isna(), "test_lead")


def _is_total(filled: list[str], words: frozenset[str]) -> bool:
    """Whether the first cell is a word for a sum, alone or with an amount, and all others hold amounts."""
    first = re.sub(r"[\s:]*[\d.,]*$", "", filled[0]).casefold()
    return first in words and all(_AMOUNT.fullmatch(cell) for cell in filled[1:])


def _judge_emails(leads: pd.DataFrame, rules: ValidationRules) -> pd.DataFrame:
    """Adds the four verdict columns and their warnings."""
    domains, keys = leads["email_domain"], leads["email_key"]
    roles = frozenset(rules.roles)
    disposable = _flag(domains, _with(is_disposable, rules.also_disposable, rules.not_disposable))
    free = _flag(domains, _with(is_free, rules.also_free, rules.not_free)) & ~disposable
    role = _flag(keys, lambda key: key.partition("@")[0] in roles)
    typo = map_uniques(domains, lambda domain: _meant(str(domain), rules)).notna()
    for where, code in ((disposable, "disposable"), (role, "role"), (typo, "typo")):
        add_warning(leads, where.fillna(value=False).astype(bool), "email", code)
    risky = (disposable | typo).fillna(value=False).astype(bool)
    verdict = pd.Series("ok", index=leads.index, dtype="str").mask(risky, "risky").where(leads["email"].notna())
    return leads.assign(email_is_free=free, email_is_role=role, email_is_disposable=disposable, email_verdict=verdict)


def _flag(values: pd.Series, test: Callable[[str], bool]) -> pd.Series:
    return map_uniques(values, test, "boolean")


def _with(test: Callable[[str], bool], also: list[str], never: list[str]) -> Callable[[str], bool]:
    more, less = frozenset(also), frozenset(never)
    return lambda domain: domain not in less and (domain in more or test(domain))


def _meant(domain: str, rules: ValidationRules) -> str | None:
    """The great provider that a domain is one typing error away from."""
    if domain in rules.great_providers or is_free(domain):
        return None
    long = (name for name in rules.great_providers if len(name) >= rules.typo_min_length)
    return next((name for name in long if OSA.distance(name, domain, score_cutoff=1) == 1), None)


def _problems(leads: pd.DataFrame, rules: ValidationRules, source: SourceRules) -> pd.Series:
    """Per row the list of its problems if it cannot be a lead, else an empty list."""
    unmet = _unmet(leads, rules, source)
    thrown = leads["email_is_disposable"].fillna(value=False).astype(bool) & (rules.disposable == "reject")
    problems = pd.Series([[] for _ in range(len(leads))], index=leads.index, dtype=object)
    for index in leads.index[unmet.notna() | thrown]:
        row = leads.loc[index]
        found = _warned(row, refused=("disposable",) if thrown[index] else ())
        code = unmet[index]
        problems[index] = [*found, problem("row", str(code))] if isinstance(code, str) else found
    return problems


def _unmet(leads: pd.DataFrame, rules: ValidationRules, source: SourceRules) -> pd.Series:
    """Per row the code of the minimum that it misses, or NA."""
    has = {name: leads[name].notna() for name in ("full_name", "company", "email", "phone", "mobile")}
    reachable = has["email"] | has["phone"] | has["mobile"]
    tests = {
        "contact": ((has["full_name"] | has["company"]) & reachable, "minimum.unmet"),
        "name_and_contact": (has["full_name"] & reachable, "minimum.name"),
        "company": (has["company"], "minimum.company"),
        "email": (has["email"], "minimum.email"),
    }
    asked: list[str] = ["company"] if source.organisation_only else []
    if source.intake_minimum or not asked:
        asked.append(source.intake_minimum or rules.intake_minimum)
    codes = pd.Series(None, index=leads.index, dtype="str")
    for name in asked:
        met, code = tests[name]
        codes = codes.mask(~met & codes.isna(), code)
    return codes


def _warned(row: Any, refused: tuple[str, ...]) -> list[dict[str, str]]:
    """A row's warnings as problems, with what stood in the cell; hints about values that were kept are left out."""
    kept = {"role", "typo", "disposable", "too_long", "missing", *_HARMLESS} - set(refused)
    found: list[dict[str, str]] = []
    for item in str(row["warnings"]).split():
        field, _, code = item.partition(":")
        if code in CODES and code not in kept:
            raw = row.get(f"raw_{field}")
            found.append(problem(field, code, raw if isinstance(raw, str) else ""))
    return found
