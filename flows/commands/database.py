"""`sluice db`: the database itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands import opening
from flows.commands.terminal import plain, say, show

app = typer.Typer(help="The database.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def url() -> None:
    """Print the URL of the database, with its password."""
    with opening.ledger() as database:
        print(database.url)
        is_embedded = database.cluster is not None
    say("The URL holds the password: keep it to yourself.")
    if is_embedded:
        say("The embedded server ends some seconds after its last client, and may have another port the next time.")


@app.command()
def migrate() -> None:
    """Bring the tables to what this version needs; every other command does so too."""
    from sluice.store.migrate import migrate

    with opening.database() as database:
        applied = migrate(database)
    show(f"Applied: {', '.join(applied)}" if applied else "The tables are up to date.")


@app.command(context_settings={"ignore_unknown_options": True})
def psql(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[ARGUMENTS]...", help="For psql.")] = None,
) -> None:
    """Open psql on the leads, or run what its arguments say, e.g. -c "select count(*) from leads"."""
    from sluice.store import programs

    with opening.ledger() as database:
        code = programs.psql(database, arguments or [])
    raise typer.Exit(code)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Written anew; one of that name is replaced.")],
) -> None:
    """Write all leads and everything about them into one file, readable by you only."""
    from sluice.store.backup import backup

    with opening.ledger() as database:
        size = backup(database, file)
    show(f"{plain(file)}: {size:,} bytes")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `sluice db backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Throw away what the database holds.")] = False,
) -> None:
    """Make the database what it was when the file was written: all of it, or nothing changes."""
    from sluice.store.backup import restore
    from sluice.store.migrate import migrate

    with opening.database() as database:
        restore(database, file, force=force)
        migrate(database)
    show(f"Restored from {plain(file)}.")
