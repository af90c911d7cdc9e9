"""Numbers, dates, lists, titles, names: what a cell says."""

from datetime import UTC, datetime

import pytest

from sluice.normalization import normalize
from sluice.normalization.choices import read_choice, read_opt_out, read_tags, read_tin
from sluice.normalization.companies import read_website
from sluice.normalization.dates import read_date, read_datetime
from sluice.normalization.numbers import read_employees, read_integer, read_number
from sluice.normalization.people import read_full_name, recase
from sluice.normalization.titles import title_reader
from tests.unit.standard import batch, context, fields, normalization_rules, shown

RULES = normalization_rules()
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LANGUAGES = tuple(RULES.languages)


@pytest.mark.parametrize(
    ("text", "mark", "count"),
    [("50-100", None, 50), ("1,000+", None, 1000), ("10k", None, 10_000), ("ca. 200", None, 200), ("1.200", None, 1200), ("1.200", ",", 1200), ("1.5", ".", 1),
     ("201-500 employees", None, 201), ("self-employed", None, 1), ("über 1 000", None, 1000), ("< 10", None, 1), ("12.0", None, 12), ("1'500", None, 1500),
     ("10,001+", None, 10_001), ("between 50 and 100", None, 50), ("many", None, None), ("3 apples", None, None), ("$5", None, None)],
)  # fmt: skip
def test_employees_as_people_write_them(text: str, mark: str | None, count: int | None) -> None:
    assert read_employees(text, mark, RULES.numbers).value == count


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [("$1.2M", 1_200_000, "USD"), ("€ 3,5 Mio", 3_500_000, "EUR"), ("10-50 Mio. EUR", 10_000_000, "EUR"), ("1 bn", 1e9, None), ("250k", 250_000, None),
     ("1.000.000", 1_000_000, None), ("1,234.56", 1234.56, None), ("1.234,56 €", 1234.56, "EUR"), ("CHF 1'000'000", 1_000_000, "CHF"),
     ("$1M - $5M", 1_000_000, "USD"), ("a lot", None, None), ("-5", -5, None), ("0.250", 0.25, None)],
)  # fmt: skip
def test_amounts_of_money(text: str, amount: float | None, currency: str | None) -> None:
    found = read_number(text, None, RULES.numbers)
    assert (found.value, found.also if amount is not None else None) == (amount, currency)


def test_revenue_has_its_currency_and_its_range() -> None:
    cells = batch(annual_revenue=["$1.2M", "-3", "5 Mio"], annual_revenue_currency=[None, "EUR", "eur"])
    done = normalize(cells, context()).leads
    assert [shown(value) for value in done["annual_revenue"]] == [1_200_000, None, 5_000_000]
    assert done["annual_revenue_currency"].tolist() == ["USD", "EUR", "EUR"]
    assert done["warnings"].tolist() == ["", "annual_revenue:out_of_range", ""]


@pytest.mark.parametrize(
    ("text", "stars"),
    [("★★★★", 4), ("⭐⭐⭐⭐⭐", 5), ("4 stars", 4), ("4/5", 4), ("3.0", 3), ("3.5", None), ("good", None)],
)
def test_stars(text: str, stars: int | None) -> None:
    assert read_integer(text, None, RULES.numbers).value == stars


