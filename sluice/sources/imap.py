"""A mailbox by IMAP: folders are looked at, mails are fetched, nothing is changed unless somebody asks for it.

Numbers of mails (UIDs) mean something only together with their folder's UIDVALIDITY. `UID n:*` gives the last mail even
if it is older than n, a server may give numbers twice, or not at all: what comes back is checked.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from sluice.errors import ConfigError
from sluice.mailbox_rules import PORTS, MailboxRules
from sluice.sources.imap_login import Login
from sluice.sources.imap_news import News
from sluice.sources.imap_refusals import MailboxUnavailable, no_folder, no_starttls, translated

TIMEOUTS = SocketTimeout(connect=15, read=60)
"""Seconds that a server has to be reached, and to say the next word."""

_HIGHEST = (1 << 32) - 1
_AT_ONCE = 50_000  # UIDs that one SEARCH asks for: imaplib takes answers of at most a million letters
_DAY = "%d-%b-%Y"  # of SEARCH; English months, as the C locale of a program has them
_SPARE = 1 << 16  # beyond a mail's bytes, what any other literal may have


@dataclass(frozen=True)
class Folder:
    r"""A folder as it is looked at.

    Attributes:
        uidnext: the number that the next mail will have at least; None if the server does not say.
        keywords: flags that may be set for good; `\*` stands for any.
    """

    name: str
    uidvalidity: int
    uidnext: int | None
    exists: int
    keywords: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Head:
    """A mail before it is fetched.

    Attributes:
        size: as the server says; not all count right.
        arrived: INTERNALDATE in UTC, if the server gives one that can be.
    """

    uid: int
    size: int
    arrived: datetime | None


class Mailbox:
    """A connection that is logged in.

    Every method raises MailboxUnavailable if the connection or the server does not do what it should.
    """

    def __init__(self, rules: MailboxRules, client: IMAPClient) -> None:
        self._rules, self._client, self._news = rules, client, News(client)
        self._uidnext: int | None = None
        self._is_behind = False
        with translated(rules.where):
            self.can_idle = bool(client.has_capability("IDLE"))
            self.can_move = bool(client.has_capability("MOVE"))

    def folders(self) -> list[str]:
        """The names of the folders that can hold mails."""
        with translated(self._rules.where):
            found: list[tuple[tuple[bytes, ...], bytes, Any]] = self._client.list_folders()
        return sorted(str(name) for flags, _, name in found if b"\\Noselect" not in flags)

    def look(self, name: str, *, writable: bool = False) -> Folder:
        """Turns to a folder, which it cannot change unless it is `writable`.

        Raises:
            MailboxUnavailable: there is no such folder; similar names are suggested.
        """
        where = f"{self._rules.where}, folder {name}"
        with translated(where):
            try:
                said: dict[bytes, Any] = self._client.select_folder(name, readonly=not writable)
            except IMAPClientAbortError:
                raise
            except IMAPClientError as error:
                if name.upper() != "INBOX" and name not in (there := self.folders()):
                    raise no_folder(where, name, there) from None
                raise error
        folder = Folder(
            name,
            int(said.get(b"UIDVALIDITY") or 0),
            int(said[b"UIDNEXT"]) if said.get(b"UIDNEXT") else None,
            int(said.get(b"EXISTS") or 0),
            tuple(said.get(b"PERMANENTFLAGS") or ()),
        )
        if not writable:
            self._uidnext = folder.uidnext
        self._is_behind = folder.uidnext != self._uidnext  # what came between two looks is told by neither
        return folder

    def last_uid(self, folder: Folder) -> int:
        """The number of the last mail that lies there; 0 if none does."""
        return max(self._search("UID *"), default=0) if folder.exists else 0

    def behind(
        self, uid: int, folder: Folder, until: int | None = None, since: datetime | None = None
    ) -> Iterator[list[int]]:
        """The numbers of the mails behind one, ascending, so many at a time.

        Args:
            uid: the last that is known.
            folder: the one that is looked at.
            until: the last that is asked for.
            since: roughly; those of a day before may be among them.
        """
        also = f" SINCE {since - timedelta(days=1):{_DAY}}" if since else ""
        high = until or _HIGHEST
        if folder.exists > _AT_ONCE:
            high = min(high, self.last_uid(folder))
        step = _HIGHEST if folder.exists <= _AT_ONCE else _AT_ONCE
        for low in range(uid + 1, high + 1, step):
            last = min(low + step - 1, high)
            found = self._search(f"UID {low}:{'*' if last == _HIGHEST else last}{also}")
            yield sorted({one for one in found if low <= one <= last})

    def _search(self, criteria: str) -> list[int]:
        with translated(self._rules.where):
            return [int(uid) for uid in self._client.search(criteria)]

    def heads(self, uids: Sequence[int]) -> list[Head]:
        """Size and arrival of mails, ascending; those that have gone meanwhile are missing.

        Of a mail that the server stumbles over, neither is known.
        """
        with translated(self._rules.where):
            try:
                found: dict[int, Any] = self._client.fetch(uids, ["RFC822.SIZE", "INTERNALDATE"])
            except IMAPClientAbortError:
                raise
            except (IMAPClientError, ValueError):  # it refuses one of them; or a date is none
                if len(uids) == 1:
                    return [Head(uids[0], 0, None)]
                return [head for uid in uids for head in self.heads([uid])]
        return [
            Head(uid, max(int(said.get(b"RFC822.SIZE") or 0), 0), _utc(said.get(b"INTERNALDATE")))
            for uid, said in sorted(found.items())
        ]

    def bodies(self, uids: Sequence[int], most: int) -> dict[int, bytes | None]:
        """The bytes of mails, each at most `most` + 1; None for one that lies there and is not given out.

        Those that have gone meanwhile are missing.
        """
        found: dict[int, bytes | None] = dict(self._fetched(uids, most))
        if gone := [uid for uid in uids if uid not in found]:
            still = set(self._search(f"UID {','.join(map(str, gone))}"))
            for uid in gone:
                if uid in still:
                    found[uid] = self._fetched([uid], most).get(uid)
        return found

    def _fetched(self, uids: Sequence[int], most: int) -> dict[int, bytes]:
        with translated(self._rules.where):
            try:  # always in part: a server that counts wrong sends no more than this
                said: dict[int, Any] = self._client.fetch(uids, [f"BODY.PEEK[]<0.{most + 1}>"])
            except IMAPClientAbortError:
                raise
            except IMAPClientError:  # it refuses one of them, or all
                return {}
        bodies: dict[int, bytes] = {}
        for uid, parts in said.items():
            body = next((part for name, part in parts.items() if name.startswith(b"BODY[]")), None)
            if isinstance(body, bytes):
                bodies[uid] = body[: most + 1]
        return bodies

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Moves mails of the folder that is writable; those that have gone are no error."""
        if not self.can_move:
            found = "the server cannot move mails (MOVE, RFC 6851)"
            raise MailboxUnavailable(self._rules.where, found, fix="Use after: {keyword: …} instead", needs_person=True)
        where = f"{self._rules.where}, moving to {folder}"
        with translated(where):
            try:
                self._client.move(uids, folder)
            except IMAPClientAbortError:
                raise
            except IMAPClientError as error:
                there = self.folders()
                raise (no_folder(where, folder, there) if folder not in there else error) from None

    def mark(self, uids: Sequence[int], keyword: str, folder: Folder) -> None:
        """Sets a keyword on mails of the folder that is writable; those that have gone are no error."""
        if folder.keywords and not {b"\\*", keyword.encode()} & set(folder.keywords):
            found = f"the folder {folder.name} takes no keywords of ours"
            raise MailboxUnavailable(self._rules.where, found, fix="Use after: {move: …} instead", needs_person=True)
        with translated(self._rules.where):
            self._client.add_flags(uids, [keyword], silent=True)

    def wait(self, seconds: float, is_over: Callable[[], bool]) -> None:
        """Returns when something has come since the folder was looked at, after `seconds`, or when it `is_over`."""
        if not self._is_behind:
            with translated(self._rules.where):
                self._news.wait(seconds, is_over, idle=self.can_idle)


