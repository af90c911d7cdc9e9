"""Task: one page about a run: what came in, what became of it, what was refused and why, what is not as expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact

from sluice.outcomes import OUTCOMES
from tasks.chart import chart
from tasks.counted import counted
from tasks.look_out import tell
from tasks.telling import Telling

Kind = Literal["file", "arrival"]
"""What the reports are about: a file each, or all arrivals of a source."""

_UNREAD = {
    "broken": "broken: it stays and is tried again",
    "waits": "it waits in its inbox",
    "gone": "somebody else has taken it",
}

MOST = 25
"""Lines of a table; a run of 10,000 files stays a page that can be read."""


def summarise(reports: Sequence[dict[str, Any]], of: Kind = "file") -> dict[str, int]:
    """Puts the run's summary into the Prefect UI, and raises an event for each broken expectation.

    Returns:
        The totals over all reports: rows, and rows by outcome.
    """
    totals = _totals(reports)
    markdown, in_short = "\n".join(page(reports, totals, of)), _in_short(reports, totals, of)
    Telling()(lambda: create_markdown_artifact(markdown, key="intake-summary", description=in_short))
    _warn(reports)
    return dict(totals)


def page(reports: Sequence[dict[str, Any]], totals: Counter[str], of: Kind = "file") -> list[str]:
    """The summary in Markdown lines; of many files the most notable ones are listed, the rest is summed."""
    lines = [f"# {_in_short(reports, totals, of)}", "", *_outcomes(totals)]
    lines += _expectations(reports)
    lines += _by_source(reports, of)
    for title, name in (("Bands", "bands"), ("Owners", "owners"), ("Warnings", "warnings")):
        leads = Counter[str]()
        for found in reports:
            leads.update(found.get(name, {}))
        lines += _table(title, ("", "leads#"), leads.most_common())
    lines += _reasons(reports, of)
    return [*lines, *(_files(reports) if of == "file" else [])]


def _totals(reports: Iterable[dict[str, Any]]) -> Counter[str]:
    totals = Counter({"row_count": 0})
    for found in reports:
        if _is_loaded(found):
            totals.update({name: found["counts"][name] for name in ("row_count", *OUTCOMES)})
    return totals


def _is_loaded(found: dict[str, Any]) -> bool:
    return "error" not in found and not found["was_known"]


def _many(found: dict[str, Any]) -> int:
    """Files or arrivals of one report."""
    return found.get("arrivals", 1)


def _in_short(reports: Sequence[dict[str, Any]], totals: Counter[str], of: Kind) -> str:
    known = sum(1 for found in reports if found.get("was_known"))
    failed = sum(1 for found in reports if "error" in found)
    said = f"{counted(totals['row_count'], 'row')} of {counted(sum(map(_many, reports)), of)}"
    quarantined = sum(found.get("quarantined", 0) for found in reports)
    said += f", {quarantined:,} quarantined" if quarantined else ""
    said += f", {known:,} known already" if known else ""
    return said + (f", {failed:,} not taken in" if failed else "")


def _outcomes(totals: Counter[str]) -> list[str]:
    rows = totals["row_count"]
    if not rows:
        return []
    outcomes = {label: totals[name] for name, label in OUTCOMES.items()}
    lines = [f"![What became of the rows]({chart(f'{rows:,} rows', outcomes)})", ""]
    lines += ["| became | rows | share |", "|---|---:|---:|"]
    return lines + [f"| {label} | {count:,} | {count / rows:.1%} |" for label, count in outcomes.items()]


def _expectations(reports: Iterable[dict[str, Any]]) -> list[str]:
    unmet = [
        (found["source"], found["file"], missed["text"])
        for found in reports
        if not found.get("was_known")
        for missed in found.get("expectations", [])
    ]
    return _table("⚠ Not as expected", ("source", "file", "what"), unmet)


def _by_source(reports: Iterable[dict[str, Any]], of: Kind) -> list[str]:
    sources: dict[str, Counter[str]] = {}
    for found in reports:
        counts = sources.setdefault(found["source"], Counter())
        counts["many"] += _many(found)
        if _is_loaded(found):
            counts.update({name: found["counts"][name] for name in ("row_count", *OUTCOMES)})
    names = ("many", "row_count", *OUTCOMES)
    cells = [(source, *(counts[name] for name in names)) for source, counts in sorted(sources.items())]
    cells.sort(key=lambda line: -int(line[2]))
    heads = ("source", f"{of}s#", "rows#", *(f"{label}#" for label in OUTCOMES.values()))
    return _table("Sources", heads, cells)


def _reasons(reports: Iterable[dict[str, Any]], of: Kind) -> list[str]:
    """Why rows were rejected, over all reports, and what is to be done."""
    rows, files = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    for found in reports:
        if not found.get("was_known"):
            for reason in found.get("rejects", []):
                key = (reason["field"], reason["meaning"], reason["fix"])
                rows[key] += reason["rows"]
                files[key] += 1
    lines = [(*key, count, files[key]) for key, count in rows.most_common()]
    heads = ("field", "why", "what to do", "rows#", "files#" if of == "file" else "sources#")
    table = _table("Rejected", heads, lines)
    if table and of == "arrival":
        table += ["", "`sluice rejects list` shows the rows with what is wrong with each, and `sluice rejects export`"]
        table += ["writes those of a receipt as CSV, to be mended and imported."]
    elif table:
        table += ["", "The rows, with what is wrong with each, are in `<file>.rejects.csv` beside each file: mend them"]
        table += ["there and drop that file into the inbox again. `sluice rejects list RECEIPT` shows them too."]
    return table


def _files(reports: Sequence[dict[str, Any]]) -> list[str]:
    """The files, what failed before what was refused in part before what went well."""
    ordered = sorted(reports, key=_notability)
    heads = ("file", "source", "receipt#", "rows#", "created#", "updated#", "flagged#", "rejected#", "note")
    lines = _table("Files", heads, [_file(found) for found in ordered], _rest(ordered[MOST:]))
    if places := [place for found in ordered[:MOST] for place in _places(found)]:
        lines += ["", "Reports and rejects lie here:", "", *(f"- {_cell(place)}" for place in places[:MOST])]
    return lines


def _notability(found: dict[str, Any]) -> tuple[int, int]:
    if "error" in found:
        return (0, 0)
    if found["was_known"]:
        return (3, 0)
    return (1 if found.get("expectations") else 2, -found["counts"]["rejects"])


def _file(found: dict[str, Any]) -> tuple[Any, ...]:
    if "error" in found:
        what = _UNREAD.get(found["state"], "could not be read")
        return (found["file"], found["source"], "", "", "", "", "", "", what)
    counts = found["counts"]
    notes = ["known already"] if found["was_known"] else []
    notes += [f"completes receipt {found['completes']}"] if found.get("completes") else []
    notes += ["not as expected"] if found.get("expectations") and not found["was_known"] else []
    names = ("row_count", "created", "updated", "flagged", "rejects")
    numbers = (counts[name] for name in names)
    return (found["file"], found["source"], str(found["receipt"]), *numbers, ", ".join(notes))


def _rest(further: Sequence[dict[str, Any]]) -> str:
    totals = _totals(further)
    said = ", ".join(f"{totals[name]:,} {label}" for name, label in OUTCOMES.items() if totals[name])
    return f"{totals['row_count']:,} rows{': ' + said if said else ''}"


def _places(found: dict[str, Any]) -> list[str]:
    return [str(found[name]) for name in ("report_at", "rejects_at") if found.get(name)]


def _table(title: str, heads: Sequence[str], lines: Sequence[Sequence[Any]], rest: str = "") -> list[str]:
    """A titled table of at most `MOST` lines; heads that end in # stand over numbers; nothing if there is no line."""
    if not lines:
        return []
    names = [head.removesuffix("#") for head in heads]
    rule = ["---:" if head.endswith("#") else "---" for head in heads]
    table = ["", f"## {title}", "", f"| {' | '.join(names)} |", f"|{'|'.join(rule)}|"]
    table += [f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines[:MOST]]
    if len(lines) > MOST:
        table += ["", f"… and {len(lines) - MOST:,} more{f' ({rest})' if rest else ''}."]
    return table


def _cell(value: Any) -> str:
    """A value that can neither end its cell nor be read as Markdown or HTML: names of files come from outside."""
    if isinstance(value, int):
        return f"{value:,}"
    text = " ".join(str(value).split())
    text = "".join(f"\\{char}" if char in r"\`*_[]|~#" else char for char in text if char.isprintable())
    return text.replace("&", "&amp;").replace("<", "&lt;")[:200]


def _warn(reports: Iterable[dict[str, Any]]) -> None:
    """One event a source, however many of its files are not as expected: a person reads the alarm."""
    unmet: dict[str, list[str]] = {}
    for found in reports:
        if not found.get("was_known"):
            said = [f"{found['file']}: {missed['text']}" for missed in found.get("expectations", [])]
            unmet.setdefault(found["source"], []).extend(said)
    for source, texts in unmet.items():
        if not texts:
            continue
        more = f"; and {len(texts) - 5:,} more" if len(texts) > 5 else ""
        text = "; ".join(texts[:5]) + more
        get_run_logger().warning(f"source {source} is not as expected: {text}")
        tell("sluice.expectation.broken", f"sluice.source.{source}", source, {"text": text, "count": len(texts)})
