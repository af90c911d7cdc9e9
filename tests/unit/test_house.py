"""The house itself: what is true of every module, page and pin."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("flows", "tasks", "sluice")
MODULES = sorted(file for folder in (*PACKAGES, "tests") for file in (ROOT / folder).rglob("*.py"))
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("package", PACKAGES)
def test_package_loads_from_the_repository(package):
    loaded = importlib.import_module(package).__file__
    assert loaded is not None and Path(loaded).is_relative_to(ROOT)


@pytest.mark.parametrize("package", PACKAGES)
def test_package_loads_from_the_repository_wherever_python_is_started(package, tmp_path):
    program = f"import {package}; print({package}.__file__)"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(loaded.stdout.strip()).is_relative_to(ROOT)


@pytest.mark.parametrize("module", [pytest.param(file, id=name(file)) for file in MODULES])
def test_module_does_one_thing_in_at_most_300_lines(module):
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 300


def test_every_pin_of_the_lock_has_a_hash():
    pins = [entry for entry in re.split(r"\n(?=\S)", LOCK) if not entry.startswith("#")]
    assert len(pins) > 50
    assert [entry.split()[0] for entry in pins if "==" not in entry or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("words", ["--index-url", "--extra-index-url", "--find-links", "://"])
def test_the_lock_names_no_index(words):
    assert words not in LOCK


def test_there_is_one_lock():
    assert not (ROOT / "uv.lock").exists()


def test_there_are_decisions():
    assert DECISIONS


@pytest.mark.parametrize("page", [pytest.param(file, id=file.stem) for file in DECISIONS])
def test_decision_tells_context_decision_and_consequences(page):
    text = page.read_text(encoding="utf-8")
    assert re.findall("^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert re.match(rf"# {page.name[:4]} · \S", text)


def test_requirements_page_is_up_to_date():
    checked = subprocess.run(
        [sys.executable, ROOT / "tests/requirements_page.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_changelog_has_a_place_for_what_comes_next():
    assert re.search(r"^## Unreleased$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
