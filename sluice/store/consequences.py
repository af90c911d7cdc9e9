"""What a slice's leads bring with them: companies, match decisions, assignments, actions and wishes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from sluice.distinct import arrow
from sluice.matching.companies import DETAILS, Company
from sluice.matching.facts import Findings
from sluice.matching.keys import MOST_LETTERS, company_keys
from sluice.scoring import BandAction, band_actions
from sluice.store.decided import Decided, constant
from sluice.store.loading import Loading
from sluice.store.queries import execute, rows
from sluice.store.tables import array_literals, array_text, copy, json_text

_BY_NAME = ("team", "owner", "rule", "reason", "turn_before", "turn_after")


def write_companies(connection: Connection, findings: Findings, loading: Loading) -> None:
    """New companies with the keys they are found under, and domains that known ones learned."""
    new = [company for company in findings.companies if company.is_new]
    if new:
        copy(connection, "companies", _rows_of_companies(new, loading.matching.companies.key_length))
    learned = [company for company in findings.companies if not company.is_new]
    if learned:
        execute(
            connection,
            "companies_learn_domain",
            company_ids=[company.company_id for company in learned],
            domains=[company.learned_domain for company in learned],
        )


def _rows_of_companies(new: list[Company], key_length: int) -> pa.Table:
    claims = [company.claim for company in new]
    keys = [company_keys(claim.canonical_name, key_length) for claim in claims]
    texts: dict[str, list[str | None]] = {
        "identity_key": [claim.identity_key for claim in claims],
        "name": [claim.name for claim in claims],
        "canonical_name": [claim.canonical_name for claim in claims],
        "legal_class": [claim.legal_class for claim in claims],
        "domain": [company.domain for company in new],
        "country": [claim.country for claim in claims],
        "start_key": [start for start, _ in keys],
        "word_key": [word for _, word in keys],
        **{name: [company.details.get(name) for company in new] for name in DETAILS},
    }
    numbers = {
        "company_id": [company.company_id for company in new],
        "receipt_id": [company.origin[0] for company in new],
        "row_number": [company.origin[1] for company in new],
        "letters": [min(len(claim.canonical_name), MOST_LETTERS) for claim in claims],
    }
    columns: dict[str, Any] = {name: pa.array(column, pa.string()) for name, column in texts.items()}
    return pa.table(columns | {name: pa.array(column, pa.int64()) for name, column in numbers.items()})


def write_decisions(connection: Connection, findings: Findings, loading: Loading) -> None:
    """Every pair that was judged, with its explanation; appended, never changed."""
    made = findings.decisions
    if not made:
        return
    left = loading.origins.columns([d.row for d in made])
    columns: dict[str, Any] = {
        "level": pa.array([d.level for d in made]),
        "left_receipt_id": left["receipt_id"],
        "left_row": left["row_number"],
        "right_receipt_id": pa.array([d.other[0] for d in made]),
        "right_row": pa.array([d.other[1] for d in made]),
        "kind": constant("auto", len(made)),
        "verdict": pa.array([d.verdict for d in made]),
        "score": pa.array([d.score for d in made], pa.float64()),
        "explanation": pa.array([json_text(d.explanation) for d in made]),
        "config_id": constant(loading.config_id, len(made)),
        "decided_by": constant(f"matching {loading.matching.version}", len(made)),
    }
    copy(connection, "match_decisions", pa.table(columns))


def write_assignments(connection: Connection, decided: Decided, loading: Loading) -> None:
    """Who got a lead and why; an assignment that is replaced ends, it is not overwritten."""
    given = decided.is_given
    if not given.any():
        return
    known = given & ~decided.is_new
    if known.any():
        ids = decided.lead_ids[known].tolist()
        owners, teams = (decided.texts(name, known) for name in ("owner", "team"))
        execute(connection, "leads_assign", lead_ids=ids, owners=owners, teams=teams)
        execute(connection, "assignments_end", lead_ids=ids)
    places = pa.array(np.flatnonzero(given))
    columns: dict[str, Any] = {name: arrow(decided.leads[name]).take(places) for name in ("lead_id", *_BY_NAME)}
    columns |= {
        "candidates": array_literals(arrow(decided.leads["candidates"]).take(places)),
        "config_id": constant(loading.config_id, len(places)),
        **loading.origins.columns(decided.leads["row"].to_numpy()[given]),
        "assigned_at": constant(loading.now.isoformat(), len(places)),
    }
    copy(connection, "assignments", pa.table(columns))


def write_activities(connection: Connection, decided: Decided, loading: Loading) -> None:
    """The actions of the bands that leads entered; each fires once for a lead (S000-22, S000-23, S000-24)."""
    bands, known = arrow(decided.leads["band"]), arrow(decided.leads["known_band"])
    moved = pc.fill_null(pc.not_equal(bands, pc.fill_null(known, "")), False).to_numpy(zero_copy_only=False)
    entered = decided.is_active & moved
    for band in loading.scoring.bands:
        here = entered & pc.fill_null(pc.equal(bands, band.name), False).to_numpy(zero_copy_only=False)
        for action in band_actions(loading.scoring, band.name) if here.any() else ():
            _write_action(connection, decided, here, (action, loading))


def _write_action(
    connection: Connection, decided: Decided, entered: np.ndarray, what: tuple[BandAction, Loading]
) -> None:
    """One action for all leads that entered its band: a new lead cannot have it yet, of a known one it is asked."""
    action, loading = what
    facts: dict[str, Any] = {
        "action": action.name,
        "kind": action.kind,
        "subject": action.subject,
        "due_at": (loading.now + timedelta(hours=action.due_hours)).isoformat(),
    }
    new, known = entered & decided.is_new, entered & ~decided.is_new
    receipts = loading.origins.columns(decided.leads["row"])["receipt_id"]
    if new.any():
        places = pa.array(np.flatnonzero(new))
        columns: dict[str, Any] = {name: arrow(decided.leads[name]).take(places) for name in ("lead_id", "owner")}
        columns |= {name: constant(value, len(places)) for name, value in facts.items()}
        columns["receipt_id"] = receipts.take(places)
        copy(connection, "activities", pa.table(columns))
    if known.any():
        lead_ids, owners = decided.lead_ids[known].tolist(), decided.texts("owner", known)
        theirs = receipts.filter(pa.array(known)).to_pylist()
        execute(connection, "activities_insert", lead_ids=lead_ids, owners=owners, receipt_ids=theirs, **facts)


def write_consents(connection: Connection, decided: Decided, loading: Loading) -> None:
    """Wishes that rows stated: they count for every lead of the address, and only become stricter (S001-16)."""
    leads = decided.leads
    for wish, address, prefix, channel in (
        ("own_email_opt_out", "email_key", "mail:", "email"),
        ("own_do_not_call", "own_phone", "tel:", "phone"),
        ("own_do_not_call", "own_mobile", "tel:", "phone"),
    ):
        wished = pc.and_(pc.fill_null(arrow(leads[wish]), False), arrow(leads[address]).is_valid())
        stated = pc.indices_nonzero(wished)
        if not len(stated):
            continue
        columns: dict[str, Any] = {
            "address_key": pa.array([f"{prefix}{a}" for a in arrow(leads[address]).take(stated).to_pylist()]),
            "channel": constant(channel, len(stated)),
            "purpose": constant("marketing", len(stated)),
            "verdict": constant("opted_out", len(stated)),
            **loading.origins.columns(leads["row"].to_numpy()[stated.to_numpy()]),
        }
        copy(connection, "consents", pa.table(columns))
    _apply_consents(connection, decided)


def _apply_consents(connection: Connection, decided: Decided) -> None:
    """What anybody ever wished counts for the leads of this slice, and what this slice wished for all leads."""
    keys = {f"mail:{address}" for address in _distinct(decided, "email_key")}
    for name in ("phone", "mobile", "own_phone", "own_mobile"):
        keys |= {f"tel:{number}" for number in _distinct(decided, name)}
    asked = array_text(list(keys))
    wishes: dict[str, list[str]] = {}
    for wish in rows(connection, "consents_known", keys=asked) if keys else ():
        wishes.setdefault(wish["channel"], []).append(wish["address_key"])
    for channel, addresses in wishes.items():
        execute(connection, f"consents_apply_{channel}", keys=array_text(addresses))


def _distinct(decided: Decided, name: str) -> list[str]:
    """The texts of a column, each once, without what is empty."""
    return [text for text in pc.unique(arrow(decided.leads[name])).to_pylist() if text]