@pytest.mark.parametrize(
    ("text", "order", "day", "code"),
    [
        pytest.param("2026-11-05", None, "2026-11-05", None, id="ISO"),
        pytest.param("05/11/2026", "dmy", "2026-11-05", None, id="day first"),
        pytest.param("05/11/2026", "mdy", "2026-05-11", None, id="month first"),
        pytest.param("05/11/2026", None, None, "ambiguous", id="two readings"),
        pytest.param("11/11/2026", None, "2026-11-11", None, id="both readings agree"),
        pytest.param("25/11/2026", None, "2026-11-25", None, id="only one reading"),
        pytest.param("11/25/26", "dmy", "2026-11-25", None, id="two-digit year, order impossible"),
        pytest.param("5.3.79", "dmy", "1979-03-05", None, id="last century"),
        pytest.param("26-11-05", "ymd", "2026-11-05", None, id="year first, two digits"),
        pytest.param("5. März 2026", None, "2026-03-05", None, id="German month"),
        pytest.param("Nov 5th, 2026", None, "2026-11-05", None, id="English month"),
        pytest.param("5 ноября 2026", None, "2026-11-05", None, id="Russian month"),
        pytest.param("46331", None, "2026-11-05", None, id="spreadsheet's day number"),
        pytest.param("2026-11-05 14:30", None, "2026-11-05", None, id="time dropped"),
        pytest.param("31.02.2026", "dmy", None, "invalid", id="no such day"),
        pytest.param("soon", None, None, "invalid", id="no date"),
    ],
)
def test_dates(text: str, order: str | None, day: str | None, code: str | None) -> None:
    assert read_date(text, order, NOW, LANGUAGES) == (day, code, None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [("2026-11-05 10:00", "2026-11-05T09:00:00+00:00"), ("2026-07-05 10:00", "2026-07-05T08:00:00+00:00"), ("2026-11-05T10:00:00Z", "2026-11-05T10:00:00+00:00"),
     ("2026-11-05 10:00 -0500", "2026-11-05T15:00:00+00:00"), ("5 Nov 2026 3:30 PM", "2026-11-05T14:30:00+00:00"), ("1762336800", "2025-11-05T10:00:00+00:00"),
     ("46331.5", "2026-11-05T11:00:00+00:00"), ("2026-11-05 25:00", None)],
)  # fmt: skip
def test_moments_are_utc(text: str, moment: str | None) -> None:
    found = read_datetime(text, None, NOW, "Europe/Berlin", LANGUAGES).value
    assert (found.isoformat() if found else None) == moment


def test_a_lead_is_not_created_in_the_future() -> None:
    done = normalize(batch(created_at=["2026-11-22 10:00", "2027-01-01"]), context()).leads
    assert done["created_at"].isna().tolist() == [False, True]
    assert done.at[1, "warnings"] == "created_at:out_of_range"


@pytest.mark.parametrize(
    ("title", "seniority"),
    [("Assistant to the Director", "assistant"), ("Director's Assistant", "assistant"), ("Vice President", "vp"), ("Director of Sales", "director"),
     ("Geschäftsführer", "c_level"), ("Geschäftsführerin", "c_level"), ("Directeur commercial", "director"), ("Directeur général", "c_level"), ("CEO & Founder", "c_level"),
     ("Chief Marketing Officer", "c_level"), ("Head of IT", "director"), ("Product Owner", "manager"), ("Chief of Staff", "manager"), ("Vertriebsleiterin", "manager"), ("Sales Manager", "manager"), ("Intern, Marketing", "trainee"),
     ("Senior Developer", "senior"), ("Управител", "c_level"), ("Executive Assistant", "assistant"), ("Managing Director", "c_level"), ("Software Engineer", "staff"),
     ("Sekretärin", "assistant"), ("Wizard", None)],
)  # fmt: skip
def test_seniority_is_read_word_by_word(title: str, seniority: str | None) -> None:
    assert title_reader(RULES.seniority)(title) == seniority


@pytest.mark.parametrize(
    ("title", "department"),
    [("Director of Sales", "sales"), ("Vertriebsleiter", "sales"), ("CFO", "finance"), ("Leiter Einkauf", "procurement"), ("CEO", "management"), ("HR Manager", "hr"),
     ("Head of IT", "it"), ("Directeur commercial", "sales"), ("Wizard", None)],
)  # fmt: skip
def test_department(title: str, department: str | None) -> None:
    assert title_reader(RULES.department)(title) == department


@pytest.mark.parametrize(
    ("field", "text", "value", "code"),
    [("lead_source", "Web", "Website", None), ("lead_source", "messe", "Trade Show", None), ("lead_source", "carrier pigeon", "Other", "unknown"),
     ("industry", "Software/SaaS", "software", None), ("industry", "Real Estate", "real_estate", None), ("industry", "falconry", "other", "unknown"),
     ("priority", "hoch", "High", None), ("priority", "soonish", None, "unknown")],
)  # fmt: skip
def test_picklists(field: str, text: str, value: str | None, code: str | None) -> None:
    assert read_choice(text, fields().fields[field].choices) == (value, code, None)


