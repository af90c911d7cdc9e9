"""Mails that nobody here wrote: all are read, machines' are not leads, and no person's is lost."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sluice.mail_rules import MailRules, load_mail_rules
from sluice.settings import REPOSITORY
from sluice.sources.mail.addresses import Address
from sluice.sources.mail.bodies import parted
from sluice.sources.mail.classification import LEADS, classify
from sluice.sources.mail.message import read
from sluice.sources.mail.parsing import parsed
from sluice.sources.mail.reports import bounced_addresses
from sluice.sources.mail.signatures import suggestions
from sluice.sources.mail.submission import submission

FOLDERS = [
    "sisimai-set-of-emails", "flanker", "mimekit", "mikel-mail", "nodemailer-mailparser", "postal-mime",
    "cpython-test_email", "zapier-email-reply-parser",
]  # fmt: skip
DATA = REPOSITORY / "tests/data/mail"
MANIFEST = yaml.safe_load((DATA / "human-mails.yml").read_text(encoding="utf-8"))
SLOWEST = 2.0
MBOX_LINE = re.compile(rb"^From (?! *:)[^\n]*\n", re.MULTILINE)


@pytest.fixture(scope="module")
def rules() -> MailRules:
    return load_mail_rules(REPOSITORY / "config")


def mails(path: Path) -> list[bytes]:
    """A file as a mail; a mailbox file as each of its mails."""
    raw = path.read_bytes()
    return [mail for mail in MBOX_LINE.split(raw) if mail.strip()] if ".mbox." in path.name else [raw]


def named(corpora: Path, name: str) -> bytes:
    path, _, number = name.partition("#")
    return mails(corpora / "corpora" / path)[int(number or 1) - 1]


def of_machines(corpora: Path) -> Iterator[Path]:
    for folder in MANIFEST["machines"]:
        yield from sorted((corpora / "corpora" / folder).rglob("*.eml"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_becomes_a_submission_in_time(corpora: Path, rules: MailRules, folder: str) -> None:
    slow: dict[str, float] = {}
    for path in sorted((corpora / "corpora" / folder).rglob("*")):
        for raw in mails(path) if path.is_file() else []:
            begun = time.process_time()
            mail = read(raw)
            found = parsed(mail, rules.parsing)
            verdict = classify(mail, rules, None, found.rule.name if found else None)
            parts = parted(mail.text, mail.sender, rules.replies)
            hints = suggestions(parts.signature, mail.sender, rules.signatures)
            row = submission(mail, verdict, parts, hints, found)
            list(bounced_addresses(mail))
            [mail.content(one.index) for one in mail.attachments]
            assert all(isinstance(cell, str) and "\x00" not in cell for cell in row.cells.values())
            assert "@" not in verdict.reason
            slow[path.name] = time.process_time() - begun
    assert slow
    assert max(slow.values()) <= SLOWEST, max(slow, key=slow.__getitem__)


def test_no_mail_of_a_person_is_suppressed(corpora: Path, rules: MailRules) -> None:
    assert len(MANIFEST["human"]) > 150
    lost = {
        name: verdict.reason
        for name in MANIFEST["human"]
        if (verdict := classify(read(named(corpora, name)), rules)).kind not in LEADS
    }
    assert lost == {}


def test_what_no_person_wrote_is_what_the_manifest_says(corpora: Path, rules: MailRules) -> None:
    said = {name: kind for name, (kind, _) in MANIFEST["not_human"].items() if kind != "any"}
    assert {name: classify(read(named(corpora, name)), rules).kind for name in said} == said


def test_the_manifest_names_every_mail(corpora: Path) -> None:
    held = {name.partition("#")[0] for part in ("human", "not_human") for name in MANIFEST[part]}
    root = corpora / "corpora"
    there = {path for folder in FOLDERS[1:-1] for path in (root / folder).rglob("*.eml")}
    there |= {*root.glob("sisimai-set-of-emails/maildir/not/*"), *root.glob("cpython-test_email/data/msg_*")}
    there |= {*root.glob("flanker/tests/fixtures/messages/dkim/email.*"), *root.glob("zapier*/test/emails/*")}
    there |= {*root.glob("mimekit/UnitTests/TestData/messages/*"), *root.glob("mimekit/**/*.mbox.txt")}
    assert {path.relative_to(root).as_posix() for path in there} - held == set()


def test_bounces_loops_and_auto_replies_are_no_leads(corpora: Path, rules: MailRules) -> None:
    kinds = {path: classify(read(path.read_bytes()), rules).kind for path in of_machines(corpora)}
    assert len(kinds) > 500
    leads = [path.name for path, kind in kinds.items() if kind in LEADS]
    assert len(leads) <= 0.005 * len(kinds), leads
    assert {kind for path, kind in kinds.items() if path.name.startswith("rfc3834")} == {"auto_reply"}
    assert {kind for path, kind in kinds.items() if path.name.startswith("arf")} == {"feedback_loop"}


def test_nearly_every_bounce_says_whom_it_is_about(corpora: Path, rules: MailRules) -> None:
    told = [
        bool(list(bounced_addresses(mail)))
        for path in of_machines(corpora)
        if classify(mail := read(path.read_bytes()), rules).kind == "bounce"
    ]
    assert sum(told) >= 0.98 * len(told)


REPLIES = yaml.safe_load((DATA / "reply-lines.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", REPLIES)
def test_new_text_of_replies(corpora: Path, rules: MailRules, name: str) -> None:
    text = (corpora / "corpora/zapier-email-reply-parser/test/emails" / name).read_text(encoding="utf-8")
    lines = text.split("\n")
    wanted = [line.rstrip() for first, last in REPLIES[name] for line in lines[first - 1 : last] if line.strip()]
    new = parted(text, Address(), rules.replies).new
    assert [line for line in new.split("\n") if line.strip()] == wanted


def test_every_reply_of_the_corpus_is_measured(corpora: Path) -> None:
    assert {path.name for path in (corpora / "corpora/zapier-email-reply-parser/test/emails").iterdir()} == set(REPLIES)
