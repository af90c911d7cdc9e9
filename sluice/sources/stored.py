"""A stored body as submissions, whichever door it came by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sluice.form_rules import Form, Signature
from sluice.profiles import Profile
from sluice.rules import SourceRules
from sluice.sources.forms import adapters
from sluice.sources.forms.adapters import Announced
from sluice.sources.forms.bodies import decoded
from sluice.submissions import Submission

PLAIN = Form(signature=Signature(scheme="bearer", secret="api"))  # noqa: S106 -- a name
"""How a call of the API is read: an object is a lead, an array several."""


@dataclass(frozen=True)
class Opened:
    """What a body holds.

    Attributes:
        submissions: a row each.
        announced: leads that the provider only names, to be fetched: arrivals of their own.
    """

    submissions: list[Submission]
    announced: list[Announced] = field(default_factory=list[Announced])


def opened(kind: str, body: bytes, envelope: Mapping[str, Any], source: SourceRules, profile: Profile) -> Opened:
    """Reads the body of a receipt.

    Args:
        kind: of the receipt: form, api or mailbox.
        envelope: how it came: `content_type`; `released`: a row that a person let out of quarantine, its cells as JSON;
            `fetch`: an announced lead, the body is what the provider gave for it.

    Raises:
        UnreadableBody: nothing can be read from it.
    """
    if envelope.get("released"):
        return Opened([Submission(json.loads(body))])
    form, found = source.form or PLAIN, decoded(body, envelope.get("content_type") or "")
    if form.fetch is None:
        return Opened([_warned(one, found.warnings) for one in adapters.submissions(found.value, form)])
    if fetched := envelope.get("fetch"):
        named = Announced(fetched["id"], fetched["kept"])
        return Opened([_warned(adapters.fetched(found.value, named, form), found.warnings)])
    announced = adapters.announced(found.value, form)
    unread = [Submission({}, problems=one.problems) for one in announced if one.problems]
    return Opened(unread, [one for one in announced if not one.problems])


def _warned(submission: Submission, warnings: tuple[str, ...]) -> Submission:
    return replace(submission, warnings=(*warnings, *submission.warnings)) if warnings else submission
