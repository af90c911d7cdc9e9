"""What mailboxes hold: each mail stored once, with how far its folder was read and what is still to be done there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from sluice import crash
from sluice.profiles import Profile
from sluice.store.engine import Database
from sluice.store.patience import patient
from sluice.store.queries import execute, rows
from sluice.store.receipts import remember_config


@dataclass(frozen=True)
class Place:
    """A folder of an account; its numbers mean something only together with `uidvalidity`."""

    account: str
    folder: str
    uidvalidity: int

    @property
    def name(self) -> dict[str, str]:
        """What queries ask for."""
        return {"account": self.account, "folder": self.folder}

    @property
    def whole(self) -> dict[str, Any]:
        """As `name`, with the UIDVALIDITY."""
        return {**self.name, "uidvalidity": self.uidvalidity}

    def key(self, uid: int) -> str:
        """What the receipt of a mail is claimed by."""
        return f"imap:{self.account}/{self.folder}/{self.uidvalidity}/{uid}"


@dataclass(frozen=True)
class Cursor:
    """How far a folder was read.

    Attributes:
        since: of the mails up to `since_uid`, only what arrived later counts; None: all of them.
    """

    uidvalidity: int
    last_uid: int
    since: datetime | None
    since_uid: int


@dataclass(frozen=True)
class Letter:
    """A mail as it is to be stored.

    Attributes:
        body: raw; None if the server does not give it out.
        fingerprint: sha256 of what was written, the same wherever the mail lies.
        occurred_at: its own date, or when it arrived.
    """

    uid: int
    body: bytes | None = field(repr=False)
    size: int
    fingerprint: bytes
    message_id: str | None = field(repr=False)
    occurred_at: datetime
    is_truncated: bool = False


@dataclass(frozen=True)
class Reading:
    """One reading of a folder: what its mails are stored as.

    Attributes:
        sync_id: of its line in the log.
        has_chores: something is to be done in the mailbox once a mail is stored.
    """

    sync_id: int
    place: Place
    source: str
    profile: Profile
    has_chores: bool


@dataclass(frozen=True)
class Tally:
    """What became of mails."""

    stored: int = 0
    known: int = 0
    refused: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.stored + other.stored, self.known + other.known, self.refused + other.refused)


@patient
def cursor(database: Database, account: str, folder: str) -> Cursor | None:
    """How far a folder was read; None if it never was."""
    with database.connection() as connection:
        found = rows(connection, "mail_cursor", account=account, folder=folder)
    return Cursor(**found[0]) if found else None


@patient
def begin_anew(database: Database, place: Place, since: datetime | None, since_uid: int) -> None:
    """Sets a folder's cursor to its beginning; a `since` that was said before stays."""
    with database.transaction() as connection:
        execute(connection, "mail_cursor_place", **place.whole, since=since, since_uid=since_uid)
        execute(connection, "mail_chores_stale", **place.whole)


@patient
def advance(database: Database, place: Place, uid: int) -> None:
    """Moves the cursor on past mails that do not count."""
    with database.transaction() as connection:
        execute(connection, "mail_cursor_advance", **place.whole, last_uid=uid)


@patient
def store(database: Database, reading: Reading, letters: Sequence[Letter]) -> Tally:
    """Stores mails and moves the cursor past them, all in one transaction; done twice, it is done once.

    A known content becomes a duplicate of its first receipt. In a folder that holds it twice already nothing more is
    kept of it: a server that gives new numbers each time would fill the store.
    """
    place = reading.place
    with database.transaction() as connection:
        execute(connection, "mail_lock")
        config_id = remember_config(connection, reading.profile)
        keyed = _unread(connection, reading, letters)
        asked = [letter.fingerprint for letter in keyed.values()]
        found = rows(connection, "mail_known", **place.name, fingerprints=asked)
        known = {bytes(row["sha256"]): row for row in found if row["receipt_id"] is not None}
        firsts: dict[bytes, str] = {}
        for key, letter in keyed.items():
            if letter.fingerprint not in known:
                firsts.setdefault(letter.fingerprint, key)
        news = {key: keyed[key] for key in firsts.values()}
        made = _insert(connection, reading, config_id, news, {})
        of = {fingerprint: row["receipt_id"] for fingerprint, row in known.items()} | made
        again = {key: letter for key, letter in keyed.items() if key not in news}
        lying = {fingerprint: row["here"] for fingerprint, row in known.items()} | dict.fromkeys(made, 1)
        kept: dict[str, Letter] = {}
        for key, letter in again.items():
            if lying[letter.fingerprint] < 2:
                lying[letter.fingerprint] += 1
                kept[key] = letter
        _insert(connection, reading, config_id, kept, of)
        _remember_messages(connection, news.values(), made)
        tally = _counted(connection, reading, news, len(again))
        if reading.has_chores:
            uids = [letter.uid for letter in letters if letter.body is not None]
            execute(connection, "mail_chores_add", **place.whole, uids=uids)
        execute(connection, "mail_cursor_advance", **place.whole, last_uid=max(letter.uid for letter in letters))
        execute(connection, "inbox_notify")
        crash.point("before_commit")
    crash.point("after_commit")
    return tally


