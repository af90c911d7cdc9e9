"""What became of a receipt: numbers and reasons for a report, and the rejects as a file that can be mended."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

from sluice.corrections import mark
from sluice.expectations import Arrived, broken
from sluice.rules import Expectation
from sluice.schema import REJECT_COLUMNS
from sluice.store.engine import Database
from sluice.store.queries import rows, streamed
from sluice.store.receipts import Receipt
from sluice.strict_yaml import parse


def report(database: Database, receipt: Receipt) -> dict[str, Any]:
    """What came in and what became of it: numbers, codes and reasons, no personal data.

    Returns:
        JSON-ready: receipt, counts (they add up: rows = created + updated + unchanged + flagged + rejects +
        set_asides), rejects by reason, set-asides by kind, warnings, leads by band and by owner, the receipt whose
        rejects it completes, and which of its source's expectations it does not meet.
    """
    number = {"receipt_id": receipt.receipt_id}
    with database.connection() as connection:
        counts = rows(connection, "receipt_counts", **number)[0]
        reasons = rows(connection, "receipt_reject_reasons", **number)
        kinds = rows(connection, "receipt_set_aside_kinds", **number)
        warnings = rows(connection, "receipt_warnings", **number)
        bands = rows(connection, "receipt_by_band", **number)
        owners = rows(connection, "receipt_by_owner", **number)
        expected = rows(connection, "receipt_expectations", **number)[0]
        completions = rows(connection, "receipt_completions", **number)[0]
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
        "completes": receipt.parent_id,
        "completions": completions,
        "expectations": _unmet(receipt, expected, counts),
    }


def _unmet(receipt: Receipt, expected: dict[str, Any], counts: dict[str, Any]) -> list[dict[str, str]]:
    """What is not as expected of a file that was worked; corrected rejects are few, and bad ones, by their nature."""
    if receipt.state != "done" or expected["parent_id"] is not None:
        return []
    rules = parse(f"sources/{receipt.source}.yml", expected["rules"] or "").data
    arrived = Arrived(counts["row_count"] or 0, counts["rejects"], receipt.header)
    return broken(Expectation.model_validate(rules.get("expect", {})), arrived, expected["columns_before"])


def write_report(found: dict[str, Any], path: Path) -> None:
    """Writes a report as JSON, whole or not at all."""
    _replace(path, json.dumps(found, indent=2, ensure_ascii=False, default=str) + "\n")


def write_rejects(database: Database, receipt: Receipt, path: Path) -> int:
    """Writes the rejected rows of a receipt as a file of its own dialect: what is wrong and what to do, then the row.

    The cells stay as they came, however many there are: a row that was too long is refused again until it is mended.
    Rows that a corrected file has completed since are left out; so are the columns that an earlier rejects file added.

    Returns:
        How many rows there are; with none, no file is written.
    """
    with database.transaction() as connection:
        rejected = streamed(connection, "rejects_list", receipt_id=receipt.receipt_id, only_open=True, most=None)
        first = next(rejected, None)
        return 0 if first is None else _write_rejects(receipt, chain([first], rejected), path)


def _write_rejects(receipt: Receipt, rejected: Iterable[dict[str, Any]], path: Path) -> int:
    survey = receipt.survey or {}
    encoding = "utf-8-sig" if survey["encoding"] == "utf-8" else survey["encoding"]  # else Excel takes it for cp1252
    theirs = [at for at, name in enumerate(receipt.header) if name not in REJECT_COLUMNS]
    unfinished, written = path.with_name(path.name + ".tmp"), 0
    with unfinished.open("w", encoding=encoding, errors="backslashreplace", newline="") as stream:
        unfinished.chmod(0o600)
        writer = csv.writer(stream, delimiter=survey["delimiter"])
        writer.writerow([*REJECT_COLUMNS, *(receipt.header[at] for at in theirs)])
        for row in rejected:
            written += 1
            record = row["record"]
            is_cut = len(record) >= len(receipt.header) > len(theirs)  # else the row came as one piece
            kept = [*(record[at] for at in theirs), *record[len(receipt.header) :]] if is_cut else record
            writer.writerow([mark(receipt, row["row_number"]), *_told(row), *kept])
    unfinished.replace(path)
    return written


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
