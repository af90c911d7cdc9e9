"""Task: one file, or a group of small ones, from where they lie to their reports, with a progress artifact."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from prefect import get_run_logger, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE

from sluice import buckets
from sluice.buckets import Dropped
from sluice.errors import BrokenPromise, DatabaseUnavailable, SluiceError, UnreadableFile
from sluice.intake import Office, Order, Watch, intake
from sluice.reports import report
from sluice.sources.bucket import BucketUnavailable
from tasks.collect import Closed, Work
from tasks.discreet import discreet
from tasks.quoted import quoted
from tasks.telling import Telling

STEPS_SHOWN = 20
"""How often the progress of a group is told; each time is a request to the server."""


def take_in(office: Office, work: Work) -> list[dict[str, Any]]:
    """Imports a file or a group as a task run; a file of a bucket that fails does not stop the others.

    Returns:
        The reports; for a file of a bucket that was not taken in, its `state` and `error`.

    Raises:
        SluiceError: a file that lies in no bucket cannot be taken in.
    """
    if isinstance(work, Closed):
        get_run_logger().error(str(work.error))
        return [{"file": work.rules.name, "source": "", "state": "broken", "error": str(work.error)}]
    if isinstance(work, Order):
        return [_take_in_file.with_options(task_run_name=f"take in {work.path.name}")(quoted(office), quoted(work))]
    found: list[dict[str, Any]] = []
    run = _take_in_group.with_options(task_run_name=f"take in {called(work)}")
    run(quoted(office), quoted(work), quoted(found), return_state=True)
    return found


def called(group: tuple[Dropped, ...]) -> str:
    """What a group is called: by its file, or by how many files of which source it has."""
    return group[0].entry.name if len(group) == 1 else f"{len(group)} files of {group[0].order.source}"


@task(name="take in", cache_policy=NO_CACHE, persist_result=False)
def _take_in_file(office: Office, order: Order) -> dict[str, Any]:
    order = replace(order, watch=_watch(_reachable(order).path.name))
    with discreet():
        receipt, was_known = intake(office, order)
        found = report(office.database, receipt) | {"was_known": was_known}
    get_run_logger().info(_told(found))
    return found


@task(name="take in", cache_policy=NO_CACHE, persist_result=False)
def _take_in_group(office: Office, group: tuple[Dropped, ...], reports: list[dict[str, Any]]) -> None:
    """Works a group file by file; the reports are appended as they come, since a run that fails returns nothing."""
    logger, alone = get_run_logger(), len(group) == 1
    watch = _watch(group[0].entry.name) if alone else Watch()
    telling = Telling()
    artifact: Any = None if alone else telling(lambda: create_progress_artifact(0.0, description=called(group)))
    for number, file in enumerate(group, start=1):
        found, goes_on = _attempt(office, replace(file, order=replace(file.order, watch=watch)))
        reports.append(found)
        logger.info(_told(found))
        if not goes_on:
            reports += [_not_taken(left, "waits", found["error"]) for left in group[number:]]
            break
        if artifact and number * STEPS_SHOWN // len(group) > (number - 1) * STEPS_SHOWN // len(group):
            telling(partial(update_progress_artifact, artifact, 100.0 * number / len(group)))
    broken = [found for found in reports if found["state"] == "broken"]
    if broken:
        raise BrokenPromise(f"{len(broken)} of {len(group)} files failed; {broken[0]['file']}: {broken[0]['error']}")


def _attempt(office: Office, file: Dropped) -> tuple[dict[str, Any], bool]:
    """The report of a file, or why it has none; and whether the next is tried: not without a bucket or a database."""
    try:
        with discreet():
            return buckets.take_in(office, file), True
    except SluiceError as error:
        goes_on = not isinstance(error, (BucketUnavailable, DatabaseUnavailable))
        return _not_taken(file, "broken", str(error)), goes_on


def _not_taken(file: Dropped, state: str, error: str) -> dict[str, Any]:
    return {"file": file.entry.name, "source": file.order.source, "state": state, "error": error}


def _reachable(order: Order) -> Order:
    try:
        order.path.stat()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableFile(str(order.path), f"it cannot be reached ({reason})", fix="Check the path") from None
    return order


def _watch(name: str) -> Watch:
    logger = get_run_logger()
    telling, rows_of = Telling(), dict[str, Any]()

    def waiting() -> None:
        logger.info("another process works the same content; waiting for it")

    def surveyed(rows: int) -> None:
        artifact = telling(lambda: create_progress_artifact(0.0, description=f"{name}: {rows:,} rows"))
        rows_of.update(rows=rows, artifact=artifact)

    def landed(row: int) -> None:
        if rows_of["artifact"]:
            telling(lambda: update_progress_artifact(rows_of["artifact"], 100.0 * row / max(rows_of["rows"], 1)))

    return Watch(waiting, surveyed, landed)


def _told(found: dict[str, Any]) -> str:
    if "error" in found:
        return f"{found['file']} {found['state']}: {found['error']}"
    known = " (known already)" if found["was_known"] else ""
    counts = ", ".join(f"{count:,} {name}" for name, count in found["counts"].items() if count)
    return f"{found['file']}: receipt {found['receipt']}{known}: {counts or 'no rows'}"
