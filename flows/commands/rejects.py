"""`sluice rejects`: rows that could not be leads, with what is wrong and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands import opening
from flows.commands.terminal import say, show, show_json, table

MOST = 200
"""Rows of the table; `--json` and `export` have all."""

app = typer.Typer(help="Rows that could not be leads.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_rejects(
    number: Annotated[int | None, typer.Argument(metavar="[RECEIPT]", help="Of this receipt only.")] = None,
    only_open: Annotated[
        bool, typer.Option("--open", help="Leave out rows that a corrected file has completed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all cells of every row.")] = False,
) -> None:
    """Show rejected rows: line, field, what was found, why, what to do, and which receipt has completed the row."""
    from sluice.store import receipts
    from sluice.store.queries import rows

    with opening.ledger() as database, database.connection() as connection:
        if number is not None:
            receipts.get(connection, number)
        found = rows(
            connection, "rejects_list", receipt_id=number, only_open=only_open, most=None if as_json else MOST + 1
        )
    if as_json:
        show_json({"rejects": found})
        return
    if not found:
        show("There are no rejected rows.")
        return
    heads = ("receipt#", "file", "line#", "field", "found", "why", "what to do", "completed by#")
    show(table(heads, [line for reject in found[:MOST] for line in _lines(reject)]))
    if len(found) > MOST:
        say(f"Only the first {MOST} rows are shown; `sluice rejects export RECEIPT` writes all of a receipt.")


@app.command("export")
def export_rejects(
    number: Annotated[int, typer.Argument(metavar="RECEIPT", help="Number of the receipt.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Default: <name>.rejects.csv here.")] = None,
) -> None:
    """Write the rejected rows of a receipt as CSV: what is wrong and what to do, then the original cells untouched.

    Mended, the file can be imported as it is, or dropped into any bucket: it is known by its first column. Rows that a
    corrected file has completed are left out.
    """
    from sluice.reports import write_rejects
    from sluice.store import receipts

    with opening.ledger() as database:
        with database.connection() as connection:
            receipt = receipts.get(connection, number)
        path = out or Path(f"{Path(receipt.name).name}.rejects.csv")
        many = write_rejects(database, receipt, path)
    if many:
        show(f"{many:,} rows of receipt {number} are in {path}")
    else:
        show(f"Receipt {number} has no rejected rows that are open; no file was written.")


def _lines(reject: dict[str, Any]) -> list[list[Any]]:
    """A line per problem of the row."""
    where = [reject["receipt_id"], reject["name"], reject["line"]]
    return [
        [*where, *(problem[key] for key in ("field", "found", "meaning", "fix")), reject["completed_by"] or ""]
        for problem in reject["problems"]
    ]
