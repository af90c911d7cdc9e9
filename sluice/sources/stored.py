"""A stored body as submissions, whichever door it came by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sluice.form_rules import Form, Signature
from sluice.profiles import Profile
from sluice.rules import SourceRules
from sluice.sources.forms import adapters
from sluice.sources.forms.bodies import decoded
from sluice.submissions import Submission

PLAIN = Form(signature=Signature(scheme="bearer", secret="api"))  # noqa: S106 -- a name
"""How a call of the API is read: an object is a lead, an array several."""


def submissions(
    kind: str, body: bytes, envelope: Mapping[str, Any], source: SourceRules, profile: Profile
) -> list[Submission]:
    """The rows of a receipt.

    Args:
        kind: of the receipt: form, api or mailbox.
        envelope: how it came: `content_type`; `released`: a row that a person let out of quarantine, its cells as JSON.

    Raises:
        UnreadableBody: nothing can be read from it.
    """
    if envelope.get("released"):
        return [Submission(json.loads(body))]
    found = decoded(body, envelope.get("content_type") or "")
    read = adapters.submissions(found.value, source.form or PLAIN)
    return [replace(one, warnings=(*found.warnings, *one.warnings)) for one in read] if found.warnings else read
