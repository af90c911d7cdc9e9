"""Running Postgres's own programs against a database: the password goes by the environment, never by an argument."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import make_url

from sluice.store import binaries
from sluice.store.binaries import Binaries
from sluice.store.engine import Database

_QUERY_VARIABLES = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


def of(database: Database) -> Binaries:
    """The programs that fit the server of `database`.

    Raises:
        DatabaseUnavailable: there are none on this machine.
    """
    if database.cluster:
        return Binaries(database.cluster.binaries, database.cluster.version)
    return binaries.for_client(database.server_major)


def environment(database: Database) -> dict[str, str]:
    """The variables by which libpq's programs reach `database`."""
    url = make_url(database.url)
    known = {
        "PGHOST": url.host,
        "PGPORT": str(url.port or 5432),
        "PGUSER": url.username,
        "PGPASSWORD": str(url.password) if url.password else None,
        "PGDATABASE": url.database,
        "PGAPPNAME": "sluice",
        "PGSSLMODE": "disable" if database.cluster else None,
        **{variable: str(url.query[key]) for key, variable in _QUERY_VARIABLES.items() if key in url.query},
    }
    return {**os.environ, **{name: value for name, value in known.items() if value}}


def run(
    database: Database, program: str, arguments: Sequence[str], standard_input: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a program of Postgres to its end and answers what it said."""
    with Path(standard_input or os.devnull).open("rb") as source:
        return subprocess.run(
            [of(database).program(program), *arguments],
            env=environment(database),
            stdin=source,
            capture_output=True,
            text=True,
            check=False,
        )


def psql(database: Database, arguments: Sequence[str] = ()) -> int:
    """Gives the terminal to psql, in the schema of Sluice, and answers its exit code.

    It runs as our child: we hold the embedded server for it. Ctrl-C is psql's, which cancels a query by it.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        variables = {**environment(database), "PGOPTIONS": "-c search_path=sluice"}
        command = [of(database).program("psql"), *arguments]
        return subprocess.run(command, env=variables, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)
