"""Leads of providers that announce only an id (Meta): fetched from the provider, patiently.

What was announced is an arrival from the start, so that it is seen while it waits. A lead is asked for again and again,
for days; a token that has expired is an alarm and no loss.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote

import httpx

from sluice.errors import ConfigError, DatabaseUnavailable
from sluice.form_rules import Fetch
from sluice.intake import Office, kept_rules
from sluice.keyring import Keyring
from sluice.profiles import Profile, load_sources
from sluice.rules import SourceRules
from sluice.store import fetches, inbox
from sluice.store.fetches import Due

PAUSES = (10, 60, 120, 300, 600, 1_800, 3_600)
"""Seconds until a lead is asked for again, by how often it was; the last one stays."""

FOR_PERSON = 900
"""Seconds until it is asked for again when only a person can mend what is wrong, such as a token that expired."""

GIVE_UP = timedelta(days=7)
"""How long a lead is asked for that the provider does not give; Meta itself keeps leads for 90 days."""

GIVE_UP_PERSON = timedelta(days=80)
"""How long, while it waits for a person: what only waits for that must not be lost."""

SECONDS = 10.0
"""For one answer."""

BYTES = 1 << 20
"""Of an answer at most."""

LOOK = 1.0
"""Seconds between two looks at what is due."""

FAREWELL = 0.5
"""Seconds that a request gets to end when the inbox is handed over; what it brings later is stored all the same."""

_EXPIRED = (401, 403)
_GRAPH_TOKEN = 190
"""Meta's code for a token that it does not take, sent with status 400."""


@dataclass(frozen=True)
class Setback:
    """Why a lead did not come this time.

    Attributes:
        seconds: until it is asked for again.
        needs_person: it will not pass by itself.
    """

    why: str
    seconds: float
    needs_person: bool = False


