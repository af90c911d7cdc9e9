"""The quick ways through a column say what the slow ones say, or nothing."""

import sys
from random import Random

import pyarrow as pa
import pytest
from tldextract import TLDExtract

from sluice.domains import registrable_domain
from sluice.normalization import normalize
from sluice.normalization.emails import read_email
from sluice.normalization.phones import read_all_phones, read_phone, stated_countries
from sluice.normalization.text import Cleaner
from sluice.validation import FOLDED_TO_ASCII
from tests.bench.contacts import address_disagreements, addresses, phone_disagreements, phones
from tests.unit.standard import batch, context, normalization_rules

RULES = normalization_rules()
PIECES = [
    "a", "B", " ", "  ", "-", "0", "000", "n/a", "N/A", "none", '="', '"', "\t", "\n", "\u00a0", "\u200b", "é", "e\u0301",
    "\x00", "\x07", "xx", "www", "123-456-7890", "\\", "(null)", "—", "İ", "ſ",
]  # fmt: skip


@pytest.mark.parametrize("seed", [20_261_122])
def test_numbers_that_are_read_without_the_library_are_read_as_it_does(seed: int) -> None:
    known, wrong = phone_disagreements(20_000, seed)
    assert known > 5_000
    assert wrong == []


@pytest.mark.parametrize("seed", [20_261_122])
def test_addresses_that_are_taken_without_the_library_are_as_it_writes_them(seed: int) -> None:
    known, wrong = address_disagreements(20_000, seed)
    assert known > 5_000
    assert wrong == []


@pytest.mark.long
def test_a_million_of_each() -> None:
    assert phone_disagreements(1_000_000, 3)[1] == []
    assert address_disagreements(1_000_000, 3)[1] == []


def test_a_column_of_numbers_is_read_like_its_cells() -> None:
    stream = phones(Random(5))
    given = [next(stream) for _ in range(2_000)]
    keyed = [(text, f"{country or 'US'}:address DE:source") for text, country in given]
    keyed += [
        ("2025550123.0", "US:source"),
        ("(+49) 30 901820", "US:source"),
        ("0049 30 901820", ""),
        ("5550123", "US:x"),
    ]
    for area_code in (None, "202"):
        alone = [read_phone(text, stated_countries(stated), area_code) for text, stated in keyed]
        assert read_all_phones(keyed, area_code) == alone


def test_a_column_of_addresses_is_read_like_its_cells() -> None:
    stream = addresses(Random(5))
    given = [next(stream) for _ in range(2_000)]
    leads = normalize(batch(email=given), context()).leads
    cleaner = Cleaner(RULES)
    cleaned = [cleaner.clean(text, "email").value for text in given]
    assert leads["email"].fillna("").tolist() == [
        (read_email(text, RULES.email).value or "") if text else "" for text in cleaned
    ]


@pytest.mark.parametrize(
    "patterns",
    [RULES.null_patterns, [], [r"(?i:x+)"], [r"\d{,3}"], [r"(?P<one>b)(?P=one)"], [r"a++"], [r"[[:alpha:]]"]],
)
@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
def test_a_column_is_cleaned_like_its_cells(patterns: list[str]) -> None:
    """Whatever Arrow's regular expressions make of the configured patterns."""
    cleaner = Cleaner(RULES.model_copy(update={"null_patterns": patterns}))
    random = Random(7)
    texts = ["".join(random.choice(PIECES) for _ in range(random.randrange(5))) for _ in range(3_000)]
    for field in ("company", "last_name", "description"):
        for keep_lines in (False, True):
            values, codes = cleaner.clean_all(pa.array(texts, pa.large_string()), field, keep_lines=keep_lines)
            alone = [cleaner.clean(text, field, keep_lines=keep_lines) for text in texts]
            assert values == [reading.value for reading in alone]
            assert codes == {place: reading.code for place, reading in enumerate(alone) if reading.code}


def test_letters_that_fold_to_ascii_are_all_known() -> None:
    letters = (chr(code) for code in range(128, sys.maxunicode + 1))
    assert set(FOLDED_TO_ASCII) == {
        letter for letter in letters if any(char.isascii() and char.isalnum() for char in letter.casefold())
    }


def test_domains_of_two_labels_are_as_the_library_reads_them() -> None:
    library, hosts = TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True), set[str]()
    for suffix in library.tlds:
        for written in {suffix.lstrip("*!."), suffix.lstrip("*!.").encode("idna").decode()}:
            labels = written.split(".")
            hosts |= {".".join(labels[-2:]), f"nordwind.{labels[-1]}"}
    hosts |= {"nordwind.example", "nordwind.", ".example", "10.1", "nordwind.b2", "xn--mnchen-3ya.de", "a_b.com"}
    for host in sorted(hosts):
        found, labels = library(host), [label for label in host.split(".") if label]
        unlisted = None if len(labels) < 2 or labels[-1].isdigit() else host
        registered = (f"{found.domain}.{found.suffix}" if found.domain else None) if found.suffix else unlisted
        assert registrable_domain(host) == registered, host
