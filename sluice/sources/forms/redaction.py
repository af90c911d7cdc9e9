"""A body as it may be stored: without the secret that some providers write into it, all else byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from urllib.parse import quote, quote_plus, unquote_to_bytes

from sluice.form_rules import Signature
from sluice.sources.forms.requests import Posted

REMOVED = b"[removed]"

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # an unclosed one counts to the end, for linear time
_FORM_VALUE = re.compile(rb"(?<==)[^&\s\"]+")
_IN_THE_BODY = ("body_key", "query_key", "bearer")
_SHORTEST = 8


def redacted(posted: Posted, rules: Signature, secrets: Sequence[bytes]) -> bytes:
    """The body with `[removed]` where a secret stood; nothing is serialised anew.

    A value that is the secret goes, however it is escaped; a secret of eight or more characters goes inside longer
    texts, too (Jotform repeats the webhook's URL).
    """
    usable = [secret for secret in secrets if secret]
    body = posted.body
    if rules.scheme not in _IN_THE_BODY or not usable:
        return body
    body = _STRING.sub(lambda found: b'"' + REMOVED + b'"' if _said(found[0]) in usable else found[0], body)
    body = _FORM_VALUE.sub(
        lambda found: REMOVED if unquote_to_bytes(found[0].replace(b"+", b" ")) in usable else found[0], body
    )
    for secret in usable:
        for written in _writings(secret) if len(secret) >= _SHORTEST else ():
            body = body.replace(written, REMOVED)
    return body


def _said(string: bytes) -> bytes:
    if b"\\" not in string:
        return string[1:-1]
    try:
        return str(json.loads(string, strict=False)).encode("utf-8", "replace")
    except ValueError:
        return string[1:-1]


def _writings(secret: bytes) -> set[bytes]:
    """A secret as it may stand in JSON, in a URL and in JSON inside a URL."""
    text = secret.decode("utf-8", "replace")
    plain = {secret, json.dumps(text)[1:-1].encode(), json.dumps(text)[1:-1].replace("/", "\\/").encode()}
    urls = {
        coded(each, safe="").encode()
        for each in {text, *(one.decode() for one in plain - {secret})}
        for coded in (quote, quote_plus)
    }
    lower = {re.sub(rb"%[0-9A-F]{2}", lambda found: found[0].lower(), url) for url in urls}
    return plain | urls | lower
