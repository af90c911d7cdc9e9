"""Canonical names of companies and people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.names import company_key, company_name, name_key


@pytest.mark.parametrize(
    ("text", "key", "legal_class"),
    [
        pytest.param(
            "Müller & Söhne GmbH & Co. KG", "muller and sohne", "partnership", id="umlauts, ampersand, compound form"
        ),
        pytest.param("Acme S.A. de C.V.", "acme", "public", id="dotted form of several words"),
        pytest.param("ООО Ромашка", "romashka", "private", id="Cyrillic form in front"),
        pytest.param("Нова Софт ЕООД", "nova soft", "private", id="Bulgarian form"),
        pytest.param("株式会社サンプル", "sanpuru", "public", id="Japanese form without a space"),
        pytest.param("C.B.A. Company", "cba", "other", id="initials are joined"),
        pytest.param("A.B.C. Company", "abc", "other", id="other initials stay apart"),
        pytest.param("The Lantern, Inc.", "lantern", "private", id="article and comma"),
        pytest.param("Limited", "limited", None, id="the last word is never taken"),
        pytest.param("Wien Institute", "wien institute", None, id="no form"),
        pytest.param("O'Reilly Lamps", "oreilly lamps", None, id="apostrophe"),
        pytest.param("Foo Sp. z o.o.", "foo", "private", id="Polish form"),
        pytest.param("AT&T Lamps Corp", "at and t lamps", "private", id="ampersand without spaces"),
    ],
)
def test_a_company_name_loses_its_legal_form_but_keeps_its_class(text: str, key: str, legal_class: str | None) -> None:
    assert company_name(text) == (key, legal_class)


@pytest.mark.parametrize("text", ["", "...", "—"])
def test_punctuation_is_no_name(text: str) -> None:
    assert company_name(text) is None


def test_public_and_private_companies_of_one_name_are_told_apart() -> None:
    one, other = company_name("Deutsche Lampen AG"), company_name("Deutsche Lampen GmbH")
    assert one is not None and other is not None
    assert one.key == other.key
    assert (one.legal_class, other.legal_class) == ("public", "private")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param("José Núñez", "jose nunez", id="accents"),
        pytest.param("Zoë O’Brien-Smith", "zoe obrien smith", id="apostrophe and hyphen"),
        pytest.param("Иван Петров", "ivan petrov", id="Cyrillic"),
        pytest.param("Anna", None, id="one word identifies nobody"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_name_key(text: str, key: str | None) -> None:
    assert name_key(text) == key


@given(st.text(max_size=40))
def test_keys_are_idempotent(text: str) -> None:
    for key_of in (company_key, name_key):
        key = key_of(text)
        assert key is None or key_of(key) == key


@given(
    st.lists(
        st.sampled_from(["acme", "gmbh", "&", "co", "kg", "the", "a", "b.", "S.A.", "ООО", "有限公司", "and"]),
        max_size=7,
    )
)
def test_company_keys_of_many_forms_are_idempotent(words: list[str]) -> None:
    key = company_key(" ".join(words))
    assert key is None or company_key(key) == key
