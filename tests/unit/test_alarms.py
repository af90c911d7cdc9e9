"""Where alarms go: read from the environment or files, strictly; secrets never in words."""

from __future__ import annotations

import pytest

from sluice.alarms import MailServer, Notice, Targets
from sluice.errors import ConfigError

TO, URL, HOOK = "SLUICE_ALARM_MAIL_TO", "SLUICE_ALARM_SMTP_URL", "SLUICE_ALARM_WEBHOOK_URL"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", MailServer("mail.example", 587, "starttls")),
        ("smtps://ops:p%40ss@mail.example", MailServer("mail.example", 465, "smtps", "ops", "p@ss")),
        ("smtp://127.0.0.1:2525?tls=no", MailServer("127.0.0.1", 2525, "no")),
    ],
)
def test_a_mail_server_is_named_by_a_url(url, server):
    assert Targets.read({TO: "ops@acme.example", URL: url}).server == server


@pytest.mark.parametrize(
    ("environ", "where"),
    [
        ({TO: "ops@acme.example"}, URL),
        ({URL: "smtp://mail.example"}, TO),
        ({TO: "ops", URL: "smtp://mail.example"}, TO),
        ({TO: "ops@acme.example\nBcc: all@acme.example", URL: "smtp://mail.example"}, TO),
        ({TO: "ops@acme.example", URL: "mail.example:587"}, URL),
        ({TO: "ops@acme.example", URL: "smtp://mail.example:mail"}, URL),
        ({HOOK: "hooks.example/secret-token"}, HOOK),
        ({f"{HOOK}_FILE": "/nowhere/hook"}, f"{HOOK}_FILE"),
    ],
)
def test_what_cannot_be_a_target_is_refused_without_the_secret(environ, where):
    with pytest.raises(ConfigError) as refused:
        Targets.read(environ)
    assert refused.value.where == where and "secret-token" not in str(refused.value)


def test_secrets_may_lie_in_files(tmp_path):
    (tmp_path / "hook").write_text("https://hooks.example/secret-token\n")
    found = Targets.read({f"{HOOK}_FILE": str(tmp_path / "hook")})
    assert found.webhook == "https://hooks.example/secret-token"
    assert "secret-token" not in found.in_words + repr(found)


def test_nobody_is_told_until_somebody_is_named():
    assert Targets.read({}) == Targets() and Targets().in_words.startswith("nowhere yet")


def test_a_mail_says_what_happened_and_is_not_answered_by_machines():
    targets = Targets.read({TO: "ops@acme.example, it@acme.example", URL: "smtp://mail.example"})
    made = Notice(
        "intake: a run failed", "intake · a\nfile.csv", "1 of 2 files failed", "http://127.0.0.1:4200/x"
    ).mail(targets, "<1@acme.example>")
    assert made["Subject"] == "Sluice: intake: a run failed · intake · a file.csv"
    assert (made["To"], made["From"]) == ("ops@acme.example, it@acme.example", "ops@acme.example")
    assert made["Auto-Submitted"] == "auto-generated"
    assert "1 of 2 files failed" in made.get_content() and "http://127.0.0.1:4200/x" in made.get_content()
