"""Which names are worth comparing: what is left out cannot be alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from sluice.matching.companies import names_alike
from sluice.matching.keys import company_keys, letters_alike
from sluice.matching.rules import CompanyRules

NAMES = st.text("abc 1", min_size=1, max_size=40)


@given(NAMES, NAMES, st.sampled_from([50, 75, 90, 97, 100]))
def test_no_name_of_another_length_is_alike(ours: str, theirs: str, similarity: int) -> None:
    fewest, most = letters_alike(ours, similarity)
    assert fewest <= len(theirs) <= most or fuzz.ratio(ours, theirs) < similarity


@pytest.mark.parametrize(
    ("name", "similarity", "letters"),
    [
        pytest.param("nordwind", 90, (7, 9), id="a short name"),
        pytest.param("nordwind logistik see", 90, (18, 25), id="a long name"),
        pytest.param("nordwind", 100, (8, 8), id="the same name"),
        pytest.param("nordwind", 0, (0, 32_767), id="any name"),
    ],
)
def test_letters(name: str, similarity: float, letters: tuple[int, int]) -> None:
    assert letters_alike(name, similarity) == letters


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        pytest.param("nordwind logistik", ("nordwlo", "nordwind n"), id="starts, and the first of the longest words"),
        pytest.param("a b c", ("abcc", None), id="no long word"),
        pytest.param("wind", ("wind", None), id="shorter than a start"),
    ],
)
def test_keys(name: str, keys: tuple[str, str | None]) -> None:
    assert company_keys(name, 5) == keys


def test_names_are_alike_from_where_a_person_should_compare_them() -> None:
    others = ["socfinal", "vereinigte nordseewerke emden", "vereinigte nordseewerke emten"]
    assert names_alike("vereinigte nordseewerke emden", others, CompanyRules()) == others[1:]
    assert names_alike("socfinaf", others, CompanyRules()) == []
