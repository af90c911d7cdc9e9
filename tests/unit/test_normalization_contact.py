"""E-mail addresses, phones, places: what people are reached by."""

import random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.normalization import normalize
from sluice.normalization.emails import email_key, read_email
from sluice.normalization.phoneplans import quick
from sluice.normalization.phones import read_phone
from sluice.normalization.places import read_country, read_state, read_zip
from tests.unit.standard import batch, context, normalization_rules, shown

RULES = normalization_rules()


@pytest.mark.parametrize(
    ("text", "email", "key"),
    [
        pytest.param(
            "Anna.Berg@Example.COM", "Anna.Berg@example.com", "anna.berg@example.com", id="case of the domain only"
        ),
        pytest.param("mailto:anna@example.com?subject=Hi", "anna@example.com", "anna@example.com", id="mailto"),
        pytest.param("Anna Berg <anna@example.com>", "anna@example.com", "anna@example.com", id="angle brackets"),
        pytest.param("anna@example.com.,", "anna@example.com", "anna@example.com", id="dots and commas behind"),
        pytest.param("anna (at) example.com", "anna@example.com", "anna@example.com", id="hidden from robots"),
        pytest.param(
            "anna+fair@acme.example",
            "anna+fair@acme.example",
            "anna@acme.example",
            id="a tag is sent to, not matched on",
        ),
        pytest.param("A.n.na@GoogleMail.com", "A.n.na@googlemail.com", "anna@gmail.com", id="provider ignores dots"),
        pytest.param("a.nna@acme.example", "a.nna@acme.example", "a.nna@acme.example", id="other providers do not"),
        pytest.param("anna@müller.example", "anna@müller.example", "anna@xn--mller-kva.example", id="IDN"),
        pytest.param("info@mailinator.com", "info@mailinator.com", "info@mailinator.com", id="at inside a word stays"),
    ],
)
def test_an_address_to_send_to_and_a_key_to_match_on(text: str, email: str, key: str) -> None:
    found = read_email(text, RULES.email)
    assert (found.value, found.code) == (email, None)
    assert email_key(email, RULES.email) == key


@pytest.mark.parametrize(
    "text",
    [
        "anna@",
        "@example.com",
        "anna@localhost",
        "a b@example.com",
        "anna..berg@example.com",
        "just text",
        "x" * 400 + "@a.bc",
    ],
)
def test_a_bad_address_is_emptied_with_a_warning(text: str) -> None:
    done = normalize(batch(email=[text]), context()).leads
    assert shown(done.at[0, "email"]) is None or text == "a b@example.com"
    assert text == "a b@example.com" or (done.at[0, "warnings"], done.at[0, "raw_email"]) == ("email:invalid", text)


def test_of_two_addresses_the_first_counts() -> None:
    assert read_email("anna@example.com; bo@example.org", RULES.email) == ("anna@example.com", "ambiguous", None)


@pytest.mark.parametrize(
    ("text", "countries", "number", "origin"),
    [
        pytest.param("+1 (202) 555-0123", ["DE:address"], "+12025550123", "prefix", id="prefix wins"),
        pytest.param("0044 20 7946 0123", [], "+442079460123", "prefix", id="00 is a prefix"),
        pytest.param(
            "030 23125 101", ["DE:address", "US:source"], "+493023125101", "address", id="country of the address"
        ),
        pytest.param("+49 (0)30 23125 101", [], "+493023125101", "prefix", id="zero in brackets"),
        pytest.param("020 7946 0123", ["GB:email"], "+442079460123", "email", id="country of the e-mail domain"),
        pytest.param(
            "020 7946 0123",
            ["US:address", "GB:source"],
            "+442079460123",
            "source",
            id="the next one where it is not valid",
        ),
        pytest.param("(202) 555-0123 ext. 12", ["US:source"], "+12025550123", "source", id="extension"),
        pytest.param("2025550123.0", ["US:source"], "+12025550123", "source", id="a float from a spreadsheet"),
        pytest.param(
            "030 23125 101 / 030 23125 102", ["DE:address"], "+493023125101", "address", id="the first of two"
        ),
    ],
)
def test_phones(text: str, countries: list[str], number: str, origin: str) -> None:
    pairs = [(item.partition(":")[0], item.partition(":")[2]) for item in countries]
    assert read_phone(text, pairs) == (number, None, origin)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("12", "invalid"),
        ("call me", "invalid"),
        ("4.93E+11", "damaged_number"),
        ("202-555-0123", "invalid"),
        ("9" * 30, "invalid"),
    ],
)
def test_unreadable_phones_are_emptied_and_warned_about(text: str, code: str) -> None:
    done = normalize(batch(phone=[text]), context()).leads
    assert (shown(done.at[0, "phone"]), done.at[0, "warnings"]) == (None, f"phone:{code}")


