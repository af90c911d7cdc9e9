"""A receipt's report, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.commands.terminal import plain, show, table
from sluice.outcomes import OUTCOMES
from sluice.problems import CODES

MOST_REASONS = 5
"""Reasons and warnings that are shown; `--json` has all."""

HEADINGS = {"row_count": "rows", **OUTCOMES}
"""What the counts of a report are called."""


def show_report(found: Mapping[str, Any]) -> None:
    """Prints what became of a receipt: the counts, why rows were refused, and what else is worth knowing.

    Args:
        found: of `sluice.reports.report`, with `was_known`.
    """
    title = f"[bold]{plain(found['file'])}[/bold] · source {plain(found['source'])} · receipt {found['receipt']}"
    show("", f"{title} · {plain(found['state'])}")
    if found.get("was_known"):
        first = found["duplicate_of"] or found["receipt"]
        show(f"Already known as receipt {first}: no row was loaded. `--again` imports it anew.")
        return
    if found["completes"]:
        many = found["completions"]["completed_elsewhere"]
        show(f"Corrects rejected rows of receipt {found['completes']}: {many:,} are completed by it")
    heads = [f"{heading}#" for heading in HEADINGS.values()]
    show(table(heads, [[found["counts"][name] for name in HEADINGS]]))
    _show_rejects(found)
    for kind, rows in found["set_asides"].items():
        show(f"Set aside: {rows:,} × {plain(kind.replace('_', ' '))}")
    for missed in found["expectations"]:
        show(f"[yellow]Not as expected:[/yellow] {plain(missed['text'])}")
    for notice in found["columns"]:
        about = f"column {plain(notice['column'])!r}: " if notice["column"] else ""
        show(f"[yellow]Note:[/yellow] {about}{plain(notice['text'])}")
    _show_warnings(found["warnings"])
    for name in ("bands", "owners"):
        if found[name]:
            show(f"{name.capitalize()}: {', '.join(f'{plain(key)} {count:,}' for key, count in found[name].items())}")


def warning_in_words(warning: str) -> str:
    """What a `field:code` warning means."""
    field, _, code = warning.partition(":")
    known = CODES.get(code)
    return f"{field}: {known.meaning}. {known.fix}." if known else warning


def _show_rejects(found: Mapping[str, Any]) -> None:
    reasons = found["rejects"]
    for reason in reasons[:MOST_REASONS]:
        said = plain(f"{reason['field']}: {reason['meaning']}. {reason['fix']}.")
        show(f"[red]Rejected:[/red] {reason['rows']:,} × {said}")
    if len(reasons) > MOST_REASONS:
        show(f"… and {len(reasons) - MOST_REASONS} further reasons")
    counted = found["completions"]
    if counted["completed"]:
        show(f"Of the rejected rows, {counted['completed']:,} were completed since; {counted['still_open']:,} are open")
    if counted["still_open"]:
        number = found["receipt"]
        show(f"Read them: `sluice rejects list {number}`; as a file to mend: `sluice rejects export {number}`")


def _show_warnings(warnings: Mapping[str, int]) -> None:
    for code, rows in list(warnings.items())[:MOST_REASONS]:
        show(f"[yellow]Warning:[/yellow] {rows:,} × {plain(warning_in_words(code))}")
    if len(warnings) > MOST_REASONS:
        show(f"… and {len(warnings) - MOST_REASONS} further kinds of warnings")
