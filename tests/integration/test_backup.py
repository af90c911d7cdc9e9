"""A backup comes back as it was, also on an older server, or nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sluice.errors import DatabaseUnavailable, NotFound, UnreadableFile
from sluice.store import programs
from sluice.store.backup import NotEmpty, backup, restore
from sluice.store.engine import Database
from sluice.store.migrate import Scripts, migrate

PEOPLE = Scripts(
    {"0001_people": "create table people (name text, raw bytea)"},
    {"all_people": "create view all_people as select name from people"},
)
NAMES = ["Zoë Ünal", "\\restrict me", "a\tb\r\nc", "\\N", "SET transaction_timeout = 0;", "O'Brien"]


def fill(database: Database, names: list[str]) -> None:
    migrate(database, PEOPLE)
    with database.transaction() as connection:
        for name in names:
            connection.exec_driver_sql("insert into people values (%s, %s)", (name, b"\x00\xff"))


def names(database: Database) -> list[str]:
    with database.connection() as connection:
        return [str(name) for (name,) in connection.exec_driver_sql("select name from all_people")]


@pytest.mark.both_servers
def test_it_comes_back(make_database: Callable[..., Database], tmp_path: Path) -> None:
    full, empty = make_database("template0"), make_database("template0")
    fill(full, NAMES)
    assert backup(full, tmp_path / "leads.backup") == (tmp_path / "leads.backup").stat().st_size
    assert (tmp_path / "leads.backup").stat().st_mode & 0o777 == 0o600
    restore(empty, tmp_path / "leads.backup")
    assert names(empty) == NAMES
    assert migrate(empty, PEOPLE) == []
    assert [path.name for path in tmp_path.iterdir()] == ["leads.backup"]


def test_a_backup_of_the_embedded_server_goes_into_postgres_15(
    make_database: Callable[..., Database], tmp_path: Path
) -> None:
    newer, older = make_database("template0"), make_database("template0", on="postgres-15")
    assert newer.server_major > older.server_major == 15
    fill(newer, NAMES)
    backup(newer, tmp_path / "leads.backup")
    restore(older, tmp_path / "leads.backup")
    assert names(older) == NAMES


def test_rows_are_thrown_away_by_force_only(make_database: Callable[..., Database], tmp_path: Path) -> None:
    one, other = make_database("template0"), make_database("template0")
    fill(one, ["Anna"])
    fill(other, ["Berta"])
    backup(one, tmp_path / "leads.backup")
    with pytest.raises(NotEmpty, match=r"the table people has rows.*--force"):
        restore(other, tmp_path / "leads.backup")
    assert names(other) == ["Berta"]
    restore(other, tmp_path / "leads.backup", force=True)
    assert names(other) == ["Anna"]


@pytest.mark.parametrize(
    "keep",
    [
        pytest.param(0, id="empty"),
        pytest.param(20, id="its head only"),
        pytest.param(-300, id="its end is gone"),
    ],
)
def test_a_damaged_file_changes_nothing(empty_database: Database, tmp_path: Path, keep: int) -> None:
    fill(empty_database, NAMES)
    path = tmp_path / "leads.backup"
    backup(empty_database, path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UnreadableFile, match="it is no backup, or a damaged one"):
        restore(empty_database, path, force=True)
    assert names(empty_database) == NAMES


def test_a_file_of_another_kind(empty_database: Database, tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("name,email\nAnna,anna@example.com\n")
    with pytest.raises(UnreadableFile, match=r"leads\.csv: it is no backup"):
        restore(empty_database, tmp_path / "leads.csv")


def test_a_missing_file(empty_database: Database, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no such file"):
        restore(empty_database, tmp_path / "leads.backup")


def test_a_folder_that_is_not_there(empty_database: Database, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"it cannot be written \(No such file or directory\)"):
        backup(empty_database, tmp_path / "none" / "leads.backup")


def test_no_password_among_the_arguments(database: Database) -> None:
    variables = programs.environment(database)
    done = programs.run(database, "psql", ["-X", "-A", "-t", "-c", "select current_database()"])
    assert done.stdout.strip() == variables["PGDATABASE"]
    assert variables["PGPASSWORD"] not in " ".join(map(str, done.args))


def test_psql_works_in_our_schema(database: Database) -> None:
    assert programs.psql(database, ["-X", "-c", "select 1 from migrations"]) == 0
