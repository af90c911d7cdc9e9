"""`config/mailboxes.yml`: what may stand there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sluice.errors import ConfigError
from sluice.mailbox_rules import check_mailboxes, load_mailboxes
from sluice.settings import REPOSITORY

SOURCES = dict.fromkeys(["files", "mail", "mailbox"])
USUAL = "host: imap.example.com, user: sales@example.com, source: mail"
LOGIN = "login: {password: sales}"


def written(folder: Path, text: str) -> Path:
    (folder / "mailboxes.yml").write_text(text, encoding="utf-8")
    return folder


def test_none_is_declared(tmp_path: Path) -> None:
    assert load_mailboxes(tmp_path) == {}
    assert check_mailboxes(tmp_path, SOURCES) == []
    assert load_mailboxes(REPOSITORY / "config") == {}


def test_what_the_shipped_file_shows_can_be_declared(tmp_path: Path) -> None:
    """The example is uncommented as people do it."""
    shipped = (REPOSITORY / "config/mailboxes.yml").read_text(encoding="utf-8")
    begin = shipped.index("# mailboxes:")
    lines = [line.removeprefix("# ").removeprefix("#") for line in shipped[begin:].splitlines()[:-1]]
    written(tmp_path, "\n".join(lines))
    assert [found for found in check_mailboxes(tmp_path, SOURCES) if found.severity == "error"] == []
    assert list(load_mailboxes(tmp_path)) == ["sales", "support"]


def test_what_is_not_said(tmp_path: Path) -> None:
    (rules,) = load_mailboxes(written(tmp_path, f"mailboxes:\n  a: {{{USUAL}, {LOGIN}}}\n")).values()
    assert (rules.folders, rules.security, rules.start, rules.max_bytes) == (("INBOX",), "tls", "30d", 10 << 20)
    assert rules.after is None
    assert rules.where == "mailbox a at imap.example.com:993"


TOKEN = "client_id: x, refresh_token: r"
WRONG = {
    "no login": (USUAL, "a.login", "it is missing"),
    "two logins": (f"{USUAL}, login: {{password: a, access_token: b}}", "a.login", "several of password, access_token"),
    "a secret written out": (f"{USUAL}, login: {{password: 'canary geheim!'}}", "a.login.password", "found"),
    "unknown source": (f"{USUAL.replace('mail,', 'mial,')}", "a.login", "missing"),
    "another source": (f"{USUAL.replace('source: mail', 'source: mial')}, {LOGIN}", "a.source", "no source 'mial'; did you mean 'mail'?"),
    "unknown key": (f"{USUAL}, {LOGIN}, folder: X", "a.folder", "unknown key 'folder'"),
    "plain": (f"{USUAL}, {LOGIN}, security: none", "a", "found no encryption"),
    "plain elsewhere": (f"{USUAL}, {LOGIN}, security: none, allow_plaintext: true", "a", "found no encryption"),
    "plain by accident": (f"{USUAL.replace('imap.example.com', '127.0.0.1')}, {LOGIN}, security: none", "a", "found no encryption"),
    "security": (f"{USUAL}, {LOGIN}, security: ssl", "a.security", "found 'ssl'"),
    "port": (f"{USUAL}, {LOGIN}, port: 0", "a.port", "found '0'"),
    "a URL": (f"{USUAL.replace('imap.example.com', 'imaps://imap.example.com')}, {LOGIN}", "a.host", "found 'imaps://"),
    "start": (f"{USUAL}, {LOGIN}, start: yesterday", "a.start", "it takes all, new"),
    "no such day": (f"{USUAL}, {LOGIN}, start: 2026-02-30", "a.start", "it takes all, new"),
    "no folder": (f"{USUAL}, {LOGIN}, folders: []", "a.folders", "found '[]'"),
    "a folder twice": (f"{USUAL}, {LOGIN}, folders: [Inbox, INBOX]", "a.folders", "the folder 'INBOX' twice"),
    "a pattern": (f"{USUAL}, {LOGIN}, folders: ['*']", "a.folders", "without * and %"),
    "both afterwards": (f"{USUAL}, {LOGIN}, after: {{move: X, keyword: Y}}", "a.after", "exactly one"),
    "a flag of the system": (f"{USUAL}, {LOGIN}, after: {{keyword: '\\Seen'}}", "a.after", "found the keyword"),
    "moved in a circle": (f"{USUAL}, {LOGIN}, folders: [INBOX, Done], after: {{move: Done}}", "a", "that is read itself"),
    "token by http": (f"{USUAL}, login: {{refresh: {{token_url: 'http://idp.example.com/t', {TOKEN}}}}}", "a.login.refresh.token_url", "no https address"),
    "token with a user": (f"{USUAL}, login: {{refresh: {{token_url: 'https://canary:x@idp.example.com', {TOKEN}}}}}", "a.login.refresh.token_url", "no https address"),
    "too small": (f"{USUAL}, {LOGIN}, max_bytes: 10", "a.max_bytes", "found '10'"),
    "line ends in the user": (f'{USUAL.replace("sales@example.com", chr(34) + "a" + chr(92) + "r" + chr(92) + "nb" + chr(34))}, {LOGIN}', "a.user", "found"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_named_with_file_line_and_key(tmp_path: Path, name: str) -> None:
    text, key, found = WRONG[name]
    (finding,) = check_mailboxes(written(tmp_path, f"mailboxes:\n  a: {{{text}}}\n"), SOURCES)
    assert (finding.file, finding.key, finding.severity, finding.line) == (
        "mailboxes.yml",
        f"mailboxes.{key}",
        "error",
        2,
    )
    assert found in finding.found


def test_a_source_of_another_kind(tmp_path: Path) -> None:
    from sluice.profiles import load_sources

    written(tmp_path, f"mailboxes:\n  a: {{{USUAL.replace('source: mail', 'source: files')}, {LOGIN}}}\n")
    (finding,) = check_mailboxes(tmp_path, load_sources(REPOSITORY / "config"))
    assert finding.found == "the source 'files' is no mailbox"


def test_a_mailbox_that_cannot_be_stops_what_needs_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mailboxes.yml:2: mailboxes.a.login: it is missing"):
        load_mailboxes(written(tmp_path, f"mailboxes:\n  a: {{{USUAL}}}\n"))


NOW = datetime(2026, 11, 22, 13, tzinfo=UTC)
STARTS = {
    "all": None,
    "new": NOW,
    "30d": datetime(2026, 10, 23, 13, tzinfo=UTC),
    "2026-11-01": datetime(2026, 11, 1, tzinfo=UTC),
}


@pytest.mark.parametrize(("start", "since"), STARTS.items(), ids=STARTS)
def test_what_counts_when_a_folder_is_first_read(tmp_path: Path, start: str, since: datetime | None) -> None:
    (rules,) = load_mailboxes(written(tmp_path, f"mailboxes:\n  a: {{{USUAL}, {LOGIN}, start: {start}}}\n")).values()
    assert rules.since(NOW) == since
