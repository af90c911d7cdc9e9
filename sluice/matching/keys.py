"""Keys under which a record is looked up: who a row claims to be, and which companies are worth comparing."""

from __future__ import annotations

import pandas as pd

from sluice.batch import Batch

COMPANY_CLAIM = ["company_key", "legal_class", "company_domain", "country"]
"""What tells companies apart: rows that agree in these name the same one."""


def keyed(batch: Batch) -> Batch:
    """The batch with `identity_key` and `person_key`, under which the store is asked whom it knows."""
    spelled = batch.leads["company"].str.casefold()  # of a name without a letter or digit, which has no canonical form
    leads = batch.leads.assign(company_key=batch.leads["company_key"].fillna(spelled))
    return batch.with_leads(leads.assign(identity_key=identity_keys(leads), person_key=person_keys(leads)))


def identity_keys(leads: pd.DataFrame) -> pd.Series:
    """The key of which there may be one open lead: `kind:address|who`.

    An e-mail is enough, but a role mailbox (info@) is shared, so its key carries the name too. Without an e-mail it is
    phone + name, and without either, company + name (S002-38).

    Args:
        leads: validated leads (`email_key`, `email_is_role`, `phone`, `mobile`, `name_key`, `company_key`).

    Returns:
        str per lead, never missing: a row that states nothing of the kind is its own person, by its row number.
    """
    name = leads["name_key"].fillna("")
    company = leads["company_key"].fillna("")
    phone = leads["phone"].fillna(leads["mobile"])
    role = leads["email_is_role"].fillna(False).astype(bool)
    mail = "mail:" + leads["email_key"] + ("|" + name).where(role, "")
    who = name.where(name != "", "org:" + company)
    keys = mail.fillna("tel:" + phone + "|" + who)
    by_company = "org:" + company.where(company != "") + "|" + name
    return keys.fillna(by_company).fillna("row:" + name + leads["row"].astype("str"))


def person_keys(leads: pd.DataFrame) -> pd.Series:
    """Phone + full name, under which a person is found who left another e-mail or none; NA without both."""
    return leads["phone"].fillna(leads["mobile"]) + "|" + leads["name_key"]


def company_keys(canonical_name: str, length: int) -> tuple[str, ...]:
    """Keys under which similar names are found: the start of the name, and its longest word.

    Args:
        canonical_name: as `sluice.names` makes it.
        length: letters of the start.
    """
    joined = canonical_name.replace(" ", "")
    longest = max(canonical_name.split(), key=len, default="")
    keys = {f"s:{joined[:length]}"}
    if len(longest) > length:
        keys.add(f"w:{longest}")
    return tuple(sorted(keys))
