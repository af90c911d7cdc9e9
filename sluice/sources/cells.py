"""The cells of sound records, column by column: bytes first, then text, because one bad byte must not cost a file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from sluice.errors import BrokenPromise
from sluice.sources.dialect import Dialect
from sluice.sources.encoding import decode
from sluice.sources.records import ODD, SOUND, Block


def columns(block: Block, shape: tuple[Dialect, int], positions: Sequence[int]) -> list[pa.Array[Any]]:
    """The cells of some columns, as bytes, of a block's sound records.

    Args:
        block: records.
        shape: how the file is written, and the header's width.
        positions: of the columns wanted.

    Returns:
        One binary array per position, each as long as there are sound records.

    Raises:
        BrokenPromise: the fast reader disagrees with the scan.
    """
    dialect, width = shape
    expected = int(np.count_nonzero(block.kinds == SOUND))
    if not expected or not positions:
        return [pa.array([], pa.binary()) for _ in positions]
    names = [f"c{position}" for position in range(width)]
    wanted = [names[position] for position in positions]
    table = pacsv.read_csv(
        io.BytesIO(_sound_bytes(block)),
        read_options=pacsv.ReadOptions(use_threads=False, block_size=len(block.data) + 2, column_names=names),
        parse_options=pacsv.ParseOptions(
            delimiter=dialect.delimiter.decode(), quote_char=dialect.quote.decode(), newlines_in_values=True
        ),
        convert_options=pacsv.ConvertOptions(
            include_columns=wanted, column_types=dict.fromkeys(wanted, pa.binary()), strings_can_be_null=False
        ),
    )
    if table.num_rows != expected:
        raise BrokenPromise(f"the scan found {expected} sound records, the reader {table.num_rows}")
    return [_one(table.column(name)) for name in wanted]


def texts(cells: pa.Array[Any], encoding: str) -> tuple[pa.Array[Any], list[int]]:
    """Cells as text, and the positions of those that were not valid in the file's encoding."""
    content = cells.buffers()[2]
    if content is None or encoding == "utf-8" or memoryview(content).tobytes().isascii():
        try:
            return cells.cast(pa.string()), []
        except pa.ArrowInvalid:  # at least one cell is not UTF-8
            pass
    decoded = [decode(cell, encoding) for cell in cells.to_pylist()]
    return pa.array([text for text, _ in decoded], pa.string()), [
        at for at, (_, is_valid) in enumerate(decoded) if not is_valid
    ]


def _sound_bytes(block: Block) -> bytes:
    """The sound records' bytes; the line feed before them keeps a first cell from being read as a byte order mark."""
    is_odd = np.concatenate([[True], block.kinds == ODD, [True]])
    turns = np.flatnonzero(np.diff(is_odd.astype(np.int8)))
    begins = block.starts[turns[0::2]] - block.base
    ends = block.ends[turns[1::2] - 1] - block.base
    return b"\n" + b"".join([block.data[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)])


def _one(column: pa.ChunkedArray[Any]) -> pa.Array[Any]:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
