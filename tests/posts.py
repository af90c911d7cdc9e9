"""Postings as the doors store them, for tests of the inbox."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sluice.inbox import Inbox
from sluice.profiles import from_content
from sluice.store.arrivals import Posting, Session
from sluice.store.receipts import remember_config
from sluice.windows import drain
from tests.desk import LONG_AGO, Desk


@dataclass
class Posts:
    """What came in by post at a desk."""

    desk: Desk
    stored: list[int] = field(default_factory=list[int])

    def post(self, body: Any, source: str = "api", *, kind: str = "api", key: str = "", **envelope: Any) -> int:
        """Stores a body, JSON unless it is bytes; the number of its receipt."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        digest = hashlib.sha256(raw)
        with self.desk.database.transaction() as connection:
            config_id = remember_config(connection, self.desk.office.profile)
        posting = Posting(
            source=source,
            key=key or f"content:{digest.hexdigest()}",
            kind=kind,
            name=f"POST to {source}",
            fingerprint=digest.digest(),
            body=raw,
            envelope={"content_type": "application/json", **envelope},
            config_id=config_id,
            occurred_at=datetime.fromtimestamp(LONG_AGO, UTC) + timedelta(hours=len(self.stored)),
        )
        session = Session(self.desk.database)
        (found,) = session.store([posting])
        session.close()
        self.stored.append(found.receipt_id)
        return found.receipt_id

    def work(self) -> Inbox:
        """Works all that waits; the holder that did it."""
        inbox = Inbox(self.desk.office)
        assert drain(self.desk.office, inbox)
        return inbox

    def state(self, receipt_id: int) -> str:
        """Where a receipt stands."""
        return str(self.desk.ask(f"select state from receipts where receipt_id = {receipt_id}")[0])


def person(number: int, **said: Any) -> dict[str, Any]:
    """An enquiry of somebody else for each number."""
    return {
        "full_name": f"Rosa Lindqvist {number}",
        "email": f"rosa.lindqvist{number}@nordlicht{number}.example",
        "company": f"Nordlicht {number} Energi AB",
        "country": "Sweden",
        **said,
    }


def with_sources(desk: Desk, **texts: str) -> Desk:
    """The same desk with further sources declared, by their YAML."""
    content = {**desk.office.profile.content, **{f"sources/{name}.yml": text for name, text in texts.items()}}
    profile = from_content(content, "standard")
    return replace(desk, office=replace(desk.office, profile=profile, sources=profile.sources))