def _unread(connection: Connection, reading: Reading, letters: Sequence[Letter]) -> dict[str, Letter]:
    """The mails by their keys, without those that were read here before.

    A server that gives a number twice has the second mail stored beside the first.
    """
    keys = {reading.place.key(letter.uid): letter for letter in letters}
    beside = {f"{key}@{letter.fingerprint.hex()[:16]}": letter for key, letter in keys.items()}
    asked = [*keys, *beside]
    held = {
        row["key"]: bytes(row["sha256"]) for row in rows(connection, "mail_places", source=reading.source, keys=asked)
    }
    unread: dict[str, Letter] = {}
    for (key, letter), other in zip(keys.items(), beside, strict=True):
        if key not in held:
            unread[key] = letter
        elif held[key] != letter.fingerprint and other not in held:
            unread[other] = letter
    return unread


def _insert(
    connection: Connection, reading: Reading, config_id: int, letters: dict[str, Letter], of: dict[bytes, int]
) -> dict[bytes, int]:
    """Stores mails; of a duplicate its bytes are those of the first. The receipts by fingerprint."""
    if not letters:
        return {}
    all_ = list(letters.values())
    made = rows(
        connection,
        "mail_insert",
        source=reading.source,
        config_id=config_id,
        keys=list(letters),
        states=["duplicate" if of else "failed" if one.body is None else "received" for one in all_],
        names=[f"mail {one.uid} of {reading.place.account}/{reading.place.folder}" for one in all_],
        sizes=[one.size for one in all_],
        fingerprints=[one.fingerprint for one in all_],
        bodies=[None if of else one.body or b"" for one in all_],
        envelopes=[json.dumps(_envelope(reading.place, one)) for one in all_],
        duplicates=[of.get(one.fingerprint) for one in all_],
        failures=[json.dumps(_NOT_GIVEN) if one.body is None and not of else None for one in all_],
        times=[one.occurred_at for one in all_],
    )
    return {bytes(row["sha256"]): row["receipt_id"] for row in made}


_NOT_GIVEN = {
    "found": "the server lists the mail, and does not give it out",
    "allowed": "",
    "fix": "Open it in a mail program; if it is an enquiry, enter it with `sluice lead add`",
}


def _envelope(place: Place, letter: Letter) -> dict[str, Any]:
    return {
        **place.whole,
        "uid": letter.uid,
        "message_id": (letter.message_id or "").replace("\0", "") or None,
        "size": letter.size,
        "truncated": letter.is_truncated,
    }


def _remember_messages(connection: Connection, news: Any, made: dict[bytes, int]) -> None:
    named = [one for one in news if one.message_id and "\0" not in one.message_id and one.fingerprint in made]
    execute(
        connection,
        "mail_messages",
        message_ids=[one.message_id for one in named],
        receipt_ids=[made[one.fingerprint] for one in named],
        times=[one.occurred_at for one in named],
    )


def _counted(connection: Connection, reading: Reading, news: dict[str, Letter], known: int) -> Tally:
    """Adds to the log what became of the mails, and names those that are not there as a whole."""
    cut = [letter for letter in news.values() if letter.is_truncated]
    refused = [letter for letter in news.values() if letter.body is None]
    tally = Tally(len(news) - len(cut) - len(refused), known, len(cut) + len(refused))
    notes = [f"Mail {one.uid} is too large ({one.size:,} bytes): only its beginning is kept." for one in cut]
    notes += [f"Mail {one.uid} is listed by the server and not given out." for one in refused]
    execute(connection, "mail_sync_count", sync_id=reading.sync_id, **vars(tally), note=" ".join(notes)[:2_000] or None)
    return tally
