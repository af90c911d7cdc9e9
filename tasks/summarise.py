"""Task: one page about a run: what came in, what became of it, what was refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from prefect.artifacts import create_markdown_artifact

OUTCOMES = ("created", "updated", "unchanged", "flagged", "rejects", "set_asides")
BAR = 24
"""Characters of the longest bar."""


def summarise(reports: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Puts the run's summary into the Prefect UI, as a Markdown artifact without personal data.

    Returns:
        The totals over all files: rows, and rows by outcome.
    """
    totals = Counter({"row_count": 0})
    for found in reports:
        if "error" not in found and not found["was_known"]:
            totals.update({name: found["counts"][name] for name in ("row_count", *OUTCOMES)})
    markdown = "\n".join(page(reports, totals))
    create_markdown_artifact(markdown, key="intake-summary", description="What became of the rows")
    return dict(totals)


def page(reports: Sequence[dict[str, Any]], totals: Counter[str]) -> list[str]:
    """The summary in Markdown lines."""
    lines = [f"# {totals['row_count']:,} rows in", "", "| became | rows | |", "|---|---:|---|"]
    most = max([totals[name] for name in OUTCOMES] or [1]) or 1
    lines += [f"| {name} | {totals[name]:,} | {'█' * round(BAR * totals[name] / most)} |" for name in OUTCOMES]
    lines += ["", "## Files", "", "| file | source | receipt | rows | created | updated | flagged | refused | |"]
    lines += ["|---|---|---:|---:|---:|---:|---:|---:|---|", *(_file(found) for found in reports)]
    for title, name in (("Bands", "bands"), ("Owners", "owners"), ("Warnings", "warnings")):
        counted = Counter[str]()
        for found in reports:
            counted.update(found.get(name, {}))
        if counted:
            lines += ["", f"## {title}", "", "| | leads |", "|---|---:|"]
            lines += [f"| {label} | {count:,} |" for label, count in counted.most_common(20)]
    refused = [(found["file"], reason) for found in reports for reason in found.get("rejects", [])]
    if refused:
        lines += ["", "## Refused", "", "| file | field | why | what to do | rows |", "|---|---|---|---|---:|"]
        lines += [f"| {file} | {r['field']} | {r['meaning']} | {r['fix']} | {r['rows']:,} |" for file, r in refused]
    return lines


def _file(found: dict[str, Any]) -> str:
    if "error" in found:
        return f"| {found['file']} | {found['source']} | | | | | | | could not be read |"
    counts = found["counts"]
    note = "known already" if found["was_known"] else ""
    cells = [found["file"], found["source"], found["receipt"], counts["row_count"], counts["created"]]
    cells += [counts["updated"], counts["flagged"], counts["rejects"], note]
    return f"| {' | '.join(str(cell) for cell in cells)} |"
