"""The queries of `sql/queries/`, one per file, by the file's name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sluice.settings import REPOSITORY

FOLDER = REPOSITORY / "sql" / "queries"


@cache
def query(name: str, folder: Path = FOLDER) -> str:
    """The text of `sql/queries/<name>.sql`; its parameters are written `%(name)s`, a percent sign `%%`."""
    return (folder / f"{name}.sql").read_text(encoding="utf-8")