@contextmanager
def connected(rules: MailboxRules, login: Login) -> Generator[Mailbox]:
    """A connection to the account, closed at the end.

    Raises:
        MailboxUnavailable: there is no way to it, or the server does not let us in.
        ConfigError: a secret or `ca_file` cannot be read.
    """
    context = _context(rules)
    with translated(rules.where):
        client = IMAPClient(
            rules.host,
            rules.port or PORTS[rules.security],
            ssl=rules.security == "tls",
            ssl_context=context,
            timeout=TIMEOUTS,  # pyright: ignore[reportArgumentType] -- it takes both, its annotation forgot one
        )
    try:
        with translated(rules.where):
            _tame(client, rules.max_bytes + _SPARE)
            if rules.security == "starttls":
                if not client.has_capability("STARTTLS"):
                    raise no_starttls(rules.where)
                client.starttls(context)
        login.log_in(client)
        client.normalise_times = False
        yield Mailbox(rules, client)
        with contextlib.suppress(Exception):
            client.logout()
    finally:
        with contextlib.suppress(Exception):
            client.shutdown()


def _tame(client: IMAPClient, most: int) -> None:
    """Keeps imaplib from spelling all answers out for a log, and what one literal can take of memory."""
    raw = client._imap  # pyright: ignore[reportPrivateUsage]
    raw.debug = 0
    whole: Callable[[int], bytes] = raw.read

    def read(size: int) -> bytes:
        kept, left = whole(min(size, most)), size - most
        while left > 0:
            part = whole(min(left, 1 << 16))
            if not part:
                break
            left -= len(part)
        return kept

    raw.read = read


def _context(rules: MailboxRules) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if rules.ca_file is not None:
        try:
            context.load_verify_locations(rules.ca_file)
        except OSError as error:  # also ssl.SSLError
            found = f"it cannot be read ({error.strerror or 'it holds no certificate'})"
            raise ConfigError(str(rules.ca_file), found, "certificates in PEM", "Correct ca_file") from None
    return context


def _utc(said: Any) -> datetime | None:
    """Aware, and far enough from the ends of time to be reckoned with."""
    if not isinstance(said, datetime) or not 1970 < said.year < 9_000:
        return None
    return (said - (said.utcoffset() or timedelta())).replace(tzinfo=UTC)
