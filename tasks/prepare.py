"""Task: a chunk of a file as clean leads, rejects and set-asides."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from sluice import pipeline
from sluice.batch import Batch
from sluice.pipeline import Job
from sluice.sources.prepass import Chunk
from tasks.discreet import discreet
from tasks.quoted import quoted


def prepare(job: Job, chunk: Chunk) -> Batch:
    """Runs `pipeline.prepare` as a task run of its own; its values are quoted, so that Prefect does not walk them."""
    return _prepare.with_options(task_run_name=f"prepare rows from {chunk.first_row:,}")(quoted(job), quoted(chunk))


@task(name="prepare", cache_policy=NO_CACHE, persist_result=False)
def _prepare(job: Job, chunk: Chunk) -> Batch:
    with discreet():
        return pipeline.prepare(job, chunk)
