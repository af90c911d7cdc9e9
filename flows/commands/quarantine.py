"""`sluice quarantine` and `sluice suppress`: what is kept apart, and who stays out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands import opening
from flows.commands.terminal import say, show, show_json, table
from sluice.errors import UserError

if TYPE_CHECKING:
    from sluice.profiles import Profile

MOST = 200
"""Lines of the table."""

app = typer.Typer(help="What is kept apart and may be let in.", no_args_is_help=True, rich_markup_mode=None)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_quarantined(as_json: AsJson = False) -> None:
    """Show arrivals that could not be read, and rows that look like spam, each with the reason."""
    from sluice.store import quarantine

    with opening.ledger() as database:
        found = quarantine.listed(database, MOST)
    if as_json:
        show_json({"quarantined": found})
    elif not found:
        show("Nothing is kept apart.")
    else:
        heads = ("receipt#", "row", "source", "what", "why", "received")
        show(table(heads, map(_line, found)))
        show("`sluice quarantine release RECEIPT` lets it in.")


@app.command("release")
def release(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="[RECEIPT...]", help="Numbers of receipts.")] = None,
    row: Annotated[int | None, typer.Option("--row", metavar="NUMBER", help="Of several rows, this one only.")] = None,
    unread: Annotated[
        str | None, typer.Option("--unread", metavar="SOURCE", help="All of a source that could not be read.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let in what was kept apart: it is worked by the rules in force now, and is no spam whatever they say.

    After a rule was mended, `--unread SOURCE` lets in all that could not be read before.
    """
    from sluice.store import quarantine

    if bool(numbers) == bool(unread):
        raise UserError("quarantine release", "nothing is named, or both", "numbers of receipts, or --unread SOURCE")
    with opening.office() as office:
        database, profile = office.database, office.profile
        found = quarantine.release_unread(database, profile, unread) if unread else []
        for number in numbers or ():
            found += quarantine.release(database, profile, number, row)
    if as_json:
        show_json({"released": found})
        return
    for receipt in found[:MOST]:
        show(f"Receipt {receipt} waits to be worked; `sluice receipt {receipt}` says what becomes of it")
    if len(found) != 1:
        show(f"{len(found):,} receipts wait to be worked.")


def _line(one: dict[str, Any]) -> list[Any]:
    row = "all" if one["row_number"] is None else one["row_number"]
    received = f"{one['received_at']:%Y-%m-%d %H:%M} UTC"
    return [one["receipt_id"], row, one["source"], one["name"], one["why"], received]


def suppress(
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS...", help="E-mail addresses or phone numbers.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever asks later.")],
    erased: Annotated[
        bool, typer.Option("--erased", help="They asked for erasure: of what comes again nothing is kept.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Keep people out from now on, at every door: known by a keyed hash, nothing else of them is kept."""
    from sluice.store.suppressions import suppress as keep_out

    with opening.office() as office:
        keys = [_key(office.profile, address) for address in addresses]
        with office.database.transaction() as connection:
            added = keep_out(connection, office.database.guard, keys, "erased" if erased else "suppressed", reason)
    if as_json:
        show_json({"added": added, "given": len(keys)})
        return
    others = "; the others were on it" if added < len(keys) else ""
    say(f"{added:,} of {len(keys):,} are new on the list{others}.")


def _key(profile: Profile, address: str) -> str:
    from sluice.normalization.emails import email_key, read_email
    from sluice.normalization.phones import read_phone

    reading = profile.normalization.email
    if "@" in address and (found := read_email(address, reading).value) is not None:
        return f"mail:{email_key(str(found), reading)}"
    if (number := read_phone(address, []).value) is not None:
        return f"tel:{number}"
    allowed = "an address such as rosa@nordlicht.example, or a number such as +46 8 123 456 78"
    raise UserError(f"{address!r}", "it is neither an e-mail address nor an international phone number", allowed)
