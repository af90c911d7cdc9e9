"""Whatever an object is called: it is loaded and moved under its own name, or its owner is told to rename it."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from flows.watcher import Watched
from sluice.bucket_rules import BucketRules
from sluice.buckets import dropped, opened, take_in
from sluice.intake import Order
from sluice.sources.bucket import BucketUnavailable
from sluice.sources.bucket_objects import Objects
from sluice.sources.stability import looked_twice
from tests.desk import Desk, broken
from tests.objects import Gate

ANNA = b"full_name,email\nAnna Schmidt,anna@nordwind.example\n"
RULES = BucketRules(name="partners", url="s3://leads/partners", source="files", settle_seconds=0)

MISNAMED = {
    "two\nlines.csv": r"two\x0alines.csv",
    "bell\x07.csv": r"bell\x07.csv",
    "../up.csv": "../up.csv",
    "shows/./here.csv": "shows/./here.csv",
    "shows//late.csv": "shows//late.csv",
    "/leads.csv": "/leads.csv",
    "leads.csv/": "leads.csv/",
}
"""Names that no path may have → as their owner is told."""


def test_whatever_an_object_is_called(desk: Desk, gate: Gate) -> None:
    """Each goes to done/ with its own content, also those whose names differ only in case, or look the same."""
    names = [
        "spring leads.csv",
        "Zürich.csv",
        "Zu\u0308rich.csv",
        "100%.csv",
        "a%20b.csv",
        "a b.csv",
        "a%2Fb.csv",
        "a/b.csv",
        "q?x=1&y#z.csv",
        "LEADS.csv",
        "leads.csv",
        "leads.csv/inner.csv",
        "+plus.csv",
    ]
    contents = {name: ANNA.replace(b"anna@", b"anna%d@" % number) for number, name in enumerate(names)}
    for name, content in contents.items():
        gate.put(f"partners/inbox/{name}", content)
    gate.put("partners/inbox/folder/", b"")
    assert {found["state"] for found in take_all(desk)} == {"done"}
    assert sorted(desk.ask("select name from receipts")) == sorted(name.rpartition("/")[2] for name in names)
    assert [key for key in sorted(gate.keys()) if "/inbox/" in key] == ["partners/inbox/folder/"]
    assert {name: gate.get(f"partners/done/{name}") for name in names} == contents
    assert set(desk.ask("select moved_to from receipts")) == {f"s3://leads/partners/done/{name}" for name in names}


@pytest.mark.parametrize("name", MISNAMED)
def test_a_name_that_no_path_may_have_stops_nothing_else(desk: Desk, gate: Gate, name: str) -> None:
    """Files are loaded that come before it in the listing, behind it, and beside it in its folder."""
    good = ["+first.csv", "shows/late.csv", "spring leads.csv", "zürich #1.csv"]
    good += [] if name == "leads.csv/" else ["leads.csv"]
    for number, key in enumerate([*good, name]):
        gate.put(f"partners/inbox/{key}", ANNA.replace(b"anna@", b"anna%d@" % number))
    states = {found["file"]: found["state"] for found in take_all(desk)}
    told = name.removesuffix("/") if name == "leads.csv/" else MISNAMED[name]
    assert states == {key.rpartition("/")[2]: "done" for key in good} | {told: "waits"}
    (waiting,) = [found["error"] for found in take_all(desk)]
    assert MISNAMED[name] in waiting and "rename it" in waiting
    assert [key for key in sorted(gate.keys()) if "/inbox/" in key] == [f"partners/inbox/{name}"]
    assert desk.ask("select count(*) from leads") == [len(good)]
    assert broken(desk.database) == {}


def test_a_file_beside_one_that_a_listing_calls_the_same(desk: Desk, gate: Gate) -> None:
    gate.put("partners/inbox/leads.csv", ANNA)
    gate.put("partners/inbox/leads.csv.part", b"full")
    gate.put("partners/inbox/leads.csv/", b"full_name\n")
    found = {entry.key: entry.waits for entry in Objects(RULES.url, desk.folder).entries()}
    assert found["leads.csv"] == "" and "ends in `/`" in found["leads.csv/"] and len(found) == 3
    assert [found["state"] for found in take_all(desk)] == ["done", "waits"]


def test_a_bad_name_on_a_later_page(gate: Gate, tmp_path: Path) -> None:
    """Each object comes once, in the version that a listing without the bad name says, whatever the page."""
    for number in range(3_100):
        gate.put(f"partners/inbox/{number:04}.csv", b"x")
    there = Objects(RULES.url, tmp_path)
    plain = list(there.entries())
    bad = ["1500\n.csv", "1998\n.csv", "3099//.csv"]
    for name in bad:
        gate.put(f"partners/inbox/{name}", ANNA)
    gate.passed.clear()
    found = list(there.entries())
    assert [entry for entry in found if not entry.is_misnamed] == plain
    assert [entry.key for entry in found if entry.is_misnamed] == bad
    assert sum("X-Amz-Signature" in path for _, path in gate.passed) == 3


def test_the_watcher_says_once_what_must_be_renamed(desk: Desk, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("leads.csv", "two\nlines.csv"):
        gate.put(f"partners/inbox/{name}", ANNA)
    runs: list[dict[str, Any]] = []
    bucket = opened(RULES, desk.office.settings)
    watched = Watched(RULES, frozenset(["files"]), bucket, desk.database, lambda run, key, tags: runs.append(run))
    for now in range(3):
        watched.round(now)
    assert [run["files"] for run in runs] == [["leads.csv"]]
    assert [record.getMessage() for record in caplog.records if record.name == "sluice.watcher"] == [
        r"partners: two\x0alines.csv: its name has a control character, such as the end of a line, "
        "so it cannot be read or moved; rename it"
    ]


def test_the_store_is_asked_with_a_signature_that_it_accepts(gate: Gate, tmp_path: Path) -> None:
    """By the rules of AWS (Signature Version 4 in a query), since the server of the tests checks none."""
    for number in range(999):
        gate.put(f"partners/inbox/+{number:03}.csv", b"x")
    gate.put("partners/inbox/a the last of its page: ü #~*'&=+.csv", ANNA)
    gate.put("partners/inbox/b the next page\n.csv", ANNA)
    gate.passed.clear()
    assert len(list(Objects(RULES.url, tmp_path).entries())) == 1_001
    asked = [urlsplit(path) for method, path in gate.passed if "X-Amz-Signature" in path]
    assert len(asked) == 1
    for url in asked:
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        said = query.pop("X-Amz-Signature")
        canonical = "&".join(sorted(f"{quote(key, safe='~')}={quote(text, safe='~')}" for key, text in query.items()))
        host = urlsplit(gate.url).netloc
        request = f"GET\n{url.path}\n{canonical}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
        scope = query["X-Amz-Credential"].partition("/")[2]
        signed = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = b"AWS4canary-secret-of-a-test"
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        assert hmac.digest(key, signed.encode(), "sha256").hex() == said


def test_what_the_store_refuses_then_is_said_in_words(gate: Gate, tmp_path: Path) -> None:
    gate.put("partners/inbox/two\nlines.csv", ANNA)
    gate.refuse = lambda method, path: (400, "ExpiredToken") if "X-Amz-Signature" in path else None
    with pytest.raises(
        BucketUnavailable, match=r"s3://leads/partners: the credentials have expired.*next run"
    ) as caught:
        list(Objects(RULES.url, tmp_path).entries())
    assert "canary" not in str(caught.value) and "Amz" not in str(caught.value)


def take_all(desk: Desk) -> list[dict[str, Any]]:
    """Takes in what lies in the bucket's inbox, as a sweep does."""
    there = opened(RULES, desk.office.settings)
    entries = looked_twice(there, 0)
    return [take_in(desk.office, file) for file in dropped(there, RULES, entries, Order(Path()), desk.office.sources)]
