"""Bodies: what they say, whatever they are called, and what is refused before it can do harm."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.problems import CODES
from sluice.sources.forms.bodies import decoded
from sluice.sources.forms.refusal import UnreadableBody
from tests.unit.forms import FORM, JSON, multipart, read, rules

CORPORA = Path(os.environ.get("SLUICE_CORPORA") or Path(__file__).parents[3] / "shared")
NAUGHTY = CORPORA / "corpora" / "blns" / "blns.json"


@pytest.mark.parametrize(
    ("body", "content_type", "value"),
    [
        pytest.param(b'{"a": "b"}', JSON, {"a": "b"}, id="JSON"),
        pytest.param(b'\xef\xbb\xbf {"a": "b"} \r\n', JSON, {"a": "b"}, id="byte order mark and white space"),
        pytest.param('{"a": "ü"}'.encode("utf-16"), JSON, {"a": "ü"}, id="UTF-16"),
        pytest.param('{"a": "ü"}'.encode("cp1252"), "application/json; charset=ISO-8859-1", {"a": "ü"}, id="the blog's charset"),
        pytest.param(b'[{"a": 1}]', "application/vnd.api+json", [{"a": "1"}], id="a list"),
        pytest.param(b'{"a": 1.50, "b": -0, "c": 1E400, "d": 9007199254740993}', JSON, {"a": "1.50", "b": "-0", "c": "1E400", "d": "9007199254740993"}, id="numbers as they were written"),
        pytest.param(b'{"a": true, "b": null}', JSON, {"a": True, "b": None}, id="true and null"),
        pytest.param(b'{"a": "one\ntwo\tthree"}', JSON, {"a": "one\ntwo\tthree"}, id="line breaks as a plugin writes them"),
        pytest.param(b"a=b&c=d+e%21", FORM, {"a": "b", "c": "d e!"}, id="a form"),
        pytest.param(b"a=1&a=2&a=3", FORM, {"a": ["1", "2", "3"]}, id="a field sent several times"),
        pytest.param(b"a[]=1&a%5B%5D=2", FORM, {"a": ["1", "2"]}, id="as PHP names them"),
        pytest.param(b"&&a=b&&c&=d&", FORM, {"a": "b", "c": "", "": "d"}, id="odd pairs"),
        pytest.param(b"a=%zz%", FORM, {"a": "%zz%"}, id="stray per cent signs"),
        pytest.param(b"a=b=c%26d", FORM, {"a": "b=c&d"}, id="signs inside"),
        pytest.param("a=ü".encode(), FORM, {"a": "ü"}, id="raw UTF-8"),
        pytest.param(b"a=%FC", FORM + "; charset=latin1", {"a": "ü"}, id="declared Latin-1"),
        pytest.param(b"a=%C3%BC", FORM + "; charset=latin1", {"a": "ü"}, id="declared Latin-1, but UTF-8"),
        pytest.param(b"a=%8F%C7", FORM + "; charset=windows-1251", {"a": "ЏЗ"}, id="declared Cyrillic"),
        pytest.param(b'{"a": "b"}', "text/plain; charset=UTF-8", {"a": "b"}, id="text that is JSON"),
        pytest.param(b"a=b&c=d", "text/plain", {"a": "b", "c": "d"}, id="text that is a form"),
        pytest.param(b'{"a": "b=c"}', FORM, {"a": "b=c"}, id="JSON called a form"),
        pytest.param(b"a=b", JSON.replace("json", "octet-stream"), {"a": "b"}, id="a form called bytes"),
        pytest.param(b"a=b", "", {"a": "b"}, id="called nothing"),
        pytest.param(b"[name]=b&x=y", FORM, {"[name]": "b", "x": "y"}, id="a form that begins like a list"),
        pytest.param(b"a=b", "é; ;=;charset=\"", {"a": "b"}, id="a Content-Type that is none"),
        pytest.param(b"data.json=%7B%22a%22%3A%5B%22b%22%5D%7D&page_name=x", FORM, {"data.json": {"a": ["b"]}, "page_name": "x"}, id="JSON inside Unbounce's form"),
        pytest.param(b"rawRequest=", FORM, {"rawRequest": ""}, id="nothing inside"),
    ],
)  # fmt: skip
def test_what_a_body_says(body: bytes, content_type: str, value: Any) -> None:
    found = decoded(body, content_type)
    assert found.value == value
    assert found.warnings == ()


def test_a_multipart_form() -> None:
    body, kind = multipart({"name": "Zoë", "empty": "", "lines": "a\r\nb--", "rawRequest": '{"q3_name": "Zoë"}'})
    expected = {"name": "Zoë", "empty": "", "lines": "a\r\nb--", "rawRequest": {"q3_name": "Zoë"}}
    assert decoded(body, kind).value == expected
    assert decoded(body, JSON).value == expected, "whatever it is called"
    assert decoded(body, "multipart/form-data").value == expected, "if the header lost its boundary"
    assert decoded(body, "multipart/form-data; boundary=other").value == expected, "if the header has another one"
    assert decoded(b"\r\n" + body, kind).value == expected


def test_of_a_file_only_its_name_is_kept() -> None:
    part = (
        '--X\r\nContent-Disposition: form-data; name="{}"; filename="{}"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n'
    )
    body = (part.format("cv", "C:\\fakepath\\me.png") + part.format("b", "../../etc/x") + part.format("c", "")).encode()
    value = decoded(body + b"--X--\r\n", "multipart/form-data; boundary=X").value
    assert value == {"cv": "me.png", "b": "x", "c": ""}


def test_parts_in_other_charsets() -> None:
    part = b'--X\r\nContent-Disposition: form-data; name="%b"\r\nContent-Type: text/plain; charset=%b\r\n\r\n%b\r\n'
    body = part % (b"a", b"windows-1251", b"\xc7") + part % (b"b", b"no-such", b"\xfc") + b"--X--\r\n"
    found = decoded(body, "multipart/form-data; boundary=X")
    assert found.value == {"a": "З", "b": "ü"}
    assert found.warnings == ("b:charset_assumed",)


@pytest.mark.parametrize(
    ("body", "content_type", "value", "warnings"),
    [
        pytest.param(b"a=%FC&b=c", FORM, {"a": "ü", "b": "c"}, ("a:charset_assumed",), id="undeclared Latin-1"),
        pytest.param(b"a=%81", FORM, {"a": "\ufffd"}, ("a:charset_assumed",), id="not even that"),
        pytest.param(b'{"a": "\xfc"}', JSON, {"a": "ü"}, (":charset_assumed",), id="JSON that is not UTF-8"),
        pytest.param(b'{"a": "\xfc"}', JSON + "; charset=idna", {"a": "ü"}, (":charset_assumed",), id="a charset that is none"),
        pytest.param(b'{"a": "x\\u0000y", "b\\ud800": ["\\udfff"]}', JSON, {"a": "x\ufffdy", "b\ufffd": ["\ufffd"]}, (":characters_replaced",), id="NUL and halves of characters"),
        pytest.param(b'{"a": "\x00"}', JSON, {"a": "\ufffd"}, (":characters_replaced",), id="a bare NUL"),
        pytest.param(b'{"a": "\\ud83d\\ude00"}', JSON, {"a": "😀"}, (), id="two halves are a character"),
        pytest.param(b"a=x%00y", FORM, {"a": "x\ufffdy"}, ("a:characters_replaced",), id="NUL in a form"),
        pytest.param(b"data.json=%7B%7B", FORM, {"data.json": "{{"}, ("data.json:unreadable",), id="JSON inside that is none"),
        pytest.param(b"data.json=" + b"[" * 100_000, FORM, {"data.json": "[" * 100_000}, ("data.json:unreadable",), id="a bomb inside"),
    ],
)  # fmt: skip
def test_what_was_changed_is_told(body: bytes, content_type: str, value: Any, warnings: tuple[str, ...]) -> None:
    found = decoded(body, content_type)
    assert (found.value, found.warnings) == (value, warnings)
    assert all(warning.rpartition(":")[2] in CODES for warning in warnings)


MB = 1_000_000


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b" \r\n", "empty", id="blank"),
        pytest.param(b"[" * 100_000, "neither", id="100,000 brackets"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, "more than 50000 values", id="100,000 levels"),
        pytest.param(b'{"a":' * 33 + b"1" + b"}" * 33, "deeper than 32", id="33 levels"),
        pytest.param(b'{"a":"' + b'\\"' * (MB // 2) + b"}", "no JSON", id="a string that never ends"),
        pytest.param(b"{" + b'"' * MB + b"}", "no JSON", id="1 MB of quotes"),
        pytest.param(b"[" + b"0," * (MB // 2) + b"0]", "more than 50000", id="1 MB of numbers"),
        pytest.param(b"[" + b"]" * MB, "no JSON", id="1 MB of closing brackets"),
        pytest.param(b'{"a": NaN}', "NaN", id="NaN"),
        pytest.param(b'{"a": -Infinity}', "-Infinity", id="Infinity"),
        pytest.param(b'{"a": 1, "a": 2}', "same key twice", id="a key twice"),
        pytest.param(b'{"b": {"a": 1, "\\u0061": 2}}', "same key twice", id="a key twice, escaped"),
        pytest.param(b'{"a": }', "no JSON", id="broken"),
        pytest.param(b'{"a": 1} {"b": 2}', "no JSON", id="two objects"),
        pytest.param(b"&" * MB, "neither", id="1 MB of &"),
        pytest.param(b"&" * MB + b"=", None, id="1 MB of & and a field without name or value"),
        pytest.param(b"a=" + b"%41" * (MB // 3), None, id="1 MB of escapes"),
        pytest.param(b"a=" * (MB // 2), None, id="1 MB of a="),
        pytest.param(b"a=&" * (MB // 3), "fields", id="333,333 fields"),
        pytest.param(b"%" * (MB - 1) + b"=", None, id="1 MB of %"),
        pytest.param(b"<?xml version='1.0'?><a b='c'/>", "neither", id="XML"),
        pytest.param(b"<html><a href='x?a=b'>", "neither", id="a page"),
        pytest.param(b"Hello, I would like a demo", "neither", id="a sentence"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "neither", id="a picture"),
        pytest.param(b'--X\r\nContent-Disposition: form-data; name="a"\r\n\r\nb', "breaks off", id="a part that breaks off"),
        pytest.param(b'--X\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--X', "breaks off", id="without the last line"),
        pytest.param(b"--X\r\nContent-Type: text/plain\r\n\r\nb\r\n--X--", "without a name", id="a part without a name"),
        pytest.param(b"--X\r\nContent-" + b"a" * 50_000, "no multipart", id="a header without end"),
        pytest.param(b"--X\r\nContent-Type: a\r\n" + b"a: b\r\n" * 50_000, "no multipart", id="50,000 headers"),
        pytest.param(multipart({str(count): "" for count in range(101)})[0], "more than 100 parts", id="101 parts"),
        pytest.param(b'--X\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"\r\n--" * (MB // 4), "breaks off", id="1 MB of almost boundaries"),
        pytest.param(b"--X\r\nContent-Disposition: form-data; name=" + b'"\\' * 2000 + b"\r\n\r\nb\r\n--X--", None, id="quotes in a header"),
    ],
)  # fmt: skip
def test_bodies_that_are_refused_or_cost_little(body: bytes, found: str | None) -> None:
    begin = time.process_time()
    try:
        decoded(body, "")
    except UnreadableBody as error:
        assert found is not None and found in error.found
    else:
        assert found is None
    assert time.process_time() - begin < 1, "the slowest of these takes 0.2 s"


@pytest.mark.parametrize(
    "body", [b'{"email": "anna@example.com",}', b"{email: anna@example.com}"], ids=["comma", "quotes"]
)
def test_what_is_no_json_says_what_a_program_does_and_what_a_provider(body: bytes) -> None:
    """The same fault comes from a program that calls the API and from a template at a provider of forms."""
    with pytest.raises(UnreadableBody) as refused:
        decoded(body, "application/json")
    assert "let a JSON library write the body" in refused.value.fix
    assert "correct its template" in refused.value.fix
    assert refused.value.allowed == "one JSON object, or an array of them"


@pytest.mark.parametrize("body", [b"5", b'"text"', b"null", b"true", b"{", b""])
def test_what_is_called_json_and_is_no_object(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        decoded(body, JSON)


def test_multipart_without_a_boundary() -> None:
    with pytest.raises(UnreadableBody):
        decoded(b"a=b", "multipart/form-data")


def test_numbers_of_any_length_are_texts() -> None:
    digits = "9" * 5000
    assert decoded(f'{{"a": {digits}}}'.encode(), JSON).value == {"a": digits}


def test_a_multipart_form_inside_a_part_is_a_text() -> None:
    inner, _ = multipart({"deep": "x"}, "inner")
    for level in range(50):
        inner, _ = multipart({"deep": inner}, f"b{level}")
    assert list(decoded(inner, "multipart/form-data; boundary=b49").value) == ["deep"]


@pytest.mark.skipif(
    not NAUGHTY.exists(), reason="the corpora are not part of the repository; SLUICE_CORPORA says where they are"
)
def test_naughty_strings_arrive_as_they_are() -> None:
    naughty = json.loads(NAUGHTY.read_text("utf-8"))
    assert len(naughty) > 500
    for said in naughty:
        expected = said.replace("\0", "\ufffd")
        as_json = json.dumps({"message": said}).encode()
        as_form = f"message={quote_plus(said)}".encode()
        as_parts, kind = multipart({"message": said})
        for body, content_type in ((as_json, JSON), (as_form, FORM), (as_parts, kind)):
            (submission,) = read(body, content_type, rules())
            assert dict(submission.cells) == {"message": expected}
            assert submission.problems == ()


@given(st.binary(max_size=400), st.text(max_size=60) | st.sampled_from([JSON, FORM, "multipart/form-data; boundary=X"]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_have_a_value_or_a_reason(body: bytes, content_type: str) -> None:
    for whole in (body, b"--X\r\n" + body + b"\r\n--X--", b"{" + body + b"}", b"rawRequest=" + body):
        try:
            value = decoded(whole, content_type).value
        except UnreadableBody:
            continue
        json.dumps(value, ensure_ascii=False).encode()  # no lone surrogates are left


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=8), inside, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=6))
@settings(deadline=None)
def test_json_arrives_as_it_was_sent(value: dict[str, Any]) -> None:
    def numbers_as_texts(inside: Any) -> Any:
        if isinstance(inside, dict):
            return {name.replace("\0", "\ufffd"): numbers_as_texts(item) for name, item in inside.items()}
        if isinstance(inside, list):
            return [numbers_as_texts(item) for item in inside]
        if isinstance(inside, str):
            return inside.replace("\0", "\ufffd")
        return inside if inside is None or isinstance(inside, bool) else str(inside)

    assert decoded(json.dumps(value).encode(), JSON).value == numbers_as_texts(value)


@given(st.dictionaries(st.text("abcä€&=+% ", min_size=1, max_size=6), st.text(max_size=20), min_size=1, max_size=6))
@settings(deadline=None)
def test_forms_arrive_as_they_were_sent(fields: dict[str, str]) -> None:
    body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields.items()).encode()
    expected = {name: value.replace("\0", "\ufffd") for name, value in fields.items()}
    assert decoded(body, FORM).value == expected
