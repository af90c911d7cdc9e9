"""`sluice up`: everything that runs, on one machine."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from flows.commands import opening


class PartName(StrEnum):
    """A part that can be run alone."""

    server = "server"
    runner = "runner"
    watcher = "watcher"
    door = "door"
    inbox = "inbox"


Host = Annotated[str, typer.Option("--host", help="Address that the Prefect server listens on.")]
Port = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65_535, help="Port of the Prefect server; 4200, or the next free one."),
]
DoorHost = Annotated[str, typer.Option("--door-host", help="Address that the HTTP door listens on.")]
DoorPort = Annotated[
    int | None,
    typer.Option("--door-port", min=1, max=65_535, help="Port of the HTTP door; 4280, or the next free one."),
]
Only = Annotated[
    list[PartName] | None,
    typer.Option("--only", help="Run this part alone, the others run elsewhere; may be repeated."),
]


def up(
    host: Host = "127.0.0.1",
    port: Port = None,
    only: Only = None,
    door_host: DoorHost = "127.0.0.1",
    door_port: DoorPort = None,
) -> None:
    """Run Postgres, a Prefect server, a watcher of the buckets, the HTTP door and the deployments, until Ctrl-C.

    Files that are dropped into a bucket's inbox and leads that are posted are taken in; the Prefect UI shows each run.
    """
    from flows import serve

    parts = tuple(name for name in serve.PARTS if only is None or name in only)
    serve.up(opening.settings(), serve.Wishes(host, port, parts, door_host, door_port))
