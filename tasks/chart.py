"""A bar of what became of rows, as a picture that travels inside an artifact."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, LINE = 720, 110, 130, 34
COLOURS = ("#2e8b57", "#3f7fbf", "#9aa5b1", "#e0a030", "#c8503c", "#8a6fb0")
"""Of the outcomes in their order; told apart by people who do not see red and green apart, and labelled besides."""


def chart(title: str, counts: Mapping[str, int]) -> str:
    """A horizontal bar chart as the `data:` address of an SVG picture.

    Args:
        title: what the bars add up to.
        counts: label → number; a bar each, in this order.
    """
    whole, most = max(sum(counts.values()), 1), max(*counts.values(), 1)
    height = LINE * (len(counts) + 1) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="15">',
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
        f'<text x="16" y="{LINE - 8}" font-weight="600" fill="#1f2933">{escape(title)}</text>',
    ]
    for place, (label, count) in enumerate(counts.items(), 1):
        top = LINE * place + 4
        width = (WIDTH - LEFT - RIGHT) * count / most
        parts += [
            f'<text x="{LEFT - 10}" y="{top + 18}" text-anchor="end" fill="#1f2933">{escape(label)}</text>',
            f'<rect x="{LEFT}" y="{top}" width="{max(width, 1 if count else 0):.1f}" height="{LINE - 10}" rx="3" '
            f'fill="{COLOURS[(place - 1) % len(COLOURS)]}"/>',
            f'<text x="{LEFT + width + 8:.1f}" y="{top + 18}" fill="#1f2933">{count:,} · {count / whole:.1%}</text>',
        ]
    picture = "".join([*parts, "</svg>"])
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"
