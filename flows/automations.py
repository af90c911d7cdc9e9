"""Automations as code: what `deployments/automations.yml` states is written to the Prefect server, and only once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect.client.orchestration import PrefectClient, get_client
from prefect.events.schemas.automations import Automation, AutomationCore
from pydantic import Field

from flows.declared import declared
from sluice.errors import NotFound
from sluice.rules import Rules
from sluice.settings import REPOSITORY

AUTOMATIONS = REPOSITORY / "deployments" / "automations.yml"
ALARM = "alarm/send"
"""The deployment that tells people."""

_OURS = {"name", "description", "enabled", "tags", "trigger", "actions"}


class Alarm(Rules):
    """Parameters of the run that tells people; `{{ … }}` is filled in by the server."""

    what: str
    about: str
    text: str
    link: str


class NewState(Rules):
    """What becomes of the flow run that the trigger is about."""

    type: str
    message: str


class Rule(Rules):
    """One automation: a trigger in Prefect's own terms, and an alarm or a new state of the run."""

    name: str
    description: str
    trigger: dict[str, Any]
    alarm: Alarm | None = None
    state: NewState | None = Field(default=None)

    def to_prefect(self, alarm_id: Any) -> AutomationCore:
        """The automation as Prefect's API takes it.

        Args:
            alarm_id: of the deployment that tells people.
        """
        actions: list[dict[str, Any]] = []
        if self.alarm:
            parameters = {
                name: {"__prefect_kind": "jinja", "template": template}
                for name, template in self.alarm.model_dump().items()
            }
            actions.append(
                {
                    "type": "run-deployment",
                    "source": "selected",
                    "deployment_id": str(alarm_id),
                    "parameters": parameters,
                }
            )
        if self.state:
            actions.append({"type": "change-flow-run-state", "state": self.state.type, "message": self.state.message})
        return AutomationCore.model_validate(
            {
                "name": self.name,
                "description": self.description,
                "trigger": {"type": "event", **self.trigger},
                "actions": actions,
                "tags": ["sluice"],
            }
        )


def definitions(path: Path = AUTOMATIONS) -> list[Rule]:
    """The automations that the file states.

    Raises:
        ConfigError: it cannot be read, or states what we do not know.
    """
    return declared(path, "automations", Rule)


async def apply(rules: list[Rule]) -> dict[str, str]:
    """Writes automations to the server: new ones are made, changed ones are changed, equal ones are left alone.

    Returns:
        What happened, by name: created, updated or unchanged.

    Raises:
        NotFound: the deployment that tells people is not on the server.
    """
    async with get_client() as client:
        try:
            alarm_id = (await client.read_deployment_by_name(ALARM)).id
        except Exception as error:
            if type(error).__name__ != "ObjectNotFound":
                raise
            raise NotFound(
                f"deployment {ALARM}", "the server does not have it", fix="Run `sluice up`, or deploy it first"
            ) from None
        return {rule.name: await _put(client, rule.to_prefect(alarm_id)) for rule in rules}


async def known() -> list[Automation]:
    """The automations on the server, those of other origin too."""
    async with get_client() as client:
        return await client.read_automations()


async def _put(client: PrefectClient, wanted: AutomationCore) -> str:
    found = await client.read_automations_by_name(wanted.name)
    if not found:
        await client.create_automation(wanted)
        return "created"
    there = found[0]
    wanted = wanted.model_copy(update={"enabled": there.enabled})  # a person's switch in the UI holds
    if _content(there) == _content(wanted):
        return "unchanged"
    changed = AutomationCore.model_validate(wanted.model_dump(mode="json", include=_OURS))  # an update takes no others
    await client.update_automation(there.id, changed)
    return "updated"


def _content(automation: AutomationCore) -> dict[str, Any]:
    content = automation.model_dump(mode="json", include=_OURS)
    trigger = content["trigger"]
    for name in ("after", "expect", "for_each"):  # sets: their order says nothing
        trigger[name] = sorted(trigger[name])
    return content
