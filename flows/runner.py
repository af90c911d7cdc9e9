"""The runner: serves the deployments and starts a process for each run. `python -m flows.runner` runs it alone.

A deployment is written to the server when its definition has changed; what people changed in the UI since then, such as
a paused schedule or another parameter, stays.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.runner import Runner
from prefect.types.entrypoint import EntrypointType
from prefect.utilities.callables import ParameterSchema

from flows import automations
from flows.definitions import Definition, definitions
from flows.serve import READY
from sluice.profiles import load_sources
from sluice.settings import Settings

POLL_SECONDS = 3
"""Between two looks for runs that are due: a dropped file waits no longer than that."""


class Served(RunnerDeployment):
    """A deployment that the server knows already in this version: it is served as the server has it."""

    async def aapply(self, *args: Any, **kwargs: Any) -> UUID:
        """Writes the deployment only if its definition has changed."""
        async with get_client() as client:
            try:
                known = await client.read_deployment_by_name(self.full_name)
            except ObjectNotFound:
                known = None
        if known is not None and known.version == self.version and known.work_pool_name is None:
            return known.id
        self.work_pool_name = None  # it may have been a worker's before
        return await super().aapply(*args, **kwargs)


def deployment(defined: Definition, sources: Collection[str]) -> RunnerDeployment:
    """A definition as what the runner serves.

    Args:
        defined: the definition.
        sources: names of the declared ones, for forms that offer a choice.
    """
    limit = defined.concurrency_limit
    made: RunnerDeployment = Served.from_flow(
        defined.flow(),
        name=defined.name,
        description=defined.description,
        tags=defined.tags,
        parameters=defined.parameters,
        schedules=[DeploymentScheduleCreate.model_validate(schedule.to_prefect()) for schedule in defined.schedules],
        concurrency_limit=ConcurrencyLimitConfig.model_validate(limit.model_dump()) if limit else None,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    form = made._parameter_openapi_schema.model_dump()  # pyright: ignore[reportPrivateUsage] -- there is no other way
    for name in defined.choices:
        form["properties"][name]["enum"] = sorted(sources)
    made._parameter_openapi_schema = ParameterSchema(**form)  # pyright: ignore[reportPrivateUsage] -- as above
    made.version = defined.version(form)
    return made


async def serve() -> None:
    """Serves until it is ended; the server must answer by then or soon."""
    await _server()
    runner = Runner(name="sluice", query_seconds=POLL_SECONDS, pause_on_shutdown=False)
    sources = load_sources(Settings.read(os.environ).config)
    at_once: list[UUID] = []
    for defined in definitions():
        deployment_id = await runner.aadd_deployment(deployment(defined, sources))
        at_once += [deployment_id] if defined.at_start else []
    await automations.apply(automations.definitions())
    if path := os.environ.get(READY):
        Path(path).touch()
    async with get_client() as client:
        for deployment_id in at_once:
            await client.create_flow_run_from_deployment(deployment_id)
    await runner.start()


async def _server() -> None:
    """Waits for the server, for as long as it takes: who supervises us decides how long that may be."""
    async with get_client() as client:
        while await client.api_healthcheck() is not None:
            await asyncio.sleep(0.5)


if __name__ == "__main__":
    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        sys.exit(0)
