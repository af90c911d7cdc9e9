"""The OpenAPI description says what the door does: every address, every answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from sluice.api.app import DESCRIPTION
from tests.doors import Door, opened

SAID = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
OPERATIONS = [(path, method) for path, item in SAID["paths"].items() for method in item if method != "parameters"]
EXAMPLES = int(os.environ.get("SLUICE_API_EXAMPLES") or 15)
"""Requests per operation and kind (right ones, wrong ones)."""

RULES = "address: {per_second: 10000, burst: 10000}\nsource: {per_second: 10000, burst: 10000}\n"


@pytest.fixture(scope="module")
def door(clusters: Callable[[str], Any], make_home: Callable[[], Path]) -> Iterator[Door]:
    """A door on a database of its own."""
    with opened(clusters("embedded"), make_home(), rules=RULES) as door:
        yield door


@pytest.fixture(scope="module")
def schema(door: Door) -> Any:
    """The description as the door gives it out."""
    import schemathesis

    return schemathesis.openapi.from_dict(door.client.get("/openapi.json").json())


def test_it_is_given_out(door: Door) -> None:
    assert door.client.get("/openapi.json").json() == SAID


def test_every_address_is_in_it_and_no_other(door: Door) -> None:
    for path, method in OPERATIONS:
        status = door.client.request(method, path.replace("{source}", "x").replace("{receipt}", "1")).status_code
        assert status not in (404, 405, 500), (path, method)
    for path in ("/docs", "/redoc", "/", "/hooks", "/hooks/", "/hooks/a/b", "/v1", "/v1/leads/", "/v1/receipts"):
        assert door.client.get(path).status_code == 404


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=[f"{method} {path}" for path, method in OPERATIONS])
def test_every_answer_has_an_example_or_no_content(path: str, method: str) -> None:
    for status, answer in SAID["paths"][path][method]["responses"].items():
        if "$ref" in answer:
            answer = SAID["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        for kind, content in answer.get("content", {}).items():
            assert {"example", "examples"} & set(content) or status == "400", (status, kind)


ANYTHING = ("/hooks/{source}", "/v1/leads")
"""Where whatever is sent is stored, and found to be unreadable later."""

SUBTLE = ("/v1/events",)
"""What no schema can say: that an address is one, and that a time is not in the future."""


@pytest.mark.parametrize("is_right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=[f"{method} {path}" for path, method in OPERATIONS])
def test_answers_are_as_described(path: str, method: str, is_right: bool, schema: Any, door: Door) -> None:
    from schemathesis import GenerationMode
    from schemathesis.checks import CHECKS
    from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

    left_out = [negative_data_rejection] * (path in ANYTHING) + [positive_data_acceptance] * (path in SUBTLE)
    checks = [check for check in CHECKS.get_all() if check not in left_out]
    mode = GenerationMode.POSITIVE if is_right else GenerationMode.NEGATIVE
    operation, headers = schema[path][method.upper()], door.key()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(base_url=str(door.client.base_url), headers=headers, checks=checks, timeout=10)

    try:
        ask()
    except Unsatisfiable:
        assert not is_right
        pytest.skip("nothing about it can be wrong")
