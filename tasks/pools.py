"""Pools of workers that prepare chunks: threads, processes, Dask or Ray, each behind Prefect's task runner for it."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import secrets
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from sluice import settings
from sluice.errors import ConfigError

_RAY_STORE = 512 * 1024 * 1024
"""Bytes that a local Ray may share between its processes; prepared chunks are compressed and few at a time."""


def opened(wanted: settings.TaskRunner) -> AbstractContextManager[TaskRunner[Any]]:
    """The pool that the settings name, for as long as the context lasts; what it started ends with it.

    Raises:
        ConfigError: its parts are not installed, or the cluster cannot be reached.
    """
    return _POOLS[wanted.kind](wanted)


@contextmanager
def _threads(wanted: settings.TaskRunner) -> Generator[TaskRunner[Any]]:
    with ThreadPoolTaskRunner(max_workers=wanted.workers) as runner:
        yield runner


@contextmanager
def _processes(wanted: settings.TaskRunner) -> Generator[TaskRunner[Any]]:
    with ProcessPoolTaskRunner(max_workers=wanted.workers, initializer=end_with_parent) as runner:
        try:
            yield runner
        finally:
            _let_broken_pool_go(runner)


@contextmanager
def _dask(wanted: settings.TaskRunner) -> Generator[TaskRunner[Any]]:
    _require("dask", "prefect_dask", "distributed")
    from dask import config
    from prefect_dask.task_runners import DaskTaskRunner

    with _private_folder("dask") as folder, config.set({"temporary-directory": folder}):
        if wanted.address:
            runner = DaskTaskRunner(address=wanted.address, client_kwargs={"timeout": "5s"})
        else:
            local = {"n_workers": wanted.workers, "threads_per_worker": 1, "local_directory": folder}
            closed = {"host": "127.0.0.1", "security": True, "dashboard_address": "127.0.0.1:0"}  # TLS of its own
            runner = DaskTaskRunner(cluster_kwargs={**local, **closed, "scheduler_kwargs": {"dashboard": False}})
        with runner:
            _reached("SLUICE_DASK_ADDRESS", wanted.address, lambda: runner.client)
            yield runner


@contextmanager
def _ray(wanted: settings.TaskRunner) -> Generator[TaskRunner[Any]]:
    _require("ray", "prefect_ray", "ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # no telemetry; Ray reads its environment when it starts
    if wanted.address is None:  # it listens on every interface: nobody else is to know the word that it asks for
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    from prefect_ray.task_runners import RayTaskRunner

    with _private_folder("ray") as folder:
        quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if wanted.address:
            runner = RayTaskRunner(address=wanted.address, init_kwargs=quiet)
        else:
            local = {"num_cpus": wanted.workers, "object_store_memory": _RAY_STORE, "_temp_dir": folder}
            runner = RayTaskRunner(init_kwargs={**quiet, **local, "include_dashboard": False})
        _reached("SLUICE_RAY_ADDRESS", wanted.address, runner.__enter__)
        try:
            yield runner
        finally:
            runner.__exit__(None, None, None)


_POOLS: Mapping[str, Callable[[settings.TaskRunner], AbstractContextManager[TaskRunner[Any]]]] = {
    "threads": _threads,
    "processes": _processes,
    "dask": _dask,
    "ray": _ray,
}


def end_with_parent() -> None:
    """In a worker process: ends it when the flow's process is gone, for a pool's process would wait for ever."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()


def _let_broken_pool_go(runner: TaskRunner[Any]) -> None:
    """Frees a broken pool from what its end would wait for for ever.

    That is a worker that was starting when the pool broke: nobody asked it to end, and nobody reads what it writes.
    And before Python 3.11.5 it is the thread that writes to workers which are gone
    (https://github.com/python/cpython/issues/94777).
    """
    executor = getattr(runner, "_executor", None)
    if not getattr(executor, "_broken", False):
        return
    for worker in list((getattr(executor, "_processes", None) or {}).values()):
        worker.kill()
    queue = getattr(executor, "_call_queue", None)
    if queue is not None and sys.version_info < (3, 11, 5):  # later ones close it themselves, in a thread of their own
        queue._reader.close()


def _require(extra: str, *packages: str) -> None:
    if any(importlib.util.find_spec(package) is None for package in packages):
        raise ConfigError(
            "SLUICE_TASK_RUNNER",
            f"it is {extra!r}, and {' or '.join(packages)} is not installed",
            "inline, threads, processes, or what is installed",
            f'Install it with pip install "sluice[{extra}]", or choose another',
        )


def _reached(setting: str, address: str | None, connect: Callable[[], object]) -> None:
    try:
        connect()
    except Exception as error:
        if address is None:
            raise
        found = f"no cluster answers at {address} ({type(error).__name__})"
        raise ConfigError(setting, found, fix="Check the address, or unset it for a local cluster") from None


@contextmanager
def _private_folder(name: str) -> Generator[str]:
    """A folder that nobody else may read: clusters spill what they prepare; a short path, for it holds sockets.

    It is one below another, since Ray opens the one that it is given to everybody.
    """
    folder = tempfile.mkdtemp(prefix=f"sluice-{name}-")
    try:
        yield f"{folder}/{name}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
