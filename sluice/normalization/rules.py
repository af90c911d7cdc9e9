"""What `normalize` goes by: the lists of `normalization.yml`, and what is known about the file at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import Field

from sluice.rules import Rules, SourceRules
from sluice.schema import Fields


class EmailReading(Rules):
    """How addresses are read and compared.

    Attributes:
        written_at: what people write for @ to hide from robots.
        tag_separator: what follows it in the local part is not the mailbox ("anna+shop").
        no_tags: domains whose local parts are taken as they are.
        same_domain: domain → the domain that has the same mailboxes.
        ignore_dots: domains that deliver with and without dots (after `same_domain`).
    """

    written_at: list[str] = Field(default_factory=list)
    tag_separator: str = "+"
    no_tags: list[str] = Field(default_factory=list)
    same_domain: dict[str, str] = Field(default_factory=dict)
    ignore_dots: list[str] = Field(default_factory=list)


class ZipReading(Rules):
    """Digits of a country's postal codes; a code that is up to two shorter lost its leading zeros in a spreadsheet."""

    digits: int = Field(ge=3, le=10)


class TitlePhrases(Rules):
    """A seniority or department and the words in a job title that show it (`*` stands for any letters)."""

    name: str
    phrases: list[str]


class NumberReading(Rules):
    """How people write amounts.

    Attributes:
        multipliers: word → factor ("mio" → 1000000).
        currencies: sign or word → ISO 4217 code.
        filler: words that say nothing about the amount ("ca", "employees").
        employees: what stands for a head count ("self-employed" → 1).
    """

    multipliers: dict[str, float] = Field(default_factory=dict)
    currencies: dict[str, str] = Field(default_factory=dict)
    filler: list[str] = Field(default_factory=list)
    employees: dict[str, int] = Field(default_factory=dict)


class NormalizationRules(Rules):
    """`normalization.yml`.

    Attributes:
        null_values: texts that stand for "nothing"; compared without case.
        null_patterns: regular expressions of the same, matched in full.
        null_exempt: field → null values that are real there (a person called Null, NA for Namibia).
        salutations: canonical salutation → other spellings, the weightiest first.
        particles: words that stay in lower case when a name in capitals is rewritten.
        languages: whose country, month and language names are tried first.
        country_aliases: name → ISO 3166 alpha-2.
        states: country → code → names.
        zips: country → how its codes are restored.
        generic_cctlds: two-letter top-level domains that say nothing about a country (io, co, ai).
        shared_hosts: domains where many companies have a page (facebook.com): nobody's own domain.
        seniority, department: tried in order; the first that is found counts.
        true_words, false_words: answers to yes/no questions.
        tin_lengths: digits of a company's tax number (S003-10).
    """

    null_values: list[str]
    null_patterns: list[str] = Field(default_factory=list)
    null_exempt: dict[str, list[str]] = Field(default_factory=dict)
    salutations: dict[str, list[str]] = Field(default_factory=dict)
    particles: list[str] = Field(default_factory=list)
    languages: list[str] = Field(default_factory=lambda: ["en"])
    country_aliases: dict[str, str] = Field(default_factory=dict)
    states: dict[str, dict[str, list[str]]] = Field(default_factory=dict)
    zips: dict[str, ZipReading] = Field(default_factory=dict)
    generic_cctlds: list[str] = Field(default_factory=list)
    shared_hosts: list[str] = Field(default_factory=list)
    email: EmailReading = EmailReading()
    numbers: NumberReading = NumberReading()
    seniority: list[TitlePhrases] = Field(default_factory=list)
    department: list[TitlePhrases] = Field(default_factory=list)
    true_words: list[str]
    false_words: list[str]
    tin_lengths: list[int] = Field(default_factory=list)


@dataclass(frozen=True)
class Context:
    """What `normalize` has to know besides the rows.

    Attributes:
        date_orders: field → dmy, mdy or ymd, as the pre-pass found for the whole column.
        decimal_marks: field → "." or ",", likewise.
        as_of: the moment that counts as now; aware, UTC.
        business_timezone: IANA zone of times that neither they nor the source tell.
    """

    fields: Fields
    rules: NormalizationRules
    source: SourceRules
    as_of: datetime
    business_timezone: str = "UTC"
    date_orders: Mapping[str, str] = field(default_factory=dict[str, str])
    decimal_marks: Mapping[str, str] = field(default_factory=dict[str, str])
