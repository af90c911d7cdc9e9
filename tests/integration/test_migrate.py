"""Migrations are applied once, in order, and never silently differ."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from sluice.errors import ConfigError
from sluice.store.engine import Database
from sluice.store.faults import StoreError
from sluice.store.migrate import Scripts, migrate

TWO = Scripts(
    migrations={
        "0001_people": "create table people (name text); insert into people values ('100% Anna');",
        "0002_age": "alter table people add age integer;",
    },
    views={"adults": "create view adults as select name from people where age >= 18"},
)


def changed(name: str, text: str) -> Scripts:
    return replace(TWO, migrations={**TWO.migrations, name: text})


def without(name: str) -> Scripts:
    return replace(TWO, migrations={key: text for key, text in TWO.migrations.items() if key != name})


def names(database: Database, query: str) -> list[str]:
    with database.connection() as connection:
        return [str(name) for (name,) in connection.exec_driver_sql(query)]


@pytest.mark.both_servers
def test_the_second_run_does_nothing(empty_database: Database) -> None:
    assert migrate(empty_database, TWO) == ["0001_people", "0002_age"]
    assert migrate(empty_database, TWO) == []
    assert names(empty_database, "select name from people") == ["100% Anna"]
    assert names(empty_database, "select name from migrations order by 1") == ["0001_people", "0002_age", "views"]


def test_only_the_new_file_is_applied(empty_database: Database) -> None:
    migrate(empty_database, Scripts(without("0002_age").migrations, {}))
    assert migrate(empty_database, TWO) == ["0002_age"]
    assert names(empty_database, "select name from adults") == []


def test_views_give_way_to_a_migration_and_come_back(empty_database: Database) -> None:
    migrate(empty_database, TWO)
    retyped = changed("0003_age", "alter table people alter age type bigint; drop table if exists none;")
    assert migrate(empty_database, retyped) == ["0003_age"]
    assert names(empty_database, "select viewname from pg_views where schemaname = 'sluice'") == ["adults"]


def test_a_view_whose_file_changed_is_made_anew(empty_database: Database) -> None:
    migrate(empty_database, TWO)
    migrate(empty_database, replace(TWO, views={"grown": "create view grown as select * from people"}))
    assert names(empty_database, "select viewname from pg_views where schemaname = 'sluice'") == ["grown"]


@pytest.mark.parametrize(
    ("scripts", "found"),
    [
        pytest.param(changed("0001_people", "create table people (nom text)"), "changed", id="a changed file"),
        pytest.param(without("0002_age"), "newer Sluice", id="an older Sluice"),
        pytest.param(without("0001_people"), "its file is gone", id="a missing file"),
    ],
)
def test_a_history_that_differs_is_refused(empty_database: Database, scripts: Scripts, found: str) -> None:
    migrate(empty_database, TWO)
    with pytest.raises(ConfigError, match=found):
        migrate(empty_database, scripts)


def test_a_failing_file_leaves_nothing_and_is_named(empty_database: Database) -> None:
    broken = changed("0003_broken", "create table pets (name text); select nothing from nowhere;")
    with pytest.raises(StoreError, match=r'0003_broken\.sql: relation "nowhere" does not exist'):
        migrate(empty_database, broken)
    assert names(empty_database, "select tablename from pg_tables where tablename = 'pets'") == []
    assert migrate(empty_database, changed("0003_pets", "create table pets (name text)")) == ["0003_pets"]
    assert names(empty_database, "select name from adults") == []


def test_four_at_once_apply_each_file_once(empty_database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(empty_database, TWO), range(4)))
    assert sorted(applied) == [[], [], [], ["0001_people", "0002_age"]]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(["0002_people.sql"], id="begins with 2"),
        pytest.param(["0001_people.sql", "0003_age.sql"], id="a gap"),
        pytest.param(["0001_people.sql", "0001_pets.sql"], id="a number twice"),
        pytest.param(["people.sql"], id="no number"),
    ],
)
def test_numbers_follow_each_other(tmp_path, files: list[str]) -> None:
    (tmp_path / "migrations").mkdir()
    for name in files:
        (tmp_path / "migrations" / name).write_text("select 1")
    with pytest.raises(ConfigError, match="without gaps"):
        Scripts.read(tmp_path)
