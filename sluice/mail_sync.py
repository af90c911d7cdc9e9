"""One reading of a folder: what has come since the last one is stored, each mail once.

    cursor ─► numbers behind it ─► sizes ─► mails, some at a time ─► receipts and cursor, one transaction
           ─► only then, if the account wants it: moved or marked, best effort, tried again the next time

Other numbers (UIDVALIDITY) mean that the folder is read from its beginning; mails are known by what they say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sluice import crash
from sluice.errors import ConfigError
from sluice.intake import Office
from sluice.mailbox_rules import MailboxRules
from sluice.sources.imap import Folder, Head, Mailbox
from sluice.sources.imap_refusals import CUT, MailboxUnavailable
from sluice.sources.mail.message import read
from sluice.store import mail, mail_log
from sluice.store.mail import Letter, Place, Reading, Tally

TOGETHER, BYTES = 50, 8 << 20
"""Mails that are fetched and stored together, and the bytes that they may have."""

_HEADS = 1_000  # mails whose sizes are asked for at once
_CHORES = 500  # mails that are moved or marked in one reading
_OLDEST = datetime(1995, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(minutes=10)  # clocks differ


@dataclass(frozen=True)
class Post:
    """A folder to be read, with whose rules, into which office.

    Attributes:
        now: the time, which the first reading of a folder and dates from the future are measured by.
    """

    office: Office
    rules: MailboxRules
    folder: str
    now: Callable[[], datetime]


def sync(post: Post, connect: Callable[[], Mailbox], is_over: Callable[[], bool] = lambda: False) -> Tally:
    """Stores what is new in a folder, and notes in the log what became of it.

    Args:
        post: the folder.
        connect: gives the connection, which may be open already.
        is_over: asked between two transactions; the next reading goes on from there.

    Raises:
        MailboxUnavailable, ConfigError: it is in the log; what is stored stays.
        DatabaseUnavailable: the database stayed away.
    """
    database, rules = post.office.database, post.rules
    sync_id = mail_log.begin(database, rules.name, post.folder)
    try:
        mailbox = connect()
        folder = mailbox.look(post.folder)
        place = Place(rules.name, post.folder, folder.uidvalidity)
        reading = Reading(sync_id, place, rules.source, post.office.profile, rules.after is not None)
        tally = Tally()
        for letters in _news(post, mailbox, folder, is_over):
            tally += mail.store(database, reading, letters)
        note = _do_chores(post, mailbox, place)
    except (MailboxUnavailable, ConfigError) as error:
        needs_person = not isinstance(error, MailboxUnavailable) or error.needs_person
        mail_log.end(database, sync_id, failure=str(error), needs_person=needs_person)
        raise
    mail_log.end(database, sync_id, note=note)
    return tally


def _news(post: Post, mailbox: Mailbox, folder: Folder, is_over: Callable[[], bool]) -> Iterator[list[Letter]]:
    """The mails behind the cursor, some at a time."""
    place = Place(post.rules.name, post.folder, folder.uidvalidity)
    cursor = mail.cursor(post.office.database, place.account, place.folder)
    if cursor is None or cursor.uidvalidity != folder.uidvalidity or _gives_numbers_again(folder, cursor, mailbox):
        since = post.rules.since(post.now())
        mail.begin_anew(post.office.database, place, since, mailbox.last_uid(folder))
        cursor = mail.cursor(post.office.database, place.account, place.folder)
    if cursor is None:
        return
    spans: list[tuple[int, int | None, datetime | None]] = [(max(cursor.last_uid, cursor.since_uid), None, None)]
    if cursor.last_uid < cursor.since_uid:
        spans.insert(0, (cursor.last_uid, cursor.since_uid, cursor.since))
    for low, high, since in spans:
        for uids in mailbox.behind(low, folder, high, since):
            for start in range(0, len(uids), _HEADS):
                if is_over():
                    return
                heads = [head for head in mailbox.heads(uids[start : start + _HEADS]) if _counts(head, since)]
                for batch in batches(heads, post.rules.max_bytes):
                    if letters := _fetched(post, mailbox, place, batch):
                        yield letters
                    if is_over():
                        return
    if cursor.last_uid < cursor.since_uid:
        mail.advance(post.office.database, place, cursor.since_uid)


def _gives_numbers_again(folder: Folder, cursor: mail.Cursor, mailbox: Mailbox) -> bool:
    """Whether a server that was restored promises numbers again that we have read.

    A server whose promise its own mails break is not believed; a folder that has shrunk keeps its promise.
    """
    if folder.uidnext is None or folder.uidnext > cursor.last_uid:
        return False
    return folder.uidnext > mailbox.last_uid(folder)


def _counts(head: Head, since: datetime | None) -> bool:
    """Whether a mail counts that may have lain there before the folder was first read."""
    return since is None or head.arrived is None or head.arrived >= since


def batches(heads: Sequence[Head], most: int) -> Iterator[list[Head]]:
    """Mails that are fetched together.

    Args:
        heads: mails in order.
        most: bytes of one mail that are fetched.
    """
    batch: list[Head] = []
    held = 0
    for head in heads:
        size = min(head.size, most)
        if batch and (len(batch) >= TOGETHER or held + size > BYTES):
            yield batch
            batch, held = [], 0
        batch.append(head)
        held += size
    if batch:
        yield batch


def _fetched(post: Post, mailbox: Mailbox, place: Place, batch: Sequence[Head]) -> list[Letter]:
    bodies = mailbox.bodies([head.uid for head in batch], post.rules.max_bytes)
    now = post.now()
    return [_letter(place, head, bodies[head.uid], post.rules.max_bytes, now) for head in batch if head.uid in bodies]


def _letter(place: Place, head: Head, body: bytes | None, most: int, now: datetime) -> Letter:
    arrived = head.arrived if head.arrived and _OLDEST <= head.arrived <= now + _AHEAD else now
    if body is None:
        fingerprint = hashlib.sha256(place.key(head.uid).encode("utf-8", "surrogatepass")).digest()
        return Letter(head.uid, None, head.size, fingerprint, None, arrived)
    is_truncated = len(body) > most
    body = body[:most]
    try:
        said = read(body)
        fingerprint, message_id, date = bytes.fromhex(said.fingerprint), said.message_id, said.date
    except Exception:  # a mail that its reader stumbles over is stored all the same, and holds up no other
        fingerprint, message_id, date = hashlib.sha256(body).digest(), None, None
    size = len(body)
    if is_truncated:  # mails that only begin alike are different ones
        size = max(head.size, most + 1)
        fingerprint = hashlib.sha256(fingerprint + str(size).encode()).digest()
    occurred_at = date if date and _OLDEST <= date <= now + _AHEAD else arrived
    return Letter(head.uid, body, size, fingerprint, message_id, occurred_at, is_truncated)


def _do_chores(post: Post, mailbox: Mailbox, place: Place) -> str | None:
    """Moves or marks stored mails; says which it could not, and leaves them for the next reading."""
    database, after = post.office.database, post.rules.after
    uids = mail_log.open_chores(database, place, _CHORES) if after else []
    if after is None or not uids:
        return None
    crash.point("before_move")
    try:
        folder = mailbox.look(post.folder, writable=True)
        if folder.uidvalidity != place.uidvalidity:
            return None
        if after.move is not None:
            mailbox.move(uids, after.move)
        elif after.keyword is not None:
            mailbox.mark(uids, after.keyword, folder)
    except MailboxUnavailable as error:
        if error.found == CUT:
            raise
        what = "moved" if after.move else "marked"
        named = ", ".join(map(str, uids[:10])) + (f" and {len(uids) - 10} more" if len(uids) > 10 else "")
        return f"Mail {named} could not be {what}: {error}"
    crash.point("after_move")
    mail_log.chores_done(database, place, uids)
    return None
