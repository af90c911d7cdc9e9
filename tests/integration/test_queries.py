"""Every query of `sql/queries` is one that Postgres accepts."""

from __future__ import annotations

import re

import pytest

from sluice.store.engine import Database, driver
from sluice.store.queries import FOLDER, query

NAMES = sorted(path.stem for path in FOLDER.glob("*.sql"))
# What a query expects to be there: temporary tables that a query of this name makes.
STAGES = sorted(name for name in NAMES if name.endswith("_stage"))


def numbered(text: str) -> str:
    """`%(name)s` as $1, $2 …, the same name the same number, and `%%` as `%`."""
    order: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${order.setdefault(match[1], len(order) + 1)}"

    return re.sub(r"%\((\w+)\)s", number, text).replace("%%", "%")


def test_parameters_become_numbers() -> None:
    text = "select %(a)s::int, %(b)s::text, %(a)s::int, 7 %% 2"
    assert numbered(text) == "select $1::int, $2::text, $1::int, 7 % 2"


@pytest.mark.both_servers
@pytest.mark.parametrize("name", NAMES)
def test_postgres_prepares(template: Database, name: str) -> None:
    with template.transaction() as connection:
        cursor = driver(connection).cursor()
        for stage in STAGES:
            cursor.execute(numbered(query(stage)).encode())
        if name not in STAGES:
            cursor.execute(f"prepare q as {numbered(query(name))}".encode())


@pytest.mark.parametrize("name", NAMES)
def test_the_first_line_says_what_it_is_for(name: str) -> None:
    assert query(name).startswith("-- "), f"{name}.sql begins with no comment"
