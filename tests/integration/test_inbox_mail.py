"""Mails in the inbox: enquiries and answers become leads, what machines write is set aside, each with its reason."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest

from sluice.settings import REPOSITORY
from tests.desk import Desk
from tests.posts import Posts, with_sources

SIGNED = """Hello,

we look for 40 pallets a month from Malmö to Gdańsk. Can you call me?

--
Linnea Ekström
Head of Logistics
Ekström Frakt AB
Tel. +46 40 123 456 7
"""


def mail(text: str = SIGNED, **headers: str) -> bytes:
    """A mail of somebody, with some headers changed."""
    made = EmailMessage()
    said = {
        "From": "Linnea Ekström <linnea@ekstrom-frakt.example>",
        "To": "sales@nordlicht.example",
        "Subject": "Pallets to Gdańsk",
        "Date": "Mon, 16 Nov 2026 09:30:00 +0100",
        "Message-ID": "<20261116.1@ekstrom-frakt.example>",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in said.items():
        if value:
            made[name] = value
    made.set_content(text)
    return made.as_bytes()


@pytest.fixture
def posts(desk: Desk) -> Posts:
    return Posts(desk)


def take(posts: Posts, raw: bytes, source: str = "mailbox", **envelope: Any) -> int:
    number = posts.post(raw, source, kind="mailbox", own=["sales@nordlicht.example"], **envelope)
    posts.work()
    return number


def test_an_enquiry_becomes_a_lead_with_what_its_signature_says(posts: Posts) -> None:
    number = take(posts, mail())
    desk = posts.desk
    assert desk.ask("select full_name, email, company, title, phone, lead_source, receipt_id from leads") == [
        ("Linnea Ekström", "linnea@ekstrom-frakt.example", "Ekström Frakt AB", "Head of Logistics", "+46401234567",
         "Inbound Email", number)
    ]  # fmt: skip
    ((description, extra),) = desk.ask("select description, extra from leads")
    assert description.startswith("Hello,")
    assert "Ekström Frakt" not in description
    assert (extra["subject"], extra["mail_kind"]) == ("Pallets to Gdańsk", "enquiry")
    assert desk.ask("select to_char(stated_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') from leads") == [
        "2026-11-16 08:30"
    ]
    desk.whole()


ASIDE = {
    "auto_reply": {"Auto_Submitted": "auto-replied", "Subject": "Out of office"},
    "list_mail": {"List_Id": "<news.trade.example>", "List_Unsubscribe": "<mailto:off@trade.example>"},
    "spam": {"X_Spam_Flag": "YES"},
}


@pytest.mark.parametrize("kind", ASIDE)
def test_what_is_no_enquiry_is_set_aside_with_the_evidence(posts: Posts, kind: str) -> None:
    take(posts, mail(**ASIDE[kind]))
    ((found, reason),) = posts.desk.ask("select kind, reason from set_asides")
    assert found == kind
    assert reason
    assert "linnea" not in reason
    assert posts.desk.ask("select count(*) from leads") == [0]
    posts.desk.whole()


def test_who_asks_not_to_be_written_to_is_not(posts: Posts) -> None:
    """S001-16: it counts for the leads of the address, before and after."""
    take(posts, mail())
    take(posts, mail("Please remove me.", Subject="unsubscribe", Message_ID="<2@ekstrom-frakt.example>"))
    desk = posts.desk
    assert desk.ask("select kind from set_asides") == ["unsubscribe"]
    assert desk.ask("select email_opt_out from leads") == [True]
    take(posts, mail(Subject="Another question", Message_ID="<3@ekstrom-frakt.example>"))
    assert desk.ask("select email_opt_out from leads") == [True]
    desk.whole()


def test_a_mail_of_our_own_is_a_loop(posts: Posts) -> None:
    take(posts, mail(From="Sales <sales@nordlicht.example>"))
    assert posts.desk.ask("select count(*) from leads") == [0]


def test_a_reply_is_tied_to_the_message_it_answers_and_its_campaign(posts: Posts) -> None:
    """S000: replies to mass mailings become leads."""
    posts.desk.do("insert into messages (message_id, campaign) values ('<autumn-7@nordlicht.example>', 'Autumn 2026')")
    take(posts, mail(Subject="Re: Our autumn rates", In_Reply_To="<autumn-7@nordlicht.example>"))
    desk = posts.desk
    assert desk.ask("select campaign, lead_source, extra ->> 'mail_kind' from leads") == [
        ("Autumn 2026", "Email Campaign", "reply")
    ]
    assert desk.ask("select campaign from touches") == ["Autumn 2026"]
    ((header, record),) = desk.ask("select r.header, t.record from receipts as r join touches as t using (receipt_id)")
    assert dict(zip(header, record, strict=True))["answers"] == "<autumn-7@nordlicht.example>"


def test_a_portals_mail_is_read_by_its_rule(posts: Posts) -> None:
    take(posts, (REPOSITORY / "config/mail/rules/samples/home-portal-1.eml").read_bytes())
    assert posts.desk.ask("select full_name, email, phone, product, channel from leads") == [
        ("Marta Example", "marta.example@example.com", "+442079460111", "HX-204417", "property portal")
    ]


def with_a_list(posts: Posts) -> tuple[Desk, bytes]:
    """A desk that imports what mails bring, and a mail that brings a list."""
    posts.desk = desk = with_sources(
        posts.desk, mailbox=posts.desk.office.profile.content["sources/mailbox.yml"] + "attachments: partner-list\n"
    )
    made = EmailMessage()
    for name, value in {"From": "Ana <ana@trade.example>", "Subject": "Leads of the fair", "To": "x@x.example"}.items():
        made[name] = value
    made.set_content("Here they are.")
    made.add_attachment(b"full_name,email\nBo Lee,bo@lee.example\n", maintype="text", subtype="csv", filename="a/b.csv")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="flyer.pdf")
    return desk, made.as_bytes()


def test_files_of_leads_that_a_mail_brings_go_to_the_file_import(posts: Posts) -> None:
    desk, raw = with_a_list(posts)
    number = take(posts, raw)
    folder = desk.office.settings.home / "attachments" / "inbox" / "partner-list"
    assert [path.name for path in folder.iterdir()] == [f"{number}-1-b.csv"]
    assert desk.ask("select extra ->> 'attachments' from leads") == ["b.csv; flyer.pdf"]


def test_of_a_mail_that_was_cut_no_half_list_is_imported(posts: Posts) -> None:
    """Its sender is a lead as ever, and the lead says what is missing."""
    desk, raw = with_a_list(posts)
    take(posts, raw, truncated=True)
    assert not (desk.office.settings.home / "attachments").exists()
    assert desk.ask("select email from leads") == ["ana@trade.example"]
    assert "mail:mail.cut" in str(desk.ask("select warnings from touches"))
    desk.whole()


@pytest.mark.parametrize("raw", [b"", b"\x00" * 1000, b"From: \xff\xfe\n\n", b"no mail at all"], ids=str)
def test_what_is_hardly_a_mail_ends_in_one_visible_outcome(posts: Posts, raw: bytes) -> None:
    number = take(posts, raw)
    assert posts.state(number) == "done"
    posts.desk.whole()
