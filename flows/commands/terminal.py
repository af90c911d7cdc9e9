"""What a command says: its result to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

PIPED_WIDTH = 200
"""Columns of a table that no terminal limits."""

_VISIBLE = {
    **{code: 0x2400 + code for code in range(32)},  # ␀ … ␟
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD),  # they turn the direction of writing
}


def show(*what: RenderableType) -> None:
    """Prints part of the result; a text is wrapped by the terminal, not by us."""
    for part in what:
        _result().print(part, soft_wrap=isinstance(part, str))


def show_json(value: Any) -> None:
    """Prints the result as JSON; times as ISO 8601."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=_as_text))


def say(text: str, style: str = "") -> None:
    """Tells the person at the terminal something that is not part of the result."""
    aside().print(text, style=style, markup=False, soft_wrap=True)


def plain(value: Any) -> str:
    """A value that came from outside, such that it can neither steer the terminal nor be taken for markup."""
    from rich.markup import escape

    return escape(bare(value))


def bare(value: Any) -> str:
    """As `plain`, where no markup is read."""
    return "" if value is None else str(value).translate(_VISIBLE)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> Table:
    """A table of values; columns whose name ends in # hold numbers and are set to the right."""
    from rich import box
    from rich.table import Table

    made = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for name in columns:
        is_number = name.endswith("#")
        made.add_column(name.removesuffix("#"), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        made.add_row(*(f"{cell:,}" if isinstance(cell, int) else plain(cell) for cell in row))
    return made


@cache
def aside() -> Console:
    """The console of what is not the result."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


@cache
def _result() -> Console:
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def _as_text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
