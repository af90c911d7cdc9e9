"""`sluice mailbox`: how the mailboxes do, reading them without Prefect, and trying parsing rules on mails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands import opening
from flows.commands.terminal import plain, say, show, show_json, table

if TYPE_CHECKING:
    from sluice.mail_rules import MailRules, ParsingRule
    from sluice.mailbox_rules import MailboxRules

app = typer.Typer(help="Mailboxes that are read by IMAP.", no_args_is_help=True, rich_markup_mode=None)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
BUSY = 7
"""Exit code if another process reads the mailboxes already."""

UNREAD = 4
"""Exit code if a mailbox cannot be read."""


@app.callback()
def mailbox() -> None:
    """Mailboxes that are read by IMAP, as config/mailboxes.yml declares them."""


@app.command()
def status(
    days: Annotated[int, typer.Option("--days", min=1, max=90, help="Count what came in so many days.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Show for each folder how far it was read, what came in, and what fails with what to do about it.

    Exit code 4 if a folder fails.
    """
    from sluice.mailboxes import declared
    from sluice.store import mail_log

    with opening.office() as office:
        wanted = {(rules.name, folder) for rules in declared(office) for folder in rules.folders}
        found = mail_log.status(office.database, datetime.now(UTC) - timedelta(days=days))
    known = {(row["account"], row["folder"]): row for row in found}
    lines = [known.get(place) or {"account": place[0], "folder": place[1]} for place in sorted(wanted)]
    if as_json:
        show_json({"days": days, "folders": lines})
    elif not lines:
        show("No mailbox is declared; config/mailboxes.yml says how.")
    else:
        _show_status(lines, days)
    raise typer.Exit(UNREAD if any(row.get("failures") for row in lines) else 0)


def _show_status(lines: list[dict[str, Any]], days: int) -> None:
    heads = ("account", "folder", "last success", "up to mail#", "stored#", "known#", "not whole#", "state")
    show(
        table(
            heads,
            [
                (
                    row["account"],
                    row["folder"],
                    _when(row.get("succeeded_at")),
                    row.get("last_uid") or 0,
                    row.get("stored") or 0,
                    row.get("known") or 0,
                    row.get("refused") or 0,
                    _state(row),
                )
                for row in lines
            ],
            f"What came in {'the last day' if days == 1 else f'the last {days} days'}",
        )
    )
    for row in lines:
        if row.get("failure"):
            show(f"{plain(row['account'])}/{plain(row['folder'])}: {plain(row['failure'])}")
        if row.get("note"):
            show(f"{plain(row['account'])}/{plain(row['folder'])}: {plain(row['note'][:1_000])}")


def _state(row: dict[str, Any]) -> str:
    if "failures" not in row:
        return "not read yet"
    if row["failures"]:
        return f"fails since {_when(row['failed_since'])}, {row['failures']:,} times in a row"
    return f"{row['chores']:,} mails are still to be moved or marked" if row["chores"] else "well"


