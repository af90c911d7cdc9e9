"""What travels between the process that loads and those that prepare: bytes, small, and nothing but our own."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa

from sluice.batch import Batch
from sluice.pipeline import Job

_CODEC = "zstd"


class Parcel(NamedTuple):
    """A value, pickled and compressed; `size` is that of the pickle."""

    size: int
    content: bytes


def packed_job(job: Job) -> Parcel:
    """What a worker needs to know of a file: its survey without the list of all chunks, and the rules."""
    return _packed(replace(job, survey=replace(job.survey, chunks=())))


def packed(batches: Iterable[Batch]) -> list[Parcel]:
    """Prepared chunks, each by itself, so that one at a time is unpacked; a batch shrinks to about a tenth."""
    return [_packed(batch) for batch in batches]


def job_of(parcel: Parcel) -> Job:
    """The job that `packed_job` packed."""
    job = _unpacked(parcel)
    if not isinstance(job, Job):
        raise TypeError("the parcel holds no job")
    return job


def batches_of(parcels: Sequence[Parcel]) -> Iterable[Batch]:
    """The batches that `packed` packed, each unpacked when it is asked for."""
    for parcel in parcels:
        batch = _unpacked(parcel)
        if not isinstance(batch, Batch):
            raise TypeError("the parcel holds no batch")
        yield batch


def _packed(value: object) -> Parcel:
    content = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return Parcel(len(content), pa.compress(content, _CODEC, asbytes=True))


def _unpacked(parcel: Parcel) -> object:
    content = pa.decompress(parcel.content, parcel.size, _CODEC, asbytes=True)
    return pickle.loads(content)  # noqa: S301 -- packed by a process of this very pool
