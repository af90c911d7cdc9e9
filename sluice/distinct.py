"""A column as its distinct values: what is worked out once for each of them, and spread over the rows again."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.extensions import ExtensionDtype

Texts: TypeAlias = "pa.Array[Any] | pa.ChunkedArray[Any]"

_ARROW = {
    "str": pa.large_string(),
    "boolean": pa.bool_(),
    "Int64": pa.int64(),
    "Float64": pa.float64(),
    "datetime64[us, UTC]": pa.timestamp("us", "UTC"),
}
_STR = pd.StringDtype("pyarrow", na_value=np.nan)
_NULLABLE = {pa.bool_(): pd.BooleanDtype(), pa.int64(): pd.Int64Dtype(), pa.float64(): pd.Float64Dtype()}


@dataclass(frozen=True)
class Distinct:
    """The values of a column, each at least once.

    Attributes:
        values: None stands for a value that counts as nothing.
        places: per row where its value stands in `values`; null where the row has none.
        index: of the column.
    """

    values: list[Any]
    places: pa.Array[Any]
    index: pd.Index

    def map(self, function: Callable[[Any], Any], dtype: str = "str") -> pd.Series:
        """`function` of each row's value; what has no value, and what becomes None, is missing."""
        return self.spread([None if value is None else function(value) for value in self.values], dtype)

    def spread(self, results: Sequence[Any], dtype: str = "str") -> pd.Series:
        """The rows of a column of which `results` are the values, place by place; None is missing."""
        if dtype not in _ARROW:
            column = np.empty(len(results) + 1, dtype=object)
            column[:-1], column[-1] = results, None
            return pd.Series(column[self.places.fill_null(len(results)).to_numpy()], index=self.index, dtype=object)
        taken = pa.array(results, _ARROW[dtype]).take(self.places)
        if dtype == "str":
            return as_series(taken, self.index)
        return taken.to_pandas(types_mapper=_NULLABLE.get).set_axis(self.index)


def distinct(column: pd.Series) -> Distinct:
    """The distinct values of a column."""
    values, places = distinct_texts(column)
    return Distinct(values.to_pylist(), places, column.index)


def distinct_texts(column: pd.Series) -> tuple[pa.Array[Any], pa.Array[Any]]:
    """The distinct values of a column while they are still Arrow's, and per row its value's place.

    Twice as fast as `pd.factorize`, which takes the way of NumPy.
    """
    encoded = pc.dictionary_encode(arrow(column))
    return encoded.dictionary, encoded.indices


def pairs(one: Distinct, other: Distinct) -> Distinct:
    """The distinct pairs of two columns as tuples; nothing where one of them has nothing."""
    width = max(len(other.values), 1)
    both = pc.add(pc.multiply(one.places.cast(pa.int64()), width), other.places.cast(pa.int64()))
    encoded = pc.dictionary_encode(both)
    left, right = np.divmod(encoded.dictionary.to_numpy(), width)
    found = zip(map(one.values.__getitem__, left.tolist()), map(other.values.__getitem__, right.tolist()), strict=True)
    return Distinct([pair if None not in pair else None for pair in found], encoded.indices, one.index)


def arrow(column: pd.Series) -> pa.Array[Any]:
    """A column in Arrow's form, in one piece."""
    is_arrays_own = isinstance(column.dtype, ExtensionDtype) and not isinstance(column.dtype, pd.DatetimeTZDtype)
    # Arrow asks a Series ten times as long what it is as the array in it.
    found: Any = pa.array(column.array if is_arrays_own else column, from_pandas=True)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def as_arrow(column: pd.Series) -> pa.Array[Any]:
    """The texts of a `str` column, without copying them where they are in one piece."""
    texts = pa.array(column.array, type=pa.large_string(), from_pandas=True)  # of a Series it takes ten times as long
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def as_series(texts: Texts, index: pd.Index) -> pd.Series:
    """Texts as a `str` column, without copying them; `pd.Series(texts)` looks three times as long at what they are."""
    large = texts if texts.type == pa.large_string() else texts.cast(pa.large_string())
    column = pd.arrays.ArrowStringArray(large, dtype=_STR)  # pyright: ignore[reportCallIssue] - the stubs lack it
    return pd.Series(column, index=index, copy=False)


@contextmanager
def no_garbage_rounds() -> Generator[None]:
    """Pauses the search for cyclic garbage: an object per row starts it again and again, a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def joined(*parts: Texts | str, separator: str = "", skip: bool = False) -> Texts:
    """Row by row the parts one after the other.

    Args:
        parts: texts of one type, or a text that is the same for all rows.
        separator: between two parts.
        skip: leave out the parts that are null ("" where all are), instead of giving null where one is.
    """
    kind = next(part.type for part in parts if not isinstance(part, str))
    texts = [pa.scalar(part, kind) if isinstance(part, str) else part for part in parts]
    if not skip:
        return pc.binary_join_element_wise(*texts, pa.scalar(separator, kind))
    # Arrow (26) drops rows whose parts are all null, so that those below move up; an empty part keeps them in place.
    found = pc.binary_join_element_wise(pa.scalar("", kind), *texts, pa.scalar(separator, kind), null_handling="skip")
    return pc.utf8_slice_codeunits(found, len(separator))
