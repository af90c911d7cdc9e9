"""What kind of mail it is, and the evidence for it."""

from __future__ import annotations

import pytest

from sluice.mail_rules import MailRules, load_mail_rules
from sluice.settings import REPOSITORY
from sluice.sources.mail.classification import Ourselves, classify
from sluice.sources.mail.message import read
from sluice.sources.mail.reports import bounced_address

OURS = Ourselves(
    addresses=frozenset({"sales@supplier.example"}),
    domains=frozenset({"mail.supplier.example"}),
    unsubscribe=frozenset({"leave@supplier.example"}),
    is_ours=lambda known: known.endswith("@mail.supplier.example>"),
)
PERSON = "From: Ana Example <ana@example.com>\n"
DAEMON = "From: Mail Delivery System <MAILER-DAEMON@example.com>\n"
REPLY = "In-Reply-To: <c7@mail.supplier.example>\n"


@pytest.fixture(scope="module")
def rules() -> MailRules:
    return load_mail_rules(REPOSITORY / "config")


MAILS = {
    "question": (PERSON + "\nDo you ship to Canada?", "enquiry", "nothing says"),
    "no From": ("Subject: x\n\nCall me", "enquiry", "nothing says"),
    "asks others not to answer": (PERSON + "X-Auto-Response-Suppress: All\n\nHello", "enquiry", "nothing"),
    "asks for a receipt": (PERSON + "Disposition-Notification-To: ana@example.com\n\nHello", "enquiry", "nothing"),
    "Auto-Submitted: no": (PERSON + "Auto-Submitted: no\n\nHello", "enquiry", "nothing"),
    "postmaster is a person": ("From: postmaster@example.com\nSubject: Prices\n\nHello", "enquiry", "nothing"),
    "speaks of unsubscribing": (PERSON + "\nHow do I unsubscribe from your old system? We want the new one.", "enquiry", "nothing"),
    "speaks of a holiday": (PERSON + "\nI will be back on Monday, please send an offer.", "enquiry", "nothing"),
    "invitation": (PERSON + "Content-Type: text/calendar; method=REQUEST\n\nx", "enquiry", "nothing"),
    "answers ours": (PERSON + REPLY + "\nYes please", "reply", "a mail of ours"),
    "answers ours through a CRM": (PERSON + REPLY + "List-Unsubscribe: <https://crm.example>\n\nYes", "reply", "of ours"),
    "answers ours before others": (PERSON + "References: <c7@mail.supplier.example> <x@y.example>\n\nYes", "reply", "of ours"),
    "Re:": (PERSON + "Subject: Re: Prices\n\nYes", "reply", "none that we know"),
    "AW:": (PERSON + "Subject: AW: [ext] Preise\n\nJa", "reply", "none that we know"),
    "holiday in a reply": (PERSON + REPLY + "\nSend it again, I am on vacation until Monday.", "reply", "of ours"),
    "Auto-Submitted": (PERSON + REPLY + "Auto-Submitted: auto-replied (vacation)\n\nAway", "auto_reply", "auto-replied"),
    "Precedence": (PERSON + REPLY + "Precedence: auto_reply\n\nAway", "auto_reply", "Precedence"),
    "X-Autoreply": (PERSON + REPLY + "X-Autoreply: yes\n\nAway", "auto_reply", "x-autoreply"),
    "X-Autoreply: no": (PERSON + REPLY + "X-Autoreply: no\n\nHere", "reply", "of ours"),
    "null return path": ("Return-Path: <>\n" + PERSON + "\nx", "auto_reply", "Return-Path"),
    "two phrases": (PERSON + REPLY + "\nI am out of the office. In urgent cases call Eva.", "auto_reply", "two phrases"),
    "read receipt": (PERSON + "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\nRead", "auto_reply", "8098"),
    "calendar's answer": (PERSON + "Content-Type: text/calendar; method=REPLY\n\nx", "auto_reply", "calendar"),
    "from ourselves": ("From: sales@supplier.example\n\nx", "auto_reply", "loop"),
    "from our domain": ("From: x@mail.supplier.example\n\nx", "auto_reply", "loop"),
    "our form, a person's Reply-To": ("From: sales@supplier.example\nReply-To: ana@example.com\n\nx", "enquiry", "nothing"),
    "delivered": (DAEMON + "Content-Type: message/delivery-status\n\nA: b\n\nFinal-Recipient: rfc822; a@b.example\nAction: delivered", "auto_reply", "arrived"),
    "daemon": (DAEMON + "Subject: Sorry\n\nx", "bounce", "program"),
    "postmaster's words": ("From: postmaster@example.com\nSubject: Undeliverable: Prices\n\nIt could not be delivered.", "bounce", "server"),
    "failed recipients": (PERSON + "X-Failed-Recipients: eva@example.com\n\nx", "bounce", "X-Failed"),
    "Amazon": ("From: a@example.com\n\n{\"notificationType\": \"Bounce\"}", "bounce", "SES"),
    "spam flag": (PERSON + "X-Spam-Flag: YES\n\nBuy", "spam", "X-Spam-Flag"),
    "spam status": (PERSON + "X-Spam-Status: Yes, score=9\n\nBuy", "spam", "X-Spam-Status"),
    "no spam": (PERSON + "X-Spam-Status: No, score=-1\n\nHello", "enquiry", "nothing"),
    "list": (PERSON + "List-Id: <l.example.com>\n\nHello", "list_mail", "list-id"),
    "bulk": (PERSON + "Precedence: bulk\n\nHello", "list_mail", "bulk"),
    "unsubscribe": (PERSON + REPLY + "\nUnsubscribe, please!\n\nOn Mon, 2 Nov 2026 at 8:00, Supplier wrote:\n> News", "unsubscribe", "whole new text"),
    "unsubscribe in the subject": (PERSON + "Subject: unsubscribe\n\n", "unsubscribe", "subject"),
    "to the unsubscribe address": (PERSON + "To: Leave@supplier.example\n\nx", "unsubscribe", "List-Unsubscribe"),
}  # fmt: skip


