"""What became of a receipt: numbers and reasons for a report, and the rejects as a file that can be mended."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from sluice.schema import REJECT_COLUMNS
from sluice.store.engine import Database
from sluice.store.queries import rows
from sluice.store.receipts import Receipt


def report(database: Database, receipt: Receipt) -> dict[str, Any]:
    """What came in and what became of it: numbers, codes and reasons, no personal data.

    Returns:
        JSON-ready: receipt, counts (they add up: rows = created + updated + unchanged + flagged + rejects +
        set_asides), rejects by reason, set-asides by kind, warnings, leads by band and by owner.
    """
    number = {"receipt_id": receipt.receipt_id}
    with database.connection() as connection:
        counts = rows(connection, "receipt_counts", **number)[0]
        reasons = rows(connection, "receipt_reject_reasons", **number)
        kinds = rows(connection, "receipt_set_aside_kinds", **number)
        warnings = rows(connection, "receipt_warnings", **number)
        bands = rows(connection, "receipt_by_band", **number)
        owners = rows(connection, "receipt_by_owner", **number)
    return {
        "receipt": receipt.receipt_id,
        "source": receipt.source,
        "file": receipt.name,
        "state": receipt.state,
        "duplicate_of": receipt.duplicate_of,
        "sha256": receipt.sha256,
        "received_at": receipt.received_at.isoformat(),
        "counts": {name: count or 0 for name, count in counts.items()},
        "rejects": reasons,
        "set_asides": {row["kind"]: row["rows"] for row in kinds},
        "warnings": {row["code"]: row["rows"] for row in warnings},
        "columns": (receipt.survey or {}).get("warnings", []),
        "bands": {row["band"]: row["leads"] for row in bands},
        "owners": {row["owner"]: row["leads"] for row in owners},
    }


def write_report(found: dict[str, Any], path: Path) -> None:
    """Writes a report as JSON, whole or not at all."""
    _replace(path, json.dumps(found, indent=2, ensure_ascii=False, default=str) + "\n")


def write_rejects(database: Database, receipt: Receipt, path: Path) -> int:
    """Writes the rejected rows of a receipt as a file of its own dialect: what is wrong and what to do, then the row.

    The cells stay as they came, however many there are: a row that was too long is refused again until it is mended.

    Returns:
        How many rows there are; with none, no file is written.
    """
    with database.connection() as connection:
        rejected = rows(connection, "rejects_list", receipt_id=receipt.receipt_id, most=None)
    if not rejected:
        return 0
    survey = receipt.survey or {}
    unfinished = path.with_name(path.name + ".tmp")
    with unfinished.open("w", encoding=survey["encoding"], errors="backslashreplace", newline="") as stream:
        unfinished.chmod(0o600)
        writer = csv.writer(stream, delimiter=survey["delimiter"])
        writer.writerow([*REJECT_COLUMNS, *receipt.header])
        for row in rejected:
            writer.writerow([*_told(row), *row["record"]])
    unfinished.replace(path)
    return len(rejected)


def _told(row: dict[str, Any]) -> list[str]:
    problems: list[dict[str, str]] = row["problems"]
    told = [harmless(" | ".join(problem[key] for problem in problems)) for key in ("field", "code", "found")]
    fixes = " | ".join(f"{problem['meaning']}. {problem['fix']}." for problem in problems)
    return [str(row["line"]), *told, fixes]


def harmless(text: str) -> str:
    """Text that a spreadsheet will not take for a formula (CWE-1236); original cells are never changed so."""
    return (
        f"'{text}"
        if text.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
        else text
    )


def _replace(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
