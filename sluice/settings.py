"""What the environment says, read once into a frozen value and passed on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sluice.errors import ConfigError

REPOSITORY = Path(__file__).resolve().parent.parent


TASK_RUNNERS = ("inline", "threads", "processes", "dask", "ray")
"""Where the chunks of a file may be prepared; inline is one after the other, in the process that loads them."""


@dataclass(frozen=True)
class TaskRunner:
    """Who prepares the chunks of a large file.

    Attributes:
        kind: one of `TASK_RUNNERS` (`SLUICE_TASK_RUNNER`).
        workers: how many chunks are prepared at once (`SLUICE_TASK_WORKERS`); the machine's cores, if it is not said.
        address: a cluster that runs already (`SLUICE_DASK_ADDRESS`, `SLUICE_RAY_ADDRESS`); None starts a local one.
    """

    kind: str = "inline"
    workers: int = 1
    address: str | None = None

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> TaskRunner:
        """What `environ` says of it.

        Raises:
            ConfigError: the kind is none of `TASK_RUNNERS`, or the number of workers is none from 1 to 256.
        """
        kind = environ.get("SLUICE_TASK_RUNNER") or TASK_RUNNERS[0]
        if kind not in TASK_RUNNERS:
            raise ConfigError(
                "SLUICE_TASK_RUNNER", f"it is {kind!r}", ", ".join(TASK_RUNNERS), "Set it to one of these"
            )
        workers = environ.get("SLUICE_TASK_WORKERS") or str(os.cpu_count() or 1)
        if not (workers.isdecimal() and 1 <= int(workers) <= 256):
            found = f"it is {workers!r}"
            raise ConfigError("SLUICE_TASK_WORKERS", found, "a whole number from 1 to 256", "Set or unset it")
        address = environ.get(f"SLUICE_{kind.upper()}_ADDRESS") or None
        return cls(kind, int(workers), address if kind in ("dask", "ray") else None)


@dataclass(frozen=True)
class Settings:
    """Where Sluice keeps its state and which rules it works by.

    Attributes:
        home: folder of all local state: the embedded database, spooled files, Prefect's home (`SLUICE_HOME`).
        database_url: a Postgres server of your own, or None for the embedded one (`SLUICE_DATABASE_URL`).
        config: folder with `profiles/`, `sources/` and `teams.yml` (`SLUICE_CONFIG`).
        profile: name of the profile in force (`SLUICE_PROFILE`).
        slice_rows: most rows of one load transaction (`SLUICE_SLICE_ROWS`), 1 to 25,000.
        task_runner: who prepares the chunks of a large file, when the flow takes it in.
        prefect_database_url: Prefect's own database, or None for the one beside the embedded leads
            (`SLUICE_PREFECT_DATABASE_URL`).
        suppression_key: what the hashes of people who stay out are made with, or None for the one in
            `home/suppression.key` (`SLUICE_SUPPRESSION_KEY`).
        ui_password: what the Prefect UI asks for, or None for the one in `home/ui.password` (`SLUICE_UI_PASSWORD`).
    """

    home: Path
    database_url: str | None
    config: Path
    profile: str
    slice_rows: int = 10_000
    task_runner: TaskRunner = TaskRunner()
    prefect_database_url: str | None = None
    suppression_key: str | None = field(default=None, repr=False)
    ui_password: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """The settings that `environ` states; what it does not state has a default.

        Raises:
            ConfigError: a number or name is none of those that are allowed, a URL is not a Postgres URL, or Prefect's
                database is that of the leads.
        """
        url, prefect_url = _url(environ, "SLUICE_DATABASE_URL"), _url(environ, "SLUICE_PREFECT_DATABASE_URL")
        _refuse_shared(url, prefect_url)
        return cls(
            home=Path(environ.get("SLUICE_HOME") or ".sluice").absolute(),
            database_url=url,
            config=Path(environ.get("SLUICE_CONFIG") or REPOSITORY / "config").absolute(),
            profile=environ.get("SLUICE_PROFILE") or "standard",
            slice_rows=_slice_rows(environ.get("SLUICE_SLICE_ROWS") or "10000"),
            task_runner=TaskRunner.read(environ),
            prefect_database_url=prefect_url,
            suppression_key=environ.get("SLUICE_SUPPRESSION_KEY") or None,
            ui_password=environ.get("SLUICE_UI_PASSWORD") or None,
        )


def _url(environ: Mapping[str, str], name: str) -> str | None:
    url = environ.get(name) or None
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise ConfigError(
            name,
            f"it starts with {url.split(':')[0]!r}",
            "a URL such as postgresql://user@host:5432/leads",
            "Set it to a Postgres URL, or unset it for the embedded database",
        )
    return url


def _refuse_shared(leads: str | None, prefect: str | None) -> None:
    """Prefect migrates and prunes its database as it likes; a restore of the leads would take its runs along."""
    if leads and prefect and _database(leads) == _database(prefect):
        raise ConfigError(
            "SLUICE_PREFECT_DATABASE_URL",
            "it names the database of the leads",
            "a database of its own, which may be on the same server",
            "Create one with `createdb prefect`, and in it the extension pg_trgm; or unset it for an embedded one",
        )


def _database(url: str) -> tuple[str, int, str]:
    parts = urlsplit(url)
    return (parts.hostname or "", parts.port or 5432, unquote(parts.path.strip("/")))


def _slice_rows(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 25_000:
        return int(text)
    raise ConfigError("SLUICE_SLICE_ROWS", f"it is {text!r}", "a whole number from 1 to 25000", "Set or unset it")
