"""What there is to take in: a file, or the complete files of buckets, in groups that are one task run each."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from prefect import get_run_logger

from sluice.bucket_rules import BucketRules, load_buckets
from sluice.buckets import Dropped, dropped, grouped, is_bucket, opened, rules_of
from sluice.errors import UserError
from sluice.intake import Office, Order
from sluice.sources.bucket import Bucket, Entry, unspelled
from sluice.sources.stability import looked_twice
from sluice.store import drops

MOST_GROUPS = 35
"""Task runs of one flow run that take files in; what is left over is the next sweep's."""


@dataclass(frozen=True)
class Closed:
    """A bucket that could not be listed; the others are swept all the same."""

    rules: BucketRules
    error: UserError


Work = Order | tuple[Dropped, ...] | Closed
"""What one task run takes in."""


def collect(office: Office, path: str, order: Order, files: list[str] | None = None) -> list[Work]:
    """What a run takes in.

    Args:
        path: a file, a folder with an inbox, the URL of a bucket, or "" for every bucket.
        order: what is to be done with each file.
        files: keys below the inbox; None takes everything that is complete.

    Raises:
        ConfigError, BucketUnavailable, UnreadableFile: said plainly; nothing was changed.
    """
    settings = office.settings
    if not path:
        every = load_buckets(settings.config, settings.home).values()
        return list(islice(_everywhere(office, every, order), MOST_GROUPS))
    if not is_bucket(path):
        return [order]
    return list(islice(_groups(office, rules_of(settings, path), order, files), MOST_GROUPS))


def _everywhere(office: Office, every: Iterable[BucketRules], order: Order) -> Iterator[Work]:
    for rules in every:
        try:
            yield from _groups(office, rules, order, None)
        except UserError as error:
            yield Closed(rules, error)


def _groups(office: Office, rules: BucketRules, order: Order, files: list[str] | None) -> Iterator[tuple[Dropped, ...]]:
    bucket = opened(rules, office.settings)
    entries = looked_twice(bucket, rules.settle_seconds) if files is None else _named(office, bucket, rules, files)
    for entry in entries:
        if entry.is_misnamed:
            get_run_logger().warning(f"{rules.name}: {entry.name}: {entry.waits}")
    yield from grouped(dropped(bucket, rules, entries, order, office.sources))


def _named(office: Office, bucket: Bucket, rules: BucketRules, files: list[str]) -> list[Entry]:
    """Files that somebody named. The watcher has seen its own stand still; others are looked at twice here."""
    claimed = drops.claims(office.database, rules.url, files)
    found = {file: bucket.entry(unspelled(file)) or Entry(unspelled(file), 0, "") for file in files}
    unsure = [file for file in files if file not in claimed or claimed[file]["version"] != found[file].version]
    if any(found[file].version for file in unsure):
        time.sleep(rules.settle_seconds)
    growing = {file for file in unsure if found[file].version and bucket.entry(unspelled(file)) != found[file]}
    return [entry for file, entry in found.items() if file not in growing]
