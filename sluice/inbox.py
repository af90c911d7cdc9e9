"""The inbox: what forms, API and mailboxes have left is worked in bundles, by one process at a time.

    waiting receipts ─► bundles of one source and one version of the rules ─► submissions ─► rows
                     ─► normalize ─► validate ─► dedupe ─► score ─► route ─► load: one transaction a bundle

From the rows on it is the way of a file, with the same functions (`sluice.pipeline`).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby

from sqlalchemy import Connection

from sluice import crash, pipeline
from sluice.batch import Batch
from sluice.bucket_rules import ATTACHMENTS
from sluice.errors import BrokenPromise, ConfigError, DatabaseUnavailable
from sluice.intake import Office, kept_rules
from sluice.normalization.emails import email_key, read_email
from sluice.pipeline import Matter
from sluice.profiles import Profile
from sluice.provenance import Provenance
from sluice.rules import SourceRules
from sluice.sources import stored
from sluice.sources.columns import arrange
from sluice.sources.forms.adapters import Announced
from sluice.sources.forms.refusal import UnreadableBody
from sluice.sources.sheets import Sheet, batch_of
from sluice.sources.stored import Body
from sluice.store import fetches, inbox
from sluice.store.fetches import Announcement
from sluice.store.inbox import Settled, Waiting
from sluice.store.patience import patient
from sluice.store.queries import execute

ATTEMPTS = 3
"""How often a receipt is begun: with many others, then with few, then alone, so that it holds up nobody but itself."""

FEW = 10
"""Receipts that were begun once and not finished are worked together again, but not more than these."""

PAUSES = (30.0, 120.0)
"""Seconds until the second and the third attempt."""

_UNKNOWN_RULES = 60.0
"""Seconds until a receipt is looked at again whose rules only a newer Sluice can read."""

REMEMBERED = 50_000
"""Receipts that a holder can tell about: more than a window works, and a stand-in may stay for months."""


@dataclass(frozen=True)
class Letter:
    """A receipt whose body was read.

    Attributes:
        announced: leads that are still to be fetched.
    """

    waiting: Waiting
    sheet: Sheet
    announced: Sequence[Announced] = ()

    @property
    def settled(self) -> Settled:
        """What the receipt keeps."""
        sheet = self.sheet
        return Settled(self.waiting.receipt_id, len(sheet.submissions), sheet.header, sheet.survey())


@dataclass
class Inbox:
    """One holder's work.

    Args:
        office: the database, and the rules in force.
        told: called after each bundle, with how many receipts were settled.

    Attributes:
        settled: how many receipts were.
        worked: numbers of the last receipts whose rows are in.
        quarantined: of the last that could not be read, or were begun too often.
    """

    office: Office
    told: Callable[[int], None] = lambda many: None
    settled: int = 0
    worked: deque[int] = field(default_factory=lambda: deque[int](maxlen=REMEMBERED))
    quarantined: deque[int] = field(default_factory=lambda: deque[int](maxlen=REMEMBERED))
    _profiles: dict[int, Profile] = field(default_factory=dict[int, Profile])
    _in_vain: list[int] = field(default_factory=list[int])
    _cut_off: Counter[int] = field(default_factory=Counter[int])

    def drain(self, leave: Callable[[], bool]) -> int:
        """Works what waits until nothing is left, or until `leave`; says how many receipts were settled.

        Raises:
            DatabaseUnavailable: the database stayed away; what is committed stays.
            ConfigError: the suppression list cannot be read; nobody is let in on a guess.
        """
        before = self.settled
        self._put_back()
        while not leave() and (found := inbox.waiting(self.office.database)):
            for bundle in bundles(found):
                if leave():
                    break
                self._begin(bundle)
        return self.settled - before

    def _begin(self, bundle: Sequence[Waiting]) -> None:
        if bundle[0].attempts >= ATTEMPTS:  # as often as all the others in it
            for one in bundle:
                self._quarantine(one, _begun_too_often("each time its worker died"))
        else:
            inbox.begin(self.office.database, [one.receipt_id for one in bundle], PAUSES)
            crash.point("begun")
            try:
                self._attempt(bundle)
            except ConfigError:  # it was no fault of theirs
                self._in_vain += [one.receipt_id for one in bundle]
                self._put_back()
                raise
            except DatabaseUnavailable:  # nor this; unless it is one of them that ends its session, again and again
                self._cut_off.update(one.receipt_id for one in bundle)
                self._in_vain += [one.receipt_id for one in bundle if self._cut_off[one.receipt_id] < ATTEMPTS]
                raise
        self.told(self.settled)

    def _put_back(self) -> None:
        """Takes the attempts back that could not be made; of those whose database was away as soon as it is there."""
        if self._in_vain:
            inbox.put_back(self.office.database, self._in_vain)
            self._in_vain.clear()

    def _attempt(self, bundle: Sequence[Waiting]) -> None:
        """Works a bundle; if that fails, its halves, down to the receipt that is to blame."""
        try:
            self._work(bundle)
        except (DatabaseUnavailable, ConfigError):
            raise
        except Exception as error:
            if len(bundle) > 1:
                middle = len(bundle) // 2
                self._attempt(bundle[:middle])
                self._attempt(bundle[middle:])
                return
            (one,) = bundle
            if one.attempts + 1 >= ATTEMPTS:
                self._quarantine(one, _begun_too_often(f"the last time with {type(error).__name__}"))
            else:
                why = f"{type(error).__name__} in attempt {one.attempts + 1}"
                inbox.try_later(self.office.database, one.receipt_id, PAUSES[one.attempts], why)

    def _work(self, bundle: Sequence[Waiting]) -> None:
        name, version = bundle[0].source, bundle[0].config_id
        try:
            profile = self._rules(version)
        except ConfigError as error:
            for one in bundle:
                inbox.try_later(self.office.database, one.receipt_id, _UNKNOWN_RULES, str(error))
            return
        source = profile.sources.get(name)
        if source is None:
            for one in bundle:
                self._quarantine(one, _undeclared(name))
            return
        letters = list(self._read(bundle, source, profile))
        while letters:
            batch = batch_of(letter.sheet for letter in letters)
            many, as_of = len(batch), max(letter.waiting.received_at for letter in letters)
            batch = pipeline.cleaned(batch, profile, source, as_of)
            if len(batch) != many:
                raise BrokenPromise(f"{many} submissions became {len(batch)} rows")
            letters = self._land((batch, letters), source, profile)

    def _rules(self, version: int) -> Profile:
        if version not in self._profiles:
            self._profiles[version] = kept_rules(self.office, version)
        return self._profiles[version]

    def _read(self, bundle: Sequence[Waiting], source: SourceRules, profile: Profile) -> Iterator[Letter]:
        fields = profile.fields.enabled()
        columns = cache(lambda header: arrange(header, source, fields))  # a form sends the same header again and again
        for one in bundle:
            try:
                found = stored.opened(self._body(one), source, profile)
            except (UnreadableBody, ConfigError) as error:
                self._quarantine(one, {"found": error.found, "allowed": error.allowed, "fix": error.fix})
            else:
                sheet = Sheet.of(found.submissions, columns, is_mail=one.kind == "mailbox")
                self._hand_over(one, source, found.tables)
                yield Letter(one, sheet, found.announced)

    def _body(self, one: Waiting) -> Body:
        return Body(one.kind, one.body, one.envelope, lambda asked: inbox.sent(self.office.database, asked))

    def _hand_over(self, one: Waiting, source: SourceRules, tables: Mapping[str, bytes]) -> None:
        """Lays files of leads into the inbox of a bucket; done twice, the second is known by its content."""
        for name, content in tables.items():
            folder = self.office.settings.home / ATTACHMENTS / "inbox" / (source.attachments or "")
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            unfinished = folder / f".{one.receipt_id}-{name}.tmp"
            unfinished.write_bytes(content)
            unfinished.replace(folder / f"{one.receipt_id}-{name}")

    @patient
    def _land(
        self, prepared: tuple[Batch, Sequence[Letter]], source: SourceRules, profile: Profile
    ) -> Sequence[Letter]:
        """Loads a bundle whole; if others have settled some of it meanwhile, nothing, and says what is left."""
        batch, letters = prepared
        receipts = [(one.waiting.receipt_id, len(one.sheet.submissions), one.waiting.occurred_at) for one in letters]
        database, many = self.office.database, [number for number, _, _ in receipts]
        with database.transaction() as connection:
            execute(connection, "slice_lock")
            still, now = inbox.still_open(connection, many)
            if len(still) < len(many):
                return [one for one in letters if one.waiting.receipt_id in still]
            fields = {name for one in letters for _, name in one.sheet.columns.mapping}
            attributes = pipeline.attributes_of(fields, source, profile)
            version = letters[0].waiting.config_id
            matter = Matter(Provenance.of_many(receipts), source, profile, version, attributes, database.guard)
            pipeline.decide_and_load(connection, matter, batch, now)
            _announce(connection, letters)
            inbox.opt_out(connection, _wishes(letters, profile))
            inbox.settle(connection, [one.settled for one in letters])
            crash.point("before_commit")
        crash.point("after_commit")
        self.worked += many
        self.settled += len(many)
        return []

    def _quarantine(self, one: Waiting, failure: dict[str, str]) -> None:
        inbox.give_up(self.office.database, one.receipt_id, failure)
        self.quarantined.append(one.receipt_id)
        self.settled += 1


def bundles(found: Sequence[Waiting]) -> list[list[Waiting]]:
    """Receipts of one source and one version of the rules go together; the more often begun, the fewer."""

    def kind(one: Waiting) -> tuple[int, str, int]:
        return (one.attempts, one.source, one.config_id)

    made: list[list[Waiting]] = []
    for (attempts, *_), group in groupby(sorted(found, key=kind), kind):
        alike = list(group)
        most = (len(alike), FEW, 1)[min(attempts, 2)]
        made += [alike[at : at + most] for at in range(0, len(alike), most)]
    return made


def _announce(connection: Connection, letters: Sequence[Letter]) -> None:
    for one in letters:
        if one.announced:
            by = one.waiting
            named = [(lead.lead_id, lead.kept) for lead in one.announced]
            announcement = Announcement(by.receipt_id, by.source, by.config_id, by.occurred_at)
            fetches.announce(connection, announcement, named)


def _wishes(letters: Sequence[Letter], profile: Profile) -> list[tuple[str, int, int]]:
    """Who asked by mail not to be written to: key of the address, receipt, row."""
    reading, found = profile.normalization.email, list[tuple[str, int, int]]()
    for one in letters:
        for row, submission in enumerate(one.sheet.submissions, start=1):
            is_wish = submission.aside is not None and submission.aside[0] == "unsubscribe"
            address = read_email(submission.cells.get("from_email", ""), reading).value if is_wish else None
            if address is not None:
                found.append((f"mail:{email_key(str(address), reading)}", one.waiting.receipt_id, row))
    return found


def _begun_too_often(how: str) -> dict[str, str]:
    return {
        "found": f"it was begun {ATTEMPTS} times and not finished, {how}",
        "allowed": "",
        "fix": "Its bytes are kept. When the cause is mended, let it in again with `sluice quarantine release`",
    }


def _undeclared(name: str) -> dict[str, str]:
    return {
        "found": f"there is no source {name!r}",
        "allowed": "a source of config/sources/",
        "fix": "Declare it, then let the receipt in again with `sluice quarantine release`",
    }
