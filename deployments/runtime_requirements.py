"""What runs needs less than what is developed: the entries of requirements.lock that are not for tests and tools.

    python deployments/runtime_requirements.py [--extra dask] [--extra ray] > runtime.txt
    pip install --no-deps --require-hashes -r runtime.txt

The lock says of each part who wanted it ("via"). Kept are the project's own dependencies and whatever they brought in,
with the hashes that the lock has; so there is one lock, and nothing is resolved anew.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_ENTRY = re.compile(r"^(?=[a-z0-9])", re.MULTILINE)
_NAME = re.compile(r"^([a-z0-9][a-z0-9._-]*)", re.IGNORECASE)
_VIA = re.compile(r"^ +# +(?:via )?([a-z0-9][a-z0-9._-]*)", re.MULTILINE)


def runtime(lock: str, project: dict[str, object], extras: list[str]) -> str:
    """The entries of `lock` that an installation without tests needs.

    Args:
        lock: the text of requirements.lock.
        project: the table `project` of pyproject.toml.
        extras: optional dependencies that are wanted too.
    """
    entries = [entry for entry in _ENTRY.split(lock) if "==" in entry]  # a part has one for each Python that differs
    optional = project.get("optional-dependencies", {})
    asked = [*_texts(project["dependencies"]), *(text for extra in extras for text in _texts(_table(optional)[extra]))]
    kept = {_name(text) for text in asked}
    while brought := {_name(entry) for entry in entries if _wanting(entry) & kept} - kept:
        kept |= brought
    return "".join(entry for entry in entries if _name(entry) in kept)


def _wanting(entry: str) -> set[str]:
    return {_name(found.group(1)) for found in _VIA.finditer(entry) if found.group(1) != "via"}


def _name(text: str) -> str:
    found = _NAME.match(text)
    return re.sub(r"[-_.]+", "-", found.group(1)).lower() if found else ""


def _table(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [str(text) for text in value] if isinstance(value, list) else []


def main() -> None:
    """Prints the entries."""
    parser = argparse.ArgumentParser(description="Print what an installation without tests needs.")
    parser.add_argument("--extra", action="append", default=[], choices=["dask", "ray"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    sys.stdout.write(runtime(lock, project, parser.parse_args().extra))


if __name__ == "__main__":
    main()
