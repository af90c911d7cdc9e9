"""What lies in a bucket: `inbox/` → `done/` with report and rejects beside the file, or `failed/` with the reason.

The receipt in Postgres says what was taken in; where a file lies is only for people. Killed anywhere, the next run
finds the content known and finishes the move.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from sluice import crash
from sluice.bucket_rules import SCHEMES, BucketRules, load_buckets, own
from sluice.errors import NotFound, UnreadableFile, UserError
from sluice.intake import UNDECLARED, Office, Order, Origin, intake
from sluice.reports import report, write_rejects, write_report
from sluice.settings import Settings
from sluice.sources.bucket import Bucket, Entry, Gone, Misnamed
from sluice.sources.bucket_folder import Folder
from sluice.sources.files import fingerprint
from sluice.sources.spool import spooled, told
from sluice.sources.stamp import ChangedWhileRead
from sluice.store import receipts
from sluice.store.queries import rows
from sluice.store.receipts import Receipt

SMALL = 1 << 20
"""Bytes up to which a file shares a task run with others of its source …"""

MOST_TOGETHER = 200
"""… so many files …"""

MOST_BYTES = 16 << 20
"""… and so many bytes at most."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that lies in an inbox, and what is to be done with it; the order's path is of no account."""

    order: Order
    entry: Entry
    bucket: Bucket


class BeingWorked(UserError):
    """Another run works this content; it stays where it is, and that run, or the next sweep, moves it."""


def is_bucket(path: str) -> bool:
    """Whether a path names a bucket or a folder, rather than a file."""
    return path.partition("://")[0] in SCHEMES or Path(path).is_dir()


def rules_of(settings: Settings, path: str) -> BucketRules:
    """The declared rules of the bucket at a path or URL, or those of one that nobody declared.

    Raises:
        ConfigError: `buckets.yml` says something impossible.
        UserError: the URL is none of a bucket.
    """
    found = path if path.partition("://")[0] in SCHEMES else Path(path).absolute().as_uri()
    declared = load_buckets(settings.config, settings.home).values()
    known = next((rules for rules in declared if rules.url == found.rstrip("/")), None)
    if known is not None:
        return known
    if not found.startswith("file:"):
        name = PurePosixPath(found).name
        try:
            return BucketRules.model_validate({"name": "bucket", "url": found}).model_copy(update={"name": name})
        except ValueError:
            schemes = "s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, file:///folder"
            raise UserError(path.partition("?")[0], "it is no URL of a bucket", schemes, "Correct it") from None
    return own(BucketRules.model_construct(url=found).folder or Path(path))


def opened(rules: BucketRules, settings: Settings) -> Bucket:
    """The bucket itself; an object store's client is loaded only when there is need of it.

    Raises:
        BucketUnavailable: the environment lacks what this kind of store needs.
    """
    if rules.folder is not None:
        return Folder(rules.folder)
    from sluice.sources.bucket_objects import Objects

    return Objects(rules.url, settings.home / "spool")


def dropped(
    bucket: Bucket, rules: BucketRules, entries: Iterable[Entry], order: Order, declared: Mapping[str, object]
) -> Iterator[Dropped]:
    """Files of a bucket with the source of each.

    Args:
        order: what is to be done with each; its source is that of files which no folder gives another one.
        declared: the sources that there are.
    """
    named = order.source != UNDECLARED
    fallback = rules.model_copy(update={"source": order.source}) if named and rules.source is None else rules
    for entry in entries:
        yield Dropped(replace(order, source=fallback.source_of(entry.key, declared, order.source)), entry, bucket)


def grouped(files: Iterable[Dropped]) -> Iterator[tuple[Dropped, ...]]:
    """Files that are worked together: a large one alone, small ones of one source in groups."""
    waiting: dict[str, list[Dropped]] = {}
    for file in files:
        if file.entry.size > SMALL:
            yield (file,)
            continue
        group = waiting.setdefault(file.order.source, [])
        if len(group) == MOST_TOGETHER or sum(each.entry.size for each in group) + file.entry.size > MOST_BYTES:
            yield tuple(group)
            group.clear()
        group.append(file)
    yield from (tuple(group) for group in waiting.values())


def take_in(office: Office, file: Dropped) -> dict[str, Any]:
    """Imports a dropped file and moves it, with its report and rejects, out of the inbox.

    A file that somebody still writes, or another run works, stays; what cannot be read goes to `failed/`.

    Returns:
        The report; for a file that was not taken in: its `error` and its `state`: waits, gone or failed.

    Raises:
        BucketUnavailable, DatabaseUnavailable: nothing was lost; a later run completes it.
    """
    if file.entry.waits:
        return _refused(file, "waits", UserError(file.entry.name, file.entry.waits))
    try:
        file.bucket.check_writable(file.entry.key)
        return _settled(office, file)
    except (ChangedWhileRead, BeingWorked, Misnamed) as error:
        return _refused(file, "waits", error)
    except Gone as error:
        return _refused(file, "gone", error)
    except (UnreadableFile, NotFound) as error:
        return _failed(office, file, error)


