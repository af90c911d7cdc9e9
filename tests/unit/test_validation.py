"""Which rows are leads, and what is said about those that are not."""

from typing import Any

import pytest

from sluice.batch import Batch
from sluice.normalization import normalize
from sluice.schema import STEP_COLUMNS
from sluice.validation import ValidationRules, validate
from tests.unit.standard import batch, context, shown, validation_rules


def judged(
    rules: ValidationRules | None = None, source: dict[str, Any] | None = None, **columns: list[str | None]
) -> Batch:
    known = context(source=source)
    return validate(normalize(batch(**columns), known), rules or validation_rules(), known.source)


def test_an_empty_batch_has_all_columns() -> None:
    assert set(STEP_COLUMNS["validate"]) <= set(judged().leads.columns)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        pytest.param({"full_name": None, "email": "  "}, "blank", id="nothing but spaces"),
        pytest.param({"full_name": "Total", "email": None, "employees": "42"}, "total_line", id="total"),
        pytest.param({"full_name": "Summe: 12", "email": None}, "total_line", id="German, with the sum"),
        pytest.param({"full_name": "Test Test", "email": "anna@acme.example"}, "test_lead", id="name that people type"),
        pytest.param({"full_name": "Tester Berg", "email": "test@acme.example"}, "test_lead", id="mailbox and name"),
    ],
)
def test_rows_that_are_no_leads_are_set_aside_with_a_reason(cells: dict[str, str | None], kind: str) -> None:
    done = judged(**{name: [cell] for name, cell in cells.items()})
    assert done.set_asides["kind"].tolist() == [kind]
    assert done.set_asides["reason"].notna().all()
    assert len(done) == 1


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param({"full_name": "Anna Berg", "email": "anna@example.com"}, id="example.com is no test"),
        pytest.param({"company": "Total", "email": "anna@total.example"}, id="a company called Total"),
        pytest.param({"company": "Total", "phone": "+12025550123", "city": "Paris"}, id="reached by phone"),
        pytest.param(
            {"full_name": "Anna Testa", "email": "anna.testa@acme.example"}, id="a name that begins with test"
        ),
        pytest.param({"full_name": "Bo Berg", "email": "test@acme.example"}, id="only the mailbox"),
    ],
)
def test_real_leads_stay(cells: dict[str, str]) -> None:
    done = judged(**{name: [cell] for name, cell in cells.items()})
    assert (len(done.leads), len(done.set_asides)) == (1, 0)


@pytest.mark.parametrize(
    ("email", "free", "role", "disposable", "verdict", "warning"),
    [
        pytest.param("anna@acme.example", False, False, False, "ok", "", id="company"),
        pytest.param("anna@web.de", True, False, False, "ok", "", id="free"),
        pytest.param("info@acme.example", False, True, False, "ok", "email:role", id="role"),
        pytest.param(
            "anna@mailinator.com", False, False, True, "risky", "email:disposable", id="throw-away is not free"
        ),
        pytest.param("anna@hotmial.com", None, False, None, "risky", "email:typo", id="a typing error is hinted at"),
        pytest.param("anna@aon.com", False, False, False, "ok", "", id="near a short name is no error"),
        pytest.param(None, None, None, None, None, "", id="no e-mail"),
    ],
)
def test_what_an_address_is_worth(
    email: str | None, free: bool | None, role: bool | None, disposable: bool | None, verdict: str | None, warning: str
) -> None:
    lead = judged(full_name=["Anna Berg"], phone=["+12025550123"], email=[email]).leads.loc[0]
    assert (shown(lead["email_is_role"]), shown(lead["email_verdict"])) == (role, verdict)
    assert warning in lead["warnings"].split() or not warning
    assert shown(lead["email"]) == email
    if verdict == "ok" or email is None:
        assert (shown(lead["email_is_free"]), shown(lead["email_is_disposable"]), lead["warnings"]) == (
            free,
            disposable,
            warning,
        )


