"""Rules that change while a file is half loaded, and programs of different versions on one database."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluice.errors import ConfigError
from sluice.profiles import load_profile
from sluice.settings import REPOSITORY
from sluice.store.engine import Database
from sluice.store.migrate import Scripts, migrate
from tests.faults.conftest import Workers, wait_for_rows
from tests.faults.oracle import all_in, holds, whole

KILLED = 9


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A copy of the configuration, to be changed."""
    return Path(shutil.copytree(REPOSITORY / "config", tmp_path / "config"))


def give_more_points(config: Path) -> None:
    """Every lead scores otherwise from now on."""
    path = config / "profiles" / "standard" / "scoring.yml"
    text = path.read_text(encoding="utf-8")
    assert "points: 5" in text
    path.write_text(text.replace("points: 5", "points: 6"), encoding="utf-8")


def versions(database: Database) -> list[tuple[str, int]]:
    """File and config version of every lead, once each."""
    with database.connection() as connection:
        found = connection.exec_driver_sql(
            "select distinct r.name, l.config_id from leads l join receipts r on l.receipt_id = r.receipt_id order by 1"
        )
        return [(row[0], row[1]) for row in found]


def test_a_file_keeps_the_rules_that_it_was_begun_with(
    workers: Workers,
    leads_file: Path,
    several_files: list[Path],
    config: Path,
    database: Database,
    undisturbed: list[str],
) -> None:
    """Killed in the middle, both halves are scored by the old rules; the next file by the new ones."""
    environ = {"SLUICE_CONFIG": str(config)}
    assert workers.run(leads_file, database, environ=environ, crash_at="after_commit:3") == KILLED
    before = load_profile(config, "standard").hash
    give_more_points(config)
    assert load_profile(config, "standard").hash != before
    assert workers.run(leads_file, database, environ=environ) == 0, workers.said()
    assert whole(database) == undisturbed
    assert workers.run(several_files[0], database, environ=environ) == 0, workers.said()
    holds(database)
    (first, old), (second, new) = versions(database)
    assert (first, second) == (leads_file.name, several_files[0].name) and old < new


def test_rules_that_an_older_worker_cannot_read_are_said_so(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """A newer Sluice began the file with a rule that this one does not know: nothing is written by other rules."""
    assert workers.run(leads_file, database, crash_at="after_commit:2") == KILLED
    known = _config_versions(
        database, lambda path, text: text + "\nrule_of_tomorrow: 1\n" if "scoring" in path else text
    )
    assert workers.run(leads_file, database) != 0
    said = workers.said()
    assert "ConfigError" in said and "rule_of_tomorrow" in said and "Update Sluice" in said, said
    holds(database)
    _config_versions(database, lambda path, text: known[path])
    assert workers.run(leads_file, database) == 0, workers.said()
    assert whole(database) == undisturbed


def test_an_older_worker_does_not_touch_a_newer_database(
    workers: Workers, leads_file: Path, database: Database
) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("insert into migrations (name, sha256) values ('9001_of_tomorrow', 'x')")
    before = whole(database)
    with pytest.raises(ConfigError, match=r"migrated by a newer Sluice\. Allowed: migrations up to 0.*Update Sluice"):
        migrate(database)
    assert ConfigError.exit_code == 3
    assert workers.run(leads_file, database) != 0
    assert "9001_of_tomorrow" in workers.said()
    with database.connection() as connection:
        assert connection.exec_driver_sql("select count(*) from receipts").scalar() == 0
    assert whole(database) == before


def test_a_newer_version_migrates_while_an_older_one_imports(
    workers: Workers, leads_file: Path, database: Database, undisturbed: list[str]
) -> None:
    """The migration waits for a slice and holds the next one up; the import goes on. Its next start is refused."""
    scripts = Scripts.read()
    text = "alter table assignments add tomorrow text; create index leads_tomorrow on leads (updated_at); select pg_sleep(1);"
    newer = Scripts({**scripts.migrations, f"{len(scripts.migrations) + 1:04}_tomorrow": text}, scripts.views)
    pid = workers.start(leads_file, database)
    wait_for_rows(database)
    assert len(migrate(database, newer)) == 1
    assert workers.wait(pid) == 0, workers.said()
    assert whole(database) == undisturbed
    all_in(database, [leads_file])
    assert workers.run(leads_file, database) != 0
    assert "migrated by a newer Sluice" in workers.said()


def test_two_versions_migrate_at_once(
    make_database: Callable[..., Database], workers: Workers, leads_file: Path, undisturbed: list[str]
) -> None:
    """Four processes on an empty database: one makes the tables, all of them import."""
    empty = make_database("template0")
    pids = [workers.start(leads_file, empty) for _ in range(4)]
    assert [workers.wait(pid) for pid in pids] == [0] * 4, workers.said()
    assert whole(empty) == undisturbed


def _config_versions(database: Database, change: Callable[[str, str], str]) -> dict[str, str]:
    """Changes the kept rules; what they were before."""
    with database.transaction() as connection:
        number, content = connection.exec_driver_sql(
            "select config_id, content from config_versions order by 1 limit 1"
        ).one()
        changed: dict[str, Any] = {path: change(path, text) for path, text in content.items()}
        connection.exec_driver_sql(
            "update config_versions set content = %s::jsonb, hash = hash || 'x' where config_id = %s",
            (json.dumps(changed), number),
        )
    return content
