"""`sluice import --watch`: the same import as a flow run on a Prefect server, where it can be watched."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from flows.commands.terminal import say
from sluice.errors import UserError

ANSWER_SECONDS = 5


class ServerUnavailable(UserError):
    """There is no Prefect server to watch the run on."""

    exit_code = 5


def run_on_server(path: str, source: str | None, *, again: bool) -> dict[str, Any]:
    """Runs the flow `intake` and prints the address of its run as soon as there is one.

    Returns:
        The totals of the run.

    Raises:
        ServerUnavailable: PREFECT_API_URL is not set, or nobody answers there.
    """
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")  # its log is read in the UI
    api = server()
    from prefect.utilities.urls import url_for

    from flows.intake import intake
    from sluice.intake import UNDECLARED

    def announce(flow: Any, flow_run: Any, state: Any) -> None:
        say(f"{path}: watch it at {url_for('flow-run', obj_id=flow_run.id) or api}")

    where = path if "://" in path else str(Path(path).absolute())
    announced = intake.with_options(on_running=[announce])
    totals = announced(where, source or UNDECLARED, again=again)
    return {"file": Path(path).name, "state": "done", "totals": totals, "exit_code": 0}


def server() -> str:
    """The address of the Prefect server's API.

    Raises:
        ServerUnavailable: PREFECT_API_URL is not set, or nobody answers there.
    """
    from prefect.settings import get_current_settings

    api = get_current_settings().api.url
    how = (
        "Start one with `prefect server start` and set PREFECT_API_URL, or leave out --watch: no server is needed then"
    )
    if not api:
        raise ServerUnavailable("PREFECT_API_URL", "it is not set", "the address of a Prefect server's API", how)
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=ANSWER_SECONDS):  # noqa: S310 -- the user's own server
            return api
    except (urllib.error.URLError, OSError, ValueError):
        raise ServerUnavailable(f"the Prefect server at {api}", "it does not answer", fix=how) from None
