"""A rejects file that was mended and came back: whose rows it corrects, and what it need not say again.

Its first column holds a mark per row, such as `R12-5-7f3a9c2e`: receipt, row, and a digest of the file that the row was
refused from. Spreadsheets take it for text and leave it alone; a number from another installation fits no file here.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sluice.rules import SourceRules
from sluice.schema import MARK_COLUMN, FieldRules
from sluice.sources.evidence import DATE_TYPES
from sluice.sources.prepass import Prepass
from sluice.store import receipts
from sluice.store.engine import Database
from sluice.store.receipts import Receipt

HEAD = 256 * 1024
"""Bytes in which a mark must be found."""

MOST = 20
"""Receipts that are looked up, of a file whose marks are all wrong."""

_MARK = re.compile(rb"R(\d{1,18})-(\d{1,18})-([0-9a-f]{8})(?![0-9a-f])")
_SPREADSHEET_ENCODINGS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def mark(receipt: Receipt, row: int) -> str:
    """What stands before a rejected row, so that its correction is known for what it is."""
    digest = hashlib.sha256(f"{receipt.sha256}:{receipt.receipt_id}:{row}".encode()).hexdigest()
    return f"R{receipt.receipt_id}-{row}-{digest[:8]}"


def parent_of(database: Database, path: Path) -> Receipt | None:
    """The receipt whose rejected rows a file corrects, whatever the file is called and whatever saved it.

    Returns:
        The receipt of the first mark that fits; None for a file that corrects none.
    """
    head = _head(path).replace(b"\0", b"")  # so that UTF-16 shows it too
    if MARK_COLUMN.encode() not in head:
        return None
    known: dict[int, Receipt | None] = {}
    for found in _MARK.finditer(head):
        number = int(found[1])
        if number not in known and len(known) < MOST:
            known[number] = receipts.find(database, number)
        receipt = known.get(number)
        if receipt and mark(receipt, int(found[2])).encode() == found[0]:
            return receipt
    return None


def as_saved(source: SourceRules, path: Path) -> SourceRules:
    """The source's rules for a file that a spreadsheet may have saved in its own way.

    The declared delimiter and order of dates do not bind it, nor the encoding, where the file says its own.
    """
    says_encoding = _head(path).startswith(_SPREADSHEET_ENCODINGS)
    own = {"encoding": None} if says_encoding else {}
    return source.model_copy(update={"delimiter": None, "date_order": None, **own})


def completed(found: Prepass, parent: Receipt, source: SourceRules, fields: Mapping[str, FieldRules]) -> Prepass:
    """What a corrected file's survey found; where its rows do not tell, dates and decimals are read as the parent's.

    Args:
        found: by `as_saved` rules.
        source: as it was declared.
        fields: fields that the profile has switched on.
    """
    known = (
        Prepass.from_json(parent.survey) if parent.survey and "date_orders" in parent.survey else None
    )  # else a post
    dates = [field for _, field in found.mapping if field in fields and fields[field].type in DATE_TYPES]
    declared: dict[str, str] = dict.fromkeys(dates, source.date_order) if source.date_order else {}
    inherited = (known.date_orders, known.decimal_marks) if known else ({}, {})
    return replace(
        found,
        date_orders={**declared, **_of(inherited[0], found), **found.date_orders},
        decimal_marks={**_of(inherited[1], found), **found.decimal_marks},
    )


def _of(inherited: Mapping[str, str], found: Prepass) -> dict[str, str]:
    mapped = {field for _, field in found.mapping}
    return {field: said for field, said in inherited.items() if field in mapped}


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:  # whoever reads it next says so
        return b""