@pytest.mark.parametrize("name", MAILS)
def test_kinds(rules: MailRules, name: str) -> None:
    raw, kind, reason = MAILS[name]
    verdict = classify(read(raw.encode()), rules, OURS)
    assert (verdict.kind, reason in verdict.reason) == (kind, True), verdict
    assert "@" not in verdict.reason


SUBJECTS = [
    "Automatic reply: Prices", "Re: Out of Office: Prices", "Automatische Antwort: Preise", "Abwesenheitsnotiz",
    "Réponse automatique : Prix", "Respuesta automática: Precios", "Risposta automatica: prezzi", "Resposta automática",
    "Automatisch antwoord: prijzen", "Autosvar: priser", "Automatiskt svar: priser", "Automaattinen vastaus: hinnat",
    "Automatyczna odpowiedź: ceny", "Automatická odpověď: ceny", "Automatikus válasz: árak", "Автоответ: цены",
    "Otomatik yanıt: fiyat", "自動応答: 価格", "自动回复: 价格", "RE：自动回复：价格",
]  # fmt: skip


@pytest.mark.parametrize("subject", SUBJECTS)
def test_automatic_answers_by_subject(rules: MailRules, subject: str) -> None:
    assert classify(read(f"{PERSON}Subject: {subject}\n\nx".encode()), rules).kind == "auto_reply"


@pytest.mark.parametrize(
    "text",
    ["Bitte abmelden", "STOP", "remove me", "Désabonnement svp", "darme de baja", "afmelden", "отписаться", "退订"],
)
def test_wishes_to_leave(rules: MailRules, text: str) -> None:
    assert classify(read(f"{PERSON}Subject: News\n\n{text}.".encode()), rules).kind == "unsubscribe"


def test_a_reply_names_the_mail_it_answers(rules: MailRules) -> None:
    assert classify(read((PERSON + REPLY + "\nYes").encode()), rules, OURS).answers == "<c7@mail.supplier.example>"


def test_what_a_parsing_rule_reads_is_an_enquiry_though_a_machine_sent_it(rules: MailRules) -> None:
    raw = b"From: noreply@homes.example\nAuto-Submitted: auto-generated\nList-Unsubscribe: <https://x.example>\n\nName: Ana"
    assert classify(read(raw), rules).kind == "auto_reply"
    assert classify(read(raw), rules, None, "home-portal").kind == "enquiry"
    assert classify(read(raw.replace(b"generated", b"replied")), rules, None, "home-portal").kind == "auto_reply"


def report(fields: str) -> bytes:
    return f"{DAEMON}Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n{fields}\n--b--\n".encode()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(report("Final-Recipient: rfc822; eva@example.com\nAction: failed\nStatus: 5.1.1"), ("eva@example.com", "hard", "5.1.1"), id="unknown"),
        pytest.param(report("Final-Recipient: rfc822; <eva@example.com>\nAction: failed\nStatus: 5.2.2"), ("eva@example.com", "soft", "5.2.2"), id="full"),
        pytest.param(report("Final-Recipient: rfc822; eva@example.com\nAction: delayed\nStatus: 4.4.1"), ("eva@example.com", "soft", "4.4.1"), id="delayed"),
        pytest.param(report("Final-Recipient: rfc822; eva@example.com\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.7.1 no"), ("eva@example.com", "hard", "5.7.1"), id="diagnosis"),
        pytest.param(report("Final-Recipient: rfc822; eva@example.com\nAction: delivered\nStatus: 2.0.0"), None, id="delivered"),
        pytest.param((DAEMON + "\nNot delivered: <eva@example.com>: 550 5.1.1 unknown").encode(), ("eva@example.com", "hard", "5.1.1"), id="words"),
        pytest.param((DAEMON + "\nNot delivered: <eva@example.com>, sorry").encode(), ("eva@example.com", "soft", ""), id="words, no code"),
        pytest.param((DAEMON + "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: <eva@example.com>").encode(), ("eva@example.com", "complaint", ""), id="complaint"),
        pytest.param(b"", None, id="nothing"),
    ],
)  # fmt: skip
def test_whom_a_bounce_is_about(raw: bytes, expected: tuple[str, str, str] | None) -> None:
    found = bounced_address(read(raw))
    assert (found and (found.address, found.kind, found.status)) == expected
