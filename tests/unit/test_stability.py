"""When a file is complete: two looks, by the clock of whoever looks."""

from __future__ import annotations

from sluice.sources.bucket import Entry
from sluice.sources.stability import Looks


def entry(version: str = "1", size: int = 10, key: str = "leads.csv", waits: str = "") -> Entry:
    return Entry(key, size, version, waits)


def test_an_empty_inbox() -> None:
    assert Looks(5).look([], 0) == []


def test_the_first_look_takes_nothing() -> None:
    looks = Looks(5)
    assert looks.look([entry()], 100) == []
    assert looks.is_waiting
    assert looks.look([entry()], 104.9) == []
    assert looks.look([entry()], 105) == [entry()]


def test_what_grows_waits_anew() -> None:
    looks = Looks(5)
    for now in range(0, 60, 4):
        assert looks.look([entry(version=str(now))], now) == []
    assert looks.look([entry(version="56")], 61) == [entry(version="56")]


def test_what_shrinks_or_is_as_it_once_was_waits_too() -> None:
    looks = Looks(5)
    for now, version in ((0, "1"), (4, "2"), (8, "1")):
        assert looks.look([entry(version)], now) == []
    assert looks.look([entry("1")], 12) == []
    assert looks.look([entry("1")], 13) == [entry("1")]


def test_what_was_away_in_between_waits_anew() -> None:
    looks = Looks(5)
    looks.look([entry()], 0)
    looks.look([], 4)
    assert looks.look([entry()], 6) == []
    assert looks.look([entry()], 11) == [entry()]


def test_times_of_files_are_never_compared_with_ours() -> None:
    """Clock skew: a file from next year, or of 1970, is complete when it stands still."""
    for version in ("10-0-1", "10-99999999999999999999-1", '"e-tag" 2099-01-01T00:00:00'):
        looks = Looks(5)
        assert looks.look([entry(version)], 0) == []
        assert looks.look([entry(version)], 5) == [entry(version)]


def test_what_was_handed_over_is_no_news_until_it_changes() -> None:
    looks = Looks(5)
    looks.look([entry()], 0)
    looks.hand_over(looks.look([entry()], 5))
    assert looks.look([entry()], 50) == []
    assert looks.look([entry("2")], 60) == []
    assert looks.look([entry("2")], 65) == [entry("2")]


def test_a_file_of_no_bytes_waits_a_minute() -> None:
    looks = Looks(5)
    looks.look([entry(size=0)], 0)
    assert looks.look([entry(size=0)], 59) == []
    assert "empty" in looks.why_it_waits(entry(size=0), 59)
    assert looks.look([entry(size=0)], 60) == [entry(size=0)]


def test_what_is_not_meant_to_be_read_never_comes() -> None:
    looks = Looks(0)
    assert looks.look([entry(waits="hidden")], 0) == []
    assert looks.why_it_waits(entry(waits="hidden"), 0) == "hidden"


def test_without_time_to_settle_the_first_look_takes_all() -> None:
    looks = Looks(0)
    assert looks.look([entry()], 0) == [entry()]
    assert not looks.is_waiting


def test_memory_is_that_of_what_lies_there() -> None:
    looks = Looks(5)
    for now in range(50):
        looks.look((entry(key=f"{now}-{number}.csv") for number in range(100)), now)
    assert len(looks._seen) == 100
