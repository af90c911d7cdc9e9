"""A mail's text in its parts, what its signature and its sender's rule say, and the row it becomes."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice.conditions import Condition
from sluice.errors import ConfigError
from sluice.mail_rules import MailRules, Taking, load_mail_rules, mail_rules_of, read_parsing_rule
from sluice.schema import Fields
from sluice.settings import REPOSITORY
from sluice.sources.mail.addresses import Address
from sluice.sources.mail.bodies import parted
from sluice.sources.mail.classification import classify
from sluice.sources.mail.message import read
from sluice.sources.mail.parsing import check_samples, fits, looked_for, parsed, unmet
from sluice.sources.mail.signatures import suggestions
from sluice.sources.mail.submission import submission
from sluice.submissions import Submission

CONFIG = REPOSITORY / "config"
ANA = Address("Ana Example", "ana.example@pumpen.example")


@pytest.fixture(scope="module")
def rules() -> MailRules:
    return load_mail_rules(CONFIG)


def row(raw: bytes, rules: MailRules) -> Submission:
    mail = read(raw)
    found = parsed(mail, rules.parsing)
    verdict = classify(mail, rules, None, found.rule.name if found else None)
    parts = parted(mail.text, mail.sender, rules.replies)
    return submission(mail, verdict, parts, suggestions(parts.signature, mail.sender, rules.signatures), found)


ATTRIBUTIONS = [
    "On Tue, Nov 3, 2026 at 10:04 AM Eva <eva@example.com> wrote:", "Am 03.11.2026 um 10:04 schrieb Eva Example:",
    "Le mar. 3 nov. 2026 à 10:04, Eva <eva@example.com> a écrit :", "El mar, 3 nov 2026 a las 10:04, Eva escribió:",
    "Il giorno mar 3 nov 2026 alle 10:04 Eva ha scritto:", "Em ter., 3 de nov. de 2026 às 10:04, Eva escreveu:",
    "Op di 3 nov. 2026 om 10:04 schreef Eva <eva@example.com>:", "Den tis 3 nov. 2026 kl 10:04 skrev Eva:",
    "ti 3. marrask. 2026 klo 10.04 Eva (eva@example.com) kirjoitti:", "wt., 3 lis 2026 o 10:04 Eva napisał(a):",
    "út 3. 11. 2026 v 10:04 odesílatel Eva napsal:", "вт, 3 нояб. 2026 г. в 10:04, Eva <eva@example.com> пишет:",
    "3 Kas 2026 Sal, 10:04 tarihinde Eva şunu yazdı:", "Eva <eva@example.com> 于2026年11月3日周二 10:04写道：",
    "-----Original Message-----", "-----Ursprüngliche Nachricht-----", "________________________________\nFrom: Eva\nSent: Tuesday\nTo: Ana",
    "Von: Eva\nGesendet: Dienstag\nAn: Ana\nBetreff: Preise", "De : Eva\nEnvoyé : mardi\nÀ : Ana\nObjet : Prix",
]  # fmt: skip


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_quoted_mails(rules: MailRules, line: str) -> None:
    found = parted(f"Yes, please.\n\n{line}\n\nShall we send it?", ANA, rules.replies)
    assert (found.new, "Shall we" in found.quoted) == ("Yes, please.", True)


SIGNATURES = ["-- \nAna", "Sent from my iPhone", "Von meinem iPhone gesendet", "Envoyé de mon iPhone", "Best regards\nAna Example", "Mit freundlichen Grüßen\n\nAna", "Ana Example\n+44 20 7946 0111"]  # fmt: skip


@pytest.mark.parametrize("signature", SIGNATURES)
def test_signatures(rules: MailRules, signature: str) -> None:
    assert parted(f"Please send an offer.\n\n{signature}", ANA, rules.replies).new == "Please send an offer."


@pytest.mark.parametrize(
    "text",
    ["", "Best regards", "From: the north\nTo: the south", "On Monday he wrote this:\n\nhello", "a -- b", "Thanks"],
)
def test_what_is_all_new(rules: MailRules, text: str) -> None:
    assert parted(text, ANA, rules.replies).new == text


def test_a_mail_passed_on_keeps_what_was_passed_on(rules: MailRules) -> None:
    found = parted("For you\n\n---------- Forwarded message ---------\nFrom: Eva\n\nHow much?", ANA, rules.replies)
    assert (found.new, found.forwarded) == ("For you", "From: Eva\n\nHow much?")


def test_what_a_signature_says(rules: MailRules) -> None:
    text = "Ana Example\nHead of Purchasing\nBeispiel Pumpen GmbH\nTel. +49 30 23125 011 | Mobile: +1 202 555 0143\nFax: +1 202 555 0199\nwww.pumpen.example"
    found = {one.field: one.value for one in suggestions(text, ANA, rules.signatures) if one.counts}
    assert found == {
        "full_name": "Ana Example", "title": "Head of Purchasing", "company": "Beispiel Pumpen GmbH",
        "phone": "+49 30 23125 011", "mobile": "+1 202 555 0143", "website": "www.pumpen.example",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Fax: +1 202 555 0199",
        "Order 20261103 4711",
        "https://linkedin.com/in/ana",
        "see www.other.example",
        "Manager",
    ],
)
def test_what_does_not_count(rules: MailRules, text: str) -> None:
    assert [one for one in suggestions(text, ANA, rules.signatures) if one.counts] == []


def test_shipped_rules_and_their_samples(rules: MailRules) -> None:
    fields = Fields.model_validate(
        yaml.safe_load((CONFIG / "profiles/standard/fields.yml").read_text(encoding="utf-8"))
    )
    assert len(rules.parsing) == 3
    content = {path.relative_to(CONFIG).as_posix(): path.read_text() for path in (CONFIG / "mail").glob("**/*.yml")}
    assert mail_rules_of(content, fields) == (rules, [])
    assert check_samples(CONFIG, rules.parsing) == []
    for sample in (CONFIG / "mail/rules/samples").iterdir():
        assert row(sample.read_bytes(), rules).aside is None


def test_a_changed_sample_is_found_out(rules: MailRules, tmp_path: Path) -> None:
    shutil.copytree(CONFIG / "mail", tmp_path / "mail")
    path = tmp_path / "mail/rules/samples/home-portal-1.eml"
    path.write_bytes(path.read_bytes().replace(b"Phone:", b"Call:"))
    assert {finding.key for finding in check_samples(tmp_path, rules.parsing)} >= {"fields.phone"}


def test_without_what_it_requires_a_rule_does_not_fit(rules: MailRules) -> None:
    raw = (CONFIG / "mail/rules/samples/home-portal-1.eml").read_bytes()
    assert parsed(read(raw.replace(b"E-mail:", b"x:")), rules.parsing) is None


MAIL = b"From: Ana <ana@pumpen.example>\nSubject: Hello\n\nWhat is the price?\n"


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ({}, []),
        ({"subject": "hello", "from_domain": "pumpen.example"}, []),
        ({"subject": "Enquiry"}, ["subject is Enquiry; the mail has subject 'Hello'"]),
        (
            {"subject": {"contains": ["enquiry", "quote"]}, "from": "ana@pumpen.example"},
            ["subject contains enquiry or quote; the mail has subject 'Hello'"],
        ),
        ({"list_id": "news"}, ["list_id is news; the mail has no list_id"]),
        ({"text": {"contains": "Listing"}}, ["text contains Listing; the mail has another text"]),
        (
            {"any": [{"subject": "A"}, {"from_domain": "b.example"}]},
            ["(subject is A or from_domain is b.example); the mail has subject 'Hello' and has from_domain 'pumpen.example'"],
        ),
        ({"not": {"subject": "hello"}}, ["not (subject is hello); the mail has subject 'Hello'"]),
        (
            {"all": [{"subject": "hello"}, {"all": [{"to": "x@example.com"}]}]},
            ["to is x@example.com; the mail has no to"],
        ),
    ],
    ids=["always", "holds", "another", "one of two", "has none", "text", "any", "not", "nested"],
)  # fmt: skip
def test_what_a_rule_asks_for_and_the_mail_is_not(rules: MailRules, when: dict[str, Any], found: list[str]) -> None:
    rule = rules.parsing[0].model_copy(update={"when": Condition.model_validate(when)})
    assert unmet(read(MAIL), rule) == found
    assert fits(read(MAIL), rule) is not bool(found)


@pytest.mark.parametrize(
    ("taking", "found"),
    [
        ({"after": ["E-mail:", "Email:"]}, "email after 'E-mail:' or 'Email:'"),
        ({"between": ("Message:", "--")}, "email after 'Message:', before '--'"),
        ({"between": ("Message:", "")}, "email after 'Message:'"),
        ({"pattern": "(?P<a>x)"}, "email as (?P<a>x)"),
        ({"header": "reply_to"}, "email in the header reply_to"),
    ],
    ids=["labels", "between", "to the end", "pattern", "header"],
)
def test_where_a_rule_looks(rules: MailRules, taking: dict[str, Any], found: str) -> None:
    rule = rules.parsing[0].model_copy(update={"fields": {"email": Taking.model_validate(taking)}})
    assert looked_for("email", rule) == found


WRONG = {
    "two ways": ("when: {subject: x}\nfields: {phone: {after: Tel, header: subject}}", "exactly one"),
    "no group": ("when: {subject: x}\nfields: {phone: {pattern: '[0-9]+'}}", "named group"),
    "not RE2": ("when: {subject: x}\nfields: {phone: {pattern: '(?P<a>(?=x)x)'}}", "RE2"),
    "unknown question": ("when: {sbject: x}\nfields: {phone: {after: Tel}}", "sbject"),
    "required, not found": ("when: {subject: x}\nfields: {phone: {after: Tel}}\nrequire: [email]", "no field 'email'"),
    "unknown key": ("wen: {subject: x}\nfields: {phone: {after: Tel}}", "did you mean 'when'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_rules_are_named(tmp_path: Path, name: str) -> None:
    text, found = WRONG[name]
    (tmp_path / "portal.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"portal\.yml") as refused:
        read_parsing_rule(tmp_path / "portal.yml")
    assert found in str(refused.value)


def test_no_pattern_takes_long(rules: MailRules) -> None:
    slow = rules.parsing[0].model_copy(
        update={"fields": {"phone": Taking(pattern="(?P<a>(a+)+$)".replace("(a+)", "(?:a+)"))}}
    )
    mail = read(b"From: a@homes.example\nSubject: enquiry for\n\n" + b"a" * 100_000 + b"!")
    begun = time.process_time()
    parsed(mail, [slow])
    assert time.process_time() - begun < 1


def test_the_row_of_a_person(rules: MailRules) -> None:
    cells = row((REPOSITORY / "tests/data/mail/enquiry-outlook.eml").read_bytes(), rules).cells
    assert (cells["from_name"], cells["from_email"]) == ("Jörg Beispiel", "j.beispiel@pumpen.example")
    assert cells["message"] == "Guten Tag,\n\nwir brauchen 12 Kreiselpumpen bis März. Können Sie liefern?"
    assert (cells["signature_company"], cells["signature_title"]) == ("Beispiel Pumpen GmbH", "Leiter Einkauf")
    assert (cells["sent_at"], cells["attachments"]) == ("2026-11-03T09:04:00+00:00", "Stückliste 2026.csv")


def test_the_row_of_a_portal(rules: MailRules) -> None:
    cells = row((CONFIG / "mail/rules/samples/home-portal-1.eml").read_bytes(), rules).cells
    assert (cells["email"], cells["portal_email"]) == ("marta.example@example.com", "noreply@homes.example")
    assert not {"from_email", "from_name", "message"} & set(cells)
    assert (cells["parsing_rule"], "Best time to call" in cells["unparsed"]) == ("home-portal 1", True)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        pytest.param(b"", "blank", id="nothing"),
        pytest.param(b"From: a@example.com\nAuto-Submitted: auto-replied\n\nx", "auto_reply", id="answer of a machine"),
        pytest.param(b"From: a@example.com\nX-Spam-Flag: YES\n\nx", "spam", id="spam"),
    ],
)
def test_rows_that_are_set_aside(rules: MailRules, raw: bytes, kind: str) -> None:
    aside = row(raw, rules).aside
    assert aside is not None and aside[0] == kind
