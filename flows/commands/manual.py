"""A lead that a colleague enters: a file of one row, which goes the way of all files."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sluice.errors import UserError

if TYPE_CHECKING:
    from sluice.intake import Office

SOURCE = "manual"


class Refused(UserError):
    """What was entered cannot be a lead."""

    exit_code = 8


def enter(office: Office, given: Mapping[str, str]) -> dict[str, Any]:
    """Takes a lead in and says what it became.

    Args:
        given: our field → what was entered.

    Returns:
        JSON-ready: `receipt`, `exit_code`, and either `lead`, `outcome`, `owner` and `warnings`, or `reasons`.

    Raises:
        Refused: nothing was entered.
    """
    from sluice import explanation
    from sluice.intake import Order, intake
    from sluice.reports import report
    from sluice.store.queries import rows

    if not any(value.strip() for value in given.values()):
        raise Refused("lead add", "nothing was entered", fix="`sluice lead add --help` lists what can be")
    receipt, _ = intake(office, Order(_written(office.settings.home, given), SOURCE))
    with office.database.connection() as connection:
        touched = rows(connection, "receipt_leads", receipt_id=receipt.receipt_id)
    found = report(office.database, receipt)
    if not touched:
        return {"receipt": receipt.receipt_id, "reasons": _reasons(found), "exit_code": Refused.exit_code}
    lead = explanation.find(office, str(touched[0]["lead_id"]))[0]
    outcome = next(name for name in ("created", "updated", "unchanged", "flagged") if found["counts"][name])
    owner = explanation.owner_in_words(lead, office.profile.teams)
    answer = {"receipt": receipt.receipt_id, "lead": lead, "outcome": outcome, "owner": owner, "exit_code": 0}
    return answer | {"warnings": list(found["warnings"])}


def _written(home: Path, given: Mapping[str, str]) -> Path:
    """The file of the entry. It states its time: the same words entered again later are another event."""
    now = datetime.now(UTC)
    path = home / SOURCE / f"{now:%Y-%m-%dT%H%M%S}-{uuid4().hex[:8]}.csv"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    entered = {**given, "created_at": now.isoformat(timespec="milliseconds")}
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(entered)
        writer.writerow(entered.values())
    return path


def _reasons(found: Mapping[str, Any]) -> list[str]:
    refused = [f"{reason['field']}: {reason['meaning']}. {reason['fix']}." for reason in found["rejects"]]
    return refused + [f"it was set aside as {kind.replace('_', ' ')}" for kind in found["set_asides"]]
