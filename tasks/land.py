"""Task: a prepared chunk into Postgres, slice by slice: dedupe, score, route, load."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from sluice import pipeline
from sluice.batch import Batch
from sluice.pipeline import Job
from sluice.store.engine import Database
from tasks.discreet import discreet
from tasks.quoted import quoted


def land(database: Database, job: Job, batch: Batch) -> None:
    """Runs `pipeline.land` as a task run of its own; no Prefect retries: the slices have their own."""
    _land.with_options(task_run_name=f"land {len(batch):,} rows")(quoted(database), quoted(job), quoted(batch))


@task(name="land", cache_policy=NO_CACHE, persist_result=False)
def _land(database: Database, job: Job, batch: Batch) -> None:
    with discreet():
        pipeline.land(database, job, batch)
