"""Which company a row belongs to: rows-as-examples, decided one after the other (S000-26)."""

from __future__ import annotations

import pytest

from sluice.matching.companies import Company, CompanyClaim, CompanyRegistry, judge_company
from sluice.matching.rules import CompanyRules


def claim(name: str, *, domain: str | None = None, country: str | None = None, form: str | None = None) -> CompanyClaim:
    return CompanyClaim(name.title(), name, form, domain, country)


CASES = [
    pytest.param([], [], id="no rows"),
    pytest.param([claim("nordwind"), claim("nordwind")], ["1", "1 same canonical name"], id="one name"),
    pytest.param(
        [claim("nordwind", country="DE"), claim("nordwind", country="AT")], ["1", "2 ?1"], id="other country: asked"
    ),
    pytest.param(
        [claim("nordwind", form="public"), claim("nordwind", form="private")],
        ["1", "2 ?1"],
        id="other legal form: asked",
    ),
    pytest.param(
        [claim("nordwind", domain="nordwind.example"), claim("nordwind logistik", domain="nordwind.example")],
        ["1", "1 same domain"],
        id="one domain",
    ),
    pytest.param(
        [claim("nordwind", domain="shared.example"), claim("kaltenbach", domain="shared.example")],
        ["1", "2"],
        id="a shared domain does not make one company of two names",
    ),
    pytest.param(
        [
            claim("nordwind"),
            claim("nordwind", domain="nordwind.example"),
            claim("nordwind see", domain="nordwind.example"),
        ],
        ["1", "1 same canonical name", "1 same domain"],
        id="a company learns its domain",
    ),
    pytest.param(
        [
            claim("vereinigte nordseewerke emden und bremerhaven"),
            claim("vereinigte nordseewerke emden und bremerhafen"),
        ],
        ["1", "1 much the same name"],
        id="a letter in a long name",
    ),
    *(
        pytest.param([claim(ours), claim(theirs)], found, id=f"another ending: {ours}, {theirs}")
        for ours, theirs, found in (
            ("nordwind logistics", "nordwind logistic", ["1", "1 much the same name"]),
            ("muller maschinenbau", "muller maschinenbaus", ["1", "1 much the same name"]),
            ("muller systems", "muller system", ["1", "2 ?1"]),
            ("siemens", "siemen", ["1", "2 ?1"]),
        )
    ),
    pytest.param([claim("socfinal"), claim("socfinaf")], ["1", "2"], id="a letter in a short name"),
    pytest.param([claim("plant 12 operations"), claim("plant 13 operations")], ["1", "2"], id="numbers must be equal"),
]


@pytest.mark.parametrize(("claims", "expected"), CASES)
def test_claims_are_judged_in_order(claims: list[CompanyClaim], expected: list[str]) -> None:
    registry, told, rules = CompanyRegistry(), list[str](), CompanyRules()
    for number, said in enumerate(claims, start=1):
        fresh = Company(number, said, (1, number), is_new=True)
        verdict = judge_company(said, fresh, registry, rules)
        rule = "" if verdict.company is fresh else f" {verdict.rule}"
        asked = f" ?{verdict.suspect.company_id}" if verdict.suspect else ""
        told.append(f"{verdict.company.company_id}{rule}{asked}")
    assert told == expected
