"""What the pre-pass finds out about a file, and which files it refuses."""

from __future__ import annotations

import codecs
import hashlib
import json
from pathlib import Path

import pytest

from sluice.errors import ConfigError, UnreadableFile
from sluice.rules import SourceRules
from sluice.schema import FieldRules
from sluice.sources.files import Prepass, fingerprint, read, survey
from sluice.sources.recovery import Limits

TYPES = {"email": "email", "company": "company", "created_at": "date", "annual_revenue": "money"}
FIELDS = {
    name: FieldRules.model_validate({"type": kind, "label": name, "group": "lead"}) for name, kind in TYPES.items()
}


def found(path: Path, content: bytes, **source: object) -> Prepass:
    path.write_bytes(content)
    return survey(path, SourceRules.model_validate({"name": "fair", **source}), FIELDS)


BODY = "email,company\nann@example.com,Bäckerei Groß\nbob@example.com,Żółw Łódź\n"
LATIN = "email,company\n" + "ann@example.com,Bäckerei Größe Müller Café\n" * 20
CYRILLIC = "email,company\n" + "ann@example.com,Общество с ограниченной ответственностью Ромашка и сыновья\n" * 20


@pytest.mark.parametrize(
    ("content", "source", "encoding", "warning", "company"),
    [
        pytest.param(BODY.encode(), {}, "utf-8", None, "Bäckerei Groß", id="UTF-8"),
        pytest.param(codecs.BOM_UTF8 + BODY.encode(), {}, "utf-8", None, "Bäckerei Groß", id="UTF-8 with mark"),
        pytest.param(BODY.encode("utf-16"), {}, "utf-16-le", None, "Bäckerei Groß", id="UTF-16 with mark"),
        pytest.param(codecs.BOM_UTF16_BE + BODY.encode("utf-16-be"), {}, "utf-16-be", None, "Bäckerei Groß", id="UTF-16BE with mark"),
        pytest.param(BODY.encode("utf-16-le"), {}, "utf-16-le", "encoding.guessed", "Bäckerei Groß", id="UTF-16 without mark"),
        pytest.param(BODY.encode("utf-32"), {}, "utf-32-le", None, "Bäckerei Groß", id="UTF-32"),
        pytest.param(BODY.encode("utf-16"), {"encoding": "utf-16"}, "utf-16-le", None, "Bäckerei Groß", id="UTF-16 declared"),
        pytest.param(LATIN.encode("cp1252"), {}, "cp1252", "encoding.guessed", "Bäckerei Größe Müller Café", id="Windows-1252"),
        pytest.param(LATIN.encode("cp850"), {"encoding": "cp850"}, "cp850", None, "Bäckerei Größe Müller Café", id="declared"),
        pytest.param(CYRILLIC.encode("cp1251"), {}, "cp1251", "encoding.guessed", CYRILLIC.split("\n")[1][16:], id="Windows-1251"),
        pytest.param("email,company\na@example.com,株式会社ソ表\n".encode("cp932"), {"encoding": "cp932"}, "cp932", None, "株式会社ソ表", id="Shift-JIS: bytes that look like ASCII"),
        pytest.param((BODY * 5).encode().replace(b"\xc3\xb3", b"\xf3"), {}, "utf-8", "encoding.damaged", "Bäckerei Groß", id="some damaged cells"),
    ],
)  # fmt: skip
def test_encodings(
    tmp_path: Path, content: bytes, source: dict[str, str], encoding: str, warning: str | None, company: str
) -> None:
    path = tmp_path / "leads.csv"
    prepass = found(path, content, **source)
    assert prepass.encoding == encoding
    assert [notice["code"] for notice in prepass.warnings] == ([warning] if warning else [])
    assert read(path, prepass, prepass.chunks[0]).leads["raw_company"].iat[0] == company
    assert (prepass.size, prepass.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert fingerprint(path) == (prepass.size, prepass.sha256)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp932"])
def test_chunks_are_read_on_their_own(tmp_path: Path, encoding: str) -> None:
    path, limits = tmp_path / "leads.csv", Limits(block=101, chunk_rows=7, chunk_bytes=400)
    path.write_bytes(
        ("email,company\n" + "".join(f"lead{i}@example.com,株式会社{i}\n" for i in range(50))).encode(encoding)
    )
    prepass = survey(path, SourceRules(name="fair", encoding=encoding), FIELDS, limits)
    again = Prepass.from_json(json.loads(json.dumps(prepass.to_json())))
    assert again == prepass
    assert all(chunk.rows <= 7 for chunk in prepass.chunks)
    assert [chunk.first_row for chunk in prepass.chunks][1] == prepass.chunks[0].rows + 1
    read_back = [read(path, again, chunk, limits).leads for chunk in reversed(again.chunks)]
    emails = [email for leads in reversed(read_back) for email in leads["raw_email"]]
    assert emails == [f"lead{i}@example.com" for i in range(50)]
    assert [line for leads in reversed(read_back) for line in leads["line"]] == list(range(2, 52))


@pytest.mark.parametrize(
    ("above", "lines"),
    [
        pytest.param("Leads of the fair\n", "1", id="a title"),
        pytest.param("Report;;\nExported;2026-11-22;\n\n", "1, 2", id="a title and a date, then a blank line"),
        pytest.param("a,b\n" * 12, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …", id="many lines"),
        pytest.param('"Fair, hall 7"\nemail\n', "1, 2", id="one known word in a line"),
    ],
)
def test_lines_above_the_header_are_passed_over_and_told(tmp_path: Path, above: str, lines: str) -> None:
    table = "email;company;Stand;Hall\nann@example.com;Birch, Elm;7;B\n"
    prepass = found(tmp_path / "leads.csv", (above + table).encode(), ignore=["Stand", "Hall"])
    assert (prepass.header, prepass.rows) == (("email", "company", "Stand", "Hall"), 1)
    assert [one["text"] for one in prepass.warnings] == [f"Line {lines} above the header was passed over"]
    (chunk,) = prepass.chunks
    assert chunk.first_line == above.count("\n") + 2


NO_HEADER = {
    "too far below": "a\n" * 60 + "email,company\n",
    "a single name": "Fair\nemail\n",
    "a lead that says two of our names": "Vorname,Adresse,Kanal\nEva,eva@example.org,Fair\nMax,Email,Company\n",
    "the same, without an address": "Vorname,Telefon,Kanal\nEva,0151 234,Fair\nMax,Email,Company\n",
}


@pytest.mark.parametrize("text", NO_HEADER.values(), ids=NO_HEADER)
def test_what_is_hardly_a_header_is_none(tmp_path: Path, text: str) -> None:
    """No lead is passed over as if it were a title."""
    with pytest.raises(UnreadableFile, match="no column is known"):
        found(tmp_path / "leads.csv", text.encode())


def test_a_header_that_is_known_only_without_regard_to_blanks_is_the_header(tmp_path: Path) -> None:
    text = "E-Mail  Address,Topic\nann@example.com,Pallets\nEmail,Company\n"
    prepass = found(tmp_path / "leads.csv", text.encode(), fields={"E-Mail Address": "email"}, ignore=["Topic"])
    assert (prepass.header, prepass.rows) == (("E-Mail  Address", "Topic"), 2)


@pytest.mark.parametrize(
    ("content", "source", "delimiter", "quote", "first_line"),
    [
        pytest.param(b"email;company\nann@example.com;Birch, Elm\n", {}, ";", '"', 2, id="semicolon"),
        pytest.param(b"email\tcompany\nann@example.com\tBirch; Elm\n", {}, "\t", '"', 2, id="tab"),
        pytest.param(b"email|company\nann@example.com|Birch\n", {}, "|", '"', 2, id="pipe"),
        pytest.param(b"email\nann@example.com\n", {}, ",", '"', 2, id="a single column"),
        pytest.param(b"sep=;\r\nemail;company\r\nann@example.com;Birch\r\n", {}, ";", '"', 3, id="sep line"),
        pytest.param(b"\n \n\nemail,company\nann@example.com,Birch\n", {}, ",", '"', 5, id="blank lines first"),
        pytest.param(b"email^company\nann@example.com^Birch\n", {"delimiter": "^"}, "^", '"', 2, id="declared"),
        pytest.param(b"'email','company'\n'ann@example.com','Birch, Elm'\n", {}, ",", "'", 2, id="apostrophes as quotes"),
        pytest.param(b"email, company\nann@example.com, \"Birch, Elm\"\n", {}, ",", '"', 2, id="spaces after delimiters"),
    ],
)  # fmt: skip
def test_dialects(
    tmp_path: Path, content: bytes, source: dict[str, str], delimiter: str, quote: str, first_line: int
) -> None:
    prepass = found(tmp_path / "leads.csv", content, **source)
    assert (prepass.delimiter, prepass.quote, prepass.rows) == (delimiter, quote, 1)
    assert prepass.chunks[0].first_line == first_line
    assert read(tmp_path / "leads.csv", prepass, prepass.chunks[0]).leads["raw_email"].tolist() == ["ann@example.com"]


@pytest.mark.parametrize(
    ("dates", "declared", "order", "warning"),
    [
        pytest.param(["22/11/2026", "03/04/2026"], None, "dmy", None, id="a day beyond 12 first"),
        pytest.param(["11-22-26", "03-04-26"], "dmy", "mdy", None, id="the column overrules the source"),
        pytest.param(["2026-11-22", ""], None, "ymd", None, id="ISO"),
        pytest.param(["2026-11-22T10:00:00Z", "13.4.2026"], None, "dmy", None, id="ISO among others"),
        pytest.param(["03/04/2026"], None, None, None, id="undecided"),
        pytest.param(["03/04/2026"], "mdy", "mdy", None, id="undecided, the source says it"),
        pytest.param(["22/11/2026", "11/22/2026"], "dmy", None, "dates.contradictory", id="contradictory"),
        pytest.param(["soon", "99/99/2026"], None, None, None, id="no dates"),
    ],
)
def test_date_orders(
    tmp_path: Path, dates: list[str], declared: str | None, order: str | None, warning: str | None
) -> None:
    body = "\n".join(["email,created_at", *(f"ann@example.com,{date}" for date in dates)])
    prepass = found(tmp_path / "leads.csv", body.encode(), **({"date_order": declared} if declared else {}))
    assert prepass.date_orders.get("created_at") == order
    assert [notice["code"] for notice in prepass.warnings] == ([warning] if warning else [])


@pytest.mark.parametrize(
    ("amounts", "mark"),
    [
        pytest.param(["1.234,56"], ",", id="German"),
        pytest.param(["$1,234.56", "7"], ".", id="American"),
        pytest.param(["1,234"], None, id="undecided"),
        pytest.param(["1,5 Mio"], ",", id="one decimal"),
        pytest.param(["1.234.567"], ",", id="points in groups"),
        pytest.param(["1,234,567"], ".", id="commas in groups"),
        pytest.param(["0.5", "0,5"], None, id="contradictory"),
    ],
)
def test_decimal_marks(tmp_path: Path, amounts: list[str], mark: str | None) -> None:
    body = "\n".join(["email;annual_revenue", *(f"ann@example.com;{amount}" for amount in amounts)])
    assert found(tmp_path / "leads.csv", body.encode()).decimal_marks.get("annual_revenue") == mark


@pytest.mark.parametrize(
    ("content", "source", "message"),
    [
        pytest.param(b"", {}, "empty", id="empty"),
        pytest.param(b"\n\n \n", {}, "empty", id="blank lines only"),
        pytest.param(b"email,company\n", {}, "a header and no rows", id="header only"),
        pytest.param(b"ann@example.com,Birch\nbob@example.com,Elm\n", {}, "no header", id="no header"),
        pytest.param(b"28/01/2018,x\n29/01/2018,y\n", {}, "no header", id="no header, dates"),
        pytest.param(b"email;company\na;b\n", {"delimiter": ","}, "single column", id="wrong delimiter"),
        pytest.param(b"Mail,Firm\na,b\n", {}, r"no column is known, of 2.*Allowed: email, company.*config/sources/fair.yml", id="names nobody knows"),
        pytest.param(b",".join(b"c%d" % i for i in range(10_000)) + b"\n", {}, "1001 columns or more", id="10,000 columns"),
        pytest.param(b",".join(b"c%d" % i for i in range(501)) + b"\n", {}, "501 columns.*at most 500", id="501 columns"),
        pytest.param(b"x" * 3_000_000, {}, "first line of more than", id="one long line"),
        pytest.param(b'"email,company\nann@example.com,Birch\n', {}, "line 1.*quote in the header", id="unclosed quote in the header"),
        pytest.param(b"PK\x03\x04....", {}, "Excel", id="an Excel workbook"),
        pytest.param(b"\x00\x01\x02\xff" * 1000, {}, "no column is known|single column", id="noise"),
    ],
)  # fmt: skip
def test_unreadable_files(tmp_path: Path, content: bytes, source: dict[str, str], message: str) -> None:
    with pytest.raises(UnreadableFile, match=message) as error:
        found(tmp_path / "leads.csv", content, **source)
    assert str(error.value).startswith("leads.csv")
    assert "@" not in str(error.value)


def test_names_that_nobody_knows_may_be_people_and_stay_out_of_the_message(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as error:
        found(tmp_path / "leads.csv", b"Anna Schmidt,Nordwind\nBen Carter,Kaltenbach\n")
    assert error.value.seen == "Anna Schmidt, Nordwind"
    assert "Anna" not in str(error.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "none.csv", "no such file"), (tmp_path, "a folder")):
        with pytest.raises(UnreadableFile, match=message):
            survey(path, SourceRules(name="fair"), FIELDS)
        with pytest.raises(UnreadableFile, match=message):
            fingerprint(path)


def test_an_encoding_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config/sources/fair.yml, encoding: 'utf-88'"):
        found(tmp_path / "leads.csv", b"email\nann@example.com\n", encoding="utf-88")


@pytest.mark.parametrize("delimiter", ["§", '"'])
def test_a_delimiter_that_cannot_be_one(tmp_path: Path, delimiter: str) -> None:
    with pytest.raises(ConfigError, match=r"config/sources/fair.yml, delimiter"):
        found(tmp_path / "leads.csv", b"email\nann@example.com\n", delimiter=delimiter)


@pytest.mark.parametrize(
    ("header", "source", "warnings"),
    [
        pytest.param("email", {}, [], id="nothing to say"),
        pytest.param("email,Booth", {}, [("not_mapped", "Booth")], id="unknown column"),
        pytest.param("E-MAIL ", {"fields": {"E-mail": "email"}}, [], id="case and white space do not matter"),
        pytest.param("email", {"fields": {"Firm": "company"}}, [("column.absent", "Firm")], id="a declared column is absent"),
        pytest.param("Firma", {"fields": {"Firm": "company", "Firma": "company"}}, [], id="another name for it is present"),
        pytest.param("email,Tax", {"fields": {"Tax": "tin"}}, [("not_mapped", "Tax")], id="a field that is off"),
        pytest.param("email,a,a,a (2)", {"ignore": ["a", "a (2)"]}, [("column.duplicate_name", "a (3)"), ("not_mapped", "a (3)")], id="duplicates never collide"),
    ],
)  # fmt: skip
def test_columns(tmp_path: Path, header: str, source: dict[str, object], warnings: list[tuple[str, str]]) -> None:
    row = ",".join(["x"] * len(header.split(",")))
    prepass = found(tmp_path / "leads.csv", f"{header}\n{row}\n".encode(), **source)
    assert [(notice["code"], notice["column"]) for notice in prepass.warnings] == warnings
