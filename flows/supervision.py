"""Programs that belong together: started, watched, started again when they die, ended together; nothing stays behind.

A part is a session of its own, so that Ctrl-C reaches the supervisor only. Four nets keep what parts start from
outliving them: the kernel ends a part whose supervisor dies, and a run whose runner does; what a dead part leaves
behind becomes the supervisor's child and is ended; and everything carries a mark in its environment by which the next
start finds it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sluice.errors import UserError

MARK = "SLUICE_UP"
"""The variable that marks what belongs to a home's `sluice up`."""

PAUSES = (0.5, 1, 2, 5, 10)
"""Seconds before a part is started again, by how often it died quickly; after the last it is given up."""

QUICK = 60.0
"""Seconds that a part must live for its earlier deaths to be forgotten."""

_KEEPER = b"sluice.store.embedded_server"  # ends by itself when its last client has gone
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class GivenUp(UserError):
    """A part died again and again."""

    exit_code = 5


@dataclass(frozen=True)
class Part:
    """A program to keep running.

    Attributes:
        environ: asked at each start: an address may have changed since the last one.
        log: takes what it prints.
        stop_seconds: what it gets to end by itself, before it is killed.
    """

    name: str
    command: Sequence[str]
    environ: Callable[[], Mapping[str, str]]
    log: Path
    stop_seconds: float = 10.0


@dataclass
class _Running:
    part: Part
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    deaths: deque[float] = field(default_factory=deque[float])


@dataclass
class Crew:
    """The parts that one supervisor keeps.

    Args:
        home: marks its processes.
        tell: told in words what happens.
    """

    home: Path
    tell: Callable[[str], None]
    _running: list[_Running] = field(default_factory=list["_Running"])

    def begin(self) -> None:
        """Makes this process the one that inherits orphans, and ends what an earlier one left behind."""
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._end_strays(set())

    def start(self, part: Part) -> None:
        """Starts a part; from now on it is kept running."""
        running = _Running(part)
        self._running.append(running)
        self._launch(running)

    def lives(self, name: str) -> bool:
        """Whether a part runs at the moment."""
        return any(r.part.name == name and r.process and r.process.poll() is None for r in self._running)

    def watch(self) -> None:
        """One look at all parts: the dead are started again, after a pause.

        Raises:
            GivenUp: one died too often, each time soon after its start.
        """
        now = time.monotonic()
        for running in self._running:
            if running.process is not None and running.process.poll() is not None:
                self._mourn(running, running.process.returncode, now)
            if running.process is None and now >= running.due:
                self._launch(running)

    def restart(self, name: str) -> None:
        """Ends a part that cannot go on as it is, and starts it anew."""
        for running in self._running:
            if running.part.name == name:
                self._end(running)
                self._launch(running)

    def stop(self) -> None:
        """Ends all parts, the last started first, and what they have left behind."""
        for running in reversed(self._running):
            self._end(running)
        self._end_strays(set())

    def _launch(self, running: _Running) -> None:
        part = running.part
        part.log.parent.mkdir(parents=True, exist_ok=True)
        log = os.open(part.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            running.process = subprocess.Popen(
                part.command,
                env={**part.environ(), MARK: str(self.home)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent(),  # safe: the supervisor has one thread
            )
        finally:
            os.close(log)
        running.started = time.monotonic()

    def _mourn(self, running: _Running, code: int, now: float) -> None:
        """Notes a death, ends what the dead part had started, and decides when it is started again."""
        part, running.process = running.part, None
        if now - running.started > QUICK:
            running.deaths.clear()
        running.deaths.append(now)
        self._end_strays({r.process.pid for r in self._running if r.process})
        if len(running.deaths) > len(PAUSES):
            raise GivenUp(
                f"the {part.name}",
                f"it ended {len(running.deaths)} times, each time soon after its start{_last_error(part.log)}",
                fix=f"Read {part.log}, mend what it says, and start again",
            )
        pause = PAUSES[len(running.deaths) - 1]
        running.due = now + pause
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        self.tell(f"The {part.name} {how}; it is started again in {pause:g} s (log: {part.log})")

    def _end(self, running: _Running) -> None:
        process, running.process = running.process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(running.part.stop_seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _end_strays(self, known: set[int]) -> None:
        """Ends what carries our mark and has no part above it that lives."""
        strays = set(_strays(self.home, known))
        for number in (signal.SIGTERM, signal.SIGKILL):
            until = time.monotonic() + 5
            for pid in strays:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            while strays and time.monotonic() < until:
                strays = {pid for pid in strays if _is_alive(pid)}
                time.sleep(0.05)


def _strays(home: Path, known: set[int]) -> Iterator[int]:
    """Processes with our mark that descend neither from a known part nor are the keeper of Postgres."""
    marked = {pid for pid in _processes() if f"{MARK}={home}".encode() in _read(pid, "environ").split(b"\0")}
    for pid in marked - {os.getpid()} - known:
        if _KEEPER not in _read(pid, "cmdline") and not known & set(_ancestors(pid)):
            yield pid


def _processes() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").glob("[0-9]*"))


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # it has ended, or it is somebody else's
        return b""


def end_with_runner() -> None:
    """In the process of a run below `sluice up`: the kernel kills it when its runner is gone.

    It may be killed at any moment; asked to end, it would tell the server for minutes, which is gone as well.
    """
    if MARK in os.environ and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _ancestors(pid: int) -> Iterator[int]:
    while fields := _read(pid, "stat").rpartition(b")")[2].split():
        pid = int(fields[1])
        yield pid


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # an orphan that we inherited
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return bool(fields) and fields[0] not in b"ZX"


def _end_with_parent() -> Callable[[], None] | None:
    """Linux asks a part to end when its supervisor dies by kill -9."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def set_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
        if os.getppid() != parent:
            os._exit(1)

    return set_signal


def _last_error(log: Path) -> str:
    """What the part said last, if it is one of our own messages: those quote no data."""
    with contextlib.suppress(OSError):
        said = [line for line in log.read_text(errors="replace").splitlines()[-50:] if line.startswith("Error: ")]
        return f"; it says: {said[-1].removeprefix('Error: ')}" if said else ""
    return ""
