"""Who a mail is from and for, its ids and its date, taken out of header values that anybody may have written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from sluice.sources.mail.headers import LONGEST_STRUCTURED, LONGEST_VALUE, decoded

MOST_ADDRESSES = 200
MOST_IDS = 100
_PIECES = re.compile(r'"(?:[^"\\]|\\.)*+"|\((?:[^()\\]|\\.)*+\)|<[^<>]*+>|[,;]|[^"(<,;]++|.', re.DOTALL)
_ADDRESS = re.compile(r"[^\s@<>\",;:()\[\]\\]{1,64}@[^\s@<>\",;:()\\]{1,255}")
_COMMENT = re.compile(r"\([^()]*\)")
_ID = re.compile(r"<([^<>]{1,990})>")
_BARE_ID = re.compile(r"[^\s<>@]{1,500}@[^\s<>@]{1,490}")
_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Address:
    """A name and an address; either may be missing.

    Attributes:
        address: as written but for its domain, which is in lower case; None if there is none that mail could go to.
    """

    name: str = ""
    address: str | None = None

    @property
    def local(self) -> str:
        """What stands before the @, in lower case; "" without an address."""
        return (self.address or "").rpartition("@")[0].lower()

    @property
    def domain(self) -> str:
        """What stands behind the @; "" without an address."""
        return (self.address or "").rpartition("@")[2]


def read_addresses(value: str) -> tuple[Address, ...]:
    """Every address of a header, at most `MOST_ADDRESSES`; a group's name and colon are left out."""
    found: list[Address] = []
    piece: list[str] = []
    for token in (*_PIECES.findall(value[:LONGEST_VALUE]), ","):
        if token not in (",", ";"):
            piece.append(token)
            continue
        known = _read(piece)
        piece = []
        if known.name or known.address:
            found.append(known)
        if len(found) >= MOST_ADDRESSES:
            break
    return tuple(found)


def read_ids(value: str | None) -> tuple[str, ...]:
    """The message ids of a header, each in angle brackets and once, the last `MOST_IDS`."""
    written = (value or "")[-LONGEST_VALUE:]
    found = ["".join(known.split()) for known in _ID.findall(written)] or _BARE_ID.findall(written)
    return tuple(dict.fromkeys(f"<{known}>" for known in found if known))[-MOST_IDS:]


def read_date(value: str | None) -> datetime | None:
    """A date in UTC; without a zone it is taken for UTC; None for what is no date of a mail (1970 to 2100)."""
    try:
        found = parsedate_to_datetime((value or "")[:LONGEST_STRUCTURED].strip())
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except Exception:  # TypeError, ValueError, OverflowError, IndexError: real mails raise them all
        return None
    return found if _EARLIEST <= found < _LATEST else None


def _read(tokens: list[str]) -> Address:
    angles = [token[1:-1] for token in tokens if token[0] == "<" and token[-1] == ">"]
    comments = [token[1:-1] for token in tokens if token[0] == "(" and token[-1] == ")"]
    words = "".join(token for token in tokens if token[0] not in "<(")
    address = next((known for known in map(_valid, angles) if known), None)
    if address is None and not angles:
        bare = words.rpartition(":")[2] if "@" in words.rpartition(":")[2] else words
        address = _valid(bare.strip().strip("\"'"))
        name = " ".join(comments) if address else words
    else:
        name = words.strip() or " ".join(comments)
    name = decoded(re.sub(r"\\(.)", r"\1", name.strip().strip("\"'"))).strip("\"' ")
    return Address("" if _same(name, address) else name[:200], address)


def _valid(text: str) -> str | None:
    text = "".join(_COMMENT.sub("", text).split())
    if text[:7].lower() == "mailto:":
        text = text[7:]
    if not _ADDRESS.fullmatch(text):
        return None
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower().rstrip('.')}"


def _same(name: str, address: str | None) -> bool:
    return address is not None and name.lower().strip("<>") == address.lower()
