"""Files that nobody here wrote: every one is read, or refused in words."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from sluice.errors import UnreadableFile
from sluice.rules import SourceRules
from sluice.schema import FieldRules
from sluice.sources.files import Prepass, read, survey
from sluice.sources.recovery import LIMITS, Limits

SOURCE = SourceRules(name="any")
SPECTRUM = [
    "comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "newlines", "newlines_crlf",
    "quotes_and_newlines", "simple", "simple_crlf", "utf8",
]  # fmt: skip


def texts(*names: str) -> dict[str, FieldRules]:
    """Every name as a field of its own, so that any header is understood."""
    return {name: FieldRules(type="text", label=name, group="any") for name in names}


def load(path: Path, *names: str, limits: Limits = LIMITS) -> tuple[Prepass, pd.DataFrame, int]:
    """The file's leads, and how many rows did not become one."""
    prepass = survey(path, SOURCE, texts(*names), limits)
    batches = [read(path, prepass, chunk, limits) for chunk in prepass.chunks]
    assert sum(map(len, batches)) == prepass.rows
    leads = pd.concat([batch.leads for batch in batches])
    return prepass, leads, prepass.rows - len(leads)


@pytest.mark.parametrize("block", [LIMITS.block, 7])
@pytest.mark.parametrize("name", SPECTRUM)
def test_csv_spectrum(corpora: Path, name: str, block: int) -> None:
    folder = corpora / "corpora/csv-spectrum"
    expected = json.loads((folder / f"json/{name}.json").read_text(encoding="utf-8"))
    prepass, leads, lost = load(folder / f"csvs/{name}.csv", *expected[0], limits=Limits(block=block))
    assert lost == 0
    assert [dict(zip(prepass.header, cells, strict=True)) for cells in leads["record"]] == expected


def test_pollock(corpora: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = corpora / "corpora/pollock/polluted_files"
    names = json.loads((folder / "parameters/row_more_sep_row9_col0.csv_parameters.json").read_text())["column_names"]
    refused: dict[str, str] = {}
    shares: list[float] = []
    for path in sorted((folder / "csv").glob("*.csv")):
        with (folder / "clean" / path.name).open(encoding="utf-8", newline="") as file:
            truth = {tuple(row) for row in list(csv.reader(file))[1:]}
        try:
            _, leads, _ = load(path, *names)
        except UnreadableFile as error:
            refused[path.name] = str(error)
            continue
        right = sum(tuple(cells) in truth for cells in leads["record"])
        shares.append(right / max(len(truth), 1))
    with capsys.disabled():
        print(
            f"\npollock: {len(shares)} files read, {len(refused)} refused; rows as in the truth: {sum(shares) / len(shares):.1%}"
        )
    assert len(refused) <= 10, refused
    assert sum(shares) / len(shares) > 0.95


def test_line_breaks_in_cells(corpora: Path) -> None:
    path = corpora / "matching/organisations/sites_with_true_ids.csv"
    _, leads, lost = load(path, "Site name", "Email Address", limits=Limits(block=5_000))
    with path.open(encoding="utf-8", newline="") as file:
        expected = list(csv.reader(file))[1:]
    assert (len(leads), lost) == (3_337, 0)
    assert leads["record"].tolist() == expected


@pytest.mark.parametrize("name", ["register_a", "register_b"])
def test_registers(corpora: Path, name: str) -> None:
    path = corpora / f"matching/listed_companies/{name}.csv"
    _, leads, lost = load(path, "external_id", "company", "street", "city", "country")
    with path.open(encoding="utf-8", newline="") as file:
        assert leads["record"].tolist() == list(csv.reader(file))[1:]
    assert lost == 0
