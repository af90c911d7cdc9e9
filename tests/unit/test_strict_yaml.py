"""YAML without its traps, and what a profile inherits."""

from typing import Any

import pytest

from sluice.errors import ConfigError
from sluice.strict_yaml import Place, merge, parse


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("", {}, id="an empty file says nothing"),
        pytest.param("# only a comment\n", {}, id="a comment says nothing"),
        pytest.param("country: [NO, no, yes, on, off, y]", {"country": ["NO", "no", "yes", "on", "off", "y"]}, id="Norway is no boolean"),
        pytest.param("NO: Norway", {"NO": "Norway"}, id="nor as a key"),
        pytest.param("a: true\nb: False", {"a": True, "b": False}, id="booleans"),
        pytest.param("at: 08:30\nlong: 190:20:30", {"at": "08:30", "long": "190:20:30"}, id="a time is no number to the base of 60"),
        pytest.param("zip: 01234\nbig: 1_000\nhex: 0x1F", {"zip": "01234", "big": "1_000", "hex": "0x1F"}, id="leading zeros stay"),
        pytest.param("a: 12\nb: -3\nc: 1.5\nd: 2e3\ne: 0", {"a": 12, "b": -3, "c": 1.5, "d": 2000.0, "e": 0}, id="numbers"),
        pytest.param("from: 2026-11-22", {"from": "2026-11-22"}, id="a date stays a text"),
        pytest.param("a: .inf\nb: .nan\nc: =", {"a": ".inf", "b": ".nan", "c": "="}, id="nothing infinite"),
        pytest.param("a:\nb: ~\nc: null", {"a": None, "b": None, "c": None}, id="nothing"),
        pytest.param("1: x\n'# Employees': y", {"1": "x", "# Employees": "y"}, id="keys are texts"),
        pytest.param("a: &name [1]", {"a": [1]}, id="an anchor alone is harmless"),
    ],
)  # fmt: skip
def test_parse(text: str, data: dict[str, Any]) -> None:
    assert parse("x.yml", text).data == data


@pytest.mark.parametrize(
    ("text", "where", "found"),
    [
        pytest.param("a: 1\nb: 2\na: 3", "x.yml:3", "the key 'a' is written twice", id="key twice"),
        pytest.param("g:\n  a: 1\n  a: 1", "x.yml:3", "the key 'a' is written twice", id="key twice, deeper"),
        pytest.param("a: [1", "x.yml:1", "expected ',' or ']'", id="not YAML"),
        pytest.param("a: 1\n\tb: 2", "x.yml:2", "found character '\\t'", id="a tab"),
        pytest.param("- a\n- b", "x.yml:1", "it is not a mapping", id="a list"),
        pytest.param("a: &x [1]\nb: *x", "x.yml:2", "an alias", id="alias"),
        pytest.param("a: !!python/object/apply:os.getcwd []", "x.yml:1", "a tag", id="a tag is never obeyed"),
        pytest.param("a: !!binary aGk=", "x.yml:1", "a tag", id="a harmless tag neither"),
        pytest.param("? [a]\n: 1", "x.yml:1", "a key that is a list", id="a list as key"),
        pytest.param("a: 1\n---\nb: 1", "x.yml:2", "but found another document", id="two documents"),
        pytest.param("a: " + "[" * 200 + "]" * 200, "x.yml:1", "nested deeper than 50", id="deep"),
        pytest.param("a: " + "[" * 20_000, "x.yml:1", "", id="very deep"),
        pytest.param("a: \x00", "x.yml:1", "special characters are not allowed", id="NUL"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_line(text: str, where: str, found: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse("x.yml", text)
    assert refused.value.where == where
    assert found in refused.value.found


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        pytest.param("a: 1", "", "a: 1", id="nothing stated, all inherited"),
        pytest.param("a: 1\nb: 2", "b: 3", "a: 1\nb: 3", id="a value is replaced"),
        pytest.param(
            "g: {a: {x: 1, y: 2}}", "g: {a: {y: 3}, b: 1}", "g: {a: {x: 1, y: 3}, b: 1}", id="mappings are merged"
        ),
        pytest.param("l: [1, 2]", "l: [3]", "l: [3]", id="lists are replaced"),
        pytest.param("c: {minimum: 0}\nd: 1", "c: null", "d: 1", id="null takes a key away"),
        pytest.param("a: {b: 1}", "a: 5", "a: 5", id="a mapping may become a value"),
    ],
)
def test_merge(base: str, over: str, merged: str) -> None:
    assert merge(parse("base.yml", base), parse("over.yml", over)).data == parse("x.yml", merged).data


def test_every_key_has_its_line_also_the_inherited_ones() -> None:
    merged = merge(parse("base.yml", "a: 1\nl:\n  - x: 1\n  - x: 2\n"), parse("over.yml", "\n\nb:\n  c: 2\n"))
    assert merged.place(("l", 1, "x")) == (("l", 1, "x"), Place("base.yml", 4))
    assert merged.place(("b", "c")) == (("b", "c"), Place("over.yml", 4))
    assert merged.place(("b", "missing", 7)) == (("b",), Place("over.yml", 3))


def test_what_was_replaced_has_no_line_any_more() -> None:
    merged = merge(parse("base.yml", "l: [1, 2, 3]"), parse("over.yml", "l: [1]"))
    assert merged.place(("l", 2)) == (("l",), Place("over.yml", 1))
