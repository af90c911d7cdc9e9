"""What `sql/schema.sql` says is what the migrations make."""

from __future__ import annotations

from sluice.store.engine import Database
from sluice.store.schema_file import PATH, dump_schema


def test_schema_sql_equals_the_migrations(database: Database) -> None:
    assert PATH.read_text(encoding="utf-8") == dump_schema(database), "run `make schema`"


def test_it_holds_tables_and_no_noise(database: Database) -> None:
    text = dump_schema(database)
    assert "CREATE TABLE sluice.leads (" in text
    assert "CREATE TABLE sluice.migrations (" in text
    assert not [line for line in text.splitlines()[1:] if line.startswith(("--", "SET ", "\\"))]
