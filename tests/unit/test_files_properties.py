"""Any table that Python's csv module writes is read back cell by cell, wherever blocks and chunks begin."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.rules import SourceRules
from sluice.schema import FieldRules
from sluice.sources.dialect import Dialect
from sluice.sources.files import read, survey
from sluice.sources.recovery import LIMITS, Limits, judge, parse

FIELDS = {"email": FieldRules(type="text", label="E-mail", group="contact")}
TEXT = st.text(
    st.one_of(st.sampled_from(",;\"\n\r\t| 'aé"), st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    max_size=12,
)
LINES = st.lists(
    st.sampled_from(
        ["a,b", '"a",b', '"a,b', 'a",b', '"a"x,b', "a", "a,b,c", "", '"a\n', 'b",c', '""', '"', ",", "a,b,", "\r"]
    ),
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(
    table=st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=8)
    ),
    block=st.integers(1, 200),
    style=st.sampled_from(  # with another line end, csv.writer leaves a lone CR or LF in a cell unquoted
        [("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL), ("\r", csv.QUOTE_ALL)]
    ),
    delimiter=st.sampled_from(",;|^"),
)
def test_round_trip(table: list[list[str]], block: int, style: tuple[str, int], delimiter: str) -> None:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator=style[0], quoting=style[1], delimiter=delimiter)  # type: ignore[arg-type]
    writer.writerow(["email", "b", "c", "d"][: len(table[0])])
    writer.writerows(table)
    limits = Limits(block=block, chunk_rows=3, chunk_bytes=100)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "leads.csv"
        path.write_bytes(written.getvalue().encode())
        prepass = survey(path, SourceRules(name="any", delimiter=delimiter, encoding="utf-8"), FIELDS, limits)
        batches = [read(path, prepass, chunk, limits) for chunk in prepass.chunks]
    assert prepass.rows == len(table)
    leads = {
        row: cells for batch in batches for row, cells in zip(batch.leads["row"], batch.leads["record"], strict=True)
    }
    blanks = {row for batch in batches for row in batch.set_asides["row"]}
    assert not any(len(batch.rejects) for batch in batches)
    for row, cells in enumerate(table, 1):
        assert leads.get(row) == cells if any(cell.strip() for cell in cells) else row in blanks


@settings(max_examples=150, deadline=None)
@given(lines=LINES, block=st.integers(1, 60), end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_fast_and_slow_reader_agree_on_broken_files(lines: list[str], block: int, end: str) -> None:
    dialect = Dialect(b",")
    body = end.join([*lines, "x,y"]).encode()
    content = b"email,b" + end.encode() + body
    limits = Limits(block=block, chunk_rows=2, chunk_bytes=50)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "leads.csv"
        path.write_bytes(content)
        prepass = survey(path, SourceRules(name="any", delimiter=",", encoding="utf-8"), FIELDS, limits)
        batches = [read(path, prepass, chunk, limits) for chunk in prepass.chunks]
        assert (
            survey(path, SourceRules(name="any", delimiter=",", encoding="utf-8"), FIELDS, LIMITS).rows == prepass.rows
        )
    at, row = parse(content, 0, len(content), True, dialect).end, 0
    leads = {
        row: cells for batch in batches for row, cells in zip(batch.leads["row"], batch.leads["record"], strict=True)
    }
    while at < len(content):
        verdict, row = judge(content, at, True, (dialect, 2), LIMITS), row + 1
        assert verdict is not None
        is_lead = not verdict.problems and any(cell.strip() for cell in verdict.cells or ())
        assert leads.get(row) == ([cell.decode() for cell in verdict.cells or ()] if is_lead else None)
        at = verdict.end
    assert row == prepass.rows == sum(map(len, batches))
