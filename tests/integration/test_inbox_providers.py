"""The real bodies of form providers, through their own sources: each becomes the right lead, whichever names it uses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.desk import Desk
from tests.posts import Posts

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
BECAME = {
    "tally.json": ("tally", ("David Cohen", "david@example.com")),
    "webflow-v1.pipedream.json": ("webflow", ("Pipedream Test", "pipedream@test")),
    "webflow-v2.hookdeck.json": ("webflow", ("John Doe", "john.doe@example.com")),
    "google-ads-lead-form.json": ("google-ads", ("Jane Doe", "jane@example.com")),
    "jotform-api-submission.pipedream.json": ("jotform", ("Johnny Kennedy", "johnny@cloudpipe.com")),
    "jotform-multipart-fields.json": ("jotform", ("Kin Lane", "kin@example.com")),
    "unbounce-json.api-evangelist.json": ("unbounce", (None, "test@test.com")),
    **{
        f"unbounce-urlencoded-{n}.snowplow.txt": ("unbounce", (None, "test@snowplowanalytics.com"))
        for n in (0, 1, 4, 6)
    },
}
REFUSED = {
    "typeform.pipedream.json": ("typeform", "minimum.reachable"),
    **{f"unbounce-urlencoded-{n}.snowplow.txt": ("unbounce", "minimum.reachable") for n in (2, 3, 7)},
    "unbounce-urlencoded-5.snowplow.txt": ("unbounce", "answers.missing"),
}
"""Samples that hold no address, or no answers at all."""


@pytest.fixture
def posts(desk: Desk) -> Posts:
    return Posts(desk)


def take(posts: Posts, corpora: Path, name: str, source: str) -> int:
    body = (corpora / "corpora" / "webhook-payloads" / name).read_bytes()
    kind = JSON if name.endswith(".json") else FORM
    if "multipart" in name:
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{said}\r\n'
            for field, said in json.loads(body).items()
        ]
        body, kind = "".join([*parts, "--x--\r\n"]).encode(), "multipart/form-data; boundary=x"
    number = posts.post(body, source, kind="form", content_type=kind)
    posts.work()
    return number


@pytest.mark.parametrize("name", BECAME)
def test_a_body_becomes_the_right_lead(posts: Posts, corpora: Path, name: str) -> None:
    source, expected = BECAME[name]
    number = take(posts, corpora, name, source)
    assert posts.desk.ask(f"select full_name, email from leads where receipt_id = {number}") == [expected]
    assert posts.desk.ask("select count(*) from receipts where state <> 'done'") == [0]
    posts.desk.whole()


@pytest.mark.parametrize("name", REFUSED)
def test_a_body_without_an_address_is_refused_and_says_why(posts: Posts, corpora: Path, name: str) -> None:
    source, code = REFUSED[name]
    take(posts, corpora, name, source)
    ((problems,),) = [posts.desk.ask("select problems from rejects")]
    assert problems[-1]["code"] == code
    posts.desk.whole()


def test_what_meta_announces_waits_to_be_fetched(posts: Posts, corpora: Path) -> None:
    take(posts, corpora, "meta-leadgen.json", "meta-lead-ads")
    assert posts.desk.ask("select envelope -> 'fetch' ->> 'id' from receipts where body is null") == ["6276465415920"]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Your e-mail", "email"), ("your-email", "email"), ("WORK_EMAIL", "email"), ("E-Mail-Adresse", "email"),
        ("Votre nom", "full_name"), ("Vorname", "first_name"), ("Company Name", "company"), ("PLZ", "zip"),
        ("How can we help you?", "description"),
    ],
)  # fmt: skip
def test_a_question_is_known_by_its_usual_names(posts: Posts, name: str, field: str) -> None:
    posts.post({name: "10115" if field == "zip" else "anna@acme.example", "phone": "+46 8 123 456 78"})
    posts.work()
    assert field in posts.desk.ask("select survey::text from receipts")[0]
