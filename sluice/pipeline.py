"""The order of the steps, stated once: a file's rows become leads with owners.

    survey ─► prepare (read → normalize → validate), chunk by chunk, pure
           ─► land, slice by slice: dedupe → score → route → load, checkpoint — one transaction

The flow may hand *prepare* to a pool of workers, the command line calls the plain functions; both go this very way.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from sluice import crash, schema
from sluice.batch import Batch
from sluice.distinct import no_garbage_rounds
from sluice.errors import BrokenPromise
from sluice.matching.decision import dedupe
from sluice.matching.facts import Circumstances
from sluice.matching.keys import keyed
from sluice.normalization import Context, normalize
from sluice.profiles import Profile
from sluice.provenance import Provenance
from sluice.routing import Workforce, route
from sluice.rules import SourceRules
from sluice.scoring import score
from sluice.sources.files import read
from sluice.sources.prepass import Chunk, Prepass
from sluice.sources.stamp import changed_while_read, stamp
from sluice.store import receipts, rotas
from sluice.store.engine import Database
from sluice.store.faults import Retry, forgotten
from sluice.store.known import gather
from sluice.store.leads import load
from sluice.store.loading import Loading
from sluice.store.patience import patient
from sluice.store.queries import execute
from sluice.store.receipts import Receipt
from sluice.store.suppressions import Guard, keep_out
from sluice.validation import validate


@dataclass(frozen=True)
class Matter:
    """What deciding about rows and writing them needs to know, whichever door they came by.

    Attributes:
        attributes: fields of these rows that have no column of their own in `leads`.
    """

    origins: Provenance
    source: SourceRules
    profile: Profile
    config_id: int
    attributes: tuple[str, ...]
    guard: Guard


@dataclass(frozen=True)
class Job:
    """A receipt being worked: what every step needs to know of it."""

    receipt: Receipt
    path: Path
    survey: Prepass
    source: SourceRules
    profile: Profile
    sources: Mapping[str, SourceRules]
    slice_rows: int
    stamp: tuple[int, int]  # size and time of the file when it was surveyed

    @property
    def attributes(self) -> tuple[str, ...]:
        """Fields of this file that have no column of their own in `leads`."""
        return attributes_of({field for _, field in self.survey.mapping}, self.source, self.profile)

    def matter(self, guard: Guard) -> Matter:
        """What there is to know of its rows."""
        origins = Provenance.of_one(self.receipt.receipt_id, self.receipt.occurred_at)
        return Matter(origins, self.source, self.profile, self.receipt.config_id, self.attributes, guard)


def attributes_of(mapped: Set[str], source: SourceRules, profile: Profile) -> tuple[str, ...]:
    """Of the fields that rows have, those without a column of their own in `leads`."""
    return tuple(sorted((mapped | set(source.defaults)) & set(profile.fields.enabled()) - set(schema.BATCH_FIELDS)))


@dataclass(frozen=True)
class Steps:
    """How the two halves of the way are run; the order is `work`'s.

    Attributes:
        prepare: the batches of chunks, one each, in their order; it may work ahead of what is asked for.
        land: loads a batch; called in row order, never twice at once.
    """

    prepare: Callable[[Job, Sequence[Chunk]], Iterable[Batch]]
    land: Callable[[Database, Job, Batch], None]


def work(database: Database, job: Job, steps: Steps, progress: Callable[[int], None]) -> None:
    """Works a receipt from where it stands to its end.

    Args:
        progress: told the number of rows that are in, after every chunk.
    """
    chunks = [chunk for chunk in job.survey.chunks if chunk.first_row + chunk.rows - 1 > job.receipt.checkpoint]
    for chunk, batch in zip(chunks, steps.prepare(job, chunks), strict=True):
        crash.point("prepared")
        steps.land(database, job, batch)
        del batch  # or two chunks are in memory while the next is prepared
        progress(chunk.first_row + chunk.rows - 1)
    receipts.finish(database, job.receipt.receipt_id)


def prepare_each(job: Job, chunks: Sequence[Chunk]) -> Generator[Batch]:
    """Chunk after chunk, each when it is asked for, so that one is in memory at a time."""
    for chunk in chunks:
        yield prepare(job, chunk)


def prepare(job: Job, chunk: Chunk) -> Batch:
    """A chunk of the file as clean leads, rejects and set-asides; the same file gives the same batch."""
    batch = read(job.path, job.survey, chunk)
    if stamp(job.path) != job.stamp:
        raise changed_while_read(job.path)
    batch = cleaned(batch, job.profile, job.source, job.receipt.received_at, job.survey)
    if len(batch) != chunk.rows:
        raise BrokenPromise(f"chunk {chunk.index} has {chunk.rows} rows, {len(batch)} were prepared")
    return batch


def cleaned(
    batch: Batch, profile: Profile, source: SourceRules, as_of: datetime, survey: Prepass | None = None
) -> Batch:
    """Normalised and validated rows; `survey` tells how a file writes dates and decimals."""
    context = Context(
        fields=profile.fields,
        rules=profile.normalization,
        source=source,
        date_orders=survey.date_orders if survey else {},
        decimal_marks=survey.decimal_marks if survey else {},
        as_of=as_of,
        business_timezone=profile.business_timezone,
    )
    batch = validate(normalize(batch, context), profile.validation, source)
    spent = [name for name in batch.leads.columns if name.startswith("raw_")]  # `record` holds the raw cells
    return batch.with_leads(batch.leads.drop(columns=spent))


def land(database: Database, job: Job, batch: Batch) -> None:
    """Loads a prepared chunk slice by slice; rows that an earlier run committed are passed over.

    Raises:
        DatabaseUnavailable: the database stayed away; what was committed stays, and a later run goes on from there.
    """
    for _, last, part in batch.slices(job.slice_rows):
        with no_garbage_rounds():  # a slice is hundreds of thousands of objects, a sixth of its cost
            _land_slice(database, job, part, last)


@patient
def _land_slice(database: Database, job: Job, part: Batch, last: int) -> None:
    """One transaction; its COMMIT may have happened although it raised: the next try reads the checkpoint."""
    with database.transaction() as connection:
        execute(connection, "slice_lock")
        reached, now = receipts.standing(connection, job.receipt.receipt_id)
        if reached >= last:
            return
        new = part.between(reached + 1, last)
        if len(new) != last - reached:
            raise forgotten(database.where, job.receipt.receipt_id, reached)
        decide_and_load(connection, job.matter(database.guard), new, now)
        crash.point("before_commit")
        _advance(connection, job, reached, last)
    crash.point("after_commit")


def decide_and_load(connection: Connection, matter: Matter, part: Batch, now: datetime) -> None:
    """Deduplicates, scores, routes and writes rows, in the caller's transaction, which holds the slice lock."""
    profile, source = matter.profile, matter.source
    part = keyed(keep_out(connection, part, matter.guard, profile.normalization.email))
    known = gather(connection, part.leads, profile.sources, profile.matching)
    about = Circumstances(matter.origins, source, profile.matching, matter.attributes)
    part, findings = dedupe(part, known, about)
    if source.organisation_only:
        part = _without_leads(part)
    else:
        part = score(part, profile.scoring, now)
        workforce = Workforce(profile.teams, rotas.away(connection, now))
        part, levels = route(part, profile.routing, workforce, rotas.take(connection), now)
        rotas.give_back(connection, levels)
    loading = Loading(
        origins=matter.origins,
        config_id=matter.config_id,
        now=now,
        matching=profile.matching,
        scoring=profile.scoring,
        attributes=matter.attributes,
    )
    load(connection, part, findings, loading)


def _advance(connection: Connection, job: Job, reached: int, last: int) -> None:
    """Moves the checkpoint in the transaction of the rows: both are there, or neither."""
    moved = execute(connection, "receipt_checkpoint", receipt_id=job.receipt.receipt_id, row=last, expected=reached)
    if moved != 1:
        raise Retry("another process moved this receipt's checkpoint")


def _without_leads(part: Batch) -> Batch:
    """Rows of organisations: neither scored nor routed."""
    unset = dict.fromkeys([*schema.STEP_COLUMNS["score"], *schema.STEP_COLUMNS["route"]])
    return replace(part, leads=part.leads.assign(**unset))


PLAIN = Steps(prepare=prepare_each, land=land)
"""The steps as plain functions, for the command line."""
