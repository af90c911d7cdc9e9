"""Files to batches: every row is a lead, a reject or set aside, and says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice.batch import Batch
from sluice.errors import UnreadableFile
from sluice.rules import SourceRules
from sluice.schema import FieldRules
from sluice.sources.files import Prepass, read, survey
from sluice.sources.recovery import LIMITS, Limits

FIELDS = {name: FieldRules(type="text", label=name, group="contact") for name in ("email", "company", "description")}
SMALL = Limits(block=64, window=4096, record=1024, cell=512, kept=128, columns=500, chunk_rows=2, chunk_bytes=4096)


def load(path: Path, content: bytes, limits: Limits = LIMITS, **source: object) -> tuple[Prepass, Batch]:
    path.write_bytes(content)
    prepass = survey(path, SourceRules.model_validate({"name": "fair", **source}), FIELDS, limits)
    batches = [read(path, prepass, chunk, limits) for chunk in prepass.chunks]
    assert [len(batch) for batch in batches] == [chunk.rows for chunk in prepass.chunks]
    first, *others = batches
    for other in others:
        first = Batch(
            *(
                getattr(other, part) if getattr(first, part).empty else type(first.leads)(
                    [*getattr(first, part).to_dict("records"), *getattr(other, part).to_dict("records")]
                )
                for part in ("leads", "rejects", "set_asides")
            )
        )  # fmt: skip
    return prepass, first


def told(batch: Batch) -> dict[str, list[object]]:
    """What became of each row, as (row, line, what)."""
    return {
        "leads": [
            (row, line, record) for row, line, record in batch.leads[["row", "line", "record"]].itertuples(index=False)
        ],
        "rejects": [
            (row, line, [problem["code"] for problem in problems])
            for row, line, problems in batch.rejects[["row", "line", "problems"]].itertuples(index=False)
        ],
        "blanks": [(row, line) for row, line in batch.set_asides[["row", "line"]].itertuples(index=False)],
    }


HEADER = b"email,company,description\n"
ANN, BOB, CAL = "ann@example.com,Birch Ltd,hi", "bob@example.org,Elm GmbH,ho", "cal@example.net,Fir Inc,he"
ann, bob, cal = (line.split(",") for line in (ANN, BOB, CAL))

CASES = [
    pytest.param(ANN, [(1, 2, ann)], [], [], id="one row, no line end"),
    pytest.param(f"{ANN}\n\n{BOB}\n\n", [(1, 2, ann), (3, 4, bob)], [], [(2, 3), (4, 5)], id="blank lines are set aside"),
    pytest.param(f"{ANN}\r\n\r\n{BOB}\r\n", [(1, 2, ann), (3, 4, bob)], [], [(2, 3)], id="CRLF"),
    pytest.param(f"{ANN}\r{BOB}\r{CAL}", [(1, 2, ann), (2, 3, bob), (3, 4, cal)], [], [], id="lone CR"),
    pytest.param(f',"", \n{ANN}\n,,,,\n', [(2, 3, ann)], [], [(1, 2), (3, 4)], id="rows of empty cells are set aside"),
    pytest.param(f"{ANN}\nbob@example.org,Elm\n{CAL}", [(1, 2, ann), (3, 4, cal)], [(2, 3, ["columns.too_few"])], [], id="too few"),
    pytest.param(f"{ANN},x\n{BOB}", [(2, 3, bob)], [(1, 2, ["columns.too_many"])], [], id="too many"),
    pytest.param(f"{ANN},,\n{BOB}", [(1, 2, [*ann, "", ""]), (2, 3, bob)], [], [], id="surplus empty cells are accepted"),
    pytest.param(
        'ann@example.com,"Birch, ""Ltd""","two\nlines"\n' + BOB,
        [(1, 2, ["ann@example.com", 'Birch, "Ltd"', "two\nlines"]), (2, 4, bob)], [], [], id="quoted delimiter, quote and line break",
    ),
    pytest.param('a@example.com,5" pipes,x "y" z\n' + BOB, [(1, 2, ["a@example.com", '5" pipes', 'x "y" z']), (2, 3, bob)], [], [], id="quotes inside unquoted cells"),
    pytest.param(f'{ANN}\nbob@example.org,"Elm" GmbH,ho\n{CAL}', [(1, 2, ann), (3, 4, cal)], [(2, 3, ["quote.stray"])], [], id="text after a closing quote"),
    pytest.param('a@example.com, "Oak, Inc", "x"\n' + BOB, [(1, 2, ["a@example.com", "Oak, Inc", "x"]), (2, 3, bob)], [], [], id="spaces before quotes"),
    pytest.param(f'{ANN}\n"bob@example.org,Elm,ho\n{CAL}\n{ANN}\n', [(1, 2, ann), (3, 4, cal), (4, 5, ann)], [(2, 3, ["quote.unclosed"])], [], id="unclosed, no quote later"),
    pytest.param(
        f'{ANN}\n"bob@example.org,Elm,ho\n{CAL}\n"x@example.com","Yew",""\n',
        [(1, 2, ann), (3, 4, cal), (4, 5, ["x@example.com", "Yew", ""])], [(2, 3, ["quote.unclosed"])], [], id="unclosed, quotes later",
    ),
    pytest.param(
        f'{ANN}\nbob@example.org,"Elm,ho\nand more\n{CAL}\n{BOB}', [(1, 2, ann), (3, 5, cal), (4, 6, bob)], [(2, 3, ["quote.unclosed"])], [], id="unclosed over two lines",
    ),
    pytest.param(f'{ANN}\n{BOB}"\n"{CAL}', [(1, 2, ann), (2, 3, [*bob[:2], 'ho"'])], [(3, 4, ["quote.unclosed"])], [], id="unclosed at the end"),
]  # fmt: skip


