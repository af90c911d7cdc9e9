"""Where alarms go, and what they say. Targets and their secrets come from the environment or from files it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from sluice.errors import ConfigError

TO, SERVER, WEBHOOK = "SLUICE_ALARM_MAIL_TO", "SLUICE_ALARM_SMTP_URL", "SLUICE_ALARM_WEBHOOK_URL"
_HOW = "smtp://user:password@host:587 (with STARTTLS), smtps://…:465, or smtp://…?tls=no on a machine of your own"


@dataclass(frozen=True)
class MailServer:
    """An SMTP server; `tls` is starttls, smtps or no."""

    host: str
    port: int
    tls: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Targets:
    """Who is told: people by e-mail, a program by a POST, or nobody.

    Attributes:
        mail_to: addresses (`SLUICE_ALARM_MAIL_TO`, separated by commas).
        mail_from: the sender (`SLUICE_ALARM_MAIL_FROM`); the first of `mail_to` by default.
        server: where mails are handed over (`SLUICE_ALARM_SMTP_URL`, or a file named by `SLUICE_ALARM_SMTP_URL_FILE`).
        webhook: takes a POST of JSON (`SLUICE_ALARM_WEBHOOK_URL`, or `SLUICE_ALARM_WEBHOOK_URL_FILE`); its address
            usually holds a secret.
    """

    mail_to: tuple[str, ...] = ()
    mail_from: str = ""
    server: MailServer | None = field(default=None)
    webhook: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Targets:
        """The targets that `environ` states.

        Raises:
            ConfigError: an address or URL cannot be one, a file cannot be read, or one half of mail is missing.
        """
        to = tuple(part.strip() for part in (environ.get(TO) or "").split(",") if part.strip())
        server, webhook = _secret(environ, SERVER), _secret(environ, WEBHOOK)
        if bool(to) != bool(server):
            missing = SERVER if to else TO
            raise ConfigError(missing, "it is not set, though the other half of mail is", _HOW, "Set both, or neither")
        if wrong := [address for address in to if "@" not in address.strip("@") or any(c.isspace() for c in address)]:
            raise ConfigError(TO, f"{wrong[0]!r} is no address", "addresses, separated by commas")
        if webhook and not webhook.startswith(("https://", "http://")):
            raise ConfigError(WEBHOOK, "it is no address of the web", "https://…")
        sender = environ.get("SLUICE_ALARM_MAIL_FROM") or (to[0] if to else "")
        return cls(to, sender, _server(server) if server else None, webhook or None)

    @property
    def in_words(self) -> str:
        """Where alarms go, without a secret."""
        ways = [f"e-mail to {', '.join(self.mail_to)}"] if self.mail_to else []
        ways += [f"POST to {urlsplit(self.webhook).hostname}"] if self.webhook else []
        return " and ".join(ways) or f"nowhere yet (set {TO} and {SERVER}, or {WEBHOOK})"


@dataclass(frozen=True)
class Notice:
    """What people are told.

    Attributes:
        what: what happened, in a few words.
        about: the run, source or file that it happened to.
        text: more of it, in words.
        link: to the page that shows it, or "".
    """

    what: str
    about: str
    text: str
    link: str

    def mail(self, targets: Targets, message_id: str) -> EmailMessage:
        """The notice as a mail that no other machine will answer (RFC 3834)."""
        made = EmailMessage(policy=SMTP)
        made["Subject"] = " ".join(f"Sluice: {self.what} · {self.about}".split())[:200]
        made["From"] = targets.mail_from
        made["To"] = ", ".join(targets.mail_to)
        made["Message-ID"] = message_id
        made["Auto-Submitted"] = "auto-generated"
        made["X-Auto-Response-Suppress"] = "All"
        made.set_content(
            "\n".join(line for line in (f"{self.what}: {self.about}", "", self.text, "", self.link)) + "\n"
        )
        return made


def _secret(environ: Mapping[str, str], name: str) -> str:
    """The value of a variable, or the content of the file that `<name>_FILE` names."""
    if path := environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"{name}_FILE", f"{path} cannot be read ({error.strerror})") from None
    return (environ.get(name) or "").strip()


def _server(url: str) -> MailServer:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or port == 0:
        raise ConfigError(SERVER, "it is no address of a mail server", _HOW)
    is_plain = parse_qs(parts.query).get("tls") == ["no"]
    tls = "smtps" if parts.scheme == "smtps" else "no" if is_plain else "starttls"
    user, password = (unquote(part) if part else None for part in (parts.username, parts.password))
    return MailServer(parts.hostname, port or (465 if tls == "smtps" else 587), tls, user, password)
