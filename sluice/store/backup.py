"""A backup of the leads in one file, and back again."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from psycopg import sql

from sluice.errors import DatabaseUnavailable, NotFound, UnreadableFile, UserError
from sluice.store import binaries, programs
from sluice.store.engine import Database, driver

_TABLES = "select tablename from pg_tables where schemaname = 'sluice' and tablename <> 'migrations' order by 1"
_CLEAR = "drop schema if exists sluice cascade"


class NotEmpty(UserError):
    """The database holds leads, which a restore would throw away."""

    exit_code = 8


def backup(database: Database, path: Path) -> int:
    """Writes all tables of Sluice to `path`, readable by its owner only, and answers its size in bytes.

    The file is there as a whole or not at all; one of that name is replaced.

    Raises:
        DatabaseUnavailable: pg_dump failed, or the folder cannot be written to.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        arguments = ["--format=custom", "--schema=sluice", "--no-owner", "--no-privileges", f"--file={unfinished}"]
        done = programs.run(database, "pg_dump", arguments)
        if done.returncode:
            raise DatabaseUnavailable(database.where, f"pg_dump failed: {_first_line(done.stderr)}", fix="Try again")
        size = unfinished.stat().st_size
        unfinished.replace(path)
    except OSError as error:
        raise DatabaseUnavailable(
            str(path),
            f"it cannot be written ({error.strerror})",
            fix="Name a file in a folder of yours with free space",
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return size


def restore(database: Database, path: Path, *, force: bool = False) -> None:
    """Makes `database` what it was when `path` was written: all of it, or nothing changes.

    An archive of any older Postgres, or of the embedded one, may go into a server of version 15 or newer. Run
    `migrate` afterwards: the backup may be of an older Sluice.

    Args:
        database: where to.
        path: a file that `backup` wrote.
        force: whether to throw away what the database holds.

    Raises:
        NotFound: there is no such file.
        UnreadableFile: it is no backup, or a damaged one.
        NotEmpty: the database holds rows, and `force` is not given.
        DatabaseUnavailable: psql failed; the database is as it was.
    """
    if not path.is_file():
        raise NotFound(str(path), "there is no such file", fix="Name a file that `sluice db backup` wrote")
    if not force and (table := _filled_table(database)):
        raise NotEmpty(
            database.where, f"the table {table} has rows", "an empty database", "Back it up, then restore with --force"
        )
    with tempfile.NamedTemporaryFile("w+b", prefix="sluice-restore-") as script:
        _unpack(path, script, to_older=programs.of(database).major < binaries.newest().major)
        arguments = ["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=sqlstate", "-c", _CLEAR, "-f", "-"]
        done = programs.run(database, "psql", arguments, Path(script.name))
    if done.returncode:
        found = f"the restore failed, and nothing was changed: {_first_line(done.stderr)}"
        raise DatabaseUnavailable(database.where, found, fix="Correct that, then restore again")


def _filled_table(database: Database) -> str | None:
    with database.connection() as connection:
        for (table,) in connection.exec_driver_sql(_TABLES).all():
            is_filled = sql.SQL("select exists (select from {})").format(sql.Identifier("sluice", table))
            if driver(connection).execute(is_filled).fetchone() == (True,):
                return str(table)
    return None


def _unpack(path: Path, script: IO[bytes], *, to_older: bool) -> None:
    """Writes the archive as SQL to `script`, without what servers and psqls of older versions do not know."""
    command = [binaries.newest().program("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(path)]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        token, is_head = b"", True
        for line in process.stdout or ():
            is_head = is_head and not line.startswith((b"CREATE", b"COPY"))
            if is_head and line.startswith(b"SET transaction_timeout"):  # unknown to 15 and 16
                continue
            if is_head and to_older and line.startswith(b"\\restrict "):
                token = line.removeprefix(b"\\restrict ")
                continue
            if token and line == b"\\unrestrict " + token:
                continue
            script.write(line)
        script.flush()
        if process.wait():
            errors.seek(0)
            raise UnreadableFile(
                str(path),
                f"it is no backup, or a damaged one ({_first_line(errors.read().decode(errors='replace'))})",
                fix="Name a file that `sluice db backup` wrote",
            )


def _first_line(said: str) -> str:
    """What a program complained about, without its name; never its DETAIL, which quotes rows."""
    line = next((line for line in said.splitlines() if line.strip()), "it said nothing")
    return re.sub(r"^.*?(error|ERROR|FATAL): *", "", line).strip().rstrip(".")