@pytest.mark.parametrize(
    ("minimum", "cells", "codes"),
    [
        pytest.param("contact", {"company": "Acme", "phone": "+12025550123"}, None, id="company and phone"),
        pytest.param("contact", {"full_name": "Anna Berg"}, ["row:minimum.unmet"], id="nothing to reach her by"),
        pytest.param("contact", {"email": "anna@example.com"}, ["row:minimum.unmet"], id="nobody"),
        pytest.param(
            "name_and_contact",
            {"company": "Acme", "email": "anna@example.com"},
            ["row:minimum.name"],
            id="S002-02 wants a name",
        ),
        pytest.param("company", {"company": "Acme"}, None, id="a company is enough"),
        pytest.param("company", {"full_name": "Anna Berg"}, ["row:minimum.company"], id="no company"),
        pytest.param("email", {"email": "anna@example.com"}, None, id="an e-mail is enough"),
        pytest.param("email", {"full_name": "Anna Berg"}, ["row:minimum.email"], id="no e-mail"),
        pytest.param(
            "contact",
            {"full_name": "Anna Berg", "email": "anna@", "phone": "+12025550123"},
            None,
            id="a bad e-mail never costs a good phone",
        ),
        pytest.param(
            "contact",
            {"full_name": "Anna Berg", "email": "anna@example.com", "phone": "12"},
            None,
            id="nor the other way round",
        ),
        pytest.param(
            "contact",
            {"full_name": "Anna Berg", "email": "anna@", "phone": "12"},
            ["email:invalid", "phone:invalid", "row:minimum.unmet"],
            id="all problems",
        ),
    ],
)
def test_intake_minimum(minimum: str, cells: dict[str, str], codes: list[str] | None) -> None:
    done = judged(source={"intake_minimum": minimum}, **{name: [cell] for name, cell in cells.items()})
    rejected = [[f"{item['field']}:{item['code']}" for item in problems] for problems in done.rejects["problems"]]
    assert rejected == ([codes] if codes else [])
    assert len(done) == 1


def test_a_reject_says_what_was_found_and_what_to_do() -> None:
    done = judged(full_name=["Anna Berg"], email=["anna@"])
    first = done.rejects["problems"].iloc[0][0]
    assert (first["field"], first["code"], first["found"]) == ("email", "invalid", "anna@")
    assert first["fix"]
    assert done.rejects["record"].iloc[0] == ["Anna Berg", "anna@"]


def test_a_source_of_organisations_needs_a_company_and_nothing_else() -> None:
    done = judged(source={"organisation_only": True}, company=["Berg Kita", None], email=[None, "anna@example.com"])
    assert (done.leads["row"].tolist(), done.rejects["row"].tolist()) == ([1], [2])


def test_a_profile_may_refuse_throw_away_addresses() -> None:
    strict = validation_rules().model_copy(update={"disposable": "reject"})
    done = judged(strict, full_name=["Anna Berg"], email=["anna@mailinator.com"])
    assert [item["code"] for item in done.rejects["problems"].iloc[0]] == ["disposable"]


def test_the_packaged_lists_can_be_corrected() -> None:
    mended = validation_rules().model_copy(update={"not_disposable": ["mailinator.com"], "also_free": ["acme.example"]})
    leads = judged(mended, full_name=["A B", "C D"], email=["a@mailinator.com", "c@acme.example"]).leads
    assert leads["email_is_disposable"].tolist() == [False, False]
    assert leads["email_is_free"].tolist() == [False, True]


def test_recommended_fields_are_asked_for() -> None:
    asking = validation_rules().model_copy(update={"recommended": ["company"]})
    leads = judged(asking, full_name=["Anna Berg"], email=["anna@example.com"]).leads
    assert leads.at[0, "warnings"] == "company:missing"  # S002-03


def test_a_batch_keeps_its_length() -> None:
    done = judged(full_name=["Anna Berg", "Total", "Test Test", None], email=["anna@example.com", None, None, "bad@"])
    assert [len(part) for part in (done.leads, done.rejects, done.set_asides)] == [1, 1, 2]
