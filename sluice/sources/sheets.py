"""Submissions to a batch: what came by post or by mail as rows, each under the header of its own receipt."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from sluice.batch import Batch, empty_rejects, empty_set_asides
from sluice.distinct import as_series
from sluice.sources.columns import Columns, unique_names
from sluice.submissions import Submission

_RECORD = pa.list_(pa.string())


@dataclass(frozen=True)
class Sheet:
    """The submissions of a receipt under one header, as if they were a small file.

    Attributes:
        header: the names of all cells, each once, in the order in which they come.
        columns: what they mean.
    """

    header: tuple[str, ...]
    submissions: tuple[Submission, ...]
    columns: Columns
    is_mail: bool

    @classmethod
    def of(
        cls, submissions: Sequence[Submission], columns: Callable[[tuple[str, ...]], Columns], *, is_mail: bool
    ) -> Sheet:
        """The submissions of one receipt.

        Args:
            submissions: in order.
            columns: what a header means.
            is_mail: whether they came by mail.
        """
        header = tuple(dict.fromkeys(name for submission in submissions for name in submission.cells))
        return cls(header, tuple(submissions), columns(header), is_mail)

    def survey(self) -> dict[str, Any]:
        """What the receipt keeps of it, as a file's pre-pass is kept.

        No form has to send all that it could, and of a mail the names of the cells are ours.
        """
        expected = {"column.absent", "not_mapped"} if self.is_mail else {"column.absent"}
        warnings = [warning for warning in self.columns.warnings if warning["code"] not in expected]
        mapping = [list(pair) for pair in self.columns.mapping]
        return {"mapping": mapping, "warnings": warnings, "encoding": "utf-8", "delimiter": ","}

    def record(self, submission: Submission) -> list[str]:
        """The cells of a submission in the order of the header."""
        return [submission.cells.get(name, "") for name in self.header]


def batch_of(sheets: Iterable[Sheet]) -> Batch:
    """The rows of all sheets, numbered through, as `sluice.sources.files.read` delivers those of a file."""
    rows = _Rows()
    for sheet in sheets:
        for line, submission in enumerate(sheet.submissions, start=1):
            rows.add(sheet, submission, line)
    return rows.batch()


class _Rows:
    """Gathers rows; what a row does not say of a field is null."""

    def __init__(self) -> None:
        self._many = 0
        self._origins: list[tuple[int, int, list[str]]] = []
        self._extra: list[str | None] = []
        self._warnings: list[str] = []
        self._cells: dict[str, dict[int, str]] = defaultdict(dict[int, str])
        self._rejects: list[dict[str, Any]] = []
        self._set_asides: list[dict[str, Any]] = []

    def add(self, sheet: Sheet, submission: Submission, line: int) -> None:
        self._many += 1
        record = sheet.record(submission)
        origin = {"row": self._many, "line": line, "record": record, "raw": None}
        if submission.problems:
            self._rejects.append(origin | {"problems": list(submission.problems)})
        elif submission.aside:
            kind, reason = submission.aside
            self._set_asides.append(origin | {"kind": kind, "reason": reason})
        else:
            self._add_lead(sheet, record, (self._many, line), submission.warnings)

    def _add_lead(self, sheet: Sheet, record: list[str], place: tuple[int, int], warnings: Sequence[str]) -> None:
        at = len(self._origins)
        self._origins.append((*place, record))
        self._warnings.append(" ".join(dict.fromkeys(warnings)))
        for position, field in sheet.columns.mapping:
            if record[position] and not self._cells[field].get(at, "").strip():
                self._cells[field][at] = record[position]
        names = unique_names(sheet.header)
        unmapped = {names[at]: record[at] for at in sheet.columns.unmapped if record[at]}
        self._extra.append(json.dumps(unmapped, ensure_ascii=False) if unmapped else None)

    def batch(self) -> Batch:
        many = len(self._origins)
        index = pd.RangeIndex(many)
        numbers, lines, records = zip(*self._origins, strict=True) if many else ((), (), ())
        leads = pd.DataFrame(
            {
                "row": pd.Series(numbers, dtype="int64"),
                "line": pd.Series(lines, dtype="int64"),
                "record": pd.Series(pd.arrays.ArrowExtensionArray(pa.array(records, _RECORD))),
                "raw": pd.Series([None] * many, dtype=object),
                "extra": _texts(self._extra, index),
                "warnings": _texts(self._warnings, index),
                **{
                    f"raw_{field}": _texts([cells.get(at) for at in range(many)], index)
                    for field, cells in self._cells.items()
                },
            },
            index=index,
        )
        return Batch(
            leads,
            pd.DataFrame(self._rejects) if self._rejects else empty_rejects(),
            pd.DataFrame(self._set_asides) if self._set_asides else empty_set_asides(),
        )


def _texts(texts: Sequence[str | None], index: pd.Index) -> pd.Series:
    return as_series(pa.array(texts, pa.large_string()), index)
