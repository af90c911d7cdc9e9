"""`matching.yml`: every constant that decides whether two records are the same."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sluice.rules import Rules


class PersonRules(Rules):
    """When two rows are one person (S002-38).

    Attributes:
        phone_and_name: what the same phone and the same full name mean when at most one side has a valid e-mail.
    """

    phone_and_name: Literal["merge", "flag", "off"] = "merge"


class CompanyRules(Rules):
    """When two names are one organisation; similarity in percent (rapidfuzz, 0 to 100).

    Attributes:
        link_from: at or above, the row joins the known company.
        review_from: at or above, a new company is made and the pair is put before a person.
        key_length: letters of the canonical name that two candidates must share at its start, unless they share the
            longest word.
        most_candidates: how many known names of a similar length are looked up under one key at the most.
    """

    link_from: float = Field(default=97, ge=0, le=100)
    review_from: float = Field(default=90, ge=0, le=100)
    key_length: int = Field(default=5, ge=3, le=12)
    most_candidates: int = Field(default=200, ge=1, le=10_000)


class MatchingRules(Rules):
    """All of `matching.yml`."""

    version: int = Field(ge=1)
    persons: PersonRules = PersonRules()
    companies: CompanyRules = CompanyRules()
