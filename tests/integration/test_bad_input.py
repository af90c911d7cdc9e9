"""Bad input: a clear error, or a reject that names line and field; the rest loads, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sluice import pipeline
from sluice.batch import Batch
from sluice.errors import DatabaseUnavailable, UnreadableFile
from sluice.intake import Order, intake
from sluice.reports import report, write_rejects
from sluice.settings import REPOSITORY, Settings
from sluice.store import embedded, patience
from sluice.store.engine import Database
from sluice.store.migrate import migrate
from tests.desk import Desk

HEADER = "full_name,email,phone\n"
ANNA = "Anna Petrova,anna@acme.example,\n"
BO = "Bo Lee,bo@lee.example,\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("", ["the file is empty"], id="empty"),
        pytest.param("\n\n  \n", ["the file is empty"], id="blank lines only"),
        pytest.param(HEADER, ["a header and no rows"], id="header only"),
        pytest.param(ANNA + BO, ["no header", "Add a header line"], id="no header"),
        pytest.param(
            "Name;Mail\nAnna;anna@acme.example\n",
            ["no column is known", "full_name", "NAME.yml", "--source"],
            id="unknown columns",
        ),
        pytest.param(
            "Name~Mail\nAnna~anna@acme.example\n", ["a single column", "delimiter"], id="a delimiter that nobody uses"
        ),
        pytest.param(
            'full_name,"email\nAnna,anna@acme.example\n',
            ["line 1", "not closed", "Close the quote"],
            id="quote in the header",
        ),
        pytest.param(",".join(f"c{n}" for n in range(10_000)) + "\n", ["columns", "at most 500"], id="10,000 columns"),
        pytest.param("PK\x03\x04 and so on", ["an Excel workbook or zip archive", "CSV UTF-8"], id="a workbook"),
        pytest.param("\x00" * 5_000, ["bad.csv"], id="nothing but NUL"),
    ],
)
def test_a_file_that_cannot_be_read_as_rows(desk: Desk, content: str, words: list[str]) -> None:
    with pytest.raises(UnreadableFile) as caught:
        desk.take(content, name="bad.csv")
    for word in ["bad.csv", *words]:
        assert word in str(caught.value)
    assert desk.ask("select state, failure->>'found' is not null from receipts") == [("failed", True)]
    desk.whole()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        pytest.param("missing.csv", "missing.csv: it cannot be reached|no such file", id="missing"),
        pytest.param(".", "it is not a file.*Name the file", id="folder"),
    ],
)
def test_a_file_that_is_not_there(desk: Desk, path: str, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words):
        desk.take(desk.folder / path)
    assert desk.ask("select count(*) from receipts") == [0]


@pytest.mark.parametrize(
    ("bad", "line", "field", "code"),
    [
        pytest.param(b"Zo\xc3\xab,zoe@degroot.example\n", 3, "row", "columns.too_few", id="too few cells"),
        pytest.param(b"Zo\xc3\xab,zoe@degroot.example,,,surplus\n", 3, "row", "columns.too_many", id="too many cells"),
        pytest.param(b'Zo\xc3\xab,"zoe@degroot.example,\n', 3, "row", "quote.unclosed", id="unclosed quote"),
        pytest.param(b"Zo\xc3\xab,zoe at degroot,12\n", 3, "email", "invalid", id="neither e-mail nor phone is valid"),
        pytest.param(b"Zo\xc3\xab," + b"z" * 200_000 + b",\n", 3, "row", "cell.too_long", id="a long cell"),
    ],
)
def test_a_bad_row_names_line_and_field_and_the_rest_loads(
    desk: Desk, bad: bytes, line: int, field: str, code: str
) -> None:
    receipt = desk.take(HEADER.encode() + ANNA.encode() + bad + BO.encode())
    assert desk.ask("select full_name from leads order by 1") == ["Anna Petrova", "Bo Lee"]
    assert desk.ask("select line, problems->0->>'field', problems->0->>'code' from rejects") == [(line, field, code)]
    path = desk.folder / "rejects.csv"
    assert write_rejects(desk.database, receipt, path) == 1
    assert f"{line},{field}" in path.read_text(encoding="utf-8")
    desk.whole()


@pytest.mark.parametrize(
    ("cells", "name", "warning"),
    [
        pytest.param(b"Z\x00oe,zoe@degroot.example,\n", "Zoe", "full_name:nul", id="NUL"),
        pytest.param(b"Zo\xe9,zoe@degroot.example,\n", "Zoé", "full_name:bytes.undecodable", id="one byte of Latin-1"),
    ],
)
def test_bad_bytes_cost_no_lead(desk: Desk, cells: bytes, name: str, warning: str) -> None:
    desk.take(HEADER.encode() + "Zoë de Groot,groot@degroot.example,\n".encode() * 20 + cells)
    assert desk.ask("select full_name from leads where email = 'zoe@degroot.example'") == [name]
    assert warning in desk.ask("select array_to_string(warnings, ' ') from touches where row_number = 21")[0]
    desk.whole()


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        pytest.param(
            'full_name,email,"x""; drop table leads;--"', ['x"; drop table leads;--'], id="a statement as a name"
        ),
        pytest.param("full_name,email,email", ["email (2)"], id="a name twice"),
        pytest.param("full_name,email,", ["column_3"], id="no name"),
        pytest.param("full_name,email," + "n" * 5_000, ["n" * 5_000], id="a name of 5,000 letters"),
        pytest.param("full_name,email,score", ["score"], id="a result of ours as a column"),
    ],
)
def test_odd_column_names_are_data_and_nothing_else(desk: Desk, header: str, columns: list[str]) -> None:
    receipt = desk.take(f"{header}\nAnna Petrova,anna@acme.example,99\n")
    assert desk.ask("select extra from leads") == [dict.fromkeys(columns, "99")]
    assert {notice["column"] for notice in report(desk.database, receipt)["columns"]} >= set(columns)
    assert desk.ask("select score <> 99 from leads") == [True]
    desk.whole()


def test_a_cell_of_50_mb_takes_no_more_memory_than_a_chunk(desk: Desk, settings: Settings) -> None:
    """Alone in a process, so that its memory can be measured."""
    path = desk.file(HEADER + ANNA + "Zoë de Groot," + "z" * (50 << 20) + ",\n" + BO)
    program = """
