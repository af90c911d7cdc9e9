"""What the environment says, read once into a frozen value and passed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sluice.errors import ConfigError

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """Where Sluice keeps its state and which rules it works by.

    Attributes:
        home: folder of all local state: the embedded database, spooled files, Prefect's home (`SLUICE_HOME`).
        database_url: a Postgres server of your own, or None for the embedded one (`SLUICE_DATABASE_URL`).
        config: folder with `profiles/`, `sources/` and `teams.yml` (`SLUICE_CONFIG`).
        profile: name of the profile in force (`SLUICE_PROFILE`).
        slice_rows: most rows of one load transaction (`SLUICE_SLICE_ROWS`), 1 to 5,000.
    """

    home: Path
    database_url: str | None
    config: Path
    profile: str
    slice_rows: int = 5_000

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """The settings that `environ` states; what it does not state has a default.

        Raises:
            ConfigError: `SLUICE_SLICE_ROWS` is not a whole number from 1 to 5,000, or the URL is not a Postgres URL.
        """
        url = environ.get("SLUICE_DATABASE_URL") or None
        if url and not url.startswith(("postgresql://", "postgres://")):
            raise ConfigError(
                "SLUICE_DATABASE_URL",
                f"it starts with {url.split(':')[0]!r}",
                "a URL such as postgresql://user@host:5432/leads",
                "Set it to a Postgres URL, or unset it for the embedded database",
            )
        return cls(
            home=Path(environ.get("SLUICE_HOME") or ".sluice").absolute(),
            database_url=url,
            config=Path(environ.get("SLUICE_CONFIG") or REPOSITORY / "config").absolute(),
            profile=environ.get("SLUICE_PROFILE") or "standard",
            slice_rows=_slice_rows(environ.get("SLUICE_SLICE_ROWS") or "5000"),
        )


def _slice_rows(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 5_000:
        return int(text)
    raise ConfigError("SLUICE_SLICE_ROWS", f"it is {text!r}", "a whole number from 1 to 5000", "Set or unset it")
