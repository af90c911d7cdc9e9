"""The declaration of a source: what it is called, how its rows are to be read, and what is done with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from sluice.form_rules import Form
from sluice.model import Rules


class PhoneReading(Rules):
    """How a source's phone numbers are to be read when they do not say it themselves.

    Attributes:
        country: ISO 3166 alpha-2 of numbers without a country code.
        area_code: put before numbers that lack one (7-digit numbers in North America).
    """

    country: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    area_code: str | None = Field(default=None, pattern="^[0-9]{1,5}$")


class Expectation(Rules):
    """What a healthy source looks like; a run warns when a file is not so, and `upkeep` when none comes.

    Attributes:
        min_rows: fewest rows of a file.
        max_reject_share: greatest share of its rows that are rejected, 0 to 1.
        same_columns: its columns are those of the source's file before, in any order.
        every: how often leads come at least, such as 12h, 1d or 2w; without it the habit of the source is learned.
    """

    min_rows: int = Field(default=0, ge=0)
    max_reject_share: float = Field(default=1.0, ge=0, le=1)
    same_columns: bool = True
    every: str | None = Field(default=None, pattern="^[1-9][0-9]{0,2}[hdw]$")

    @property
    def interval(self) -> timedelta | None:
        """`every` as a span of time."""
        if self.every is None:
            return None
        unit = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}[self.every[-1]]
        return int(self.every[:-1]) * unit


IntakeMinimum = Literal["contact", "name_and_contact", "company", "email", "reachable"]
"""reachable: an e-mail or phone is enough ·
contact: a name or company, and an e-mail or phone · name_and_contact: a name, and an e-mail or phone (S002-02) ·
company: a company name is enough · email: an e-mail is enough."""

OpenMatch = Literal["update", "flag", "touch_only"]
ClosedMatch = Literal["reopen", "new_lead", "touch_only"]


class MatchPolicy(Rules):
    """What happens to a row whose person is already known (S000-27, S002-38)."""

    open: OpenMatch = "update"
    closed: ClosedMatch = "new_lead"


class SourceRules(Rules):
    """One declared source: `config/sources/<name>.yml`.

    Attributes:
        fields: their column name → our field.
        ignore: their columns that are read and deliberately dropped from `extra`.
        defaults: our field → value for rows that state none, e.g. `lead_source: Trade Show`.
        trust: 0 to 100; on an update the value from the more trusted source survives.
        timezone: IANA zone of times that state none; None takes the profile's business time zone.
        date_order: how ambiguous dates are read when the column itself does not tell.
        lawful_basis: why these people may be contacted; None means sales research only.
        attachments: of a mailbox: the source of the CSV files that its mails bring; without it they are only kept.
        form: of a form that is posted: how the provider signs, and what its bodies mean.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    kind: Literal["file", "form", "api", "mailbox", "manual"] = "file"
    description: str = ""
    fields: dict[str, str] = Field(default_factory=dict)
    ignore: list[str] = Field(default_factory=list)
    defaults: dict[str, str] = Field(default_factory=dict)
    intake_minimum: IntakeMinimum | None = None
    organisation_only: bool = False
    on_match: MatchPolicy = MatchPolicy()
    trust: int = Field(default=50, ge=0, le=100)
    phone: PhoneReading = PhoneReading()
    country: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    timezone: str | None = None
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    lawful_basis: Literal["consent", "contract", "legitimate_interest"] | None = None
    expect: Expectation = Expectation()
    attachments: str | None = None
    form: Form | None = None

    @model_validator(mode="after")
    def _has_a_form_if_it_is_one(self) -> Self:
        if (self.kind == "form") != (self.form is not None):
            found = "kind form without a form" if self.form is None else f"a form for the kind {self.kind}"
            raise ValueError(f"found {found}; a source of kind form says in `form:` how it is signed")
        return self
