"""One Postgres server process: making its data folder, launching it as our child, stopping it."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sluice.errors import DatabaseUnavailable
from sluice.store.binaries import Binaries
from sluice.store.place import Account, identity, open_system_folder

ROLE = "sluice"
LOWEST_PORT, PORTS = 15_000, 17_000
_PATIENCE = 30.0  # seconds for another server of the same folder to end
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}  # no PGDATA, PGOPTIONS … of the caller
_SETTINGS = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",  # a socket's path may have 107 bytes only
    "log_timezone=UTC",
    "log_min_messages=log",  # an ERROR, its statement and its context quote rows: personal data stay out of the log
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "log_checkpoints=off",
]
_LEAST_BUFFERS, _MOST_BUFFERS = 128, 512
"""Megabytes; in which a large import finds the upper pages of its indexes again."""

# A page is written whole when it changes for the first time after a checkpoint, and an import changes pages everywhere.
_LARGE_IMPORTS = ["checkpoint_timeout=15min", "max_wal_size=2GB"]
_FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]


@dataclass(frozen=True)
class Server:
    """What is needed to launch Postgres; `durable` says whether committed data must survive a crash of the machine."""

    binaries: Binaries
    data: Path
    account: Account | None
    log: Path
    durable: bool


def initialise(server: Server, password: str) -> None:
    """Makes the data folder if it is not there yet: all of it, or nothing.

    Raises:
        DatabaseUnavailable: initdb failed (disk full, no rights), or the folder is of another major version.
    """
    if (server.data / "PG_VERSION").exists():
        _refuse_other_major(server)
        return
    if not server.data.parent.exists():
        open_system_folder()
    unfinished = server.data.with_name(f"{server.data.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=server.data.parent) as password_file:
        password_file.write(password)
        password_file.flush()
        if server.account:
            os.chown(unfinished, server.account.uid, server.account.gid)
            os.chown(password_file.name, server.account.uid, server.account.gid)
        command = [
            server.binaries.program("initdb"),
            "-D",
            str(unfinished),
            "-U",
            ROLE,
            f"--pwfile={password_file.name}",
        ]
        command += ["--encoding=UTF8", "--locale=C", "-A", "scram-sha-256", *([] if server.durable else ["--no-sync"])]
        done = subprocess.run(
            command, cwd="/", env=_ENVIRONMENT, capture_output=True, text=True, check=False, **identity(server.account)
        )
    if done.returncode:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise _failed(server, f"initdb failed: {_complaint(done.stderr)}")
    unfinished.rename(server.data)


def launch(server: Server, port: int | None) -> tuple[subprocess.Popen[bytes], int]:
    """Starts Postgres as our child and waits until it takes connections; answers the process and its port.

    A server of this folder that is still ending is waited for.

    Raises:
        DatabaseUnavailable: it does not start.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        port = port or _free_port()
        position = server.log.stat().st_size if server.log.exists() else 0
        process = _popen(server, port)
        if _became_ready(process, server.data):
            return process, port
        with server.log.open(errors="replace") as log:
            log.seek(position)
            complaint = _complaint(log.read())
        busy = "already exists" in complaint or "still in use" in complaint
        if "listen" in complaint or "could not bind" in complaint:
            port = None
        elif not busy:
            raise _failed(server, f"Postgres does not start: {complaint}")
        if time.monotonic() > deadline:
            raise _failed(server, f"another Postgres uses the folder: {complaint}", "Stop that one, then try again")
        time.sleep(0.2)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends Postgres: open transactions are rolled back, what was committed stays."""
    for wanted, seconds in ((signal.SIGINT, 60), (signal.SIGQUIT, 10)):
        if process.poll() is None:
            process.send_signal(wanted)
        try:
            process.wait(seconds)
            return
        except subprocess.TimeoutExpired:
            continue


def new_password() -> str:
    """A password that needs no quoting in a URL."""
    return secrets.token_hex(24)


def _popen(server: Server, port: int) -> subprocess.Popen[bytes]:
    options = [*_SETTINGS, f"shared_buffers={_buffers()}MB", *(_LARGE_IMPORTS if server.durable else _FAST)]
    command = [server.binaries.program("postgres"), "-D", str(server.data), "-p", str(port)]
    command += [part for option in options for part in ("-c", option)]
    environment = dict(_ENVIRONMENT)
    if stale := _stale_owner(server.data):
        # Postgres passes over this process number in postmaster.pid, and still looks whether its memory is in use.
        environment["PG_GRANDPARENT_PID"] = str(stale)
    log = os.open(server.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            command,
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_die_with_parent(),  # safe: the keeper has one thread
            **identity(server.account),
        )
    finally:
        os.close(log)


def _buffers() -> int:
    """An eighth of the machine's memory, within bounds, in MB."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    return min(max(memory // 8, _LEAST_BUFFERS), _MOST_BUFFERS)


def _die_with_parent() -> Callable[[], None] | None:
    """Linux ends the server (fast shutdown) when its keeper dies by kill -9; set last: a change of user clears it."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def set_signal() -> None:
        prctl(1, int(signal.SIGINT))  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return set_signal


def _became_ready(process: subprocess.Popen[bytes], data: Path) -> bool:
    while process.poll() is None:
        lines = _lines(data / "postmaster.pid")
        # Line 8 is the server's state (src/include/utils/pidfile.h).
        if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
            return True
        time.sleep(0.01)
    return False


def _stale_owner(data: Path) -> int | None:
    """The process of postmaster.pid if it is a zombie or no Postgres: its number went to another program."""
    lines = _lines(data / "postmaster.pid")
    if not lines or not lines[0].isdecimal():
        return None
    before, _, after = "".join(_lines(Path("/proc") / lines[0] / "stat")).rpartition(")")
    if not before:
        return None
    fields = after.split()  # proc(5): [0] is the state, [19] the start in ticks since boot
    boot = next((int(line.split()[1]) for line in _lines(Path("/proc/stat")) if line.startswith("btime ")), 0)
    started = boot + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    is_ours = before.endswith("(postgres") and abs(started - int(lines[2])) < 10
    return None if is_ours and fields[0] not in "ZX" else int(lines[0])


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []


def _free_port() -> int:
    """A port that no outgoing connection is given (those begin at 32768), so that it is still free after a restart."""
    for port in [*(LOWEST_PORT + secrets.randbelow(PORTS) for _ in range(50)), 0]:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise AssertionError("port 0 is any free port")


def _complaint(output: str) -> str:
    """The line that says why, of what initdb or postgres wrote."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    marked = [line for line in lines if "FATAL" in line or "PANIC" in line or "error:" in line or "could not" in line]
    line = (marked or lines or ["it said nothing"])[0]
    return line.partition("FATAL:")[2].strip() or line


def _failed(server: Server, found: str, fix: str = "") -> DatabaseUnavailable:
    if "No space left" in found:
        fix = "Free some space on that disk, then run the command again"
    return DatabaseUnavailable(
        str(server.data), found, fix=fix or f"Look into {server.log}, then run the command again"
    )


def _refuse_other_major(server: Server) -> None:
    major = int((server.data / "PG_VERSION").read_text().strip())
    if major == server.binaries.major:
        return
    raise DatabaseUnavailable(
        str(server.data),
        f"it was made by Postgres {major}",
        f"a folder of Postgres {server.binaries.major}, which is what {server.binaries.folder} holds",
        f"Make `sluice db backup FILE` with Postgres {major} (the Sluice that made the folder has it), move the folder "
        "away, then run `sluice db restore FILE`",
    )
