"""A classified mail as a row: the same `Submission` that a form or an API call is, so that it goes the same way."""

from __future__ import annotations

from collections.abc import Iterable

from sluice.sources.mail.bodies import Parted
from sluice.sources.mail.classification import LEADS, Verdict
from sluice.sources.mail.message import Mail
from sluice.sources.mail.parsing import Parse
from sluice.sources.mail.signatures import Suggestion
from sluice.submissions import Submission

_LONGEST_MESSAGE = 20_000


def submission(
    mail: Mail, verdict: Verdict, parts: Parted, suggestions: Iterable[Suggestion], parse: Parse | None
) -> Submission:
    """The mail's cells, and whether it can be a lead at all.

    Cells of every mail: `subject`, `message` (what is new in it; of a mail passed on, that mail), `sent_at`,
    `message_id`, `answers`, `attachments` (their names). Without a parsing rule: `from_name`, `from_email`,
    `signature_phone` and so on, as far as they count.

    With one, the sender is a machine: `portal_email` has its address, the rule's cells stand under the names of our
    fields, and `unparsed` keeps the rest of the text; `message` is left out if the rule found a `description`.
    """
    cells = {
        "subject": mail.subject,
        "sent_at": mail.date.isoformat() if mail.date else "",
        "message_id": mail.message_id or "",
        "answers": verdict.answers or "",
        "attachments": "; ".join(one.name or one.media_type for one in mail.attachments),
    }
    cells |= _of_person(mail, parts, suggestions) if parse is None else _of_rule(mail, parts, parse)
    return Submission(
        cells={name: value for name, value in cells.items() if value},
        aside=_aside(mail, verdict),
        warnings=mail.warnings,
    )


def _of_person(mail: Mail, parts: Parted, suggestions: Iterable[Suggestion]) -> dict[str, str]:
    counting = {f"signature_{one.field}": one.value for one in suggestions if one.counts}
    return {
        "from_name": mail.sender.name or counting.pop("signature_full_name", ""),
        "from_email": mail.sender.address or next((one.address or "" for one in mail.reply_to), ""),
        "message": (parts.new or parts.forwarded or mail.text)[:_LONGEST_MESSAGE],
        **counting,
    }


def _of_rule(mail: Mail, parts: Parted, parse: Parse) -> dict[str, str]:
    return {
        "portal_email": mail.sender.address or "",
        "message": "" if "description" in parse.cells else parts.new[:_LONGEST_MESSAGE],
        **parse.cells,
        "unparsed": parse.unparsed[:_LONGEST_MESSAGE],
        "parsing_rule": f"{parse.rule.name} {parse.rule.version}",
        "parsing_coverage": f"{parse.coverage:.2f}",
    }


def _aside(mail: Mail, verdict: Verdict) -> tuple[str, str] | None:
    if verdict.kind not in LEADS:
        return verdict.kind, verdict.reason
    if not (mail.sender.address or mail.sender.name or mail.text or mail.subject or mail.attachments):
        return "blank", "the mail has neither a sender nor a text"
    return None
