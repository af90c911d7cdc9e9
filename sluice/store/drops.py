"""Claims on dropped files: each version of a file goes to one run, whoever sees it first, whoever dies in between."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sluice.store.engine import Database
from sluice.store.queries import execute, rows


@dataclass(frozen=True)
class Run:
    """A run to be started.

    Attributes:
        key: its idempotency key: a hash over the bucket and the files, each with its version.
        files: their keys, as text that JSON takes.
    """

    key: str
    files: tuple[str, ...]


def claim(database: Database, bucket: str, versions: Mapping[str, str]) -> None:
    """Claims files for a run of their own; of those that somebody has claimed in this version, none.

    Args:
        bucket: its URL.
        versions: key → version of files that are worked together.
    """
    with database.transaction() as connection:
        ours = rows(connection, "drops_claim", bucket=bucket, keys=list(versions), versions=list(versions.values()))
        if ours:
            claimed = sorted((row["key"], row["version"]) for row in ours)
            run_key = hashlib.sha256(json.dumps([bucket, claimed]).encode()).hexdigest()
            execute(connection, "drops_name_run", bucket=bucket, run_key=run_key, keys=[key for key, _ in claimed])


def unsubmitted(database: Database, bucket: str) -> list[Run]:
    """Runs that are to be started: also those of a watcher that died before it could."""
    with database.connection() as connection:
        found = rows(connection, "drops_unsubmitted", bucket=bucket)
    return [Run(row["run_key"], tuple(row["keys"])) for row in found]


def submitted(database: Database, bucket: str, run: Run) -> None:
    """Notes that the Prefect server has a run."""
    with database.transaction() as connection:
        execute(connection, "drops_submitted", bucket=bucket, run_key=run.key)


def claims(database: Database, bucket: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Key → version, submitted_at of the files that were claimed."""
    with database.connection() as connection:
        found = rows(connection, "drops_versions", bucket=bucket, keys=list(keys))
    return {row["key"]: row for row in found}


def forget(database: Database) -> None:
    """Drops claims of long ago, so that the table stays small."""
    with database.transaction() as connection:
        execute(connection, "drops_forget")