import os, resource, sys
from pathlib import Path
from sluice.intake import Order, intake, opened
from sluice.settings import Settings
with opened(Settings.read(os.environ)) as office:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    intake(office, Order(Path(sys.argv[1])))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    environ = {**os.environ, "SLUICE_DATABASE_URL": str(settings.database_url), "SLUICE_HOME": str(settings.home)}
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], env=environ, cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 250_000, "kilobytes"
    assert desk.ask("select line, problems->0->>'code', octet_length(raw) from rejects") == [
        (3, "cell.too_long", 65_536)
    ]
    assert desk.ask("select count(*) from leads") == [2]
    desk.whole()


def test_a_quote_that_never_closes_costs_its_own_row_only(desk: Desk) -> None:
    rows = [f"Ivo Horak,ivo.{n}@horak.example,\n" for n in range(2_000)]
    rows[700] = 'Ivo Horak,"ivo.700@horak.example,\n'
    receipt = desk.with_slices(500).take(HEADER + "".join(rows))
    assert desk.counts(receipt) == {"created": 1_999, "rejects": 1}
    assert desk.ask("select line, row_number from rejects") == [(702, 701)]
    desk.whole()


def test_a_file_that_changes_while_it_is_read(desk: Desk) -> None:
    path = desk.file(HEADER + ANNA + BO)

    def prepare(job: pipeline.Job, chunks: Sequence[pipeline.Chunk]) -> Iterable[Batch]:
        path.write_text(HEADER + ANNA + BO + ANNA, encoding="utf-8")
        return pipeline.prepare_each(job, chunks)

    with pytest.raises(UnreadableFile, match="changed"):
        intake(desk.office, Order(path, steps=pipeline.Steps(prepare, pipeline.land)))
    assert desk.ask("select count(*) from leads") == [0]
    path.write_text(HEADER + ANNA + BO, encoding="utf-8")
    assert desk.take(path).state == "done"
    desk.whole()


def test_the_database_stops_in_the_middle_and_a_later_run_completes(
    desk: Desk, make_home: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said plainly; what was committed stays; afterwards all is as if nothing had happened."""
    path = desk.file(HEADER + "".join(f"Ivo Horak,ivo.{n}@horak.example,\n" for n in range(60)))
    desk.take(path)
    monkeypatch.setattr(patience, "PATIENCE", (0.1,))
    home = make_home()
    settings = replace(Settings.read({"SLUICE_HOME": str(home)}), slice_rows=20)

    def on_a_server(land: Callable[[embedded.Cluster], Callable[..., int]]) -> str:
        with embedded.running(home) as cluster:
            database = Database.open(replace(settings, database_url=cluster.url("leads")))
            migrate(database)
            other = replace(desk, office=replace(desk.office, database=database, settings=settings))
            try:
                steps = pipeline.Steps(pipeline.prepare_each, land(cluster))
                receipt, _ = intake(other.office, Order(path, steps=steps))
            finally:
                before, state = (0, "") if land is stopping else (len(other.ask("select 1 from leads")), other.whole())
                database.dispose()
            assert (before, state, receipt.state) == (60, desk.whole(), "done")
            return receipt.state

    def stopping(cluster: embedded.Cluster) -> Callable[..., int]:
        def land(database: Database, job: pipeline.Job, batch: Batch) -> int:
            pipeline.land(database, job, batch.between(1, 20))
            postmaster = int((cluster.data / "postmaster.pid").read_text().split()[0])
            os.kill(postmaster, signal.SIGQUIT)  # as `pg_ctl stop -m immediate`
            return pipeline.land(database, job, batch)

        return land

    with pytest.raises(DatabaseUnavailable) as caught:
        on_a_server(stopping)
    assert "127.0.0.1" in str(caught.value) and "again" in str(caught.value)
    assert on_a_server(lambda _: pipeline.land) == "done"
