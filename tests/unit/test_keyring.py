"""Secrets by name: from the environment or from files that nobody else may read; two while one changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.errors import ConfigError
from sluice.keyring import Keyring

CANARY = b"canary-secret-0815"


def put(home: Path, content: bytes, mode: int = 0o600, name: str = "forms") -> Path:
    path = home / "secrets" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "found"),
    [
        pytest.param(b"one\n", (b"one",), id="one line"),
        pytest.param(b"one", (b"one",), id="no newline"),
        pytest.param(b"  one \r\n\r\ntwo\n", (b"one", b"two"), id="two while one changes, blanks dropped"),
        pytest.param(b"whsec_\xc3\xa9\n", (b"whsec_\xc3\xa9",), id="bytes as they are"),
    ],
)
def test_a_file_holds_one_or_two_secrets(content: bytes, found: tuple[bytes, ...], tmp_path: Path) -> None:
    put(tmp_path, content)
    assert Keyring(tmp_path, {}).secrets("forms") == found


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        pytest.param(b"", 0o600, "0 secrets", id="empty"),
        pytest.param(b"\n \n", 0o600, "0 secrets", id="blank"),
        pytest.param(CANARY + b"\nb\nc\n", 0o600, "3 secrets", id="three"),
        pytest.param(CANARY, 0o644, "others may read", id="everybody may read it"),
        pytest.param(CANARY, 0o640, "others may read", id="a group may read it"),
        pytest.param(CANARY, 0o602, "others may read", id="others may write it"),
    ],
)
def test_what_cannot_be_trusted_is_refused_in_words(content: bytes, mode: int, words: str, tmp_path: Path) -> None:
    put(tmp_path, content, mode)
    with pytest.raises(ConfigError, match=words) as caught:
        Keyring(tmp_path, {}).secrets("forms")
    assert CANARY.decode() not in str(caught.value)


@pytest.mark.parametrize("name", ["", "../forms", "a/b", "a.b", "x" * 65, "a\0b"])
def test_a_name_is_no_path(name: str, tmp_path: Path) -> None:
    put(tmp_path, CANARY)
    with pytest.raises(ConfigError, match="other characters"):
        Keyring(tmp_path, {}).secrets(name)


def test_one_that_is_missing_is_said_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SLUICE_SECRET_WEB_FORMS") as caught:
        Keyring(tmp_path, {}).secrets("web-forms")
    assert "secrets/web-forms" in str(caught.value)


def test_the_environment_counts_more(tmp_path: Path) -> None:
    put(tmp_path, b"in the file")
    assert Keyring(tmp_path, {"SLUICE_SECRET_FORMS": "new\nold"}).secrets("forms") == (b"new", b"old")


def test_a_changed_file_is_read_anew_and_one_made_open_is_refused(tmp_path: Path) -> None:
    keyring, path = Keyring(tmp_path, {}), put(tmp_path, b"old")
    assert keyring.secrets("forms") == (b"old",)
    path.write_bytes(b"newer\nold")
    keyring.refresh()
    assert keyring.secrets("forms") == (b"newer", b"old")
    path.write_bytes(b"newest!")
    keyring.refresh()
    assert keyring.secrets("forms") == (b"newest!",)
    path.chmod(0o644)
    keyring.refresh()
    with pytest.raises(ConfigError, match="others may read"):
        keyring.secrets("forms")


def test_it_shows_nothing_of_itself(tmp_path: Path) -> None:
    put(tmp_path, CANARY)
    keyring = Keyring(tmp_path, {"SLUICE_SECRET_OTHER": CANARY.decode()})
    keyring.secrets("forms")
    assert CANARY.decode() not in f"{keyring} {keyring!r}"
