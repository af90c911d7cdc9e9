"""`sluice status`, `receipt` and `verify`: where everything stands, and whether it adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands import opening
from flows.commands.reporting import show_report
from flows.commands.terminal import plain, say, show, show_json, table
from tasks.counted import waiting

if TYPE_CHECKING:
    from sluice.intake import Office
    from sluice.store.engine import Database
    from sluice.store.ledger import Check

RECENT = 10
BROKEN = 9
"""Exit code of `verify` when an invariant does not hold."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def status(as_json: AsJson = False) -> None:
    """Show the database, the rules in force, what is stored, and the latest receipts."""
    with opening.office() as office:
        found = _status(office)
    if as_json:
        show_json(found)
        return
    database, config, stored = found["database"], found["config"], found["stored"]
    data = f" · data in {plain(database['data'])}" if database["data"] else ""
    show(f"Database  {database['kind']}, Postgres {database['version']}, {plain(database['where'])}{data}")
    show(f"Tables    {database['migrations']} migrations, up to date")
    show(f"Rules     profile {plain(config['profile'])}, version {config['hash'][:12]}, from {plain(config['folder'])}")
    show(f"Stored    {', '.join(f'{name} {count:,}' for name, count in stored.items())}")
    for receipt in found["unfinished"]:
        done = f"{receipt['checkpoint']:,} of {receipt['row_count'] or '?'} rows are in"
        show(f"[yellow]Waits for a run:[/yellow] receipt {receipt['receipt_id']} ({plain(receipt['name'])}), {done}")
    if found["inbox"]["waiting"]:
        waits = f"{waiting(found['inbox']['waiting'])}, the oldest for {found['inbox']['seconds'] or 0:,.0f} s"
        show(f"Inbox     {waits}")
    heads = ("receipt", "file", "source", "state", "rows#", "created#", "updated#", "unchanged#", "flagged#")
    heads = (*heads, "rejected#", "set aside#", "received")
    show(table(heads, [_line(receipt) for receipt in found["receipts"]]))


def receipt(
    number: Annotated[int, typer.Argument(metavar="ID", help="Number of the receipt.")], as_json: AsJson = False
) -> None:
    """Show what became of one receipt."""
    from sluice.reports import report
    from sluice.store import receipts
    from sluice.store.queries import rows

    with opening.ledger() as database:
        with database.connection() as connection:
            kept = receipts.get(connection, number)
            facts = rows(connection, "receipt_by_id", receipt_id=number)[0]
        found = report(database, kept)
    names = ("kind", "object_url", "moved_to", "checkpoint", "again_of", "failure", "occurred_at", "finished_at")
    names = (*names, "attempts", "last_trouble", "replays")
    found |= {name: facts[name] for name in names}
    if as_json:
        show_json(found)
        return
    show_report(found)
    if found["duplicate_of"]:
        show(f"The same content as receipt {found['duplicate_of']}: no row was loaded")
    if found["failure"]:
        show(f"[red]Failed:[/red] {plain(found['failure'].get('found', ''))}. {plain(found['failure'].get('fix', ''))}")
    if found["last_trouble"]:
        show(f"[yellow]Not worked yet:[/yellow] {plain(found['last_trouble'])}; it is begun again")
    if found["replays"]:
        show(f"The same came {found['replays']:,} more times")
    show(f"The content: {plain(found['moved_to'] or found['object_url'] or 'kept in the database')}")


def verify(
    as_json: AsJson = False,
    canonical: Annotated[
        bool, typer.Option("--canonical", help="Print all that is known, without ids, times, owners.")
    ] = False,
) -> None:
    """Prove from the database that no row was lost, no person doubled and every decision explained.

    Exit code 9 if an invariant is broken. `--canonical` prints the same lines for the same inputs, in whatever order
    and however often they came.
    """
    from sluice.store import ledger

    with opening.ledger() as database:
        if canonical:
            for line in ledger.canonical(database):
                print(line)
            return
        checks = ledger.verify(database)
    broken = [check for check in checks if check.violations]
    if as_json:
        show_json({"holds": not broken, "checks": [vars(check) for check in checks]})
    else:
        _show_checks(checks, broken)
    raise typer.Exit(BROKEN if broken else 0)


def _show_checks(checks: list[Check], broken: list[Check]) -> None:
    heads = ("", "invariant", "check", "violations#", "what a violation would be")
    lines = [("broken" if c.violations else "holds", c.invariant, c.name, c.violations, c.meaning) for c in checks]
    show(table(heads, lines))
    for check in broken:
        for example in check.examples:
            show(f"{check.name}: {plain(', '.join(f'{key} {value}' for key, value in example.items()))}")
    if broken:
        say(f"{len(broken)} of {len(checks)} invariants are broken.", "red")


def _status(office: Office) -> dict[str, Any]:
    from sluice.store.queries import rows

    with office.database.connection() as connection:
        counted = rows(connection, "status_counts")[0]
        unfinished = rows(connection, "receipts_unfinished")
        recent = rows(connection, "receipts_recent", most=RECENT)
        inbox = rows(connection, "inbox_count")[0]
    config = {"profile": office.profile.name, "hash": office.profile.hash, "folder": str(office.settings.config)}
    return {
        "home": str(office.settings.home),
        "database": _database(office.database)
        | {"version": counted.pop("server_version"), "migrations": counted.pop("migrations")},
        "config": config | {"sources": sorted(office.sources)},
        "stored": counted,
        "unfinished": unfinished,
        "inbox": inbox,
        "receipts": recent,
    }


def _database(database: Database) -> dict[str, Any]:
    cluster = database.cluster
    kind, data = ("embedded", str(cluster.data)) if cluster else ("a server of your own", None)
    return {"kind": kind, "where": database.where.removeprefix("database "), "data": data}


def _line(receipt: dict[str, Any]) -> list[Any]:
    names = ("receipt_id", "name", "source", "state", "row_count", "created", "updated", "unchanged", "flagged")
    return [
        *(receipt[name] for name in (*names, "rejects", "set_asides")),
        f"{receipt['received_at']:%Y-%m-%d %H:%M} UTC",
    ]