def test_all_fifteen_industries_and_seventeen_sources_are_there() -> None:
    assert len(fields().fields["industry"].choices) == 15
    for name in (
        "Web",
        "Referral",
        "Event",
        "Trade Show",
        "Webinar",
        "Partner",
        "Advertisement",
        "Cold Call",
        "Other",
        "Website",
        "Email Campaign",
        "Direct Mail",
    ):
        assert read_choice(name, fields().fields["lead_source"].choices).code is None, name


@pytest.mark.parametrize(
    ("text", "answer", "code"),
    [
        ("ja", True, None),
        ("X", True, None),
        ("opted out", True, None),
        ("no", False, None),
        ("perhaps", True, "assumed_yes"),
    ],
)
def test_an_objection_that_cannot_be_read_counts(text: str, answer: bool, code: str | None) -> None:
    assert read_opt_out(text, RULES) == (answer, code, None)


def test_tags() -> None:
    assert read_tags("hot, #fair; Hot | ").value == ["hot", "fair"]


@pytest.mark.parametrize(
    ("text", "tin"),
    [("123456789", "123456789"), ("12 345 678 90", "1234567890"), ("123456789012", "123456789012"), ("12345", None)],
)
def test_tax_numbers_have_9_10_or_12_digits(text: str, tin: str | None) -> None:
    assert read_tin(text, RULES.tin_lengths).value == tin  # S003-10


@pytest.mark.parametrize(
    ("text", "url"),
    [("WWW.Acme.Example/", "https://www.acme.example"), ("HTTP://acme.example/Path", "http://acme.example/Path"), ("müller.example", "https://xn--mller-kva.example"),
     ("javascript:alert(1)", None), ("acme", None), ("anna@acme.example", None), ("acme.example:8080/x", "https://acme.example:8080/x")],
)  # fmt: skip
def test_websites(text: str, url: str | None) -> None:
    assert read_website(text).value == url


@pytest.mark.parametrize(
    ("website", "email", "domain"),
    [("shop.acme.co.uk", "bo@other.example", "acme.co.uk"), ("https://facebook.com/acme", "bo@acme.example", "acme.example"), (None, "bo@gmail.com", None),
     (None, "bo@mailinator.com", None), (None, "bo@mail.acme.example", "acme.example")],
)  # fmt: skip
def test_a_companys_own_domain(website: str | None, email: str | None, domain: str | None) -> None:
    done = normalize(batch(website=[website], email=[email]), context()).leads
    assert shown(done.at[0, "company_domain"]) == domain


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("Anna Berg", (None, "Anna", None, "Berg"), id="plain"),
        pytest.param("SCHMIDT, Anna", (None, "Anna", None, "Schmidt"), id="family name first"),
        pytest.param("MARY O'BRIEN", (None, "Mary", None, "O'Brien"), id="capitals"),
        pytest.param(
            "Herr Dr. Hans von der Heide", ("Dr.", "Hans", None, "von der Heide"), id="German titles and particles"
        ),
        pytest.param("山田 太郎", (None, "太郎", None, "山田"), id="Japanese"),
        pytest.param("Juan Carlos de la Vega", (None, "Juan", "Carlos", "de la Vega"), id="particles"),
        pytest.param("Anna", (None, "Anna", None, None), id="one word"),
    ],
)
def test_full_names(text: str, parts: tuple[str | None, ...]) -> None:
    assert read_full_name(text, RULES)[:4] == parts


@pytest.mark.parametrize(
    ("text", "name"),
    [("MCDONALD", "McDonald"), ("VAN DER BERG", "van der Berg"), ("ANNA-MARIA", "Anna-Maria"), ("mcdonald", "mcdonald"), ("deVries", "deVries"), ("JD", "JD"), ("ÇELİK", "Çelik")],
)  # fmt: skip
def test_only_capitals_are_rewritten(text: str, name: str) -> None:
    assert recase(text, RULES.particles).replace("\u0307", "") == name
