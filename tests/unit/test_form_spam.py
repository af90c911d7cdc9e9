"""Signals of spam and their points, and the secret that is taken out of a body before it is stored."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

import pytest

from sluice.form_rules import Signature, SpamRules
from sluice.problems import CODES
from sluice.sources.forms.adapters import submissions
from sluice.sources.forms.redaction import redacted
from sluice.sources.forms.spam import spam_score, spam_signals
from tests.unit.forms import SECRET, form, multipart, posted, read, rules, signed

RULES = SpamRules.model_validate(
    {
        "threshold": 60,
        "honeypot": {"fields": ["website_url", "fax"], "points": 60},
        "time_to_fill": {"cell": "seconds", "minimum_seconds": 3, "points": 40},
        "links": {"most": 2, "points": 30},
        "all_alike": {"answers": 3, "points": 50},
    }
)
TIMES = SpamRules.model_validate(
    {"time_to_fill": {"start": "from", "end": "until", "minimum_seconds": 3, "points": 40}}
)
LINKS = "see https://a.example http://b.example www.c.example"


@pytest.mark.parametrize(
    ("cells", "points", "codes"),
    [
        pytest.param({}, 0, [], id="nothing"),
        pytest.param({"name": "Zoë", "message": "Please call https://a.example", "seconds": "41"}, 0, [], id="a person"),
        pytest.param({"name": "Zoë", "website_url": " "}, 0, [], id="an empty honeypot"),
        pytest.param({"name": "Zoë", "website_url": "x"}, 60, ["honeypot_filled"], id="a full honeypot"),
        pytest.param({"website_url": "x", "fax": "y"}, 60, ["honeypot_filled"], id="two count once"),
        pytest.param({"name": "Zoë", "seconds": "2.9"}, 40, ["filled_too_fast"], id="too fast"),
        pytest.param({"name": "Zoë", "seconds": "3"}, 0, [], id="just slow enough"),
        pytest.param({"name": "Zoë", "seconds": "-5"}, 40, ["filled_too_fast"], id="before the page was opened"),
        pytest.param({"name": "Zoë", "seconds": "soon"}, 0, [], id="no number: cannot be compared"),
        pytest.param({"message": LINKS, "more": LINKS}, 30, ["many_links"], id="links count once"),
        pytest.param({"a": "www.a.example", "b": "www.b.example", "c": "www.c.example"}, 0, [], id="links in several answers"),
        pytest.param({"a": "buy", "b": "Buy ", "c": "BUY", "d": ""}, 50, ["all_alike"], id="all alike"),
        pytest.param({"a": "buy", "b": "buy"}, 0, [], id="two alike are few"),
        pytest.param({"a": "buy", "b": "buy", "c": "buy", "seconds": "1"}, 90, ["filled_too_fast", "all_alike"], id="they add up"),
        pytest.param({"message": "http://" * 200_000}, 30, ["many_links"], id="1.4 MB of links"),
    ],
)  # fmt: skip
def test_signals(cells: dict[str, str], points: int, codes: list[str]) -> None:
    found = spam_signals(cells, RULES)
    assert [signal.code for signal in found] == codes
    assert spam_score(cells, RULES) == (points, [signal.reason for signal in found])
    assert all(f"(+{signal.points})" in signal.reason and signal.code in CODES for signal in found)


@pytest.mark.parametrize(
    ("start", "end", "is_too_fast"),
    [
        ("2026-11-20T18:17:00Z", "2026-11-20T18:17:02Z", True),
        ("2026-11-20T18:17:00Z", "2026-11-20T18:17:03Z", False),
        ("2026-11-20T18:17:00+01:00", "2026-11-20 17:17:02", True),
        ("1795197420", "1795197421", True),
        ("1795197420000", "1795197421000", True),
        ("1795197420", "1795197430000", False),
        ("", "2026-11-20T18:17:02Z", False),
        ("yesterday", "today", False),
        ("9" * 15, "1", False),
        ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", False),
    ],
)
def test_the_time_between_two_cells(start: str, end: str, is_too_fast: bool) -> None:
    assert bool(spam_signals({"from": start, "until": end, "name": "x"}, TIMES)) == is_too_fast


def test_what_the_provider_says_is_no_answer() -> None:
    value = {"a": "buy", "b": "buy", "c": "buy"}
    (found,) = submissions(value | {"page": "Home"}, rules(context={"page_name": "page"}, answers={"path": ""}))
    assert found.warnings == (), "the page is an answer of this flat body"
    (found,) = submissions(
        {"data": value, "page": "Home"}, rules(context={"page_name": "page"}, answers={"path": "data"})
    )
    assert found.warnings == (":all_alike",)


def test_from_the_threshold_on_it_is_set_aside_and_below_it_warns() -> None:
    with_rules = form("website-form")
    (bot,) = read(b"name=Zoe&email=z%40okafor.example&website_url=http%3A%2F%2Fx.example", "", with_rules)
    assert bot.aside == ("spam", "60 points of 60: 'website_url', which people do not see, is filled in (+60)")
    assert bot.cells["email"] == "z@okafor.example", "so that it can be released"
    (fast,) = read(b"name=Zoe&email=z%40okafor.example&seconds_taken=1", "", with_rules)
    assert (fast.aside, fast.warnings) == (None, ("seconds_taken:filled_too_fast",))


SLASHED = "s/e+c r&et=ü-0123456789"


def google(body: bytes, *secrets: str) -> bytes:
    keys = [secret.encode() for secret in secrets or (SECRET,)]
    return redacted(posted(body), form("google-ads").signature, keys)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param('{"google_key" : "%s",\n "a":1.50}', '{"google_key" : "[removed]",\n "a":1.50}', id="in JSON, all else as it was"),
        pytest.param('{"a": ["%s", "x"]}', '{"a": ["[removed]", "x"]}', id="wherever it stands"),
        pytest.param('{"a": "https://x.example?key=%s&b"}', '{"a": "https://x.example?key=[removed]&b"}', id="inside a text"),
        pytest.param("a=b&key=%s", "a=b&key=[removed]", id="in a form"),
        pytest.param('{"a": "%s', '{"a": "[removed]', id="in JSON that breaks off"),
        pytest.param('{"a": "b"}', '{"a": "b"}', id="not there"),
        pytest.param("", "", id="nothing"),
    ],
)  # fmt: skip
def test_the_secret_is_removed(body: str, expected: str) -> None:
    assert google(body.replace("%s", SECRET).encode()) == expected.encode()


def test_the_secret_is_removed_however_it_is_written() -> None:
    escaped = "".join(f"\\u{ord(char):04x}" for char in SECRET)
    assert google(f'{{"google_key": "{escaped}"}}'.encode()) == b'{"google_key": "[removed]"}'
    body, _ = multipart({"webhookURL": f"https://x.example/hooks/jotform?key={SECRET}", "key": SECRET})
    assert SECRET.encode() not in google(body)
    for written in (
        json.dumps(SLASHED),
        json.dumps(SLASHED, ensure_ascii=False),
        json.dumps(SLASHED).replace("/", "\\/"),
    ):
        assert google(f'{{"a": {written}, "b": "x"}}'.encode(), SLASHED) == b'{"a": "[removed]", "b": "x"}'
    for written in (quote_plus(SLASHED), quote_plus(SLASHED).lower()):
        assert google(f"a={written}&b=x".encode(), SLASHED) == b"a=[removed]&b=x"
        assert google(f"a=https%3A%2F%2Fx.example%3Fkey%3D{written}".encode(), SLASHED).endswith(b"key%3D[removed]")


def test_both_valid_secrets_are_removed_and_a_short_one_only_as_a_whole() -> None:
    assert google(b'{"a": "old-0123456789", "b": "new-0123456789"}', "old-0123456789", "new-0123456789") == (
        b'{"a": "[removed]", "b": "[removed]"}'
    )
    assert google(b'{"google_key": "abc", "name": "abcde"}', "abc") == b'{"google_key": "[removed]", "name": "abcde"}'
    assert google(b'{"google_key": ""}', "") == b'{"google_key": ""}'


def test_where_no_secret_travels_nothing_is_touched() -> None:
    body = f'{{"a": "{SECRET}"}}'.encode()
    assert redacted(posted(body), form("typeform").signature, [SECRET.encode()]) == body


def test_a_stored_body_of_google_has_no_key() -> None:
    sent = signed("google-ads", b'{"google_key": "KEY", "lead_id": "1"}')
    assert SECRET.encode() in sent.body
    assert (
        redacted(sent, form("google-ads").signature, [SECRET.encode()])
        == b'{"google_key": "[removed]", "lead_id": "1"}'
    )


@pytest.mark.parametrize("body", [b'"' * 1_000_000, b'"\\' * 500_000, b"=" * 1_000_000, b"a=" + b"%41" * 300_000])
def test_removing_takes_little_time(body: bytes) -> None:
    any_rules: Any = {"scheme": "bearer", "secret": "any"}
    assert len(redacted(posted(body), Signature.model_validate(any_rules), [b"made-up-secret"])) == len(body)
