"""Columns as their distinct values, and texts put together row by row."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from sluice.distinct import distinct, joined, pairs
from sluice.store.tables import array_literals, array_text, array_texts


def test_a_function_is_asked_once_per_value_and_missing_stays_missing() -> None:
    asked: list[str] = []
    column = pd.Series(["b", None, "a", "b"], index=[7, 5, 3, 1], dtype="str")
    found = distinct(column).map(lambda text: asked.append(text) or text.upper())
    assert asked == ["b", "a"]
    assert found.fillna("-").to_dict() == {7: "B", 5: "-", 3: "A", 1: "B"}


@pytest.mark.parametrize(
    ("results", "dtype", "expected"),
    [
        ([True, None], "boolean", [True, None, None, True]),
        ([1, 2], "Int64", [1, None, 2, 1]),
        ([["x"], None], "object", [["x"], None, None, ["x"]]),
    ],
)
def test_results_are_spread_in_their_dtype(results: list[Any], dtype: str, expected: list[Any]) -> None:
    found = distinct(pd.Series(["b", None, "a", "b"], dtype="str")).spread(results, dtype)
    assert str(found.dtype) == dtype
    assert [None if cell is None or cell is pd.NA else cell for cell in found] == expected


def test_pairs_are_those_that_occur() -> None:
    one, other = pd.Series(["x", "y", "x", None], dtype="str"), pd.Series(["1", "1", "1", "2"], dtype="str")
    both = pairs(distinct(one), distinct(other))
    assert both.values == [("x", "1"), ("y", "1")]
    assert both.places.to_pylist() == [0, 1, 0, None]


@pytest.mark.parametrize("wrap", [lambda column: column, lambda column: pa.chunked_array([column])])
def test_a_row_without_any_part_keeps_its_place(wrap: Callable[[Any], Any]) -> None:
    """Arrow's own kernel drops it, and every row below moves up."""
    one, other = wrap(pa.array([None, "a", None, "b"])), wrap(pa.array([None, "x", "y", None]))
    assert joined(one, other, separator=", ", skip=True).to_pylist() == ["", "a, x", "y", "b"]
    assert joined("<", one, ">").to_pylist() == [None, "<a>", None, "<b>"]


def test_array_literals_are_the_same_from_arrow_and_from_lists() -> None:
    lists = [["a", ""], [], ['"', "\\", "a,b", "{x}"], ["\x00", "\x1f", "é"], ["NULL"]]
    column = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(lists, pa.list_(pa.string()))), index=[4, 3, 2, 1, 0])
    expected = dict(zip(column.index, map(array_text, lists), strict=True))
    assert array_texts(column, column.index).to_dict() == expected
    part = column[[True, False, False, True, True]]
    assert array_texts(part, part.index).to_dict() == {index: expected[index] for index in (4, 1, 0)}


@pytest.mark.parametrize(
    ("lists", "literals"),
    [
        pytest.param([[5, -10], None, []], ['{"5","-10"}', None, "{}"], id="numbers"),
        pytest.param([["a"], None, ["b", None]], ['{"a"}', None, '{"b",""}'], id="a list that is missing, and a cell"),
        pytest.param([None, None], [None, None], id="nothing but missing lists"),
        pytest.param([], [], id="no list at all"),
    ],
)
def test_lists_of_other_kinds_become_literals_too(lists: list[Any], literals: list[str | None]) -> None:
    kind = pa.int64() if lists and isinstance(lists[0], list) and isinstance(lists[0][0], int) else pa.string()
    column = pa.array(lists, pa.list_(kind))
    assert array_literals(column).to_pylist() == literals
    assert array_literals(pa.chunked_array([column[:1], column[1:]])).to_pylist() == literals
