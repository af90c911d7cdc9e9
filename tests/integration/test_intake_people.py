"""Who a row is, through the database: identity, policies of a source, wishes."""

from __future__ import annotations

import pytest

from tests.desk import Desk

HEADER = "full_name,email,phone,company,email_opt_out,do_not_call\n"

ANNA = "Anna Petrova,anna.petrova@acme.example,+1 202-555-0143,Acme Cabling,,"
GMAIL = "Bo Lee,bo.lee@gmail.com,+1 202-555-0144,,,"
NO_MAIL = "Zoë de Groot,,+1 202-555-0145,,,"
ROLE = "Ivo Horak,info@horak.example,,,,"
NOBODY = ",,+1 202-555-0146,Borealis Ltd,,"


@pytest.mark.both_servers
@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        pytest.param(ANNA, "Anna Petrova, ANNA.Petrova@ACME.example ,,,,", "unchanged", id="case and blanks"),
        pytest.param(GMAIL, "Bo Lee,bolee+fair@googlemail.com,,,,", "updated", id="gmail: dots, tag, other domain"),
        pytest.param(ANNA, "Anna Petrova,annapetrova@acme.example,,,,", "created", id="dots count elsewhere"),
    ],
)
def test_identity_on_both_servers(desk: Desk, first: str, second: str, outcome: str) -> None:
    """S002-38, S000-26."""
    for content in (first, second):
        desk.take(HEADER + content + "\n")
    assert desk.ask("select outcome from touches order by receipt_id") == ["created", outcome]
    desk.whole()


@pytest.mark.parametrize(
    ("first", "second", "outcome", "leads"),
    [
        pytest.param(ANNA, "ANNA  PETROVA,,+12025550143,,,", "unchanged", 1, id="no e-mail: same phone and name"),
        pytest.param(
            NO_MAIL, "Zoe de Groot,zoe@degroot.example,+1 202 555 0145,,,", "updated", 1, id="an e-mail is learned"
        ),
        pytest.param(
            ANNA, "Anna Petrova,petrova@mail.example,+1 202-555-0143,,,", "flagged", 2, id="two valid e-mails"
        ),
        pytest.param(ANNA, "Peter Petrov,,+1 202-555-0143,,,", "created", 2, id="another name on the phone"),
        pytest.param(ROLE, "Marie Duval,info@horak.example,,,,", "created", 2, id="role mailbox, another name"),
        pytest.param(ROLE, "IVO HORAK,Info@horak.example,,,,", "unchanged", 1, id="role mailbox, the same name"),
        pytest.param(NOBODY, ",,+1 202 555 0146,Borealis Limited,,", "updated", 1, id="company and phone"),
        pytest.param(NOBODY, ",,+1 202 555 0146,Acme Cabling,,", "created", 2, id="another company on the phone"),
    ],
)
@pytest.mark.parametrize("files", [1, 2])
def test_identity(desk: Desk, first: str, second: str, outcome: str, leads: int, files: int) -> None:
    """S002-38, S000-27: the same in one file and in two."""
    contents = [first + "\n" + second] if files == 1 else [first, second]
    for content in contents:
        desk.take(HEADER + content + "\n")
    assert desk.ask("select outcome from touches order by receipt_id, row_number") == ["created", outcome]
    assert desk.ask("select count(*) from leads") == [leads]
    desk.whole()


def test_a_flagged_lead_waits_for_a_person_with_the_reason(desk: Desk) -> None:
    desk.take(HEADER + ANNA + "\nAnna Petrova,petrova@mail.example,+1 202-555-0143,,,\n")
    assert desk.ask("select f.flagged_of = l.lead_id, f.owner is not distinct from l.owner from leads f, leads l "
                    "where f.is_flagged and not l.is_flagged") == [(True, True)]  # fmt: skip
    ((verdict, explanation),) = desk.ask("select verdict, explanation from match_decisions where level = 'person'")
    assert (verdict, explanation["rule"]) == ("unsure", "same phone and full name, but another e-mail")


@pytest.mark.parametrize(
    ("policy", "outcome", "title"),
    [
        pytest.param("update", "updated", "CEO", id="update"),
        pytest.param("touch_only", "unchanged", "Buyer", id="touch only"),
        pytest.param("flag", "flagged", "Buyer", id="flag"),
    ],
)
def test_policy_for_an_open_lead(desk: Desk, policy: str, outcome: str, title: str) -> None:
    """S000-27."""
    desk = desk.with_source("files", on_match={"open": policy})
    for role in ("Buyer", "CEO"):
        desk.take(f"full_name,email,title\nAnna Petrova,anna@acme.example,{role}\n")
    assert desk.ask("select outcome from touches order by receipt_id") == ["created", outcome]
    assert desk.ask("select title from leads order by lead_id")[0] == title
    desk.whole()


