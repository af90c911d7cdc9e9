"""The generated leads are what the measurements need: their shares, their truth, and nobody's real data."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import phonenumbers
import pytest
from anyascii import anyascii
from email_validator import EmailNotValidError, validate_email

from tests.bench.generate import DUPLICATES, SHARES, Generator, Truth, pairs_score, read_truth, write
from tests.bench.people import phone_number, write_phone
from tests.bench.variation import BROKEN_PHONES, COLUMNS, COMPANY, EMAIL, FIRST, LAST, PHONE
from tests.bench.words import read_words

Row = tuple[list[str], Truth]
LANDS = {land.code: land for land in read_words().lands}
COUNTRY_OF = {spelling: land.code for land in LANDS.values() for spelling in land.spellings}
PROVIDERS = {provider for land in LANDS.values() for provider in land.providers}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(Generator(20_000, seed=20261103))


@pytest.fixture(scope="module")
def people(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for cells, truth in rows:
        found[truth.person_id].append((cells, truth))
    return found


def of_kind(rows: list[Row], *kinds: str) -> Iterator[Row]:
    return ((cells, truth) for cells, truth in rows if truth.kind in kinds)


def e164(cells: list[str]) -> str | None:
    try:
        number = phonenumbers.parse(cells[PHONE], COUNTRY_OF[cells[-1]])
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email_key(written: str) -> str | None:
    try:
        email = validate_email(written.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None
    local, domain = email.split("@")
    local = local.split("+")[0]
    return f"{local.replace('.', '') if domain == 'gmail.com' else local}@{domain}"


def name_key(cells: list[str]) -> str:
    return " ".join(anyascii(f"{cells[FIRST]} {cells[LAST]}").casefold().split())


@pytest.mark.parametrize("count", [0, 1, 10, 999])
def test_any_count_gives_that_many_rows(count: int) -> None:
    rows = list(Generator(count, seed=1))
    assert [truth.row for _, truth in rows] == list(range(1, count + 1))
    assert all(len(cells) == len(COLUMNS) for cells, _ in rows)


def test_shares_are_exact(rows: list[Row]) -> None:
    found = Counter(truth.kind for _, truth in rows)
    assert {kind: found[kind] for kind in SHARES} == {kind: share * 2 for kind, share in SHARES.items()}
    assert sum(found[kind] for kind in DUPLICATES) == 0.12 * len(rows)


def test_same_seed_same_bytes_other_seed_other_people(tmp_path: Path) -> None:
    first, again, other = (write(500, seed, tmp_path / name) for seed, name in ((7, "a"), (7, "b"), (8, "c")))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert first[0].read_bytes() != other[0].read_bytes()


def test_files_hold_what_the_generator_says(tmp_path: Path) -> None:
    leads, truth = write(300, 7, tmp_path)
    with leads.open(encoding="utf-8", newline="") as lines:
        header, *cells = csv.reader(lines)
    assert tuple(header) == COLUMNS
    assert cells == [cells for cells, _ in Generator(300, 7)]
    assert list(read_truth(truth).values()) == [truth for _, truth in Generator(300, 7)]


def test_rows_have_the_size_of_the_measurement(rows: list[Row]) -> None:
    assert 180 < sum(len(",".join(cells).encode()) + 1 for cells, _ in rows) / len(rows) < 215


def test_phones_are_valid_and_shared_only_where_meant(rows: list[Row], people: dict[str, list[Row]]) -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for cells, truth in rows:
        number = e164(cells)
        assert (number is None) == (not cells[PHONE] or truth.kind in ("broken_phone", "broken_both")), cells
        if number:
            owners[number].add(truth.person_id)
    sharing = {person for group in owners.values() for person in group if len(group) > 1}
    for person in sharing:
        assert {truth.company_id for _, truth in people[person]} == {people[person][0][1].company_id}
    assert {truth.person_id for _, truth in of_kind(rows, "shared_phone")} <= sharing


@pytest.mark.parametrize("broken", BROKEN_PHONES)
@pytest.mark.parametrize("country", LANDS)
def test_a_broken_phone_is_one_nowhere(broken: str, country: str) -> None:
    assert e164(["", "", "", "", broken, "", LANDS[country].spellings[0]]) is None


@pytest.mark.parametrize("country", LANDS)
def test_numbers_of_a_country_do_not_repeat_and_stay_valid(country: str) -> None:
    numbers = [phone_number(country, serial) for serial in [*range(1, 3_000), *range(900_000, 903_000)]]
    assert len(set(numbers)) == len(numbers)
    for number in numbers[::97]:
        assert len({e164(["", "", "", "", write_phone(country, number, style), country]) for style in range(5)}) == 1
        assert e164(["", "", "", "", write_phone(country, number, 0), country])


def test_addresses_are_reserved_or_of_free_providers(rows: list[Row]) -> None:
    for cells, truth in rows:
        if (key := email_key(cells[EMAIL])) is not None:
            domain = key.split("@")[1]
            assert domain.endswith(".example") or domain in PROVIDERS
        elif truth.kind not in ("no_email", "typo_broken"):
            assert truth.kind in ("broken_email", "broken_both")


def test_an_address_belongs_to_one_person_unless_it_is_a_role(rows: list[Row]) -> None:
    owners: dict[str, set[tuple[str, str]]] = defaultdict(set)
    roles: set[str] = {truth.person_id for _, truth in of_kind(rows, "role")}
    for cells, truth in rows:
        if (key := email_key(cells[EMAIL])) is not None:
            owners[key].add((truth.person_id, name_key(cells) if truth.person_id in roles else ""))
    for key, group in owners.items():
        assert len(group) == 1 or {person for person, _ in group} <= roles, key
        names = Counter(name for _, name in group)
        assert max(names.values()) == 1, key
    assert any(len(group) > 1 for group in owners.values())


def test_a_duplicate_can_be_found(rows: list[Row], people: dict[str, list[Row]]) -> None:
    for cells, truth in of_kind(rows, *DUPLICATES):
        first, first_truth = people[truth.person_id][0]
        assert first_truth.row < truth.row
        if truth.kind == "duplicate":
            assert email_key(cells[EMAIL]) == email_key(first[EMAIL])
        else:
            assert (e164(cells), name_key(cells)) == (e164(first), name_key(first))
            assert (email_key(cells[EMAIL]) is not None) == (truth.kind == "typo")
            assert email_key(cells[EMAIL]) != email_key(first[EMAIL])


def test_namesakes_differ_in_all_but_name_and_company(rows: list[Row], people: dict[str, list[Row]]) -> None:
    staff: dict[tuple[str, str], set[str]] = defaultdict(set)
    for cells, truth in (people[person][0] for person in people):
        staff[truth.company_id, name_key(cells)].add(truth.person_id)
    for cells, truth in of_kind(rows, "namesake"):
        same = staff[truth.company_id, name_key(cells)]
        assert len(same) > 1
        numbers = [e164(people[person][0][0]) for person in same]
        assert len(set(numbers)) == len(numbers)


def test_variants_are_written_differently(rows: list[Row], people: dict[str, list[Row]]) -> None:
    usual = {truth.company_id: cells[COMPANY] for cells, truth in of_kind(rows, "new")}
    variants = [(cells, truth) for cells, truth in of_kind(rows, "variant") if truth.company_id in usual]
    assert len(variants) > 0.9 * SHARES["variant"] * 2
    assert all(cells[COMPANY] != usual[truth.company_id] for cells, truth in variants)


def test_a_perfect_policy_reaches_the_goal(rows: list[Row]) -> None:
    accepted = [truth for _, truth in rows if truth.kind != "broken_both"]
    perfect = {t.row: f"typo {t.row}" if t.kind == "typo" else t.person_id for t in accepted}
    precision, recall = pairs_score(perfect, {truth.row: truth for _, truth in rows})
    assert precision == 1.0
    assert 0.987 < recall < 0.992


@pytest.mark.parametrize(
    ("assigned", "precision", "recall"),
    [
        pytest.param({}, 1.0, 1.0, id="nothing accepted"),
        pytest.param({1: "a", 2: "a", 3: "a", 4: "b"}, 1.0, 1.0, id="all as it is"),
        pytest.param({1: "a", 2: "a", 3: "c", 4: "b"}, 1.0, 1 / 3, id="one left out"),
        pytest.param({1: "a", 2: "a", 3: "a", 4: "a"}, 0.5, 1.0, id="two people merged"),
        pytest.param({1: "a", 4: "a"}, 0.0, 1.0, id="only a wrong pair"),
        pytest.param({1: "a", 2: "b", 3: "c", 4: "d"}, 1.0, 0.0, id="nothing merged"),
    ],
)
def test_pairs_score(assigned: dict[int, str], precision: float, recall: float) -> None:
    truth = {row: Truth(row, person, "c1", "new") for row, person in enumerate(("p1", "p1", "p1", "p2"), start=1)}
    assert pairs_score(assigned, truth) == (precision, recall)
