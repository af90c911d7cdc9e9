"""What is served is what the files define; and what `sluice up` refuses before it starts anything."""

from __future__ import annotations

import pytest
import yaml

from flows import automations, definitions
from flows.prefect_server import server_environment, ui_password
from sluice.errors import ConfigError
from sluice.settings import Settings

LEADS = "postgresql://sluice:x@db.example:5432/leads"


def test_the_deployments_have_the_names_that_others_rely_on():
    found = {f"{one.entrypoint.split('.')[1]}/{one.name}" for one in definitions.definitions()}
    intake = {"intake/file", "intake/bucket", "intake/sweep"}
    assert found == {*intake, "inbox/inbox", "mailboxes/mailboxes", "upkeep/watch", "alarm/send"}


def test_every_fifteen_minutes_whatever_lies_there_is_swept():
    (sweep,) = (one for one in definitions.definitions() if one.name == "sweep")
    assert [schedule.interval for schedule in sweep.schedules] == [900]


def test_each_definition_is_described_tagged_and_can_be_deployed_to_a_pool():
    for one in definitions.definitions():
        assert len(one.description) > 40 and "sluice" in one.tags and one.work_pool == {"name": "sluice"}


@pytest.mark.parametrize(
    "change",
    [
        {"shedules": []},
        {"entrypoint": "flows/intake.py:intake"},
        {"schedules": [{"interval": 5}]},
        {"choices": {"source": "owners"}},
    ],
)
def test_what_cannot_be_a_definition_is_refused(change, tmp_path):
    content = yaml.safe_load(definitions.PREFECT_YAML.read_text())
    content["deployments"][0].update(change)
    (tmp_path / "prefect.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError):
        definitions.definitions(tmp_path / "prefect.yaml")


def test_a_changed_definition_or_form_is_another_version():
    first, second, *_ = definitions.definitions()
    assert len({first.version({}), second.version({}), first.version({"properties": {"path": {}}})}) == 3


def test_each_automation_either_tells_people_or_ends_a_run():
    for rule in automations.definitions():
        made = rule.to_prefect("5a2f1c1e-6c2f-4c51-9a39-3f0f5a2f1c1e")
        assert bool(rule.alarm) != bool(rule.state) and len(made.actions) == 1


@pytest.mark.parametrize(
    "prefect",
    [LEADS, LEADS.replace("postgresql", "postgres"), LEADS.replace(":5432", "").replace("sluice:x", "other:y")],
)
def test_prefect_never_shares_the_database_of_the_leads(prefect):
    with pytest.raises(ConfigError, match="names the database of the leads"):
        Settings.read({"SLUICE_DATABASE_URL": LEADS, "SLUICE_PREFECT_DATABASE_URL": prefect})


def test_another_database_of_the_same_server_is_fine():
    found = Settings.read(
        {"SLUICE_DATABASE_URL": LEADS, "SLUICE_PREFECT_DATABASE_URL": LEADS.replace("/leads", "/prefect")}
    )
    assert found.prefect_database_url and "prefect" in found.prefect_database_url


def test_the_server_is_told_the_database_as_its_driver_wants_it():
    told = server_environment("postgres://p:w@db.example/prefect?sslmode=verify-full", "secret", {})
    assert (
        told["PREFECT_SERVER_DATABASE_CONNECTION_URL"] == "postgresql+asyncpg://p:w@db.example/prefect?ssl=verify-full"
    )


def test_how_long_prefect_remembers_may_be_set():
    told = server_environment(LEADS, "secret", {"PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P1D"})
    assert told["PREFECT_SERVER_EVENTS_RETENTION_PERIOD"] == "P1D"
    assert told["PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"] == "events,flow_runs"


def test_the_password_is_made_once_and_readable_by_its_owner_only(tmp_path):
    settings = Settings.read({"SLUICE_HOME": str(tmp_path)})
    assert ui_password(settings) == ui_password(settings)
    assert (tmp_path / "ui.password").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["ui.password"]
    assert (
        ui_password(Settings.read({"SLUICE_HOME": str(tmp_path), "SLUICE_UI_PASSWORD": "ours:secret"})) == "ours:secret"
    )
