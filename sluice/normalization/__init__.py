"""Normalisation: one form for everything a source may write in many (parts of a lead, never a decision about it)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pandas as pd

from sluice.batch import Batch
from sluice.distinct import no_garbage_rounds
from sluice.normalization.choices import read_boolean, read_choice, read_language, read_opt_out, read_tags, read_tin
from sluice.normalization.companies import read_companies
from sluice.normalization.dates import read_date, read_datetime
from sluice.normalization.draft import Draft
from sluice.normalization.emails import read_emails
from sluice.normalization.numbers import read_currency, read_employees, read_integer, read_number
from sluice.normalization.people import read_people
from sluice.normalization.phones import read_phones
from sluice.normalization.places import read_places
from sluice.normalization.readings import Reading, read_each
from sluice.normalization.rules import Context, NormalizationRules
from sluice.normalization.titles import read_titles
from sluice.schema import LEAD_TIMES, FieldRules, check

__all__ = ["Context", "NormalizationRules", "normalize"]

_DTYPES = {
    "employees": "Int64", "integer": "Int64", "number": "Float64", "money": "Float64", "boolean": "boolean",
    "opt_out": "boolean", "datetime": "datetime64[us, UTC]", "tags": "object",
}  # fmt: skip
_TEXTS = ("text", "long_text", "name", "full_name", "title", "company", "salutation", "zip", "state")
_TOMORROW = timedelta(days=1)


@no_garbage_rounds()
def normalize(batch: Batch, context: Context) -> Batch:
    """Brings every field of every lead into one form; what cannot be read is emptied with a warning, never guessed.

    Args:
        batch: leads with `raw_<field>` columns (`str`, NA for empty cells) as `read` delivers them.
        context: rules, the source, and what the pre-pass knows about the file.

    Returns:
        The same rows with the columns of `STEP_COLUMNS["normalize"]` and one per further mapped field, each in its
        dtype; `warnings` grown by `field:code`. The raw columns stay, so that later steps can say what was found.
    """
    draft = Draft(batch.leads, context)
    read_people(draft)
    read_places(draft)
    read_emails(draft)
    read_phones(draft)
    read_companies(draft)
    read_titles(draft)
    for name, rules in draft.fields.items():
        if name not in draft.columns and draft.has(name):
            _read_field(draft, name, rules)
    _created_in_the_past(draft)
    leads = draft.finish()
    check(leads, "normalize")
    return batch.with_leads(leads)


def _read_field(draft: Draft, name: str, rules: FieldRules) -> None:
    """One field by its type; the fields that depend on each other were read before."""
    if rules.type in _TEXTS:
        if name == "annual_revenue_currency":
            _read_currency(draft, draft.nothing())
        else:
            draft.put_text(name, draft.given(name))
        return
    found = read_each(draft.cells(name), _reader(name, rules, draft.context))
    dtype = _DTYPES.get(rules.type, "str")
    if dtype in ("Int64", "Float64"):
        draft.put_number(name, found, dtype)
        if name == "annual_revenue":
            _read_currency(draft, found.also().where(draft.columns[name].notna()))
        return
    draft.put_read(name, found, dtype)


def _read_currency(draft: Draft, written: pd.Series) -> None:
    """`annual_revenue_currency`: what stands at the amount, else what the column of that name states."""
    numbers = draft.context.rules.numbers
    stated = read_each(draft.cells("annual_revenue_currency"), lambda text: read_currency(text, numbers))
    draft.put("annual_revenue_currency", written.fillna(stated.value()))
    draft.note("annual_revenue_currency", stated)


def _reader(name: str, rules: FieldRules, context: Context) -> Callable[[str], Reading]:
    """How one cell of a field that stands alone is read, by the field's type."""
    known, numbers, mark = context.rules, context.rules.numbers, context.decimal_marks.get(name)
    order = context.date_orders.get(name) or context.source.date_order
    languages = tuple(known.languages)
    zone = context.source.timezone or context.business_timezone
    readers: dict[str, Callable[[str], Reading]] = {
        "employees": lambda text: read_employees(text, mark, numbers),
        "integer": lambda text: read_integer(text, mark, numbers),
        "number": lambda text: read_number(text, mark, numbers),
        "money": lambda text: read_number(text, mark, numbers),
        "choice": lambda text: read_choice(text, rules.choices),
        "industry": lambda text: read_choice(text, rules.choices),
        "boolean": lambda text: read_boolean(text, known),
        "opt_out": lambda text: read_opt_out(text, known),
        "tags": read_tags,
        "tin": lambda text: read_tin(text, known.tin_lengths),
        "language": lambda text: read_language(text, languages),
        "date": lambda text: read_date(text, order, context.as_of, languages),
        "datetime": lambda text: read_datetime(text, order, context.as_of, zone, languages),
    }
    return readers[rules.type]


def _created_in_the_past(draft: Draft) -> None:
    """A lead that was created after tomorrow has a wrong date."""
    for name in LEAD_TIMES:
        if name in draft.columns:
            late = (
                (draft.columns[name] > pd.Timestamp(draft.context.as_of + _TOMORROW)).fillna(value=False).astype(bool)
            )
            draft.columns[name] = draft.columns[name].mask(late)
            draft.warn(late, name, "out_of_range")
