"""The data dictionary: which fields a lead may have, what each step adds to a batch, which outcomes there are."""

from __future__ import annotations

from typing import Literal

import pandas as pd
from pydantic import Field

from sluice.errors import BrokenPromise
from sluice.rules import Rules

FieldType = Literal[
    "text", "long_text", "name", "full_name", "salutation", "email", "phone", "company", "title", "website",
    "industry", "employees", "money", "number", "integer", "country", "state", "zip", "choice", "tags", "date",
    "datetime", "boolean", "opt_out", "language", "tin",
]  # fmt: skip


class FieldRules(Rules):
    """One field of a lead, as `fields.yml` declares it.

    Attributes:
        type: how its values are read.
        label: what people call it.
        group: section of the lead it belongs to (S001-18).
        asked_as: what forms and programs call it, where the source does not say (`fields:`).
        enabled: a profile switches fields on and off; a column of a field that is off counts as unknown.
        choices: for `choice`: canonical value → other spellings of it.
        max_length: longer values are cut, with a warning.
        minimum, maximum: for numbers; outside is emptied, with a warning.
    """

    type: FieldType
    label: str
    group: str
    enabled: bool = True
    asked_as: list[str] = Field(default_factory=list)
    choices: dict[str, list[str]] = Field(default_factory=dict)
    max_length: int = Field(default=255, ge=1, le=20_000)
    minimum: float | None = None
    maximum: float | None = None


class Fields(Rules):
    """`fields.yml`: every field of the five lead forms; a profile only switches them on or off."""

    fields: dict[str, FieldRules]

    def enabled(self) -> dict[str, FieldRules]:
        """Name → rules of the fields that the profile has switched on."""
        return {name: rules for name, rules in self.fields.items() if rules.enabled}


SET_ASIDE_KINDS = (
    "blank", "total_line", "test_lead", "spam", "auto_reply", "bounce", "feedback_loop", "unsubscribe", "list_mail",
    "suppressed", "erased",
)  # fmt: skip

MARK_COLUMN = "sluice_row"
"""Column of a rejects file that says which row of which receipt was refused: a correction is known by it."""

REJECT_COLUMNS = (MARK_COLUMN, "sluice_line", "sluice_field", "sluice_code", "sluice_found", "sluice_fix")
"""Columns that a rejects file has before the original ones; they are ignored when it is imported again."""

LEAD_TEXTS = (
    "salutation", "first_name", "middle_name", "last_name", "full_name", "name_key",
    "email", "email_key", "email_domain", "phone", "phone_country_source", "mobile",
    "company", "company_key", "legal_class", "company_domain", "website",
    "title", "seniority", "department", "industry", "annual_revenue_currency",
    "street", "city", "state", "zip", "country", "language",
    "lead_source", "campaign", "channel", "product", "priority", "timeline", "description",
    "next_follow_up", "external_id", "owner_given",
)  # fmt: skip
"""Text columns that `normalize` always delivers; NA where the row has none."""

LEAD_NUMBERS = {"employees": "Int64", "rating": "Int64", "annual_revenue": "Float64", "budget": "Float64"}
LEAD_BOOLEANS = ("email_opt_out", "do_not_call")
LEAD_TIMES = ("created_at",)

BLOCKS: dict[str, tuple[str, ...]] = {
    "name": ("salutation", "first_name", "middle_name", "last_name", "full_name"),
    "email": ("email", "email_domain", "email_verdict", "email_is_free", "email_is_role", "email_is_disposable"),
    "phone": ("phone", "phone_country_source"),
    "company": ("company", "company_domain", "website", "company_id"),
    "title": ("title", "seniority", "department"),
    "revenue": ("annual_revenue", "annual_revenue_currency"),
    "address": ("street", "city", "state", "zip", "country"),
}
"""Fields that survive an update together: half an address of each side would be an address that nobody has."""

ESSENTIALS = {"name": ("first_name", "last_name"), "address": ("street", "city")}
"""What a block must state as fully as the one it replaces: a first name alone is no newer name."""

SINGLES = (
    "mobile", "industry", "employees", "language", "product", "priority", "rating", "budget", "timeline",
    "description", "next_follow_up",
)  # fmt: skip
"""Fields that survive each for itself."""

FIRST_WORDS = ("lead_source", "campaign", "channel", "external_id")
"""Where a lead first came from: the earliest word stays; later touches keep their own (first and last attribution)."""

STORED = (*(field for block in BLOCKS.values() for field in block), *SINGLES, *FIRST_WORDS, "tags")
"""Fields with a column of their own in `leads`; all other enabled fields live in `leads.attributes`."""

BATCH_FIELDS = (*LEAD_TEXTS, *LEAD_NUMBERS, *LEAD_BOOLEANS, *LEAD_TIMES, "tags")
"""Fields that have a column in every normalised batch; other mapped fields go to `leads.attributes`."""

OWN_WORDS = ("lead_source", "campaign", "phone", "mobile", "email_opt_out", "do_not_call")
"""Fields of which `dedupe` keeps what the row itself said, as `own_<field>`: a touch and a wish are the row's own."""

STEP_COLUMNS: dict[str, tuple[str, ...]] = {
    "read": ("row", "line", "record", "raw", "extra", "warnings"),
    "normalize": BATCH_FIELDS,
    "validate": ("email_is_free", "email_is_role", "email_is_disposable", "email_verdict"),
    "dedupe": (
        "identity_key",
        "person_key",
        "lead_id",
        "company_id",
        "outcome",
        "is_last",
        "is_new_lead",
        "known_owner",
        "known_band",
        *(f"own_{name}" for name in OWN_WORDS),
    ),
    "score": ("score", "band", "score_signals", "score_points"),
    "route": ("owner", "team", "rule", "reason", "candidates", "turn_before", "turn_after"),
}
"""Columns that a step adds; a later step may count on all earlier ones."""


def check(leads: pd.DataFrame, step: str) -> None:
    """Checks at the end of a step that it kept its word.

    Raises:
        BrokenPromise: a column is missing, or row numbers repeat.
    """
    missing = [name for earlier in _until(step) for name in STEP_COLUMNS[earlier] if name not in leads.columns]
    if missing:
        raise BrokenPromise(f"{step} left out the columns {', '.join(missing)}")
    if not leads["row"].is_unique:
        raise BrokenPromise(f"{step} delivered a row twice")


def _until(step: str) -> list[str]:
    steps = list(STEP_COLUMNS)
    return steps[: steps.index(step) + 1]