def _settled(office: Office, file: Dropped) -> dict[str, Any]:
    """What `intake` does with the content, then the papers and the move."""
    office.source(file.order.source)
    spool = office.settings.home / "spool"
    with file.bucket.fetched(file.entry) as path, spooled(spool) as papers:
        if not file.entry.size:
            raise UnreadableFile(file.entry.name, "the file is empty", fix="Check whether the export was empty")
        origin = Origin(file.entry.name, file.bucket.url_of(f"inbox/{file.entry.key}"))
        watch = replace(file.order.watch, waiting=_do_not_wait)
        receipt, was_known = intake(office, replace(file.order, path=path, origin=origin, watch=watch))
        found = report(office.database, receipt) | {"was_known": was_known}
        with told(spool):
            written = _papers(office, receipt, found, papers)
        place = _place(file, "done", path, written)
        for ending, paper in written.items():
            file.bucket.put(place + ending, paper)
    if receipt.moved_to != file.bucket.url_of(place):
        receipts.moved(office.database, receipt.receipt_id, file.bucket.url_of(place))
    crash.point("before_move")
    with contextlib.suppress(Gone):  # another run has moved it
        file.bucket.move(file.entry, place)
    crash.point("after_move")
    return found


def _papers(office: Office, receipt: Receipt, found: dict[str, Any], folder: Path) -> dict[str, Path]:
    """What lies beside a file in `done/`, by the ending of its name."""
    report_file, rejects_file = folder / "report.json", folder / "rejects.csv"
    write_report(found, report_file)
    written = {".report.json": report_file}
    if found["completions"]["still_open"] and write_rejects(office.database, receipt, rejects_file):
        written[".rejects.csv"] = rejects_file
    return written


def _failed(office: Office, file: Dropped, error: UserError) -> dict[str, Any]:
    """A file that cannot be read leaves the inbox as well: whoever dropped it finds the reason beside it."""
    found = _refused(file, "failed", error)
    spool = office.settings.home / "spool"
    with spooled(spool) as papers:
        written = papers / "report.json"
        try:
            with file.bucket.fetched(file.entry) as path:
                place = _place(file, "failed", path, {})
                found |= _noted(office, file, path, file.bucket.url_of(place))
            with told(spool):
                write_report(found, written)
            file.bucket.put(f"{place}.report.json", written)
            file.bucket.move(file.entry, place)
        except (ChangedWhileRead, Misnamed) as waits:
            return _refused(file, "waits", waits)
        except Gone as gone:
            return _refused(file, "gone", gone)
    return found


def _noted(office: Office, file: Dropped, content: Path, to: str) -> dict[str, Any]:
    """Notes at the receipt of a failed file where it lies from now on; if it has none, only the report says so."""
    arrived = {"object_url": file.bucket.url_of(f"inbox/{file.entry.key}"), "sha256": fingerprint(content)[1]}
    with office.database.connection() as connection:
        failed = rows(connection, "receipt_given_up", **arrived)
    for receipt in failed:
        receipts.moved(office.database, receipt["receipt_id"], to)
    return {"receipt": failed[0]["receipt_id"] if failed else None, "moved_to": to}


def _place(file: Dropped, folder: str, content: Path, papers: Mapping[str, Path]) -> str:
    """Where the file goes: the same place below `folder`; another content there, or rejects of one, is left alone."""
    for place in _candidates(f"{folder}/{file.entry.key}"):
        rejects = papers.get(".rejects.csv")
        is_free = file.bucket.holds(place, content) is not False
        if is_free and (rejects is None or file.bucket.holds(f"{place}.rejects.csv", rejects) is not False):
            return place
    raise AssertionError("there are numbers enough")


def _candidates(first: str) -> Iterator[str]:
    """The place itself, then `leads (2).csv` and so on; below a folder that is a file, `folder (2)/leads.csv` too."""
    path = PurePosixPath(first)
    numbered = (str(path.with_name(f"{path.stem} ({number}){path.suffix}")) for number in count(2))
    if len(path.parts) == 2:
        return chain([first], numbered)
    top, folder, *rest = path.parts
    aside = (str(PurePosixPath(top, f"{folder} ({number})", *rest)) for number in count(2))
    return chain([first], (place for pair in zip(numbered, aside, strict=True) for place in pair))


def _do_not_wait() -> NoReturn:
    raise BeingWorked("this content", "another run works it", fix="Leave it there; the next run looks again")


def _refused(file: Dropped, state: str, error: UserError) -> dict[str, Any]:
    return {"file": file.entry.name, "source": file.order.source, "state": state, "error": str(error)}
