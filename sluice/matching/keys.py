"""Keys under which a record is looked up: who a row claims to be, and which companies are worth comparing."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, floor

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sluice.batch import Batch
from sluice.distinct import as_arrow, as_series, joined

MOST_LETTERS = 32_767
"""More than a company's name has; what a smallint holds."""

COMPANY_CLAIM = ["company_key", "legal_class", "company_domain", "country"]
"""What tells companies apart: rows that agree in these name the same one."""


def keyed(batch: Batch) -> Batch:
    """The batch with `identity_key` and `person_key`, under which the store is asked whom it knows."""
    leads = batch.leads
    nameless = leads["company_key"].isna() & leads["company"].notna()
    if nameless.any():  # a name without a letter or digit has no canonical form
        leads = leads.assign(company_key=leads["company_key"].fillna(leads["company"].str.casefold()))
    return batch.with_leads(leads).with_columns(
        {"identity_key": identity_keys(leads), "person_key": person_keys(leads)}
    )


def identity_keys(leads: pd.DataFrame) -> pd.Series:
    """The key of which there may be one open lead: `kind:address|who`.

    An e-mail is enough, but a role mailbox (info@) is shared, so its key carries the name too. Without an e-mail it is
    phone + name, and without either, company + name (S002-38).

    Args:
        leads: validated leads (`email_key`, `email_is_role`, `phone`, `mobile`, `name_key`, `company_key`).

    Returns:
        str per lead, never missing: a row that states nothing of the kind is its own person, by its row number.
    """
    name, company = (as_arrow(leads[column]).fill_null("") for column in ("name_key", "company_key"))
    phone = pc.coalesce(as_arrow(leads["phone"]), as_arrow(leads["mobile"]))
    role = pc.fill_null(pa.array(leads["email_is_role"], pa.bool_(), from_pandas=True), False)
    mail = joined("mail:", as_arrow(leads["email_key"]), pc.if_else(role, joined("|", name), ""))
    who = pc.if_else(pc.equal(name, ""), joined("org:", company), name)
    by_company = pc.if_else(pc.equal(company, ""), None, joined("org:", company, "|", name))
    alone = joined("row:", name, pa.array(leads["row"]).cast(pa.large_string()))
    return as_series(pc.coalesce(mail, joined("tel:", phone, "|", who), by_company, alone), leads.index)


def person_keys(leads: pd.DataFrame) -> pd.Series:
    """Phone + full name, under which a person is found who left another e-mail or none; NA without both."""
    phone = pc.coalesce(as_arrow(leads["phone"]), as_arrow(leads["mobile"]))
    return as_series(joined(phone, "|", as_arrow(leads["name_key"])), leads.index)


@lru_cache(maxsize=50_000)
def company_keys(canonical_name: str, length: int) -> tuple[str, str | None]:
    """Keys under which similar names are found: how they and their last words start, and the longest word.

    A start alone, or a word that half a trade has ("logistik"), is shared by ever more names as a store grows. How a
    name ends is in no key: a plural or a slip of the finger there is what makes two names of one company.

    Args:
        canonical_name: as `sluice.names` makes it.
        length: letters of the start.

    Returns:
        The start of all letters with that of the last of several words; and the longest word, if it is longer than a
        start, with the first letter.
    """
    letters, words = canonical_name.replace(" ", ""), canonical_name.split()
    longest = max(words, key=len, default="")
    start = letters[:length] + (words[-1][:2] if len(words) > 1 else "")
    return start, f"{longest} {letters[0]}" if len(longest) > length else None


def letters_alike(canonical_name: str, similarity: float) -> tuple[int, int]:
    """How short and how long a name can be that is so similar: every letter too many or too few tells.

    Args:
        canonical_name: as `sluice.names` makes it.
        similarity: in percent, as `rapidfuzz.fuzz.ratio`: 100 * (1 - differing letters / letters of both).
    """
    share, letters = similarity / 100, len(canonical_name)
    shortest = ceil(letters * share / (2 - share) - 1e-9)
    longest = floor(letters * (2 - share) / share + 1e-9) if share else MOST_LETTERS
    return min(shortest, MOST_LETTERS), min(longest, MOST_LETTERS)
