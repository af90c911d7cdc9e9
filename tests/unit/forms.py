"""Posted forms for tests: the shipped declarations, requests as providers sign them, and invented bodies of each."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook

from sluice.form_rules import Form, Signature
from sluice.sources.forms.adapters import submissions
from sluice.sources.forms.bodies import decoded
from sluice.sources.forms.refusal import Unauthenticated
from sluice.sources.forms.requests import Posted
from sluice.sources.forms.signatures import verify
from sluice.strict_yaml import parse
from sluice.submissions import Submission

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "config" / "sources"
BODIES = ROOT / "tests" / "data" / "forms"
SOURCES = (
    "typeform", "tally", "jotform", "webflow", "meta-lead-ads", "google-ads", "unbounce", "contact-form-7",
    "website-form",
)  # fmt: skip
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
SECRET = "made-up-secret-0123456789abcdef"
WHSEC = "whsec_" + base64.b64encode(b"a made-up key of 32 bytes length").decode()
STANDARD = Signature(scheme="standard_webhooks", secret="s")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@cache
def declaration(name: str) -> dict[str, Any]:
    """A shipped source, as its file says it."""
    return parse(f"{name}.yml", (FOLDER / f"{name}.yml").read_text("utf-8")).data


@cache
def form(name: str) -> Form:
    """The `form:` part of a shipped source."""
    return Form.model_validate(declaration(name)["form"])


def rules(**stated: Any) -> Form:
    """A form with a signature that does not matter."""
    return Form.model_validate({"signature": {"scheme": "bearer", "secret": "any"}, **stated})


def read(body: bytes, content_type: str, with_rules: Form) -> list[Submission]:
    """The way of a body from the wire to submissions."""
    return submissions(decoded(body, content_type).value, with_rules)


def posted(body: bytes, query: Mapping[str, str] | None = None, **headers: str) -> Posted:
    """A request; `content_type` is the header Content-Type."""
    return Posted(
        body,
        {name.replace("_", "-"): (value,) for name, value in headers.items()},
        {name: (value,) for name, value in (query or {}).items()},
    )


def multipart(fields: Mapping[str, str | bytes], boundary: str = "----made-up") -> tuple[bytes, str]:
    """A multipart form and its Content-Type."""
    body = b""
    for name, value in fields.items():
        content = value.encode() if isinstance(value, str) else value
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def digest(message: bytes, encoding: str, secret: str = SECRET) -> str:
    """An HMAC as a provider computes it."""
    raw = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    return raw.hex() if encoding == "hex" else base64.b64encode(raw).decode()


def signed(source: str, body: bytes, secret: str = SECRET, at: int = SECONDS) -> Posted:
    """A body as the provider of a shipped source sends it, with its proof; written from the providers' pages."""
    match source:
        case "typeform":
            return posted(body, typeform_signature="sha256=" + digest(body, "base64", secret))
        case "tally":
            return posted(body, tally_signature=digest(body, "base64", secret))
        case "webflow":
            time = str(at * 1000)
            signature = digest(f"{time}:".encode() + body, "hex", secret)
            return posted(body, x_webflow_signature=signature, x_webflow_timestamp=time)
        case "meta-lead-ads":
            return posted(body, x_hub_signature_256="sha256=" + digest(body, "hex", secret))
        case "google-ads":
            return posted(body.replace(b"KEY", secret.encode()), content_type=JSON)
        case "jotform":
            return posted(body, {"key": secret})
        case "unbounce":
            return posted(body, x_sluice_key=secret)
        case _:
            return posted(body, authorization=f"Bearer {secret}")


def standard(body: bytes, at: int = SECONDS, **headers: str) -> Posted:
    """A body as Standard Webhooks sends it, signed by the library."""
    signature = Webhook(WHSEC).sign("msg_1", datetime.fromtimestamp(at, UTC), body.decode())
    said = {"webhook_id": "msg_1", "webhook_timestamp": str(at), "webhook_signature": signature}
    return posted(body, **{**said, **headers})


def refusal(sent: Posted, rules: Signature, *secrets: str | bytes, now: datetime = NOW) -> str | None:
    """The code with which a request is refused, or None."""
    keys = [secret.encode() if isinstance(secret, str) else secret for secret in secrets or (SECRET,)]
    try:
        verify(sent, rules, keys, now)
    except Unauthenticated as error:
        assert not any(len(key) > 8 and key.decode("latin-1") in str(error) for key in keys)
        return error.code
    return None


def invented(source: str) -> tuple[bytes, str]:
    """The invented body of a source and its Content-Type."""
    found = next(path for path in BODIES.iterdir() if path.stem == source)
    if source == "jotform":
        return multipart(json.loads(found.read_text("utf-8")))
    return found.read_bytes().strip(), JSON if found.suffix == ".json" else FORM