def _when(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "never"


@app.command("sync")
def sync_mailboxes(
    accounts: Annotated[
        list[str] | None, typer.Argument(metavar="[ACCOUNT]...", help="With --once: these only.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Read each folder once, then end.")] = False,
) -> None:
    """Read the mailboxes, without Prefect, until Ctrl-C; `sluice inbox` makes leads of what they hold.

    A run of the flow `mailboxes` takes over when it comes. Exit code 4 with --once if a folder could not be read, 7 if
    another process reads them already.
    """
    from sluice import mailboxes
    from sluice.store import mail_log
    from sluice.windows import Hours

    with opening.office() as office:
        names = [_account(name, mailboxes.declared(office)).name for name in accounts or []]
        if not once:
            say("Reading the mailboxes; Ctrl-C ends it.")
            waiting = "Another process reads the mailboxes; waiting for it."
            try:
                mailboxes.window(office, Hours(at_most=None), lambda: say(waiting))
            except KeyboardInterrupt:
                say("Ended; what is committed stays.")
            return
        began = datetime.now(UTC)
        if not mailboxes.read_once(office, names):
            say("Another process reads the mailboxes already.")
            raise typer.Exit(BUSY)
        wanted = [rules.name for rules in mailboxes.declared(office) if not names or rules.name in names]
        found = [row for row in mail_log.status(office.database, began) if row["account"] in wanted]
    stored, known = sum(row["stored"] for row in found), sum(row["known"] for row in found)
    show(f"{stored:,} mails stored, {known:,} were known")
    failing = [row for row in found if row["failures"]]
    for row in failing:
        say(f"Error: {row['failure']}", "red")
    raise typer.Exit(UNREAD if failing else 0)


@app.command()
def check(account: Annotated[str, typer.Argument(help="Of config/mailboxes.yml.")]) -> None:
    """Log in to an account, and say whether its folders are there and what the server can do.

    Nothing is stored. Exit code 4 if something is wrong, with what to do about it.
    """
    import os

    from sluice.keyring import Keyring
    from sluice.mailbox_rules import load_mailboxes
    from sluice.sources.imap import connected
    from sluice.sources.imap_login import Login

    settings = opening.settings()
    rules = _account(account, list(load_mailboxes(settings.config).values()))
    with connected(rules, Login(rules, Keyring(settings.home, os.environ))) as mailbox:
        folders = mailbox.folders()
        show(f"Logged in. Folders: {plain(', '.join(folders))}")
        for name in rules.folders:
            show(f"{plain(name)}: {mailbox.look(name).exists:,} mails")
        if not mailbox.can_idle:
            show("The server does not tell when a mail comes (IDLE): it is asked every minute.")
        if rules.after and rules.after.move:
            if not mailbox.can_move:
                say("The server cannot move mails (MOVE): use after: {keyword: …} instead.", "red")
                raise typer.Exit(UNREAD)
            mailbox.look(rules.after.move)
    show("All is well.")


def _account(name: str, declared: list[MailboxRules]) -> MailboxRules:
    from sluice.errors import NotFound

    for rules in declared:
        if rules.name == name:
            return rules
    names = ", ".join(rules.name for rules in declared) or "none is declared"
    raise NotFound(f"mailbox {name!r}", "mailboxes.yml has none of that name", names, "Name one of these")


@app.command("try")
def try_rule(
    rule: Annotated[str, typer.Argument(help="Name of a rule in config/mail/rules, or a file.")],
    file: Annotated[Path | None, typer.Argument(metavar="[FILE.eml]", help="A mail as a file.")] = None,
    last: Annotated[
        int | None, typer.Option("--last", min=1, max=500, help="The last so many stored mails instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a parsing rule makes of a mail: what kind it is and why, the fields, and what was not understood.

    Of a mail that the rule does not fit: what it asks for, and what the mail has. Nothing is stored.
    """
    from sluice.errors import UserError
    from sluice.mail_rules import load_mail_rules
    from sluice.store import mail_log

    if (file is None) == (last is None):
        raise UserError("sluice mailbox try", "it takes a file, or --last", fix="Give one of the two")
    config = opening.settings().config
    rules = load_mail_rules(config)
    parsing = _rule(rule, rules)
    mails: list[tuple[str, bytes]] = []
    if file is not None:
        mails.append((file.name, _content(file)))
    if last is not None:
        with opening.ledger() as database:
            mails += [(f"receipt {number}", body) for number, body in mail_log.last(database, last)]
    found = [_tried(name, body, parsing, rules) for name, body in mails]
    if as_json:
        show_json({"rule": parsing.name, "mails": found})
    elif not found:
        show("No mail is stored yet.")
    else:
        for one in found:
            _show_tried(one)


def _rule(name: str, rules: MailRules) -> ParsingRule:
    from sluice.criteria import suggest
    from sluice.errors import NotFound
    from sluice.mail_rules import read_parsing_rule

    if Path(name).suffix in (".yml", ".yaml"):
        return read_parsing_rule(Path(name))
    known = {rule.name: rule for rule in rules.parsing}
    if name not in known:
        found = f"there is none of that name in config/mail/rules{suggest(name, known)}".rstrip("?")
        raise NotFound(
            f"parsing rule {name!r}", found, ", ".join(known), "Name one of these, or a file that ends in .yml"
        )
    return known[name]


def _content(file: Path) -> bytes:
    from sluice.errors import UnreadableFile

    try:
        return file.read_bytes()
    except OSError as error:
        raise UnreadableFile(
            str(file), error.strerror or "it cannot be read", fix="Name a mail saved as .eml"
        ) from None


def _tried(name: str, body: bytes, rule: ParsingRule, rules: MailRules) -> dict[str, Any]:
    from sluice.sources.mail.classification import classify
    from sluice.sources.mail.message import read
    from sluice.sources.mail.parsing import applied, fits, looked_for, unmet

    mail = read(body)
    is_for = fits(mail, rule)
    parse = applied(mail, rule)
    lacks = [field for field in rule.require if field in parse.missing] if is_for else []
    reads = is_for and not lacks
    verdict = classify(mail, rules, read_by=rule.name if reads else None)
    return {
        "mail": name,
        "kind": verdict.kind,
        "reason": verdict.reason,
        "is_for": is_for,
        "unmet": [] if is_for else unmet(mail, rule),
        "lacks": lacks,
        "wanted": [looked_for(field, rule) for field in lacks],
        "cells": parse.cells if reads else {},
        "defaults": [field for field in parse.cells if field not in rule.fields or field in parse.missing]
        if reads
        else [],
        "coverage": parse.coverage if reads else 0.0,
        "missing": list(parse.missing),
        "unparsed": parse.unparsed,
        "warnings": list(mail.warnings),
    }


def _show_tried(found: dict[str, Any]) -> None:
    show("", f"[bold]{plain(found['mail'])}[/bold] · {found['kind']}: {plain(found['reason'])}")
    if not found["is_for"]:
        show("The rule does not fit: it is not for this mail. It asks for:", *_listed(found["unmet"]))
        return
    if found["lacks"]:
        show("The rule does not fit: what it requires was not found in the mail:", *_listed(found["wanted"]))
    else:
        marks = dict.fromkeys(found["defaults"], "the rule's default")
        cells = [(field, value, marks.get(field, "the mail")) for field, value in found["cells"].items()]
        show(table(("field", "value", "from"), cells))
        show(f"{found['coverage']:.0%} of the text is understood")
        if found["missing"]:
            show(f"without a value in the mail: {', '.join(found['missing'])}")
    if found["unparsed"]:
        show("not understood:", *_listed(found["unparsed"].split("\n")))


def _listed(lines: list[str]) -> list[str]:
    return [f"  {plain(line)}" for line in lines]