@pytest.mark.parametrize(
    ("policy", "outcome", "leads"),
    [
        pytest.param("reopen", "updated", [("open_new", "CEO", False)], id="reopen"),
        pytest.param("touch_only", "unchanged", [("disqualified", "Buyer", False)], id="touch only"),
        pytest.param(
            "new_lead",
            "created",
            [("disqualified", "Buyer", False), ("open_new", "CEO", True)],
            id="a new lead after the old",
        ),
    ],
)
def test_policy_for_a_closed_lead(desk: Desk, policy: str, outcome: str, leads: list[object]) -> None:
    """S002-38."""
    desk = desk.with_source("files", on_match={"closed": policy})
    desk.take("full_name,email,title\nAnna Petrova,anna@acme.example,Buyer\n")
    desk.do("update leads set category = 'disqualified', status = 'lost', is_open = false")
    desk.take("full_name,email,title\nAnna Petrova,anna@acme.example,CEO\n")
    assert desk.ask("select outcome from touches order by receipt_id") == ["created", outcome]
    assert desk.ask("select category, title, previous_lead_id is not null from leads order by lead_id") == leads
    desk.whole()


def test_a_new_lead_after_a_closed_one_keeps_the_owner(desk: Desk) -> None:
    desk.take("full_name,email,country\nAnna Petrova,anna@acme.example,US\n")
    desk.do("update leads set category = 'converted', is_open = false")
    desk.take("full_name,email,country\nAnna Petrova,anna@acme.example,Germany\n")
    assert desk.ask("select count(distinct owner), count(*) from leads") == [(1, 2)]
    desk.whole()


@pytest.mark.parametrize(
    ("rows", "mail", "calls"),
    [
        pytest.param([ANNA[:-1] + "yes,yes"], [True], [True], id="stated at once"),
        pytest.param([ANNA, ANNA[:-1] + "yes,yes"], [True], [True], id="stated later"),
        pytest.param([ANNA[:-1] + "yes,yes", ANNA[:-1] + "no,no"], [True], [True], id="never taken back"),
        pytest.param([ANNA[:-1] + "perhaps,"], [True], [False], id="an answer that nobody can read"),
        pytest.param(
            [ROLE, "Marie Duval,info@horak.example,,,yes,"], [True, True], [False, False], id="all behind a mailbox"
        ),
        pytest.param(
            ["Marie Duval,info@horak.example,,,yes,", ROLE], [True, True], [False, False], id="… also later ones"
        ),
        pytest.param([NO_MAIL, "Bo Lee,,+1 202-555-0145,,,yes"], [False, False], [True, True], id="all behind a phone"),
        pytest.param(
            ["Bo Lee,,+1 202-555-0146,,,yes", NOBODY], [False, False], [True, True], id="… without a name too"
        ),
    ],
)
@pytest.mark.parametrize("files", [1, 2])
def test_wishes_only_ever_become_stricter(
    desk: Desk, rows: list[str], mail: list[bool], calls: list[bool], files: int
) -> None:
    """S001-16: for every lead of the address, whichever row said it."""
    for content in ["\n".join(rows)] if files == 1 else rows:
        desk.take(HEADER + content + "\n")
    assert desk.ask("select email_opt_out, do_not_call from leads order by lead_id") == list(
        zip(mail, calls, strict=True)
    )
    desk.whole()


def test_a_wish_is_kept_with_the_row_that_stated_it(desk: Desk) -> None:
    desk.take(HEADER + "\n".join([ANNA, ANNA[:-1] + "yes,yes", ANNA]) + "\n")
    assert desk.ask("select address_key, channel, verdict, row_number from consents order by channel") == [
        ("mail:anna.petrova@acme.example", "email", "opted_out", 2), ("tel:+12025550143", "phone", "opted_out", 2),
    ]  # fmt: skip


def test_a_wish_reaches_a_source_that_may_only_touch(desk: Desk) -> None:
    """Whatever the policy, nobody is written to against their wish."""
    desk.take(HEADER + ANNA + "\n")
    desk.with_source("webinar", on_match={"open": "touch_only"}, fields={}).take(
        HEADER + ANNA[:-1] + "yes,\n", "webinar"
    )
    assert desk.ask("select email_opt_out from leads") == [True]
    desk.whole()


def test_one_name_with_many_domains_is_as_many_companies(desk: Desk) -> None:
    rows = "".join(f"Person {letter},p{letter}@acme-{letter}.example,Acme\n" for letter in "abcdefgh")
    receipt = desk.take(f"full_name,email,company\n{rows}")
    assert desk.counts(receipt) == {"created": 8}
    assert desk.ask("select count(*) from companies") == [8]


def test_a_company_without_a_letter_is_found_again(desk: Desk) -> None:
    for letter in "ab":
        desk.take(f"full_name,email,company\nPerson {letter},p{letter}@mail-{letter}.example,+++!\n")
    assert desk.ask("select count(*) from leads") == [2]


def test_a_policy_that_only_notes_leaves_the_lead_its_key(desk: Desk) -> None:
    desk.take("full_name,phone\nAnna Schmidt,+49 30 23125 001\n")
    noting = desk.with_source("files", on_match={"open": "touch_only"})
    noting.take("full_name,email,phone\nAnna Schmidt,anna@acme.example,+49 30 23125 001\n")
    assert desk.ask("select identity_key, email from leads") == [("tel:+493023125001|anna schmidt", None)]


def test_a_do_not_call_reaches_every_lead_with_the_number(desk: Desk) -> None:
    """S001-16."""
    desk.take("full_name,email,phone\nAnna Schmidt,anna@acme.example,+49 30 23125 001\n")
    desk.take("full_name,phone,do_not_call\nBo Lee,+49 30 23125 001,yes\n")
    assert desk.ask("select distinct do_not_call from leads") == [True]
