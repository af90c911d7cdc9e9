"""The `form:` part of a source: what may stand there, and the nine declarations that ship."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sluice.form_rules import Form, Signature, SpamRules, TestLead
from sluice.rules import SourceRules
from sluice.schema import SET_ASIDE_KINDS
from tests.unit.forms import FOLDER, SOURCES, declaration, form
from tests.unit.standard import fields

HMAC = {"scheme": "hmac", "secret": "s", "header": "x-signature"}


@pytest.mark.parametrize(
    "stated",
    [
        pytest.param(HMAC, id="hmac"),
        pytest.param({**HMAC, "encoding": "base64", "prefix": "sha256="}, id="hmac in Base64"),
        pytest.param({**HMAC, "timestamp": "x-time", "unit": "ms", "signed": "{timestamp}:{body}"}, id="with a time"),
        pytest.param({**HMAC, "signed": "v0:{body}"}, id="with a text around"),
        pytest.param({**HMAC, "layout": "t_v1", "signed": "{timestamp}.{body}"}, id="t_v1"),
        pytest.param({**HMAC, "handshake": {"kind": "meta", "secret": "v"}}, id="with a handshake"),
        pytest.param({"scheme": "standard_webhooks", "secret": "s", "tolerance_seconds": 60}, id="standard_webhooks"),
        pytest.param({"scheme": "body_key", "secret": "s", "path": "google_key"}, id="body_key"),
        pytest.param({"scheme": "bearer", "secret": "s"}, id="bearer"),
        pytest.param({"scheme": "bearer", "secret": "s", "header": "x-key", "prefix": "Key "}, id="bearer in a header"),
        pytest.param({"scheme": "query_key", "secret": "s", "parameter": "key"}, id="query_key"),
        pytest.param({"scheme": "unsigned", "unsigned": True, "allow_from": ["192.0.2.0/24", "2001:db8::1"]}, id="unsigned"),
    ],
)  # fmt: skip
def test_signatures_that_may_be_declared(stated: dict[str, Any]) -> None:
    assert Signature.model_validate(stated).scheme == stated["scheme"]


@pytest.mark.parametrize(
    ("stated", "complaint"),
    [
        pytest.param({}, "scheme", id="nothing"),
        pytest.param({"scheme": "none"}, "scheme", id="no scheme"),
        pytest.param({"scheme": "hmac", "secret": "s"}, "hmac without header", id="hmac without a header"),
        pytest.param({"scheme": "hmac", "header": "x-a"}, "hmac without secret", id="hmac without a secret"),
        pytest.param({**HMAC, "secret": ""}, "secret", id="a secret without a name"),
        pytest.param({**HMAC, "header": "X-Signature"}, "header", id="capitals in a header"),
        pytest.param({**HMAC, "path": "a"}, "hmac with path", id="what belongs to another scheme"),
        pytest.param({**HMAC, "signed": "{timestamp}"}, "takes {body}", id="the body is not signed"),
        pytest.param({**HMAC, "signed": "{body}{body}"}, "takes {body}", id="the body twice"),
        pytest.param({**HMAC, "signed": "{url}{body}"}, "takes {body}", id="an unknown part"),
        pytest.param({**HMAC, "signed": "{timestamp}{body}"}, "comes from", id="a time from nowhere"),
        pytest.param({**HMAC, "timestamp": "x-time"}, "proves nothing", id="a time that is not signed"),
        pytest.param({**HMAC, "layout": "t_v1"}, "proves nothing", id="another time that is not signed"),
        pytest.param({**HMAC, "layout": "t_v1", "timestamp": "x-t", "signed": "{timestamp}{body}"}, "comes from", id="two times"),
        pytest.param({**HMAC, "tolerance_seconds": 86_400}, "tolerance_seconds", id="a day of tolerance"),
        pytest.param({"scheme": "unsigned"}, "without allow_from, unsigned", id="unsigned without a word"),
        pytest.param({"scheme": "unsigned", "unsigned": True}, "without allow_from", id="unsigned from everywhere"),
        pytest.param({"scheme": "unsigned", "allow_from": ["192.0.2.1"]}, "without unsigned", id="unsigned by accident"),
        pytest.param({"scheme": "unsigned", "unsigned": False, "allow_from": ["192.0.2.1"]}, "without unsigned", id="unsigned: false"),
        pytest.param({"scheme": "unsigned", "unsigned": True, "allow_from": ["0.0.0.0/0"]}, "all addresses", id="from all of IPv4"),
        pytest.param({"scheme": "unsigned", "unsigned": True, "allow_from": ["::/0"]}, "all addresses", id="from all of IPv6"),
        pytest.param({"scheme": "unsigned", "unsigned": True, "allow_from": ["example.com"]}, "allow_from", id="from a name"),
        pytest.param({**HMAC, "unsigned": True}, "hmac with unsigned", id="signed and unsigned"),
        pytest.param({"scheme": "query_key", "secret": "s"}, "without parameter", id="query_key without a parameter"),
        pytest.param({"scheme": "body_key", "secret": "s"}, "without path", id="body_key without a path"),
    ],
)  # fmt: skip
def test_signatures_that_are_refused(stated: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Signature.model_validate(stated)
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("model", "stated"),
    [
        (TestLead, {}),
        (TestLead, {"path": "a", "cell": "b"}),
        (SpamRules, {"time_to_fill": {}}),
        (SpamRules, {"time_to_fill": {"start": "a"}}),
        (SpamRules, {"time_to_fill": {"cell": "a", "start": "b", "end": "c"}}),
        (SpamRules, {"honeypot": {"fields": []}}),
        (Form, {"signature": HMAC, "answers": {"format": "xml"}}),
        (Form, {"signature": HMAC, "fetch": {"provider": "linkedin", "id": "a", "secret": "t"}}),
        (Form, {"signature": HMAC, "fetch": {"provider": "meta", "id": "a"}}),
        (Form, {"signature": HMAC, "fetch": {"provider": "meta", "id": "a", "secret": "t", "url": "file:///etc"}}),
        (Form, {}),
    ],
)
def test_rules_that_say_nothing_sensible(model: Any, stated: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(stated)


@pytest.mark.parametrize("source", SOURCES)
def test_a_shipped_declaration(source: str) -> None:
    said = declaration(source)
    rules = SourceRules.model_validate({"name": source, **said})
    assert form(source).signature.secret
    assert rules.kind == "form"
    assert rules.lawful_basis is not None
    assert not rules.expect.same_columns
    assert {"trust", "on_match", "lawful_basis"} <= said.keys()
    assert set(rules.fields.values()) | set(rules.defaults) <= fields().enabled().keys()
    assert not {*rules.fields} & {*rules.ignore}
    assert len(set(rules.fields.values())) == len(rules.fields), "one column per field"


@pytest.mark.parametrize("source", SOURCES)
def test_its_context_is_mapped_or_ignored(source: str) -> None:
    """What the provider says beside the answers is known beforehand, so that it must not be warned of."""
    said, rules = declaration(source), form(source)
    about = {*rules.context, *(rules.fetch.keep if rules.fetch else ())}
    timed = rules.spam.time_to_fill
    trap = rules.spam.honeypot
    about |= {cell for cell in (timed and timed.cell,) if cell} | {*(trap.fields if trap else ())}
    assert about <= {*said["fields"], *said["ignore"]}


def test_each_shipped_declaration_starts_with_what_to_do() -> None:
    for source in SOURCES:
        text = (FOLDER / f"{source}.yml").read_text("utf-8")
        assert text.startswith("# ")
        assert "hooks/" in text


def test_spam_and_tests_are_kinds_of_set_asides() -> None:
    assert {"spam", "test_lead"} <= set(SET_ASIDE_KINDS)
