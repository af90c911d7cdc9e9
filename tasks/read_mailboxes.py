"""Task: one window of reading the mailboxes, and a page about what came in and what fails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from sluice import mailboxes
from sluice.intake import Office
from sluice.store import mail_log
from sluice.windows import MAILBOXES, Hours, is_wanted
from tasks.discreet import discreet
from tasks.look_out import tell
from tasks.quoted import quoted
from tasks.telling import Telling


def read_mailboxes(office: Office, minutes: float) -> list[dict[str, Any]]:
    """Reads the declared mailboxes until the next window takes over.

    Returns:
        Each folder with what came in and what fails; none if no mailbox is declared, or another run waits already.
    """
    if not mailboxes.declared(office):
        get_run_logger().info("no mailbox is declared in mailboxes.yml")
        return []
    if is_wanted(office.database, MAILBOXES):
        get_run_logger().info("another run waits for the mailboxes already; this one is not needed")
        return []
    return _read(quoted(office), minutes * 60)


@task(name="read the mailboxes", cache_policy=NO_CACHE, persist_result=False)
def _read(office: Office, seconds: float) -> list[dict[str, Any]]:
    logger, began = get_run_logger(), datetime.now(UTC)
    hours = Hours(at_least=min(seconds, Hours.at_least), at_most=2 * seconds)
    with discreet():
        mailboxes.window(office, hours, lambda: logger.info("another run reads the mailboxes; waiting for it"))
        found = [row for row in mail_log.status(office.database, began) if _is_declared(office, row)]
    for row in found:
        if row["failures"]:
            logger.warning(f"{row['account']}/{row['folder']}: {row['failure']}")
        if row["is_failing"]:
            tell("sluice.mailbox.failing", f"sluice.mailbox.{row['account']}", row["account"], {"text": row["failure"]})
    stored, known = sum(row["stored"] for row in found), sum(row["known"] for row in found)
    logger.info(f"{stored:,} mails stored, {known:,} were known")
    Telling()(lambda: create_markdown_artifact("\n".join(page(found)), key="mailboxes-summary"))
    return [{name: row[name] for name in ("account", "folder", "stored", "known", "refused")} for row in found]


def page(found: Sequence[dict[str, Any]]) -> list[str]:
    """The page about a window, as lines of Markdown; no address and no subject stands in it."""
    lines = [
        "| account | folder | stored | known | not whole | failures in a row | last success |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for row in found:
        at = row["succeeded_at"]
        when = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "never"
        numbers = " | ".join(f"{row[name]:,}" for name in ("stored", "known", "refused", "failures"))
        lines.append(f"| {_cell(row['account'])} | {_cell(row['folder'])} | {numbers} | {when} |")
    for row in found:
        place = f"**{_cell(row['account'])}/{_cell(row['folder'])}**"
        lines += ["", f"{place} fails: {_cell(row['failure'])}"] if row["failures"] else []
        lines += ["", f"{place}: {_cell(row['note'][:1_000])}"] if row["note"] else []
    return lines


def _is_declared(office: Office, row: dict[str, Any]) -> bool:
    """The log also knows of accounts and folders that are not read any more."""
    return any(rules.name == row["account"] and row["folder"] in rules.folders for rules in mailboxes.declared(office))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
