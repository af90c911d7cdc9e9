"""Validation: which rows are no leads at all, which lack too much to be one, and what an e-mail address is worth."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from sluice.batch import Batch, add_warning
from sluice.distinct import as_arrow, distinct, no_garbage_rounds
from sluice.domains import is_disposable, is_free
from sluice.problems import CODES, problem
from sluice.rules import IntakeMinimum, Rules, SourceRules
from sluice.schema import check

_AMOUNT = re.compile(r"[\d.,:%+\-\s$€£]*")
_WORDS = re.compile(r"[^\W_]+")
_HINTS = frozenset(
    ("role", "typo", "disposable", "too_long", "missing", "control_characters", "zero_restored", "assumed_yes")
)
FOLDED_TO_ASCII = "ßİŉſǰẖẗẘẙẚẞ\u212aﬀﬁﬂﬃﬄﬅﬆ"
"""Letters beyond ASCII that case folding turns into letters of ASCII."""
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


@no_garbage_rounds()
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
    leads = _judge_emails(batch.leads.copy(deep=False), rules)
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
    records = leads.loc[unreachable, "record"]
    for index, record in zip(records.index, records.tolist(), strict=True):
        cells: list[str] = list(record)
        filled = [cell.strip() for cell in cells if cell.strip()]
        if cells and not filled:
            kinds[index] = "blank"
        elif filled and _is_total(filled, words):
            kinds[index] = "total_line"
    return kinds.mask(_tested(leads, rules.test_leads) & kinds.isna(), "test_lead")


def _tested(leads: pd.DataFrame, rules: TestLeads) -> pd.Series:
    """Which rows somebody typed to try a form."""
    names = {" ".join(_WORDS.findall(name.casefold())) for name in rules.names}
    shown = leads["full_name"].where(_has_one_of(leads["full_name"], {"test", *(name.split(" ")[0] for name in names)}))
    said = distinct(shown).map(lambda name: " ".join(_WORDS.findall(name.casefold())))
    mailbox = _is_box(leads["email_key"], rules.mailboxes).fillna(value=False)
    return said.isin(names) | (mailbox & said.str.contains(r"\btest", regex=True).fillna(value=False)).astype(bool)


def _has_one_of(names: pd.Series, words: set[str]) -> pd.Series:
    """Which names may have one of the words in them, their case folded; folding them all costs ten times as much."""
    if not all(word.isascii() for word in words):
        return names.notna()
    pattern = "|".join([*map(re.escape, sorted(words)), f"[{FOLDED_TO_ASCII}]"])
    found = pc.match_substring_regex(pc.utf8_lower(as_arrow(names)), pattern)
    return pd.Series(found.fill_null(False).to_numpy(zero_copy_only=False), index=names.index)


def _is_box(keys: pd.Series, boxes: list[str]) -> pd.Series:
    """Which e-mail keys have one of the local parts; NA without an e-mail."""
    pattern = "|".join(map(re.escape, boxes)) or "@"  # no local part starts with that
    found = pc.match_substring_regex(as_arrow(keys), f"^(?:{pattern})@")
    return found.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get).set_axis(keys.index)


def _is_total(filled: list[str], words: frozenset[str]) -> bool:
    """Whether the first cell is a word for a sum, alone or with an amount, and all others hold amounts."""
    first = re.sub(r"[\s:]*[\d.,]*$", "", filled[0]).casefold()
    return first in words and all(_AMOUNT.fullmatch(cell) for cell in filled[1:])


def _judge_emails(leads: pd.DataFrame, rules: ValidationRules) -> pd.DataFrame:
    """Adds the four verdict columns and their warnings."""
    domains = distinct(leads["email_domain"])
    disposable = domains.map(_with(is_disposable, rules.also_disposable, rules.not_disposable), "boolean")
    free = domains.map(_with(is_free, rules.also_free, rules.not_free), "boolean") & ~disposable
    role = _is_box(leads["email_key"], rules.roles)
    typo = domains.spread(_meant(domains.values, rules)).notna()
    for where, code in ((disposable, "disposable"), (role, "role"), (typo, "typo")):
        add_warning(leads, where.fillna(value=False).astype(bool), "email", code)
    risky = (disposable | typo).fillna(value=False).astype(bool)
    verdict = pd.Series("ok", index=leads.index, dtype="str").mask(risky, "risky").where(leads["email"].notna())
    return leads.assign(email_is_free=free, email_is_role=role, email_is_disposable=disposable, email_verdict=verdict)


def _with(test: Callable[[str], bool], also: list[str], never: list[str]) -> Callable[[str], bool]:
    more, less = frozenset(also), frozenset(never)
    return lambda domain: domain not in less and (domain in more or test(domain))


def _meant(domains: list[str], rules: ValidationRules) -> list[str | None]:
    """Per domain the great provider that it is one typing error away from."""
    long = [name for name in rules.great_providers if len(name) >= rules.typo_min_length]
    if not long or not domains:
        return [None] * len(domains)
    near = cdist(domains, long, scorer=OSA.distance, score_cutoff=1) == 1
    meant: list[str | None] = [None] * len(domains)
    for place in np.flatnonzero(near.any(axis=1)).tolist():
        if domains[place] not in rules.great_providers and not is_free(domains[place]):
            meant[place] = long[int(near[place].argmax())]
    return meant


def _problems(leads: pd.DataFrame, rules: ValidationRules, source: SourceRules) -> pd.Series:
    """The problems of each row that cannot be a lead."""
    unmet = _unmet(leads, rules, source)
    thrown = leads["email_is_disposable"].fillna(value=False).astype(bool) & (rules.disposable == "reject")
    bad = unmet.notna() | thrown
    index, found = leads.index[bad], [list[dict[str, str]]() for _ in range(int(bad.sum()))]
    noted = leads["warnings"][bad].tolist()

    @cache
    def raw(field: str) -> list[object]:
        name = f"raw_{field}"
        return leads[name][bad].tolist() if name in leads else [None] * len(found)

    codes, disposables = unmet[bad].tolist(), thrown[bad].tolist()
    for place, problems in enumerate(found):
        refused = ("disposable",) if disposables[place] else ()
        problems += [problem(field, code, _shown(raw(field)[place])) for field, code in _weighty(noted[place], refused)]
        if isinstance(codes[place], str):
            problems.append(problem("row", codes[place]))
    kept = [place for place, problems in enumerate(found) if problems]
    return pd.Series([found[place] for place in kept], index=index[kept], dtype=object)


def _unmet(leads: pd.DataFrame, rules: ValidationRules, source: SourceRules) -> pd.Series:
    """Per row the code of the minimum that it misses, or NA."""
    has = {name: leads[name].notna() for name in ("full_name", "company", "email", "phone", "mobile")}
    reachable = has["email"] | has["phone"] | has["mobile"]
    tests = {
        "contact": ((has["full_name"] | has["company"]) & reachable, "minimum.unmet"),
        "name_and_contact": (has["full_name"] & reachable, "minimum.name"),
        "company": (has["company"], "minimum.company"),
        "email": (has["email"], "minimum.email"),
        "reachable": (reachable, "minimum.reachable"),
    }
    asked: list[str] = ["company"] if source.organisation_only else []
    if source.intake_minimum or not asked:
        asked.append(source.intake_minimum or rules.intake_minimum)
    codes = pd.Series(None, index=leads.index, dtype="str")
    for name in asked:
        met, code = tests[name]
        codes = codes.mask(~met & codes.isna(), code)
    return codes


def _weighty(warnings: str, refused: tuple[str, ...]) -> list[tuple[str, str]]:
    """Field and code of a row's warnings; hints about values that were kept are left out."""
    found = [(field, code) for field, _, code in (item.partition(":") for item in warnings.split())]
    return [(field, code) for field, code in found if code in CODES and (code in refused or code not in _HINTS)]


def _shown(raw: object) -> str:
    """What stood in a cell."""
    return raw if isinstance(raw, str) else ""
