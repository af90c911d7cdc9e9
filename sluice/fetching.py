"""Leads of providers that announce only an id (Meta): fetched from the provider, patiently.

What was announced is an arrival from the start, so that it is seen while it waits. A lead is asked for again and again,
for days; a token that has expired is an alarm and no loss.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote

import httpx

from sluice.errors import ConfigError, DatabaseUnavailable
from sluice.form_rules import Fetch
from sluice.intake import Office
from sluice.keyring import Keyring
from sluice.store import fetches, inbox
from sluice.store.fetches import Due

PAUSES = (10, 60, 120, 300, 600, 1_800, 3_600)
"""Seconds until a lead is asked for again, by how often it was; the last one stays."""

NO_TOKEN = 900
"""Seconds until it is asked for again when the provider does not take our token: only a person can mend that."""

GIVE_UP = timedelta(days=7)
"""How long a lead is asked for that the provider does not give; Meta itself keeps leads for 90 days."""

GIVE_UP_TOKEN = timedelta(days=80)
"""How long, while the token is refused: what only waits for a person must not be lost."""

SECONDS = 10.0
"""For one answer."""

BYTES = 1 << 20
"""Of an answer at most."""

LOOK = 1.0
"""Seconds between two looks at what is due."""

_EXPIRED = (401, 403)
_GRAPH_TOKEN = 190
"""Meta's code for a token that it does not take, sent with status 400."""


@dataclass
class Fetcher:
    """Fetches what was announced.

    Attributes:
        troubles: source → what is wrong, in words; mended troubles are gone from it.
    """

    office: Office
    keyring: Keyring
    troubles: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def is_needed(self) -> bool:
        """Whether any source announces leads."""
        return any(source.form and source.form.fetch for source in self.office.sources.values())

    def fetch_due(self) -> int:
        """Fetches what is due; says how many leads came.

        Raises:
            DatabaseUnavailable: the database stayed away.
        """
        came = 0
        with httpx.Client(timeout=SECONDS, follow_redirects=False) as client:
            while found := fetches.due(self.office.database):
                came += sum(self._fetch(client, one) for one in found)
        return came

    def run(self, is_over: threading.Event) -> None:
        """Fetches what is due, now and then, until `is_over`."""
        while not is_over.wait(LOOK):
            try:
                self.fetch_due()
            except DatabaseUnavailable:
                is_over.wait(LOOK)

    def _fetch(self, client: httpx.Client, one: Due) -> bool:
        database, source = self.office.database, self.office.sources.get(one.source)
        if source is None or source.form is None or source.form.fetch is None:
            self._wait(one, NO_TOKEN, "the source is no longer declared with a `fetch:`")
            return False
        try:
            answer = _asked(client, source.form.fetch, one.lead_id, self.keyring)
        except ConfigError as error:
            self._refused(one, str(error))
            return False
        except httpx.TimeoutException:
            self._wait(one, _pause(one), f"no answer within {SECONDS:g} s")
            return False
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._wait(one, _pause(one), f"it could not be reached ({type(error).__name__})")
            return False
        status, body, headers = answer
        if status == 200:
            fetches.arrived(database, one.receipt_id, body)
            self.troubles.pop(one.source, None)
            return True
        if status in _EXPIRED or _is_token_refused(status, body):
            self._refused(one, f"the provider does not take the token (status {status})")
        else:
            self._wait(one, max(_pause(one), _retry_after(headers)), f"the provider answered {status}")
        return False

    def _refused(self, one: Due, why: str) -> None:
        """The token is refused: people are told, and the lead waits for them."""
        self.troubles[one.source] = f"{why}. Its leads wait and are fetched when the token is renewed"
        self._wait(one, NO_TOKEN, why, GIVE_UP_TOKEN)

    def _wait(self, one: Due, seconds: float, why: str, limit: timedelta = GIVE_UP) -> None:
        if one.seconds < limit.total_seconds():
            fetches.later(self.office.database, one.receipt_id, seconds, why)
            return
        failure = {
            "found": f"the provider did not give the lead for {limit.days} days; the last time {why}",
            "allowed": "",
            "fix": "Look the lead up at the provider, and enter it with `sluice lead add`",
        }
        inbox.give_up(self.office.database, one.receipt_id, failure)
        self.troubles[one.source] = failure["found"]


@contextmanager
def beside(fetcher: Fetcher | None) -> Generator[None]:
    """Fetches in a thread of its own while the block works, if there is anything that could be announced."""
    if fetcher is None or not fetcher.is_needed:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=fetcher.run, args=(over,), name="fetcher", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(2 * SECONDS)


def _asked(client: httpx.Client, rules: Fetch, lead_id: str, keyring: Keyring) -> tuple[int, bytes, Mapping[str, str]]:
    """Status, body and headers of the provider's answer; the token stands in a header, never in a URL."""
    token = keyring.secrets(rules.secret)[-1].decode("latin-1")
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
