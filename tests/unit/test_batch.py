"""Columns to Python's values and back."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from sluice.batch import cells, column_of
from tests.unit.standard import batch


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        pytest.param([], "str", id="no rows"),
        pytest.param(["a", None, ""], "str", id="texts"),
        pytest.param([None, None], "str", id="no text at all"),
        pytest.param([1, None, 0], "Int64", id="numbers"),
        pytest.param([0.5, None, 0.0], "Float64", id="fractions"),
        pytest.param([["a"], None, []], "object", id="lists"),
    ],
)
def test_a_column_gives_back_what_it_was_made_of(values: list[Any], dtype: str) -> None:
    column = pd.Series(column_of(values, dtype))
    assert (cells(column), str(column.dtype)) == (values, dtype)


def test_cells_at_some_places() -> None:
    texts, moments = pd.Series(["a", None, "c"], dtype="str"), pd.to_datetime(pd.Series(["2026-11-22T08:00Z", None]))
    assert cells(texts, [2, 1]) == ["c", None]
    assert cells(moments, [1, 0]) == [None, pd.Timestamp("2026-11-22T08:00Z")]


def test_columns_are_added_and_replaced_at_once() -> None:
    before = batch(email=["ana@acme.example", "bo@lee.example"])
    after = before.with_columns({"score": [1, 2], "line": [7, 8]})
    assert (after.leads["score"].tolist(), after.leads["line"].tolist(), len(after)) == ([1, 2], [7, 8], 2)
    assert before.leads["line"].tolist() == [2, 3], "the batch before stays as it was"


def test_a_part_of_a_batch() -> None:
    whole = batch(email=["ana@acme.example", "bo@lee.example", "cy@lee.example"])
    assert whole.between(2, 3).leads["row"].tolist() == [2, 3]
    assert whole.between(1, 3).leads["row"].tolist() == [1, 2, 3]
