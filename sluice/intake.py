"""A file from the door to the table: fingerprint, receipt, survey, work, report; and a folder of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sluice import corrections, crash
from sluice.errors import ConfigError, NotFound, UnreadableFile
from sluice.pipeline import PLAIN, Job, Steps, work
from sluice.profiles import Profile, from_content, load_profile, load_sources
from sluice.rules import SourceRules
from sluice.schema import REJECT_COLUMNS
from sluice.settings import Settings
from sluice.sources import files, workbooks
from sluice.sources.bucket import BucketUnavailable, shown
from sluice.sources.prepass import Prepass
from sluice.sources.stamp import changed_while_read, stamp
from sluice.sources.workbooks import Text
from sluice.store import receipts
from sluice.store.engine import Database
from sluice.store.migrate import migrate
from sluice.store.queries import rows
from sluice.store.receipts import Arrival, Receipt

UNDECLARED = "files"
"""Source of a file for which none is named: its columns carry our names."""


@dataclass(frozen=True)
class Office:
    """What a process that works receipts has opened: the database, and the rules in force."""

    settings: Settings
    database: Database
    profile: Profile
    sources: Mapping[str, SourceRules]

    def source(self, name: str) -> SourceRules:
        """A declared source.

        Raises:
            NotFound: none of that name is declared.
        """
        if name not in self.sources:
            declared = ", ".join(sorted(self.sources))
            where = str(self.settings.config / "sources")
            found = f"there is no {name}.yml in {where}"
            raise NotFound(f"source {name!r}", found, declared, "Name one of these, or declare it")
        return self.sources[name]


@contextmanager
def opened(settings: Settings) -> Generator[Office]:
    """The office of a process: rules read, database reached and migrated; closed at the end.

    Raises:
        ConfigError, DatabaseUnavailable: said plainly; nothing was changed.
    """
    profile, sources = load_profile(settings.config, settings.profile), load_sources(settings.config)
    database = Database.open(settings)
    try:
        migrate(database)
        yield Office(settings, database, profile, sources)
    finally:
        database.dispose()


@dataclass(frozen=True)
class Watch:
    """Whom to tell how a file gets on.

    Attributes:
        waiting: another process works the same content.
        surveyed: the number of rows is known.
        landed: the number of the last row that is in.
    """

    waiting: Callable[[], None] = lambda: None
    surveyed: Callable[[int], None] = lambda rows_: None
    landed: Callable[[int], None] = lambda row: None


@dataclass(frozen=True)
class Origin:
    """Where a content lies, if the file that is read is only a copy of it, or has a name that is no text.

    Attributes:
        name: what people call it.
        url: without credentials.
    """

    name: str
    url: str


@dataclass(frozen=True)
class Order:
    """What is to be done with a file."""

    path: Path
    source: str = UNDECLARED
    again: bool = False
    steps: Steps = PLAIN
    watch: Watch = Watch()
    origin: Origin | None = None


def intake(office: Office, order: Order) -> tuple[Receipt, bool]:
    """Takes a file in, or goes on where an earlier try ended.

    Returns:
        The settled receipt, and whether this content was known already, so that no row was read.

    Raises:
        UnreadableFile: it cannot be read as rows; its receipt has failed with the reason.
        DatabaseUnavailable: what is committed stays, the next call completes the rest.
        BucketUnavailable: it is a workbook that cannot be read now: no space in the spool, or other rules than before.
    """
    source = office.sources.get(order.source)
    theirs = (*source.fields, *source.ignore) if source else ()
    names = (*office.profile.fields.enabled(), *theirs, *REJECT_COLUMNS)
    with workbooks.as_text(order.path, office.settings.home / "spool", names) as text:
        return _taken_in(office, order, text)


def _taken_in(office: Office, order: Order, text: Text) -> tuple[Receipt, bool]:
    parent = corrections.parent_of(office.database, text.path)
    source = office.source(parent.source if parent else order.source)
    arrival = replace(_arrival(order, source), parent_id=parent.receipt_id if parent else None)
    if text.stamp not in (None, stamp(order.path)):  # what was read is not what was fingerprinted
        raise changed_while_read(order.path)
    crash.point("received")
    receipt = receipts.receive(office.database, arrival, office.profile, again=order.again)
    crash.point("stored")
    claimed = receipt.duplicate_of or receipt.receipt_id  # an unfinished original is finished with this copy
    with receipts.held(office.database, claimed, order.watch.waiting) as held:
        if held.state in ("failed", "undone"):  # given up while we waited: the content may be claimed anew
            return _taken_in(office, order, text)
        if held.is_settled:
            return receipt if receipt.duplicate_of else held, True
        job = _job(office, text, held, source)
        order.watch.surveyed(job.survey.rows)
        work(office.database, job, order.steps, order.watch.landed)
    with office.database.connection() as connection:
        return receipts.get(connection, receipt.receipt_id), receipt.duplicate_of is not None


def _arrival(order: Order, source: SourceRules) -> Arrival:
    _, modified = stamp(order.path)
    size, digest = files.fingerprint(order.path)
    origin = order.origin or Origin(shown(order.path.name), order.path.absolute().as_uri())
    return Arrival(
        source=source.name,
        key=f"sha256:{digest}",
        kind="manual" if source.kind == "manual" else "file",
        name=origin.name,
        sha256=digest,
        size=size,
        occurred_at=datetime.fromtimestamp(modified / 1e9, UTC),
        object_url=origin.url,
    )


def _job(office: Office, text: Text, receipt: Receipt, source: SourceRules) -> Job:
    in_force = receipt.config_hash == office.profile.hash
    profile = office.profile if in_force else kept_rules(office, receipt.config_id)
    source = profile.sources.get(source.name, source)
    condition = stamp(text.path)
    if receipt.survey is None:
        survey = _survey(office, text, receipt, source, profile)
    else:
        survey = Prepass.from_json(receipt.survey)
        _check_same_sheet(text, receipt, survey)
    if survey.sha256 != (text.sha256 or receipt.sha256) or stamp(text.path) != condition:
        raise changed_while_read(text.path)
    return Job(receipt, text.path, survey, source, profile, profile.sources, office.settings.slice_rows, condition)


def _check_same_sheet(text: Text, receipt: Receipt, survey: Prepass) -> None:
    if text.sha256 not in (None, survey.sha256):
        found = "the rules, or Sluice, have changed since its import began, and the workbook is read otherwise now"
        fix = 'Bring those rules back, or save the sheet as "CSV UTF-8" and import that: rows that are in are known'
        raise BucketUnavailable(receipt.name, found, fix=fix)


def _survey(office: Office, text: Text, receipt: Receipt, source: SourceRules, profile: Profile) -> Prepass:
    fields = profile.fields.enabled()
    try:
        if text.refusal is not None:
            raise text.refusal
        if receipt.parent_id is None:
            survey = files.survey(text.path, text.ruled(source), fields)
        else:
            parent = receipts.find(office.database, receipt.parent_id) or receipt
            survey = files.survey(text.path, text.ruled(corrections.as_saved(source, text.path)), fields)
            survey = corrections.completed(survey, parent, source, fields)
    except UnreadableFile as error:
        reason = {"found": error.found, "allowed": error.allowed, "fix": error.fix}
        receipts.fail(office.database, receipt.receipt_id, reason)
        raise
    survey = replace(survey, warnings=(*text.notices, *survey.warnings))
    if survey.sha256 == (text.sha256 or receipt.sha256):
        receipts.surveyed(office.database, receipt.receipt_id, survey.to_json(), survey.header, survey.rows)
    return survey


def kept_rules(office: Office, config_id: int) -> Profile:
    """The rules of a config version, even if the files say something else by now: decisions are explained by them.

    Raises:
        ConfigError: a newer Sluice kept them, and this one does not know all that they say.
    """
    with office.database.connection() as connection:
        kept = rows(connection, "config_version_get", config_id=config_id)[0]
    if kept["hash"] == office.profile.hash:
        return office.profile
    try:
        return from_content(kept["content"], kept["profile"])
    except ConfigError as error:
        where = f"the rules kept as version {config_id}, {error.where}"
        fix = "Update Sluice: a newer one wrote them. By other rules this file is not worked"
        raise ConfigError(where, error.found, error.allowed, fix) from None
