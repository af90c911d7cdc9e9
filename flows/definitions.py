"""The deployments as `deployments/prefect.yaml` defines them: the one source of names, schedules and parameters."""

from __future__ import annotations

import hashlib
import importlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from flows.declared import declared
from sluice.rules import Rules
from sluice.settings import REPOSITORY

PREFECT_YAML = REPOSITORY / "deployments" / "prefect.yaml"


class Schedule(Rules):
    """When runs are started by themselves: a cron line, or an interval in seconds."""

    cron: str | None = None
    interval: int | None = Field(default=None, ge=60)
    timezone: str = "UTC"
    active: bool = True
    parameters: dict[str, Any] = Field(default_factory=dict)

    def to_prefect(self) -> dict[str, Any]:
        """The schedule as Prefect's API takes it."""
        every = (
            {"interval": timedelta(seconds=self.interval).total_seconds(), "timezone": self.timezone}
            if self.interval
            else {"cron": self.cron, "timezone": self.timezone}
        )
        return {"schedule": every, "active": self.active, "parameters": self.parameters}


class Limit(Rules):
    """How many runs may go at once, and what becomes of one too many."""

    limit: int = Field(ge=1)
    collision_strategy: str = "ENQUEUE"


class Definition(Rules):
    """One deployment.

    Attributes:
        entrypoint: module and name of the flow; a path would put its folder first on `sys.path`.
        at_start: whether a run is started as soon as the deployment is served.
        choices: parameters that the form offers a choice for, of the declared sources; a worker's form has none.
        work_pool: of a worker; who serves has none.
    """

    name: str
    entrypoint: str = Field(pattern=r"^flows\.[a-z_]+\.[a-z_]+$")
    description: str
    tags: list[str]
    parameters: dict[str, Any] = Field(default_factory=dict)
    schedules: list[Schedule] = Field(default_factory=list)
    concurrency_limit: Limit | None = None
    at_start: bool = False
    choices: dict[str, Literal["sources"]] = Field(default_factory=dict)
    work_pool: dict[str, Any] | None = None

    def version(self, form: dict[str, Any]) -> str:
        """Changes with what is defined: a deployment of this version keeps what people changed in the UI.

        Args:
            form: the schema of the flow's parameters.
        """
        content = json.dumps([self.model_dump(), form], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def flow(self) -> Any:
        """The flow that it runs."""
        module, _, name = self.entrypoint.rpartition(".")
        return getattr(importlib.import_module(module), name)


def definitions(path: Path = PREFECT_YAML) -> list[Definition]:
    """The deployments that the file defines.

    Raises:
        ConfigError: it cannot be read, or defines what we do not know.
    """
    return declared(path, "deployments", Definition)
