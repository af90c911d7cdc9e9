"""The `sluice` command: everything that people do with Sluice at a terminal, and programs with `--json`."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

import typer

from flows.commands import (
    api,
    automation,
    bucket,
    configuration,
    database,
    imports,
    inbox,
    leads,
    mailbox,
    quarantine,
    receipts,
    rejects,
    up,
)
from flows.commands.mishaps import tell
from flows.commands.terminal import say

INTERRUPTED = 130
EXIT_CODES = """\b
Exit codes:
  0  done
  1  something else that you can mend
  2  the command was not understood
  3  the configuration says something impossible
  4  a file cannot be read or written
  5  the database or the Prefect server cannot be used
  6  there is no such receipt, lead or source
  7  `up` runs already
  8  refused: a lead with too little, a restore over leads
  9  `verify` found a broken invariant
 10  an error of ours
130  interrupted
143  ended by SIGTERM, as shells show it"""

app = typer.Typer(
    name="sluice",
    help="Takes leads in, and says of each what became of it and why.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("import")(imports.import_files)
app.command()(up.up)
app.command()(bucket.bucket)
app.command()(receipts.status)
app.command()(receipts.receipt)
app.command()(receipts.verify)
app.command("api")(api.api)
app.command()(inbox.inbox)
app.command()(quarantine.suppress)
app.add_typer(leads.app, name="lead")
app.add_typer(rejects.app, name="rejects")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(mailbox.app, name="mailbox")
app.add_typer(api.app, name="key")
app.add_typer(automation.app, name="automations")
app.add_typer(configuration.app, name="config")
app.add_typer(database.app, name="db")


def main() -> None:
    """Runs the command that the arguments name, and ends the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name may hold bytes that are no letters
            stream.reconfigure(errors="backslashreplace")
    code = _run()
    _flush(sys.stdout)
    _flush(sys.stderr)
    sys.exit(code)


def _run() -> int:
    try:
        app()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0
        if code == INTERRUPTED:
            say("Interrupted. What is committed stays; the same command goes on from there.")
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        return tell(error)
    return 0


def _flush(stream: TextIO) -> None:
    """A reader that went away, as `head` does, is no error."""
    try:
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