@pytest.mark.parametrize("limits", [LIMITS, SMALL], ids=["one block", "small blocks"])
@pytest.mark.parametrize(("body", "leads", "rejects", "blanks"), CASES)
def test_rows(tmp_path: Path, body: str, leads: object, rejects: object, blanks: object, limits: Limits) -> None:
    end = b"\r\n" if "\r\n" in body else b"\r" if "\r" in body else b"\n"
    _, batch = load(tmp_path / "leads.csv", HEADER.replace(b"\n", end) + body.encode(), limits)
    assert told(batch) == {"leads": leads, "rejects": rejects, "blanks": blanks}


@pytest.mark.parametrize(
    ("cell", "raw", "record", "warnings"),
    [
        pytest.param(b"", None, "", "", id="empty is missing"),
        pytest.param(b" a ", " a ", " a ", "", id="not stripped"),
        pytest.param(b"n/a", "n/a", "n/a", "", id="n/a is a text"),
        pytest.param(b"007", "007", "007", "", id="leading zeros stay"),
        pytest.param("Über Öl".encode(), "Über Öl", "Über Öl", "", id="UTF-8"),
        pytest.param(b"a\0b", "ab", "a\ufffdb", "company:nul", id="NUL"),
        pytest.param(
            b"Caf\xe9 \x81", "Café \x81", "Café \x81", "company:bytes.undecodable", id="bytes that are not UTF-8"
        ),
        pytest.param(b'5" x', '5" x', '5" x', "row:quote.stray", id="stray quote"),
        pytest.param(b"\xed\xa0\x80", "í\xa0€", "í\xa0€", "company:bytes.undecodable", id="a surrogate in UTF-8"),
    ],
)
def test_cells(tmp_path: Path, cell: bytes, raw: str | None, record: str, warnings: str) -> None:
    others = "Müller Größe Übel Änderung Straße Öl".encode()
    _, batch = load(tmp_path / "leads.csv", HEADER + b"ann@example.com," + cell + b"," + others + b"\n")
    lead = batch.leads.iloc[0]
    assert lead["record"][1] == record
    assert (None if batch.leads["raw_company"].isna().iat[0] else lead["raw_company"]) == raw
    assert lead["warnings"] == warnings
    assert lead["raw"] is None


def test_unmapped_columns_are_kept_in_extra(tmp_path: Path) -> None:
    hostile = 'x"; drop table leads;--'
    content = f'email,{hostile},,email,Booth,note\nann@example.com,1,2,second@example.com,7,"a ""b""\n\\ \t"\nbob@example.com,,,,,\n'
    prepass, batch = load(tmp_path / "leads.csv", content.encode(), fields={" BOOTH ": "company"}, ignore=["Nothing"])
    extra = batch.leads["extra"]
    assert json.loads(extra.iat[0]) == {
        hostile: "1",
        "column_3": "2",
        "email (2)": "second@example.com",
        "note": 'a "b"\n\\ \t',
    }
    assert extra.isna().tolist() == [False, True]
    assert batch.leads["raw_company"].iat[0] == "7"
    assert prepass.header == ("email", hostile, "", "email", "Booth", "note")
    codes = {(warning["code"], warning["column"]) for warning in prepass.warnings}
    assert {("column.blank_name", "column_3"), ("column.duplicate_name", "email (2)"), ("not_mapped", "note")} <= codes


