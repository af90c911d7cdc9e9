"""A request as it is stored: its key, its body without secrets, and how it came."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sluice.api.door import Door
from sluice.api.vouching import Voucher, form_of, header
from sluice.form_rules import Form, listed
from sluice.sources.forms.adapters import identified
from sluice.sources.forms.bodies import decoded
from sluice.sources.forms.redaction import REMOVED, redacted
from sluice.sources.forms.requests import Posted
from sluice.store.arrivals import Posting

LARGE = 64 << 10
"""Bytes from which a body is read beside the other requests, not before them."""

_KEPT = (
    "content-encoding",
    "idempotency-key",
    "origin",
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
    "x-request-id",
)
"""Headers that are stored; others may hold a secret that we do not know."""

_SECRET_PARAMETERS = {"key", "hub.verify_token"}
_LONGEST = 1_000


async def of_hook(door: Door, source: str, arrived: Posted, voucher: Voucher) -> Posting:
    """What is posted to a source's own address."""
    form = form_of(door, source)
    if len(arrived.body) > LARGE:
        key, fingerprint = await asyncio.to_thread(_identity, arrived, form)
        body = await asyncio.to_thread(_without_secrets, arrived, form, voucher)
    else:
        key, fingerprint = _identity(arrived, form)
        body = _without_secrets(arrived, form, voucher)
    return Posting(
        source=source,
        key=key,
        kind="form",
        name=f"POST /hooks/{source}",
        fingerprint=fingerprint,
        body=body,
        envelope=_envelope(arrived, form, voucher),
        config_id=door.rules.config_id,
        occurred_at=datetime.now(UTC),
    )


def of_api(door: Door, source: str, arrived: Posted, voucher: Voucher) -> Posting:
    """What is posted to `/v1/leads`; with an `Idempotency-Key` another body under it is refused."""
    fingerprint = hashlib.sha256(arrived.body).digest()
    given = header(arrived.headers, "idempotency-key")
    return Posting(
        source=source,
        key=f"idempotency:{given}" if given else f"content:{fingerprint.hex()}",
        kind="api",
        name="POST /v1/leads",
        fingerprint=fingerprint,
        body=arrived.body,
        envelope=_envelope(arrived, None, voucher),
        config_id=door.rules.config_id,
        occurred_at=datetime.now(UTC),
        is_exclusive=bool(given),
    )


def _identity(arrived: Posted, form: Form | None) -> tuple[str, bytes]:
    """Key and fingerprint: the provider's id where it gives one, else the content."""
    if form is not None:
        with contextlib.suppress(Exception):  # whatever it is made of, it is stored; who works it keeps the reason
            found = identified(decoded(arrived.body, arrived.content_type).value, arrived, form)
            return _plain(found.key), bytes.fromhex(found.fingerprint)
    digest = hashlib.sha256(arrived.body).digest()
    return f"content:{digest.hex()}", digest


def _without_secrets(arrived: Posted, form: Form | None, voucher: Voucher) -> bytes:
    if voucher.key is not None:
        body = arrived.body
        for secret in voucher.secrets:
            body = body.replace(secret, REMOVED)
        return body
    return redacted(arrived, form.signature, voucher.secrets) if form else arrived.body


def _envelope(arrived: Posted, form: Form | None, voucher: Voucher) -> Mapping[str, Any]:
    """How it came: enough to read it again, and to answer who sent it."""
    named = {path.removeprefix("header:") for path in listed(form.id) if path.startswith("header:")} if form else set()
    secret = {*_SECRET_PARAMETERS, *([form.signature.parameter] if form and form.signature.parameter else ())}
    return {
        "content_type": _plain(arrived.content_type)[:_LONGEST],
        "headers": {
            name: [_plain(value)[:_LONGEST] for value in arrived.headers[name]]
            for name in (*_KEPT, *sorted(named))
            if name in arrived.headers
        },
        "query": {
            _plain(name): [_plain(value)[:_LONGEST] for value in values]
            for name, values in arrived.query.items()
            if name not in secret
        },
        "address": arrived.address,
        "vouched_by": voucher.by,
    }


def _plain(text: str) -> str:
    """The text without what Postgres refuses: NUL and halves of surrogate pairs."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
