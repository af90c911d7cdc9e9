"""Task: one file, from where it lies to its report, with a progress artifact while it is worked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from prefect import get_run_logger, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE

from sluice import folders
from sluice.errors import UnreadableFile
from sluice.folders import Dropped
from sluice.intake import Office, Order, Watch, intake
from sluice.pipeline import PLAIN, Steps
from sluice.reports import report
from tasks.discreet import discreet
from tasks.land import land
from tasks.prepare import prepare
from tasks.quoted import quoted

LARGE = 8 * 1024 * 1024
"""Bytes from which a file's chunks are task runs of their own; smaller files are one task run each."""


def take_in(office: Office, file: Dropped | Order) -> dict[str, Any]:
    """Imports a file as a task run named after it; a file of a folder that fails does not stop the others.

    Returns:
        Its report, or, for a file of a folder that was not taken in, its `error`.
    """
    run = _take_in.with_options(task_run_name=f"take in {file.path.name}")
    if isinstance(file, Order):
        return run(quoted(office), quoted(file))
    state = run(quoted(office), quoted(file), return_state=True)
    if state.is_completed():
        return state.result()
    source = file.order.source
    return {"file": file.path.name, "source": source, "state": "broken", "error": state.message or "it failed"}


@task(name="take in", cache_policy=NO_CACHE, persist_result=False)
def _take_in(office: Office, file: Dropped | Order) -> dict[str, Any]:
    order = file if isinstance(file, Order) else file.order
    order = replace(order, steps=_steps(order), watch=_watch(order))
    with discreet():
        found = _found(office, file, order)
    get_run_logger().info(_told(found))
    return found


def _found(office: Office, file: Dropped | Order, order: Order) -> dict[str, Any]:
    if isinstance(file, Dropped):
        return folders.take_in(office, replace(file, order=order))
    receipt, was_known = intake(office, order)
    return report(office.database, receipt) | {"was_known": was_known}


def _steps(order: Order) -> Steps:
    try:
        is_large = order.path.stat().st_size >= LARGE
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableFile(str(order.path), f"it cannot be reached ({reason})", fix="Check the path") from None
    return Steps(prepare, land) if is_large else PLAIN


def _watch(order: Order) -> Watch:
    logger = get_run_logger()
    rows_of: dict[str, Any] = {}

    def waiting() -> None:
        logger.info("another process works the same content; waiting for it")

    def surveyed(rows: int) -> None:
        artifact = create_progress_artifact(0.0, description=f"{order.path.name}: {rows:,} rows")
        rows_of.update(rows=rows, artifact=artifact)

    def landed(row: int) -> None:
        update_progress_artifact(rows_of["artifact"], 100.0 * row / max(rows_of["rows"], 1))

    return Watch(waiting, surveyed, landed)


def _told(found: dict[str, Any]) -> str:
    if "error" in found:
        return f"failed: {found['error']}"
    known = " (known already)" if found["was_known"] else ""
    counts = ", ".join(f"{count:,} {name}" for name, count in found["counts"].items() if count)
    return f"receipt {found['receipt']}{known}: {counts or 'no rows'}"
