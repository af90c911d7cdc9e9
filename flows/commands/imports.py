"""`sluice import`: files and folders, from where they lie to leads with owners."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands import opening
from flows.commands.mishaps import as_user_error, in_full, tell
from flows.commands.reporting import HEADINGS, show_report
from flows.commands.terminal import aside, bare, plain, say, show, show_json
from sluice.errors import DatabaseUnavailable, UserError

if TYPE_CHECKING:
    from rich.progress import Progress

    from sluice.buckets import Dropped
    from sluice.intake import Office, Order, Watch

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="CSV files; or folders with an inbox/, or buckets such as s3://acme-leads/partners: "
        "done/ and failed/ appear beside it.",
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        "--source", metavar="NAME", help="Declared source; in a folder, of files that lie in no source's sub-folder."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the reports as JSON.")]
Again = Annotated[bool, typer.Option("--again", help="Import a content anew although it is known.")]
Watched = Annotated[
    bool, typer.Option("--watch", help="Run it on the Prefect server at PREFECT_API_URL, to be watched in its UI.")
]


@dataclass(frozen=True)
class Request:
    """What was asked for, whatever the file."""

    source: str | None
    again: bool


def import_files(
    files: Files, source: Source = None, as_json: AsJson = False, again: Again = False, watch: Watched = False
) -> None:
    """Import files: every row becomes a lead, a reject with its reasons, or is set aside.

    A file that fails does not stop the others. A content that is known already is not loaded again. Interrupted or
    killed, the same command goes on where it stood.
    """
    request = Request(source, again)
    if watch:
        found = [_watched(path, request) for path in files]
    else:
        with opening.office() as office, _bars() as bars:
            if source is not None:
                office.source(source)
            found = list(_take_in(office, files, request, bars))
    if as_json:
        show_json({"files": found})
    else:
        for report in found:
            _show(report)
    raise typer.Exit(max((report["exit_code"] for report in found), default=0))


def _watched(path: str, request: Request) -> dict[str, Any]:
    from flows.commands.watched import ServerUnavailable, run_on_server

    try:
        return run_on_server(path, request.source, again=request.again)
    except ServerUnavailable:
        raise
    except Exception as error:
        return _failed(path, error)


def _take_in(office: Office, paths: list[str], request: Request, bars: Progress) -> Iterator[dict[str, Any]]:
    """The report of each file; without a database the rest is not tried."""
    for path in paths:
        try:
            orders = _orders(office, path, request)
        except UserError as error:
            yield _failed(path, error)
            continue
        if not orders:
            say(f"{path}/inbox: nothing to take in. `sluice bucket` says what waits, and why.")
        for file in orders:
            found = _attempt(office, file, bars)
            yield found
            if found["exit_code"] == DatabaseUnavailable.exit_code:
                return


def _orders(office: Office, path: str, request: Request) -> Sequence[Dropped | Order]:
    from sluice.buckets import dropped, is_bucket, opened, rules_of
    from sluice.intake import UNDECLARED, Order
    from sluice.sources.stability import looked_twice

    order = Order(Path(path), request.source or UNDECLARED, request.again)
    if not is_bucket(path):
        return [order]
    rules = rules_of(office.settings, path)
    bucket = opened(rules, office.settings)
    entries = looked_twice(bucket, rules.settle_seconds)
    if (waiting := sum(1 for _ in bucket.entries()) - len(entries)) > 0:
        say(f"{path}: {waiting:,} files wait. `sluice bucket {path}` says why.")
    return list(dropped(bucket, rules, entries, order, office.sources))


def _attempt(office: Office, file: Dropped | Order, bars: Progress) -> dict[str, Any]:
    from sluice.buckets import Dropped, take_in
    from sluice.intake import intake
    from sluice.reports import report

    order, name = (file.order, file.entry.name) if isinstance(file, Dropped) else (file, file.path.name)
    order = replace(order, watch=_watch(name, bars))
    try:
        if isinstance(file, Dropped):
            found = take_in(office, replace(file, order=order))
            return found | {"exit_code": 4 if "error" in found else 0}
        receipt, was_known = intake(office, order)
        return report(office.database, receipt) | {"was_known": was_known, "exit_code": 0}
    except Exception as error:
        return _failed(name if isinstance(file, Dropped) else str(order.path), error)


def _failed(path: str, error: Exception) -> dict[str, Any]:
    mendable = as_user_error(error)
    if mendable is None:
        return {"file": path, "state": "failed", "error": "internal error", "exit_code": tell(error)}
    return {"file": path, "state": "failed", "error": in_full(mendable), "exit_code": mendable.exit_code}


def _show(report: dict[str, Any]) -> None:
    if "totals" in report:
        totals = ", ".join(f"{count:,} {HEADINGS[name]}" for name, count in report["totals"].items())
        show(f"[bold]{plain(report['file'])}[/bold] · {totals}")
    elif report["exit_code"] == 0:
        show_report(report)
    else:
        show("", f"[bold]{plain(report['file'])}[/bold] · failed")
        say(f"Error: {bare(report['error'])}", "red")


@contextmanager
def _bars() -> Generator[Progress]:
    """Progress bars on standard error, where that is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=aside(), transient=True, disable=not aside().is_terminal) as bars:
        yield bars


def _watch(name: str, bars: Progress) -> Watch:
    from sluice.intake import Watch

    bar = bars.add_task(plain(name), total=None)
    return Watch(
        waiting=lambda: say(f"{name}: another process works the same content; waiting for it"),
        surveyed=lambda rows: bars.update(bar, total=rows),
        landed=lambda row: bars.update(bar, completed=row),
    )
