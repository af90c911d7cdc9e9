"""People who stay out at every door: known by a keyed hash of their address, nothing else of them is kept."""

from __future__ import annotations

import contextlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from sluice.batch import Batch, cells
from sluice.errors import ConfigError
from sluice.store.queries import execute, rows, value

KINDS = ("suppressed", "erased")
"""suppressed: does not want to be contacted again · erased: asked for erasure; not even the raw row is kept."""

REASONS = {
    "suppressed": "The person is on the suppression list",
    "erased": "The person was erased; what came is not kept",
}
_BLANK = "[erased]"
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


def keep_out(connection: Connection, part: Batch, guard: Guard) -> Batch:
    """Sets aside the rows of people who stay out; of the erased the row itself is not kept either.

    Raises:
        ConfigError: there is a list, and the key it was made with is not here: nobody is let in on a guess.
    """
    if part.leads.empty or not value(connection, "suppressions_any"):
        return part
    key = guard.key()
    if key is None:
        raise _keyless(guard)
    key, leads = _fitting(connection, key), part.leads
    columns = [
        (prefix, cells(leads[name])) for prefix, name in (("mail:", "email_key"), ("tel:", "phone"), ("tel:", "mobile"))
    ]
    places: dict[bytes, set[int]] = {}
    for prefix, texts in columns:
        for place, text in enumerate(texts):
            if text is not None:
                places.setdefault(_hash(key, prefix + text), set()).add(place)
    kinds = np.full(len(leads), None, dtype=object)
    for known in rows(connection, "suppressions_known", person_hashes=list(places)):
        for place in places[bytes(known["person_hash"])]:
            kinds[place] = known["kind"] if kinds[place] != "erased" else "erased"
    kept_out = part.set_aside(pd.Series(kinds, index=leads.index, dtype="str"), REASONS)
    return Batch(kept_out.leads, kept_out.rejects, _blanked(kept_out.set_asides))


def _blanked(set_asides: pd.DataFrame) -> pd.DataFrame:
    erased = (set_asides["kind"] == "erased").to_numpy(bool) if len(set_asides) else np.zeros(0, dtype=bool)
    if not erased.any():
        return set_asides
    records = [[_BLANK] if gone else kept for gone, kept in zip(erased, set_asides["record"], strict=True)]
    column = np.empty(len(records), dtype=object)
    column[:] = records
    return set_asides.assign(record=column, raw=set_asides["raw"].mask(erased, None))


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
