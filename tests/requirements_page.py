"""Writes docs/requirements.md: every requirement with its state, from the ids that tests and modules quote.

`make requirements` writes the page, `make check` (`--check`) only says whether it is up to date.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/requirements.md"
LIST = ROOT / "docs/requirements.yml"
ID = re.compile(r"\bS\d{3}-\d{2}\b")
PLACES = {"tests": ["py"], "flows": ["py"], "tasks": ["py"], "sluice": ["py"], "config": ["yml"], "sql": ["sql"]}
ABOUT_THE_PAGE = {"tests/requirements_page.py", "tests/unit/test_house.py"}
HEAD = """# Requirements

Sluice carries five lead-management policies as profiles. This page lists what each of them asks for and how far it is
met: **tested** names the tests that quote the id, **quoted** the modules and rules that do, **open** means neither.

Written by `make requirements` from `docs/requirements.yml` and the ids quoted in the code; do not edit it by hand.
"""


def quoted_ids(root: Path) -> dict[str, list[str]]:
    """Id → the files below `root` that quote it, in alphabetical order."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    files = (file for folder, ends in PLACES.items() for end in ends for file in (root / folder).rglob(f"*.{end}"))
    for file in sorted(files):
        name = file.relative_to(root).as_posix()
        if name not in ABOUT_THE_PAGE:
            for found_id in sorted(set(ID.findall(file.read_text(encoding="utf-8", errors="replace")))):
                found[found_id].append(name)
    return dict(found)


def state(files: list[str]) -> tuple[str, str]:
    """What quoting files say of a requirement: its state, and the cell of the table."""
    tests = [name for name in files if name.startswith("tests/")]
    if tests:
        return "tested", "tested in " + ", ".join(_link(name) for name in tests)
    if files:
        return "quoted", "quoted in " + ", ".join(_link(name) for name in files)
    return "open", "open"


def page(listed: dict[str, dict[str, object]], quoted: dict[str, list[str]]) -> str:
    """The whole page.

    Raises:
        SystemExit: a test or module quotes an id that nobody asked for.
    """
    known = {identifier for group in listed.values() for identifier in group["requirements"]}
    for identifier in sorted(quoted.keys() - known):
        raise SystemExit(f"{quoted[identifier][0]} quotes {identifier}, which docs/requirements.yml does not list")
    counts: Counter[str] = Counter()
    tables: list[str] = []
    for document, group in listed.items():
        rows = [
            f"\n## Profile `{group['profile']}` ({document})\n",
            "| id | requirement | kind | state |",
            "|---|---|---|---|",
        ]
        for identifier, asked in group["requirements"].items():
            summary, cell = state(quoted.get(identifier, []))
            counts[summary] += 1
            rows.append(f"| {identifier} | {asked['text'].replace('|', chr(92) + '|')} | {asked['kind']} | {cell} |")
        tables.append("\n".join(rows) + "\n")
    sums = ", ".join(f"{counts[name]} {name}" for name in ("tested", "quoted", "open"))
    return f"{HEAD}\nOf {counts.total()} requirements: {sums}.\n" + "".join(tables)


def current_page() -> str:
    """The page as it should be now."""
    return page(yaml.safe_load(LIST.read_text(encoding="utf-8")), quoted_ids(ROOT))


def main(arguments: list[str]) -> int:
    """Writes the page, or with `--check` compares it; returns the exit code."""
    wanted = current_page()
    if arguments == ["--check"]:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == wanted:
            return 0
        print("docs/requirements.md is out of date. Run: make requirements", file=sys.stderr)
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


def _link(name: str) -> str:
    return f"[`{name}`](../{name})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