@dataclass
class Fetcher:
    """Fetches what was announced, by the sources and tokens as they are now: what is mended needs no restart.

    Attributes:
        troubles: source → what is wrong, in words; mended troubles are gone from it.
    """

    office: Office
    keyring: Keyring
    troubles: dict[str, str] = field(default_factory=dict[str, str])
    _declared: Mapping[str, SourceRules] = field(default_factory=dict[str, SourceRules])
    _kept: dict[int, Profile] = field(default_factory=dict[int, Profile])

    def fetch_due(self, is_over: Callable[[], bool] = lambda: False) -> int:
        """Fetches what is due; says how many leads came.

        Args:
            is_over: asked between two leads. What comes when it is over is stored, and nothing else is noted: by then
                somebody else may be asking for the same lead.

        Raises:
            DatabaseUnavailable: the database stayed away.
        """
        came = 0
        while not is_over() and (found := fetches.due(self.office.database)):
            self._read_anew()
            with httpx.Client(timeout=SECONDS, follow_redirects=False) as client:
                for one in found:
                    if is_over():
                        break
                    came += self._fetch(client, one, is_over)
        return came

    def run(self, over: threading.Event) -> None:
        """Fetches what is due, now and then, until it is `over`."""
        while not over.wait(LOOK):
            try:
                self.fetch_due(over.is_set)
            except DatabaseUnavailable:
                over.wait(LOOK)

    def _read_anew(self) -> None:
        """The sources and tokens as their files are now; a source with a mistake leaves all of them as they were."""
        self.keyring.refresh()
        with suppress(ConfigError):
            self._declared = load_sources(self.office.settings.config)

    def _fetch(self, client: httpx.Client, one: Due, is_over: Callable[[], bool]) -> bool:
        said = self._ask(client, one)
        if isinstance(said, bytes):
            fetches.arrived(self.office.database, one.receipt_id, said)
        if not is_over():
            self._note(one, said)
        return isinstance(said, bytes)

    def _ask(self, client: httpx.Client, one: Due) -> bytes | Setback:
        """The lead, or why it did not come."""
        try:
            status, body, headers = _asked(client, self._rules(one), one.lead_id, self.keyring)
        except ConfigError as error:
            return Setback(str(error), FOR_PERSON, needs_person=True)
        except httpx.TimeoutException:
            return Setback(f"no answer within {SECONDS:g} s", _pause(one))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Setback(f"it could not be reached ({type(error).__name__})", _pause(one))
        if status == 200:
            return body
        if status in _EXPIRED or _is_token_refused(status, body):
            why = f"the provider does not take the token (status {status})"
            return Setback(why, FOR_PERSON, needs_person=True)
        return Setback(f"the provider answered {status}", max(_pause(one), _retry_after(headers)))

    def _rules(self, one: Due) -> Fetch:
        """How a lead is fetched: as its source says now, else as it did when the lead was announced.

        Raises:
            ConfigError: neither says it, or only to a newer Sluice.
        """
        if rules := _fetch_of(self._declared.get(one.source)):
            return rules
        if one.config_id not in self._kept:
            self._kept[one.config_id] = kept_rules(self.office, one.config_id)
        if rules := _fetch_of(self._kept[one.config_id].sources.get(one.source)):
            return rules
        raise ConfigError(f"source {one.source!r}", "it does not say how its leads are fetched", fix="Add a `fetch:`")

    def _note(self, one: Due, said: bytes | Setback) -> None:
        if isinstance(said, bytes):
            self.troubles.pop(one.source, None)
            return
        if said.needs_person:  # people are told, and the lead waits for them
            self.troubles[one.source] = f"{said.why}. Its leads wait, and are fetched when that is mended"
        limit = GIVE_UP_PERSON if said.needs_person else GIVE_UP
        if one.seconds < limit.total_seconds():
            fetches.later(self.office.database, one.receipt_id, said.seconds, said.why)
            return
        failure = {
            "found": f"the provider did not give the lead for {limit.days} days; the last time {said.why}",
            "allowed": "",
            "fix": "Look the lead up at the provider, and enter it with `sluice lead add`",
        }
        inbox.give_up(self.office.database, one.receipt_id, failure)
        self.troubles[one.source] = failure["found"]


@contextmanager
def beside(fetcher: Fetcher | None) -> Generator[None]:
    """Fetches in a thread of its own while the block works."""
    if fetcher is None:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=fetcher.run, args=(over,), name="fetcher", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(FAREWELL)


def _fetch_of(source: SourceRules | None) -> Fetch | None:
    return source.form.fetch if source is not None and source.form is not None else None


def _asked(client: httpx.Client, rules: Fetch, lead_id: str, keyring: Keyring) -> tuple[int, bytes, Mapping[str, str]]:
    """Status, body and headers of the provider's answer; the token stands in a header, never in a URL."""
    secret = keyring.secrets(rules.secret)[-1]
    if not secret.isascii():
        raise ConfigError(f"secret {rules.secret!r}", "it holds characters that no token has", fix="Write it anew")
    token = secret.decode("ascii")
    address = f"{rules.url.rstrip('/')}/{quote(lead_id, safe='')}"  # the id came from outside
    with client.stream("GET", address, params=rules.ask, headers={"Authorization": f"Bearer {token}"}) as answer:
        body = b""
        for part in answer.iter_bytes():
            body += part
            if len(body) > BYTES:
                raise httpx.DecodingError("longer than a lead can be")
        return answer.status_code, body, answer.headers


def _is_token_refused(status: int, body: bytes) -> bool:
    return status == 400 and f'"code":{_GRAPH_TOKEN}'.encode() in body.replace(b" ", b"")


def _pause(one: Due) -> float:
    return float(PAUSES[min(one.attempts, len(PAUSES) - 1)])


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the provider asks us to wait, at most an hour."""
    said = headers.get("retry-after", "")
    return min(float(said), 3_600.0) if said.isdecimal() else 0.0