def test_seven_digits_take_the_sources_area_code() -> None:
    source = {"country": "US", "phone": {"area_code": "312"}}
    done = normalize(batch(phone=["3865286"]), context(source=source)).leads
    assert (done.at[0, "phone"], done.at[0, "phone_country_source"]) == ("+13123865286", "source")


def test_a_phones_country_comes_from_the_address_then_the_email_domain() -> None:
    cells = batch(
        phone=["030 23125 101", "030 23125 102", "030 23125 103"],
        country=["Deutschland", None, None],
        email=[None, "bo@berg.de", "bo@berg.io"],
    )
    done = normalize(cells, context()).leads
    assert [shown(value) for value in done["phone_country_source"]] == ["address", "email", None]


def test_the_short_way_never_disagrees_with_the_library() -> None:
    chance = random.Random(11)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number(region)
        for _ in range(8):
            text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
            text = "".join(
                chance.choice("0123456789") if sign.isdigit() and chance.random() < 0.2 else sign for sign in text
            )
            for country in (region, chance.choice(["US", "DE", "GB", "IT"])):
                found = quick(text, country)
                assert found is None or found == _by_library(text, country)


def _by_library(text: str, country: str) -> str | None:
    number = phonenumbers.parse(text, country)
    return (
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if phonenumbers.is_valid_number(number)
        else None
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [("Germany", "DE"), ("DEUTSCHLAND", "DE"), ("Германия", "DE"), ("de", "DE"), ("DEU", "DE"), ("U.S.A.", "US"), ("UK", "GB"), ("Österreich", "AT"),
     ("България", "BG"), ("Saksa", "DE"), ("Þýskaland", "DE"), ("日本", "JP"), ("Ruritania", None)],
)  # fmt: skip
def test_countries_in_many_languages(text: str, code: str | None) -> None:
    assert read_country(text, RULES) == (code, None if code else "unknown", None)


@pytest.mark.parametrize(
    ("text", "country", "code", "warning"),
    [
        pytest.param("2139", "US", "02139", "zero_restored", id="leading zero lost"),
        pytest.param("60640.0", "US", "60640", None, id="float"),
        pytest.param("606401234", "US", "60640-1234", None, id="ZIP+4"),
        pytest.param("1067", "DE", "01067", "zero_restored", id="Dresden"),
        pytest.param("k1a0b1", "CA", "K1A 0B1", None, id="Canada"),
        pytest.param("sw1a1aa", "GB", "SW1A 1AA", None, id="Britain"),
        pytest.param("1067", "", "1067", None, id="no country, no guess"),
    ],
)
def test_postal_codes(text: str, country: str, code: str, warning: str | None) -> None:
    assert read_zip(text, country, RULES.zips) == (code, warning, None)


@pytest.mark.parametrize(
    ("text", "country", "state"),
    [("Illinois", "US", "IL"), ("il", "US", "IL"), ("Québec", "CA", "QC"), ("Bayern", "DE", "Bayern")],
)
def test_states(text: str, country: str, state: str) -> None:
    assert read_state(text, country, RULES).value == state


def test_a_missing_state_is_found_by_the_zip() -> None:
    done = normalize(batch(zip=["60640.0", "99999"], state=[None, "Oregon"]), context(source={"country": "US"})).leads
    assert done["state"].tolist() == ["IL", "OR"]


@given(st.emails())
def test_email_is_idempotent(text: str) -> None:
    once = read_email(text, RULES.email).value
    if once is not None:
        assert read_email(once, RULES.email).value == once
        key = email_key(once, RULES.email)
        assert email_key(key, RULES.email) == key


@given(st.from_regex(r"\+?[0-9 ()-]{7,16}", fullmatch=True))
def test_phone_is_idempotent(text: str) -> None:
    once = read_phone(text, [("US", "source")]).value
    assert once is None or read_phone(once, [("US", "source")]).value == once
