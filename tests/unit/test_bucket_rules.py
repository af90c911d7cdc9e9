"""`config/buckets.yml`: what may stand there, and which source a file has."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.bucket_rules import BucketRules, check_buckets, load_buckets, own
from sluice.errors import ConfigError

SOURCES = dict.fromkeys(["files", "webinar", "trade-show", "partner-list"])


def written(folder: Path, text: str) -> Path:
    (folder / "buckets.yml").write_text(text, encoding="utf-8")
    return folder


def test_without_a_declaration_every_home_has_one(tmp_path: Path) -> None:
    (rules,) = load_buckets(tmp_path, tmp_path / "home").values()
    assert (rules.name, rules.folder, rules.settle_seconds) == ("bucket", tmp_path / "home" / "bucket", 5)
    assert check_buckets(tmp_path, SOURCES) == []


def test_several_buckets(tmp_path: Path) -> None:
    written(tmp_path, """
        buckets:
          partners: {url: s3://acme-leads/partners/, source: partner-list, settle_seconds: 20}
          shows: {url: "file:///srv/shows", sources: {hannover/2026: trade-show}}
    """)  # fmt: skip
    found = load_buckets(tmp_path, tmp_path)
    assert check_buckets(tmp_path, SOURCES) == []
    assert {name: rules.url for name, rules in found.items()} == {
        "partners": "s3://acme-leads/partners", "shows": "file:///srv/shows",
    }  # fmt: skip
    assert found["shows"].folder == Path("/srv/shows")
    assert found["partners"].folder is None


WRONG = {
    "unknown source": (
        "a: {url: s3://x, source: webniar}",
        "buckets.a.source",
        "no source 'webniar'; did you mean 'webinar'?",
    ),
    "unknown source of a folder": ("a: {url: s3://x, sources: {z: nope}}", "buckets.a.sources.z", "no source 'nope'"),
    "folders that are one": (
        "a: {url: s3://x, sources: {Shows: webinar, shows/: trade-show}}",
        "buckets.a.sources.shows/",
        "the same folder as 'Shows'",
    ),
    "a folder that leads out": (
        "a: {url: s3://x, sources: {../y: webinar}}",
        "buckets.a.sources.../y",
        "no folder below inbox/",
    ),
    "scheme": ("a: {url: ftp://x}", "buckets.a.url", "found 'ftp'; it takes s3://"),
    "no bucket": ("a: {url: 's3:///x'}", "buckets.a.url", "found no bucket"),
    "credentials": ("a: {url: 's3://AKIA:canary@x'}", "buckets.a.url", "credentials belong into the environment"),
    "signed URL": ("a: {url: 'az://x?sig=canary'}", "buckets.a.url", "credentials belong into the environment"),
    "relative folder": ("a: {url: 'file://srv/x'}", "buckets.a.url", "three slashes"),
    "same URL": ("a: {url: s3://x/y}\n  b: {url: s3://x/y/}", "buckets.b.url", "the URL of the bucket 'a'"),
    "one in the other": ("a: {url: s3://x/y}\n  b: {url: s3://x}", "buckets.b.url", "one lies in the other"),
    "unknown key": ("a: {url: s3://x, setle_seconds: 4}", "buckets.a.setle_seconds", "did you mean 'settle_seconds'"),
    "negative time": ("a: {url: s3://x, settle_seconds: -1}", "buckets.a.settle_seconds", "found '-1'"),
    "name": ("A B: {url: s3://x}", "buckets.A B", "found 'A B'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_named_with_file_line_and_key(tmp_path: Path, name: str) -> None:
    text, key, found = WRONG[name]
    (finding,) = check_buckets(written(tmp_path, f"buckets:\n  {text}\n"), SOURCES)
    assert (finding.file, finding.key, finding.severity) == ("buckets.yml", key, "error")
    assert finding.line in (2, 3)
    assert found in finding.found
    assert "canary" not in str(finding)


def test_a_bucket_that_cannot_be_stops_what_needs_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"buckets.yml:2: buckets.a.url: found 'ftp'"):
        load_buckets(written(tmp_path, "buckets:\n  a: {url: ftp://x}\n"), tmp_path)


RULES = BucketRules(
    name="a", url="s3://x", sources={"shows": "trade-show", "Shows/online": "webinar", "Zürich": "files"}
)


@pytest.mark.parametrize(
    ("key", "source"),
    [
        pytest.param("leads.csv", "fallback", id="top"),
        pytest.param("shows/leads.csv", "trade-show", id="folder"),
        pytest.param("SHOWS/2026/leads.csv", "trade-show", id="case"),
        pytest.param("shows/online/leads.csv", "webinar", id="the longest counts"),
        pytest.param("showsonline/leads.csv", "showsonline", id="whole folders only"),
        pytest.param("Zu\u0308rich/leads.csv", "files", id="decomposed"),
        pytest.param("partner-list/leads.csv", "partner-list", id="called like a source"),
        pytest.param("webniar/leads.csv", "webniar", id="no source"),
        pytest.param("webinar", "fallback", id="a file called like a source"),
    ],
)
def test_the_source_of_a_file(key: str, source: str) -> None:
    assert RULES.source_of(key, SOURCES, "fallback") == source


def test_a_bucket_may_have_a_source_for_all_the_rest() -> None:
    rules = RULES.model_copy(update={"source": "partner-list"})
    assert [rules.source_of(key, SOURCES, "files") for key in ("a.csv", "any/a.csv", "webinar/a.csv")] == [
        "partner-list", "partner-list", "webinar",
    ]  # fmt: skip


def test_a_folder_whose_name_is_no_text() -> None:
    assert own(Path("/srv/M\udcfcller")).folder == Path("/srv/M\udcfcller")
