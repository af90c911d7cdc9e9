"""The tables in `sluice/data` that libraries would take seconds to give: names of countries, and states by ZIP.

    python -m tests.bench.make_tables          # after an upgrade of babel or zipcodes; the test beside this says when

A process that imports one small file would otherwise spend most of its time on them.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import zipcodes
from babel.localedata import locale_identifiers

from sluice.normalization import places

DATA = Path(places.__file__).parents[1] / "data"


def country_names() -> dict[str, str]:
    """Every folded name of a country in any language of CLDR → its code; the first language that has a name counts."""
    languages = sorted(name for name in locale_identifiers() if "_" not in name and name != "root")
    return places.names_in(tuple(languages))


def us_states() -> dict[str, str]:
    """Every ZIP → its state.

    By first digit: the library makes a dictionary of 16 entries per ZIP, 100 MB for all of them at once.
    """
    return {
        str(entry["zip_code"]): str(entry["state"])
        for digit in range(10)
        for entry in zipcodes.similar_to(str(digit))
    }  # fmt: skip


def country_lines(names: dict[str, str]) -> str:
    """A line per country: its code and its names, tabs between them."""
    by_code: dict[str, list[str]] = {}
    for name, code in sorted(names.items()):
        by_code.setdefault(code, []).append(name)
    return "".join("\t".join([code, *found]) + "\n" for code, found in sorted(by_code.items()))


def zip_lines(states: dict[str, str]) -> str:
    """A line per state: runs of its ZIPs without a gap, as first-last or a single one."""
    runs: list[tuple[str, int, int]] = []
    for code, state in sorted(states.items()):
        number = int(code)
        if runs and runs[-1][0] == state and runs[-1][2] == number - 1:
            runs[-1] = (state, runs[-1][1], number)
        else:
            runs.append((state, number, number))
    by_state: dict[str, list[str]] = {}
    for state, first, last in runs:
        by_state.setdefault(state, []).append(f"{first:05}" + (f"-{last:05}" if last > first else ""))
    return "".join(" ".join([state, *found]) + "\n" for state, found in sorted(by_state.items()))


def main() -> None:
    """Writes both tables."""
    (DATA / "country_names.tsv.gz").write_bytes(gzip.compress(country_lines(country_names()).encode(), mtime=0))
    (DATA / "us_zips.txt").write_text(zip_lines(us_states()), "utf-8")


if __name__ == "__main__":
    main()
