"""R8: a disk fills up in the middle of an import: said plainly, nothing lost, and a later run completes the work."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest

from sluice.errors import DatabaseUnavailable
from sluice.intake import Order, intake, opened
from sluice.settings import Settings
from sluice.store import embedded
from sluice.store.engine import Database
from sluice.store.migrate import migrate
from tests.conftest import absent
from tests.faults.conftest import Workers, bucket_of
from tests.faults.oracle import all_in, tidy, whole

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


def test_of_the_database(small_disk: Path, leads_file: Path, undisturbed: list[str]) -> None:
    settings = Settings.read({"SLUICE_HOME": str(small_disk / "home"), "SLUICE_SLICE_ROWS": "100"})
    with opened(settings) as office:
        _fill(small_disk, leave=100_000)
        with pytest.raises(DatabaseUnavailable, match=r"(?i)disk|space"):
            intake(office, Order(leads_file))
        _mount("-o", f"remount,size={LARGE}", str(small_disk))
        intake(office, Order(leads_file))
        assert whole(office.database) == undisturbed
    embedded.stop(embedded.start(settings.home))


def test_of_the_write_ahead_log(
    small_disk: Path, home: Path, workers: Workers, leads_file: Path, undisturbed: list[str]
) -> None:
    """Postgres panics, and cannot start again; with space it does, and the import goes on."""
    cluster = embedded.start(home)
    embedded.stop(cluster)
    _move_log(cluster.data, small_disk)
    with embedded.running(home) as cluster:
        database = Database.open(Settings.read({"SLUICE_DATABASE_URL": cluster.url("leads")}))
        migrate(database)
        _fill(small_disk, leave=0)
        with psycopg.connect(cluster.url("leads"), autocommit=True) as connection:
            connection.execute("select pg_switch_wal()")
        assert workers.run(leads_file, database) != 0
        assert "DatabaseUnavailable" in workers.said()
        with pytest.raises(DatabaseUnavailable, match="Free some space on that disk"):
            embedded.start(home).close()
        (small_disk / "filler").unlink()
        embedded.start(home).close()
        assert workers.run(leads_file, database) == 0, workers.said()
        assert whole(database) == undisturbed
        database.dispose()


@pytest.mark.parametrize("full", ["bucket", "spool"])
def test_of_the_bucket_or_the_spool(
    full: str,
    small_disk: Path,
    home: Path,
    workers: Workers,
    leads_file: Path,
    tmp_path: Path,
    database: Database,
    undisturbed: list[str],
) -> None:
    """The file stays in the inbox until its report can be written, too."""
    bucket = bucket_of([leads_file], (small_disk if full == "bucket" else tmp_path) / "bucket")
    environ = {"SLUICE_HOME": str(small_disk / "home" if full == "spool" else home)}
    for folder in ("done", "failed"):
        (bucket / folder).mkdir()
    Path(environ["SLUICE_HOME"]).mkdir(exist_ok=True)
    _fill(small_disk, leave=0)
    assert workers.run(bucket, database, environ=environ) != 0
    assert "No space left on device" in workers.said() and "Free some space there" in workers.said(), workers.said()
    assert (bucket / "inbox" / leads_file.name).exists()
    (small_disk / "filler").unlink()
    assert workers.run(bucket, database, environ=environ) == 0, workers.said()
    assert whole(database) == undisturbed
    all_in(database, [leads_file])
    tidy(bucket, {leads_file.name})


def _move_log(data: Path, disk: Path) -> None:
    """Puts the write-ahead log on a disk of its own, as administrators do."""
    owner = data.stat()
    shutil.move(data / "pg_wal", disk / "pg_wal")
    for path in [disk / "pg_wal", *(disk / "pg_wal").rglob("*")]:
        os.chown(path, owner.st_uid, owner.st_gid)
    (data / "pg_wal").symlink_to(disk / "pg_wal")


def _fill(place: Path, leave: int) -> None:
    """Writes until nothing more goes in: others write there too, so that no reckoning holds."""
    with (place / "filler").open("wb", buffering=0) as filler:
        with contextlib.suppress(OSError):
            while True:
                filler.write(b"\0" * 65_536)
        filler.truncate(max(0, filler.tell() - leave))


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], stderr=subprocess.DEVNULL, check=False).returncode
