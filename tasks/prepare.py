"""Task: chunks of a file as clean leads, rejects and set-asides, prepared ahead of their loading by a pool."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner

from sluice import pipeline, settings
from sluice.batch import Batch
from sluice.errors import ConfigError, SluiceError, UnreadableFile, UserError
from sluice.pipeline import PLAIN, Job, Steps
from sluice.sources.prepass import Chunk
from sluice.sources.stamp import stamp
from tasks import parcels, pools
from tasks.discreet import discreet
from tasks.parcels import Parcel

MOST_RUNS = 60
"""Task runs of a flow run that may prepare; those that take files in have the rest of a hundred."""

PATIENCE = 2
"""How often chunks are given to a new pool after workers were lost: preparing is pure, so twice does no harm."""

Span = tuple[Chunk, ...]
"""Chunks that one task run prepares."""


@contextmanager
def crew(wanted: settings.TaskRunner) -> Generator[Steps]:
    """How a flow run works its files: in this process, or with a pool that prepares while this process loads.

    The pool is started by the first file that has more than one chunk.
    """
    if wanted.kind == "inline":
        yield PLAIN
        return
    ahead = Ahead(wanted)
    try:
        yield replace(PLAIN, prepare=ahead.prepare)
    finally:
        ahead.close()


@dataclass
class Ahead:
    """Prepares ahead of the loading: at most one span more than there are workers, so that memory stays flat.

    Args:
        wanted: the kind of pool.
    """

    wanted: settings.TaskRunner
    runs_left: int = MOST_RUNS
    _open: ExitStack = field(default_factory=ExitStack)
    _pool: TaskRunner[Any] | None = None

    def __post_init__(self) -> None:
        self._flow = copy_context()  # the task run that takes a file in holds the database, which no worker gets

    def prepare(self, job: Job, chunks: Sequence[Chunk]) -> Generator[Batch]:
        """The batches of the chunks, in their order; each worker may be one span ahead.

        Raises:
            UserError: workers were lost again and again, or do not see the file. A later run goes on from there.
        """
        spans = divided(chunks, self.runs_left)
        if len(spans) < 2:
            yield from pipeline.prepare_each(job, chunks)
            return
        errand, waiting = parcels.packed_job(job), deque[tuple[Span, PrefectFuture[Any]]]()
        coming = iter(spans)
        waiting.extend((span, self._submit(errand, span)) for span in islice(coming, self.wanted.workers + 1))
        while waiting:
            found = self._next(job, errand, waiting)
            waiting.extend((span, self._submit(errand, span)) for span in islice(coming, 1))
            yield from parcels.batches_of(found)

    def close(self) -> None:
        """Ends the pool."""
        self._pool = None
        self._open.close()

    def _submit(self, errand: Parcel, span: Span) -> PrefectFuture[Any]:
        if self._pool is None:
            self._pool = self._open.enter_context(pools.opened(self.wanted))
        self.runs_left -= 1
        run = _prepare.with_options(task_run_name=f"prepare rows from {span[0].first_row:,}")
        return self._flow.run(self._pool.submit, run, {"errand": errand, "span": span})

    def _next(self, job: Job, errand: Parcel, waiting: deque[tuple[Span, PrefectFuture[Any]]]) -> Sequence[Parcel]:
        """What the first that waits has prepared; with a new pool for all that wait, if workers were lost."""
        for tries_left in reversed(range(PATIENCE + 1)):
            try:
                found = waiting[0][1].result()
                waiting.popleft()
                return found
            except UnreadableFile as error:
                raise unseen(job.path, job.stamp, error) from None
            except SluiceError:
                raise
            except Exception as error:
                self.close()
                if not tries_left or self.runs_left < len(waiting):
                    raise lost(self.wanted, error) from None
                get_run_logger().warning(f"workers were lost ({type(error).__name__}); a new pool takes over")
                again = [span for span, _ in waiting]
                waiting.clear()
                waiting.extend((span, self._submit(errand, span)) for span in again)
        raise AssertionError("the last try returns or raises")


def divided(chunks: Sequence[Chunk], runs_left: int) -> list[Span]:
    """Spans for task runs, one a chunk if possible; a file takes at most half of the task runs that are left."""
    size = max(1, -(-len(chunks) // max(1, runs_left // 2)))
    return [tuple(chunks[at : at + size]) for at in range(0, len(chunks), size)]


def unseen(path: Path, surveyed: tuple[int, int], error: UnreadableFile) -> UserError:
    """What it means that a worker cannot read a file: the file is not to blame if it is as when we surveyed it."""
    if stamp(path) != surveyed:
        return error
    return ConfigError(
        "SLUICE_TASK_RUNNER",
        f"a worker could not read {path.name}, which this process can read",
        "workers that see the same folder under the same path",
        "Share the folder with them, or set inline, threads or processes",
    )


def lost(wanted: settings.TaskRunner, error: Exception) -> UserError:
    """The error of a run whose workers died again and again, by what a pool said of it."""
    return UserError(
        f"the task runner {wanted.kind!r}",
        f"its workers were lost while they prepared ({type(error).__name__})",
        fix="Give them more memory or set fewer SLUICE_TASK_WORKERS; the next run goes on from the last slice",
    )


@task(name="prepare", cache_policy=NO_CACHE, persist_result=False)
def _prepare(errand: Parcel, span: Span) -> list[Parcel]:
    with discreet():
        return parcels.packed(pipeline.prepare_each(parcels.job_of(errand), span))
