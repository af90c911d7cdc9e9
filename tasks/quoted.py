"""Values that Prefect hands on to a task as they are, without walking through them."""

from __future__ import annotations

from typing import TypeVar, cast

from prefect.utilities.annotations import quote

T = TypeVar("T")


def quoted(value: T) -> T:
    """The value, marked: walking a batch of 50,000 rows, or a database, costs seconds and finds nothing."""
    return cast("T", quote(value))
