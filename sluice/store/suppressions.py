"""People who stay out at every door: known by a keyed hash of their address, nothing else of them is kept."""

from __future__ import annotations

import contextlib
import hmac
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from sluice.batch import Batch, cells
from sluice.errors import ConfigError
from sluice.normalization.emails import EmailReading, email_key, read_email
from sluice.store.queries import execute, rows, value

KINDS = ("suppressed", "erased")
"""suppressed: does not want to be contacted again · erased: asked for erasure; not even the raw row is kept."""

REASONS = {
    "suppressed": "The person is on the suppression list",
    "erased": "The person was erased; what came is not kept",
}
_LONGEST = 800
_ADDRESS = re.compile(r"(?:[^@]{0,200}<)?[^\s@]{1,300}@[^\s@]{1,300}")
"""A cell that is an address and nothing else; others may be named in a text."""

_PURPOSE = b"sluice suppression key"


@dataclass(frozen=True)
class Guard:
    """The key that the hashes are made with.

    Attributes:
        given: what SLUICE_SUPPRESSION_KEY says; without it the key lies in `home`, made when it is first needed.
    """

    home: Path
    given: str | None = field(default=None, repr=False)

    @property
    def path(self) -> Path:
        """Where a key lies that nobody gave."""
        return self.home / "suppression.key"

    def key(self) -> bytes | None:
        """The key, or None if there is none yet."""
        if self.given:
            return self.given.encode()
        return self.path.read_bytes() if self.path.exists() else None

    def made(self) -> bytes:
        """The key, made now if there is none."""
        if (key := self.key()) is not None:
            return key
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(token_hex(32))
        with contextlib.suppress(FileExistsError):  # another process was faster: its key is whole, and is the one
            os.link(unfinished, self.path)
        unfinished.unlink()
        return self.path.read_bytes()


def suppress(connection: Connection, guard: Guard, keys: Iterable[str], kind: str, reason: str) -> int:
    """Keeps people out from now on; says how many are new on the list.

    Args:
        keys: `mail:…` or `tel:…`, as identities are written.
        kind: one of `KINDS`.

    Raises:
        ConfigError: the list was made with another key.
    """
    if guard.key() is None and value(connection, "suppressions_keyed"):
        raise _keyless(guard)  # a new key would never fit, and people would back it up
    key = _fitting(connection, guard.made())
    hashes = [_hash(key, text) for text in keys]
    return execute(connection, "suppressions_add", person_hashes=hashes, kind=kind, reason=reason)


def keep_out(connection: Connection, part: Batch, guard: Guard, reading: EmailReading) -> Batch:
    """Sets aside the rows of people who stay out; of the erased the row itself is not kept either.

    An erased person's row is not kept when it could not have become a lead, too: a reject or an automatic answer is
    known by the only address among its cells. One with several, such as that of whoever referred the person, stays.

    Args:
        reading: how addresses are read.

    Raises:
        ConfigError: there is a list, and the key it was made with is not here: nobody is let in on a guess.
    """
    if not len(part) or not value(connection, "suppressions_any"):
        return part
    if (key := guard.key()) is None:
        raise _keyless(guard)
    known = _Known(connection, _fitting(connection, key))
    kinds = pd.Series(known.kinds(_people(part.leads)), index=part.leads.index, dtype="str")
    part = part.set_aside(kinds, REASONS)
    rejected, aside = (_is_erased(known, frame, reading) for frame in (part.rejects, part.set_asides))
    aside |= (part.set_asides["kind"] == "erased").to_numpy(bool)
    return part.erase(rejected, aside, REASONS["erased"])


@dataclass(frozen=True)
class _Known:
    """The list, asked for many people at once."""

    connection: Connection
    key: bytes

    def kinds(self, people: Sequence[Collection[str]]) -> list[str | None]:
        """What is known of each row's people; whoever is erased counts more than whoever is suppressed."""
        hashes = {one: _hash(self.key, one) for keys in people for one in keys}
        found = rows(self.connection, "suppressions_known", person_hashes=list(hashes.values())) if hashes else []
        listed = {bytes(row["person_hash"]): row["kind"] for row in found}
        return [
            max(filter(None, (listed.get(hashes[one]) for one in keys)), key=KINDS.index, default=None)
            for keys in people
        ]


def _people(leads: pd.DataFrame) -> list[list[str]]:
    """The identities that each lead may be known by."""
    columns = [
        [None if text is None else prefix + text for text in cells(leads[name])]
        for prefix, name in (("mail:", "email_key"), ("tel:", "phone"), ("tel:", "mobile"))
    ]
    return [[one for one in found if one] for found in zip(*columns, strict=True)]


def _is_erased(known: _Known, frame: pd.DataFrame, reading: EmailReading) -> np.ndarray:
    """Which rows, as they came, are an erased person's: a boolean for each."""
    found = [{f"mail:{email_key(one, reading)}" for one in _addresses(record, reading)} for record in frame["record"]]
    people = [keys if len(keys) == 1 else () for keys in found]
    return np.array([kind == "erased" for kind in known.kinds(people)], dtype=bool)


def _addresses(record: Iterable[str | None], reading: EmailReading) -> Iterator[str]:
    for cell in record:
        text = (cell or "").strip()
        if len(text) <= _LONGEST and _ADDRESS.fullmatch(text) and (address := read_email(text, reading).value):
            yield str(address)


def _hash(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), sha256)


def _fitting(connection: Connection, key: bytes) -> bytes:
    """The key, if the list was made with it; the first one to be used is the list's."""
    fingerprint = _hash(key, _PURPOSE.decode())
    if not value(connection, "suppressions_key", fingerprint=fingerprint):
        raise ConfigError(
            "SLUICE_SUPPRESSION_KEY",
            "the suppression list was made with another key",
            "the key of the installation that made it: SLUICE_SUPPRESSION_KEY, or suppression.key in its SLUICE_HOME",
            "Bring that key here; nothing was loaded meanwhile",
        )
    return key


def _keyless(guard: Guard) -> ConfigError:
    return ConfigError(
        str(guard.path),
        "there is a suppression list, and its key is not here",
        "the key of the installation that made it: SLUICE_SUPPRESSION_KEY, or suppression.key in its SLUICE_HOME",
        "Bring that key here; nothing was loaded meanwhile",
    )