def test_extra_stays_with_its_row(tmp_path: Path) -> None:
    """Also below rows that have nothing in it."""
    content = b"email,one,two\na@x.example,,\nb@x.example,b,\nc@x.example,,\nd@x.example,,d\n"
    _, batch = load(tmp_path / "f.csv", content)
    found = dict(zip(batch.leads["raw_email"], batch.leads["extra"].fillna(""), strict=True))
    assert found == {"a@x.example": "", "b@x.example": '{"one": "b"}', "c@x.example": "", "d@x.example": '{"two": "d"}'}


def test_the_first_filled_of_two_columns_wins(tmp_path: Path) -> None:
    content = b"Work,Private\n,ann@example.com\n ,bob@example.com\ncal@example.com,x@example.com\n"
    _, batch = load(tmp_path / "leads.csv", content, fields={"Work": "email", "Private": "email"})
    assert batch.leads["raw_email"].tolist() == ["ann@example.com", "bob@example.com", "cal@example.com"]


def test_ignored_columns_leave_no_trace(tmp_path: Path) -> None:
    prepass, batch = load(tmp_path / "leads.csv", b"email,Internal Id\nann@example.com,7\n", ignore=["internal id"])
    assert batch.leads["extra"].isna().all()
    assert prepass.warnings == ()


@pytest.mark.parametrize("megabytes", [2, 50])
@pytest.mark.parametrize("quoted", [True, False])
def test_a_cell_that_is_too_long_costs_one_row(tmp_path: Path, megabytes: int, quoted: bool) -> None:
    mark = b'"' if quoted else b""
    body = (
        b"ann@example.com,Birch,x\nbob@example.com,Elm,"
        + mark
        + b"y" * (megabytes << 20)
        + mark
        + b"\ncal@example.com,Fir,z\n"
    )
    prepass, batch = load(tmp_path / "leads.csv", HEADER + body)
    assert prepass.rows == 3
    assert batch.leads["row"].tolist() == [1, 3]
    assert batch.leads["line"].tolist() == [2, 4]
    reject = batch.rejects.iloc[0]
    assert (reject["row"], reject["problems"][0]["code"], len(reject["raw"])) == (2, "cell.too_long", 65_536)
    assert str((megabytes << 20) + 21 + 2 * len(mark)) in reject["problems"][0]["found"]


def test_a_row_of_a_million_cells(tmp_path: Path) -> None:
    _, batch = load(tmp_path / "leads.csv", HEADER + b"x,,x" + b"," * 1_000_000 + b"\n" + ANN.encode())
    assert told(batch) == {"leads": [(2, 3, ann)], "rejects": [(1, 2, ["columns.too_many"])], "blanks": []}
    assert len(batch.rejects["raw"].iat[0]) == 1_000_004


def test_a_line_longer_than_the_window_is_passed_over(tmp_path: Path) -> None:
    body = (
        b'ann@example.com,Birch,x\nbob@example.com,Elm,"'
        + b"y" * 20_000
        + b"\r\ncal@example.com,Fir,z\r\n"
        + b"q" * 9_000
    )
    _, batch = load(tmp_path / "leads.csv", HEADER + body, SMALL)
    assert told(batch)["leads"] == [(1, 2, ["ann@example.com", "Birch", "x"]), (3, 4, ["cal@example.com", "Fir", "z"])]
    assert told(batch)["rejects"] == [(2, 3, ["cell.too_long"]), (4, 5, ["cell.too_long"])]


def test_reject_keeps_the_row_untouched(tmp_path: Path) -> None:
    content = HEADER + b'bob@example.org,Elm\nann@example.com,"x"y,\xff\0\n' + ANN.encode()
    _, batch = load(tmp_path / "leads.csv", content)
    few, stray = (batch.rejects.iloc[at] for at in (0, 1))
    assert (few["record"], few["raw"]) == (["bob@example.org", "Elm"], None)
    assert few["problems"][0]["found"] == "2 cells, header has 3"
    assert stray["raw"] == b'ann@example.com,"x"y,\xff\0'
    assert stray["record"] == ['ann@example.com,"x"y,ÿ\ufffd']


def test_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    prepass, _ = load(path, HEADER + f"{ANN}\n{BOB}\n".encode())
    path.write_bytes(HEADER + f"{ANN}\n".encode())
    with pytest.raises(UnreadableFile, match="changed"):
        read(path, prepass, prepass.chunks[0])
