"""A stored body as submissions, whichever door it came by."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sluice.errors import ConfigError
from sluice.form_rules import Form, Signature
from sluice.mail_rules import MailRules
from sluice.profiles import Profile
from sluice.rules import SourceRules
from sluice.sources.forms import adapters
from sluice.sources.forms.adapters import Announced
from sluice.sources.forms.bodies import decoded
from sluice.sources.mail import message
from sluice.sources.mail.bodies import parted
from sluice.sources.mail.classification import classify
from sluice.sources.mail.evidence import Ourselves
from sluice.sources.mail.message import Mail
from sluice.sources.mail.parsing import parsed
from sluice.sources.mail.signatures import suggestions
from sluice.sources.mail.submission import submission
from sluice.submissions import Submission

PLAIN = Form(signature=Signature(scheme="bearer", secret="api"))  # noqa: S106 -- a name
"""How a call of the API is read: an object is a lead, an array several."""

CUT = "mail:mail.cut"
"""Warning on a mail of which only the beginning is there."""

TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods")
"""Ends of the names of attachments that may be files of leads; what the file import cannot read, it says."""


@dataclass(frozen=True)
class Body:
    """A body as it is stored.

    Attributes:
        kind: of the receipt: form, api or mailbox.
        envelope: how it came: `content_type`; `released`: a row that a person let out of quarantine, its cells as JSON;
            `fetch`: an announced lead, the body is what the provider gave for it; of a mail `own`, the addresses of its
            account, and `truncated`, if only its beginning was fetched.
        sent: of the message ids that a mail says it answers those that we sent, with the campaign of each.
    """

    kind: str
    raw: bytes
    envelope: Mapping[str, Any]
    sent: Callable[[Sequence[str]], Mapping[str, str | None]] = lambda message_ids: {}


@dataclass(frozen=True)
class Opened:
    """What a body holds.

    Attributes:
        submissions: a row each.
        announced: leads that the provider only names, to be fetched: arrivals of their own.
        tables: files of leads that a mail brought, by name.
    """

    submissions: list[Submission]
    announced: list[Announced] = field(default_factory=list[Announced])
    tables: dict[str, bytes] = field(default_factory=dict[str, bytes])


def opened(body: Body, source: SourceRules, profile: Profile) -> Opened:
    """Reads the body of a receipt.

    Raises:
        UnreadableBody: nothing can be read from it.
        ConfigError: it is a mail, and the profile does not say how mails are read.
    """
    if body.envelope.get("released"):
        return Opened([Submission(json.loads(body.raw))])
    if body.kind == "mailbox":
        if profile.mail is None:
            raise ConfigError("mail/classification.yml", "it is missing", "the files of config/mail", "Bring them back")
        return _mail(message.read(body.raw), body, source, profile.mail)
    return _form(body, source.form or PLAIN)


def _form(body: Body, form: Form) -> Opened:
    found = decoded(body.raw, body.envelope.get("content_type") or "")
    if form.fetch is None:
        return Opened([_warned(one, found.warnings) for one in adapters.submissions(found.value, form)])
    if fetched := body.envelope.get("fetch"):
        named = Announced(fetched["id"], fetched["kept"])
        return Opened([_warned(adapters.fetched(found.value, named, form), found.warnings)])
    announced = adapters.announced(found.value, form)
    unread = [Submission({}, problems=one.problems) for one in announced if one.problems]
    return Opened(unread, [one for one in announced if not one.problems])


def _mail(mail: Mail, body: Body, source: SourceRules, rules: MailRules) -> Opened:
    asked = [found for found in (mail.in_reply_to, *mail.references) if found]
    sent = body.sent(asked) if asked else {}
    own = frozenset(address.lower() for address in body.envelope.get("own", ()))
    ourselves = Ourselves(addresses=own, is_ours=lambda message_id: message_id in sent)
    parse = parsed(mail, rules.parsing)
    verdict = classify(mail, rules, ourselves, parse.rule.name if parse else None)
    parts = parted(mail.text, mail.sender, rules.replies)
    row = submission(mail, verdict, parts, suggestions(parts.signature, mail.sender, rules.signatures), parse)
    cells = {**row.cells, "mail_kind": verdict.kind, "mail_reason": verdict.reason}
    if verdict.answers and (campaign := sent.get(verdict.answers)):
        cells |= {"campaign": campaign, "lead_source": "Email Campaign"}
    row = replace(row, cells=cells)
    if body.envelope.get("truncated"):  # what is attached may be half a file, too
        return Opened([_warned(row, (CUT,))])
    return Opened([row], tables=_tables(mail) if source.attachments and not row.aside else {})


def _tables(mail: Mail) -> dict[str, bytes]:
    """Attachments that are files of leads, by a name that can stand in a folder."""
    found: dict[str, bytes] = {}
    for place, one in enumerate(mail.attachments, 1):
        name = "".join(char if char.isalnum() or char in "._- " else "_" for char in one.name or "").strip(". ")
        if name.lower().endswith(TABLES):
            found[f"{place}-{name[-100:]}"] = mail.content(one.index)
    return found


def _warned(submission: Submission, warnings: tuple[str, ...]) -> Submission:
    return replace(submission, warnings=(*warnings, *submission.warnings)) if warnings else submission
