"""What a slice's leads bring with them: companies, match decisions, assignments, actions and wishes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from sluice.matching.facts import Findings
from sluice.matching.keys import company_keys
from sluice.scoring import band_actions
from sluice.store.loading import Loading
from sluice.store.queries import execute
from sluice.store.tables import array_texts, copy, is_missing, json_text


def write_companies(connection: Connection, findings: Findings, loading: Loading) -> None:
    """New companies with the keys they are found under, and domains that known ones learned."""
    new = [company for company in findings.companies if company.is_new]
    claims = pd.DataFrame([{**vars(company.claim), **company.claim.details} for company in new])
    if new:
        facts = claims.drop(columns="details").assign(
            company_id=[c.company_id for c in new],
            identity_key=[c.claim.identity_key for c in new],
            domain=pd.Series([c.domain for c in new], dtype="str"),
            receipt_id=[c.origin[0] for c in new],
            row_number=[c.origin[1] for c in new],
        )
        copy(connection, "companies", facts)
        length = loading.matching.companies.key_length
        keys = [(k, c.company_id) for c in new for k in company_keys(c.claim.canonical_name, length)]
        copy(connection, "company_keys", pd.DataFrame(keys, columns=["key", "company_id"]))
    learned = [company for company in findings.companies if not company.is_new]
    if learned:
        execute(
            connection,
            "companies_learn_domain",
            company_ids=[company.company_id for company in learned],
            domains=[company.learned_domain for company in learned],
        )


def write_decisions(connection: Connection, findings: Findings, loading: Loading) -> None:
    """Every pair that was judged, with its explanation; appended, never changed."""
    table = pd.DataFrame(
        [
            {
                "level": d.level,
                "left_receipt_id": loading.receipt_id,
                "left_row": d.row,
                "right_receipt_id": d.other[0],
                "right_row": d.other[1],
                "kind": "auto",
                "verdict": d.verdict,
                "score": d.score,
                "explanation": json_text(d.explanation),
                "config_id": loading.config_id,
                "decided_by": f"matching {loading.matching.version}",
            }
            for d in findings.decisions
        ]
    )
    copy(connection, "match_decisions", table)


def write_assignments(connection: Connection, leads: pd.DataFrame, loading: Loading) -> None:
    """Who got a lead and why; an assignment that is replaced ends, it is not overwritten."""
    given = leads[leads["lead_id"].notna() & leads["is_last"] & leads["is_assigned"]]
    known = given[~given["is_new_lead"]]
    if len(known):
        ids = [int(lead_id) for lead_id in known["lead_id"]]
        owners, teams = ([None if is_missing(v) else v for v in known[name]] for name in ("owner", "team"))
        execute(connection, "leads_assign", lead_ids=ids, owners=owners, teams=teams)
        execute(connection, "assignments_end", lead_ids=ids)
    columns = ["lead_id", "team", "owner", "rule", "reason", "turn_before", "turn_after"]
    table = given[columns].assign(
        candidates=array_texts(given["candidates"], given.index),
        config_id=loading.config_id,
        receipt_id=loading.receipt_id,
        row_number=given["row"],
        assigned_at=pd.Timestamp(loading.now),
    )
    copy(connection, "assignments", table)


def write_activities(connection: Connection, leads: pd.DataFrame, loading: Loading) -> None:
    """The actions of the bands that leads entered; each fires once for a lead (S000-22, S000-23, S000-24)."""
    entered = leads[leads["is_active"] & (leads["band"] != leads["known_band"].fillna(""))]
    facts: list[dict[str, Any]] = []
    for band, group in entered.groupby("band"):
        for action in band_actions(loading.scoring, str(band)):
            due = loading.now + timedelta(hours=action.due_hours)
            facts += [
                {"lead_id": int(lead_id), "action": action.name, "kind": action.kind, "subject": action.subject}
                | {"owner": None if is_missing(owner) else owner, "due_at": due, "receipt_id": loading.receipt_id}
                for lead_id, owner in zip(group["lead_id"], group["owner"], strict=True)
            ]
    if facts:
        execute(connection, "activities_stage")
        copy(connection, "staged_activities", pd.DataFrame(facts).assign(activity_id=0))
        execute(connection, "activities_insert")


def write_consents(connection: Connection, leads: pd.DataFrame, loading: Loading) -> None:
    """Wishes that rows stated: they count for every lead of the address, and only become stricter (S001-16)."""
    out_of_mail = leads[leads["own_email_opt_out"].fillna(False).astype(bool) & leads["email_key"].notna()]
    out_of_calls = leads[leads["own_do_not_call"].fillna(False).astype(bool)]
    wishes = (
        (out_of_mail, "mail:" + out_of_mail["email_key"], "email"),
        *((out_of_calls, "tel:" + out_of_calls[name], "phone") for name in ("own_phone", "own_mobile")),
    )
    for rows_, keys, channel in wishes:
        table = pd.DataFrame({"address_key": keys, "row_number": rows_["row"]}).assign(
            channel=channel, purpose="marketing", verdict="opted_out", receipt_id=loading.receipt_id
        )
        copy(connection, "consents", table.dropna(subset="address_key"))
    mailboxes = leads["email_key"].dropna().unique()
    numbers = pd.concat([leads[name] for name in ("phone", "mobile", "own_phone", "own_mobile")]).dropna().unique()
    execute(connection, "consents_apply_email", keys=[f"mail:{key}" for key in mailboxes])
    execute(connection, "consents_apply_phone", keys=[f"tel:{number}" for number in numbers])
