"""The disk fills up in the middle of an import: said plainly, and a later run completes the work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from sluice.errors import DatabaseUnavailable
from sluice.intake import Order, intake, opened
from sluice.settings import Settings
from sluice.store import embedded
from sluice.store.ledger import canonical
from tests.conftest import absent
from tests.faults.conftest import whole

SMALL, LARGE = "96m", "512m"


@pytest.fixture
def small_disk(make_home: Callable[[], Path]) -> Generator[Path]:
    """A file system that is too small for the leads, but large enough for an empty database."""
    place = make_home() / "disk"
    place.mkdir(mode=0o711)
    if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", f"size={SMALL},mode=0711", "none", str(place)):
        absent("the right to mount a file system")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_is_said_plainly_and_a_later_run_completes_the_work(
    small_disk: Path, leads_file: Path, undisturbed: list[str]
) -> None:
    settings = Settings.read({"SLUICE_HOME": str(small_disk / "home"), "SLUICE_SLICE_ROWS": "200"})
    with opened(settings) as office:
        filler = small_disk / "filler"
        filler.write_bytes(b"\0" * (_free(small_disk) - 400_000))
        with pytest.raises(DatabaseUnavailable, match=r"(?i)disk|space"):
            intake(office, Order(leads_file))
        _mount("-o", f"remount,size={LARGE}", str(small_disk))
        intake(office, Order(leads_file))
        assert whole(office.database) == undisturbed
        assert sorted(canonical(office.database)) == undisturbed
    embedded.stop(embedded.start(settings.home))


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], stderr=subprocess.DEVNULL, check=False).returncode


def _free(place: Path) -> int:
    facts = os.statvfs(place)
    return facts.f_bavail * facts.f_frsize
