"""`sql/schema.sql`: the tables and views as all migrations together make them, for reading; a test keeps it true.

`python -m sluice.store.schema_file` writes it anew.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from sluice.errors import DatabaseUnavailable
from sluice.settings import REPOSITORY, Settings
from sluice.store import programs
from sluice.store.engine import Database
from sluice.store.migrate import migrate

PATH = REPOSITORY / "sql" / "schema.sql"
_HEAD = "-- Made from sql/migrations and sql/views by `make schema`: read it, do not edit it.\n\n"
_NOISE = re.compile(r"--|SET |SELECT pg_catalog\.set_config|\\(un)?restrict |ALTER .* OWNER TO ")


def dump_schema(database: Database) -> str:
    """The schema `sluice` of `database` as SQL, without settings, comments and owners of pg_dump.

    Raises:
        DatabaseUnavailable: pg_dump failed.
    """
    done = programs.run(database, "pg_dump", ["--schema-only", "--schema=sluice", "--no-owner", "--no-privileges"])
    if done.returncode:
        raise DatabaseUnavailable(database.where, "pg_dump failed", fix="Install the client programs of its version")
    kept = "\n".join(line for line in done.stdout.splitlines() if not _NOISE.match(line))
    return _HEAD + re.sub(r"\n{3,}", "\n\n", kept).strip() + "\n"


def write_schema() -> None:
    """Writes `sql/schema.sql`, from an embedded server made for it."""
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o711)  # the user that runs Postgres in root's stead must reach it
        settings = Settings.read({"SLUICE_HOME": home})
        database = Database.open(settings)
        try:
            migrate(database)
            PATH.write_text(dump_schema(database), encoding="utf-8")
        finally:
            database.stop()


if __name__ == "__main__":
    write_schema()
