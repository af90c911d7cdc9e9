"""Who prepares: what may be set, and what is said otherwise."""

from __future__ import annotations

import os

import pytest

from sluice.errors import ConfigError
from sluice.settings import TaskRunner

CORES = os.cpu_count() or 1


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, TaskRunner("inline", CORES), id="nothing said"),
        pytest.param({"SLUICE_TASK_RUNNER": "", "SLUICE_TASK_WORKERS": ""}, TaskRunner("inline", CORES), id="empty"),
        pytest.param({"SLUICE_TASK_RUNNER": "threads"}, TaskRunner("threads", CORES), id="threads"),
        pytest.param(
            {"SLUICE_TASK_RUNNER": "processes", "SLUICE_TASK_WORKERS": "3"}, TaskRunner("processes", 3), id="processes"
        ),
        pytest.param(
            {"SLUICE_TASK_RUNNER": "dask", "SLUICE_TASK_WORKERS": "256", "SLUICE_DASK_ADDRESS": "tcp://dask.example:8786"},
            TaskRunner("dask", 256, "tcp://dask.example:8786"),
            id="a Dask cluster",
        ),
        pytest.param(
            {"SLUICE_TASK_RUNNER": "ray", "SLUICE_DASK_ADDRESS": "tcp://dask.example:8786"},
            TaskRunner("ray", CORES),
            id="a local Ray, whatever is said of Dask",
        ),
    ],
)  # fmt: skip
def test_read(environ: dict[str, str], expected: TaskRunner) -> None:
    assert TaskRunner.read(environ) == expected


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"SLUICE_TASK_RUNNER": "Dask"}, "SLUICE_TASK_RUNNER: it is 'Dask'.*inline, threads, processes, dask, ray"),
        ({"SLUICE_TASK_RUNNER": "spark"}, "SLUICE_TASK_RUNNER: it is 'spark'.*inline, threads, processes, dask, ray"),
        ({"SLUICE_TASK_WORKERS": "0"}, "SLUICE_TASK_WORKERS: it is '0'.*from 1 to 256"),
        ({"SLUICE_TASK_WORKERS": "257"}, "SLUICE_TASK_WORKERS: it is '257'.*from 1 to 256"),
        ({"SLUICE_TASK_WORKERS": "two"}, "SLUICE_TASK_WORKERS: it is 'two'.*from 1 to 256"),
        ({"SLUICE_TASK_WORKERS": "-1"}, "SLUICE_TASK_WORKERS: it is '-1'.*from 1 to 256"),
    ],
    ids=str,
)
def test_what_is_not_allowed_is_refused(environ: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        TaskRunner.read(environ)
