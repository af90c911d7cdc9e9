"""`sluice config`: whether profiles, sources, teams, buckets, mailboxes and the door's limits can be as they are."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.commands import opening
from flows.commands.terminal import show, show_json, table
from sluice.errors import ConfigError

app = typer.Typer(help="The folder of rules.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def configuration() -> None:
    """Profiles, sources, teams, buckets, mailboxes and the limits of the HTTP door."""


@app.command()
def check(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say everything that is wrong or doubtful about profiles, sources, teams, buckets, mailboxes and the door.

    With file, key, what was found, what is allowed.

    Exit code 3 if anything is wrong; what is only doubtful is shown and leaves it at 0.
    """
    from sluice.api.rules import check_door
    from sluice.bucket_rules import check_buckets
    from sluice.mailbox_rules import check_mailboxes
    from sluice.profiles import check_config, names_of_sources

    settings = opening.settings()
    findings = check_config(settings.config)
    names = dict.fromkeys(names_of_sources(settings.config))
    findings += check_buckets(settings.config, names)
    findings += check_mailboxes(settings.config, names)
    findings += check_door(settings.config)
    wrong = sum(finding.severity == "error" for finding in findings)
    if as_json:
        show_json(
            {"folder": str(settings.config), "errors": wrong, "findings": [vars(finding) for finding in findings]}
        )
    else:
        if findings:
            heads = ("", "file", "line#", "key", "found", "allowed")
            lines = [(f.severity, f.file, f.line or "", f.key, f.found, f.allowed) for f in findings]
            show(table(heads, lines))
        doubtful = len(findings) - wrong
        show(f"{settings.config}: {wrong} errors, {doubtful} warnings")
    raise typer.Exit(ConfigError.exit_code if wrong else 0)
