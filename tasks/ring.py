"""Tasks: an alarm reaches people by e-mail, and a program by a POST; each is tried again when nobody answers."""

from __future__ import annotations

import json
import os
import smtplib
import ssl
import urllib.error
import urllib.request
from dataclasses import asdict, replace

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.settings import get_current_settings

from sluice.alarms import MailServer, Notice, Targets
from sluice.errors import UserError
from tasks.quoted import quoted

SECONDS = 20
"""Patience with a server."""

PAUSES = [10.0, 60.0, 300.0, 900.0]
"""Seconds between tries: an alarm that comes late is better than one that is lost."""


class Unreachable(UserError):
    """The other side of an alarm did not take it."""


def ring(notice: Notice) -> list[str]:
    """Tells everybody that the environment names; one way that fails does not stop the other.

    Args:
        notice: its link may be a path in the UI, whose address is added.

    Returns:
        The ways that worked: mail, webhook.

    Raises:
        Unreachable: a way failed to the last try.
        ConfigError: the targets cannot be such.
    """
    targets = Targets.read(os.environ)
    if notice.link.startswith("/"):
        notice = replace(notice, link=f"{get_current_settings().ui_url}{notice.link}")
    if not targets.mail_to and not targets.webhook:
        get_run_logger().warning(f"Nobody is told: alarms go {targets.in_words}")
    states = {
        way.name: way(quoted(targets), notice, return_state=True)
        for way, is_wanted in ((mail, targets.mail_to), (webhook, targets.webhook))
        if is_wanted
    }
    for state in states.values():
        state.result()  # raises what made it fail
    return list(states)


@task(name="mail", retries=len(PAUSES), retry_delay_seconds=PAUSES, cache_policy=NO_CACHE, persist_result=False)
def mail(targets: Targets, notice: Notice) -> None:
    """Hands the notice over to the mail server, if there is one."""
    if targets.server is None:
        return
    domain = targets.mail_from.rpartition("@")[2]
    message = notice.mail(targets, f"<alarm.{flow_run.id}@{domain}>")  # the same at each try: a mailbox keeps one
    try:
        with _session(targets.server) as session:
            session.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise Unreachable(
            f"the mail server {targets.server.host}:{targets.server.port}",
            f"it did not take the alarm ({type(error).__name__})",
            fix="Check SLUICE_ALARM_SMTP_URL",
        ) from None


@task(name="webhook", retries=len(PAUSES), retry_delay_seconds=PAUSES, cache_policy=NO_CACHE, persist_result=False)
def webhook(targets: Targets, notice: Notice) -> None:
    """POSTs the notice as JSON; `text` has it in one line, which is what most chats show."""
    if targets.webhook is None:
        return
    said = f"Sluice: {notice.what} · {notice.about}. {notice.text} {notice.link}".strip()
    body = json.dumps(asdict(notice) | {"text": said}).encode()
    request = urllib.request.Request(  # noqa: S310 -- an address of http or https, which its owner has set
        targets.webhook, body, {"Content-Type": "application/json", "User-Agent": "Sluice"}
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            return
    except urllib.error.HTTPError as error:
        raise Unreachable("the webhook", f"it answered {error.code}", fix="Check SLUICE_ALARM_WEBHOOK_URL") from None
    except OSError as error:
        reason = type(error).__name__
        raise Unreachable("the webhook", f"nobody answered ({reason})", fix="Check SLUICE_ALARM_WEBHOOK_URL") from None


def _session(server: MailServer) -> smtplib.SMTP:
    """A session that is encrypted, unless the URL says otherwise, and logged in, if it names a user."""
    context = ssl.create_default_context()
    if server.tls == "smtps":
        session: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=context)
    else:
        session = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    try:
        if server.tls == "starttls":
            session.starttls(context=context)
        if server.user:
            session.login(server.user, server.password or "")
    except BaseException:
        session.close()
        raise
    return session
