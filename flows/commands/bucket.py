"""`sluice bucket`: what lies in the buckets, what waits, and why."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands import opening
from flows.commands.terminal import plain, say, show, show_json, table

if TYPE_CHECKING:
    from sluice.bucket_rules import BucketRules
    from sluice.intake import Office

GLANCE_SECONDS = 1.0
"""Between the two looks that tell a growing file from one that stands still."""

MOST = 200
"""Files of the table; `--json` has all."""


def bucket(
    where: Annotated[
        str | None,
        typer.Argument(metavar="[NAME|URL|FOLDER]", help="One bucket; all of config/buckets.yml without it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what lies in the inboxes of the buckets: which source each file has, whether it is taken next, or why not.

    It looks twice, a second apart: what changes in between is said to grow. Nothing is changed. Exit code 4 if a
    bucket cannot be reached.
    """
    from sluice.bucket_rules import load_buckets
    from sluice.buckets import rules_of

    with opening.office() as office:
        declared = load_buckets(office.settings.config, office.settings.home)
        if where is None:
            wanted = list(declared.values())
        else:
            wanted = [declared[where] if where in declared else rules_of(office.settings, where)]
        found = [_found(office, rules) for rules in wanted]
    if as_json:
        show_json({"buckets": found})
    else:
        for one in found:
            _show(one)
    raise typer.Exit(max(one["exit_code"] for one in found))


def _found(office: Office, rules: BucketRules) -> dict[str, Any]:
    from sluice.errors import UserError

    about: dict[str, Any] = {"name": rules.name, "url": rules.url, "settle_seconds": rules.settle_seconds}
    try:
        return about | {"error": None, "exit_code": 0, "files": _files(office, rules)}
    except UserError as error:
        return about | {"error": str(error), "exit_code": error.exit_code, "files": []}


def _files(office: Office, rules: BucketRules) -> list[dict[str, Any]]:
    from sluice.buckets import opened
    from sluice.intake import UNDECLARED
    from sluice.sources.bucket import spelled
    from sluice.sources.stability import GROWS
    from sluice.store import drops

    there = opened(rules, office.settings)
    first = {entry.key: entry.version for entry in there.entries()}
    time.sleep(GLANCE_SECONDS if first else 0)
    entries = list(there.entries())
    claims = drops.claims(office.database, rules.url, [spelled(entry.key) for entry in entries])
    files: list[dict[str, Any]] = []
    for entry in entries:
        claim = claims.get(spelled(entry.key))
        is_claimed = claim is not None and claim["version"] == entry.version
        source = rules.source_of(entry.key, office.sources, UNDECLARED)
        why = entry.waits or (GROWS if first.get(entry.key) != entry.version else "")
        if not why and not entry.size:
            why = "it is empty; after a minute it is refused"
        if not why and source not in office.sources:
            why = f"there is no source {source!r}: it will go to failed/"
        at = claim["submitted_at"] if claim and is_claimed else None
        files.append({"file": spelled(entry.key), "source": source, "bytes": entry.size, "waits": why, "run_since": at})
    return files


def _show(found: dict[str, Any]) -> None:
    show("", f"[bold]{plain(found['name'])}[/bold] · {plain(found['url'])}")
    if found["error"]:
        say(f"Error: {found['error']}", "red")
        return
    files = found["files"]
    if not files:
        show("The inbox is empty.")
        return
    show(table(("file", "source", "bytes#", "state"), [_line(file) for file in files[:MOST]]))
    waiting = sum(bool(file["waits"]) for file in files)
    more = f"; the first {MOST} are shown" if len(files) > MOST else ""
    show(f"{len(files):,} files, {waiting:,} of them wait{more}")


def _line(file: dict[str, Any]) -> list[Any]:
    state = file["waits"] or "is taken next"
    if file["run_since"] and not file["waits"]:
        state = f"a run has it since {file['run_since']:%Y-%m-%d %H:%M} UTC"
    return [file["file"], file["source"], file["bytes"], state]
