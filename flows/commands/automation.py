"""`sluice automations`: what Prefect does by itself when something happens, or does not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Annotated, Any

import typer

from flows.commands.terminal import plain, show, show_json, table
from flows.commands.watched import server

app = typer.Typer(help="What Prefect does by itself.", no_args_is_help=True, rich_markup_mode=None)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def apply(as_json: AsJson = False) -> None:
    """Write the automations of deployments/automations.yml to the Prefect server; `sluice up` does so too.

    Done twice it changes nothing. One that was switched off in the UI stays off.
    """
    server()
    from flows import automations

    done = _run(automations.apply(automations.definitions()))
    if as_json:
        show_json(done)
        return
    for name, what in done.items():
        show(f"{plain(name)}: {what}")


@app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """Show the automations on the Prefect server, and where alarms go."""
    server()
    from flows import automations
    from sluice.alarms import Targets

    targets = Targets.read(os.environ)
    found = [
        {"name": known.name, "enabled": known.enabled, "description": known.description}
        for known in _run(automations.known())
    ]
    if as_json:
        show_json({"automations": found, "alarms_go": targets.in_words})
        return
    show(table(("automation", "", "what it does"), [_line(known) for known in found]))
    show(f"Alarms go {plain(targets.in_words)}")


def _line(known: dict[str, Any]) -> tuple[str, str, str]:
    return known["name"], "on" if known["enabled"] else "off", known["description"]


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)
