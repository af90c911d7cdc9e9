"""The committed samples are what their script makes, messy as announced, and nobody's real data."""

from __future__ import annotations

import re
from pathlib import Path

import phonenumbers
import pytest

from tests.bench.make_samples import Files, make
from tests.bench.sample_people import FICTIONAL, fictional

INBOX = Path(__file__).parents[2] / "samples" / "inbox"
INVENTED_ELSEWHERE = {
    "sluice.demo.anna", "s.luicedemo.anna+webinar", "sluice-demo", "sluice.demo.piet", "demo.sluice",
}  # fmt: skip
CALLING_CODES = {"US": "+1", "GB": "+44", "DE": "+49", "FR": "+33"}


@pytest.fixture(scope="module")
def files() -> Files:
    return make()


def test_committed_files_are_made_by_the_script(files: Files) -> None:
    assert {str(path.relative_to(INBOX)) for path in INBOX.rglob("*.csv")} == set(files)
    for path, (content, _) in files.items():
        assert (INBOX / path).read_bytes() == content, path


def test_about_two_thousand_records_and_one_in_thirty_refused(files: Files) -> None:
    fates = [fates for path, (_, fates) in files.items() if "copy" not in path]
    records = sum(fate.total() for fate in fates)
    assert 1_900 <= records <= 2_100
    assert 0.02 < sum(fate["reject"] for fate in fates) / records < 0.05


def test_the_copy_is_a_copy(files: Files) -> None:
    assert files["webinar/webinar-2026-10.csv"][0] == files["webinar/webinar-2026-10_copy.csv"][0]


@pytest.mark.parametrize(
    ("path", "beginning"),
    [
        pytest.param("webinar/webinar-2026-10.csv", b"\xef\xbb\xbfFirst Name,Last Name,Email Address,", id="BOM"),
        pytest.param("trade-show/messe-hannover.csv", b"Vorname;Nachname;E-Mail;Firma;", id="semicolons"),
        pytest.param("partner-list/partner-list-us.csv", b"Contact,Email,Phone,Company Name,", id="partner"),
        pytest.param("website-export/website-export.csv", b"created_at,first_name,last_name,email,", id="canonical"),
        pytest.param(
            "company-register/company-register.csv", b"external_id,company,street,city,country", id="register"
        ),
    ],
)
def test_headers(files: Files, path: str, beginning: bytes) -> None:
    assert files[path][0].startswith(beginning)


def test_the_trade_show_is_not_utf8(files: Files) -> None:
    content = files["trade-show/messe-hannover.csv"][0]
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    assert "Jürgen" in content.decode("cp1252")


def test_addresses_are_reserved_or_clearly_invented(files: Files) -> None:
    for path, (content, _) in files.items():
        text = content.decode("cp1252" if "messe" in path else "utf-8-sig").lower()
        for local, domain in re.findall(r"([^\s,;@\"]+)@([\w.-]+\.\w+)", text):
            reserved = domain.endswith((".example", ".test")) or domain in ("example.com", "example.org", "example.net")
            assert reserved or local in INVENTED_ELSEWHERE, f"{local}@{domain}"


@pytest.mark.parametrize("country", FICTIONAL)
def test_fictional_numbers_are_valid_and_do_not_repeat_among_the_people(country: str) -> None:
    numbers = [CALLING_CODES[country] + fictional(country, serial) for serial in range(1, 1_600)]
    assert len(set(numbers)) == len(numbers)
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)
