"""The keeper of the embedded Postgres: a small process of its own that all commands of one home share.

`python -m sluice.store.embedded_server` detaches, starts Postgres as its child, says on its standard output that it is
ready (or why not), and ends some seconds after the last client let go of the lock file `clients.lock`. The kernel lets
go for a client that was killed, and ends Postgres if the keeper is killed: nothing stays behind.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from sluice.errors import DatabaseUnavailable
from sluice.store import binaries, locks, place, postmaster

_PULSE = 0.1  # seconds between two looks at the clients
_PAUSES = (
    0,
    0,
    0,
    0.2,
    1,
    5,
)  # seconds before a Postgres that died under its clients is started again; then 5 each time
_SOUND = 60.0  # seconds of life after which a death counts as the first


class Keeper:
    """Runs the server of one home for as long as it has clients.

    Args:
        home: `SLUICE_HOME`.
        options: `durable` (bool), `binaries` (folder or None), `idle_seconds` (how long to stay without clients).
    """

    def __init__(self, home: Path, options: dict[str, Any]) -> None:
        self.home, self.options = home, options
        self.hurried = False

    def prepare(self) -> postmaster.Server:
        """Chooses user and folders, and makes the data folder if there is none."""
        remembered = read_state(self.home).get("data")
        inside = self.home / "postgres"
        account = place.account_for(Path(remembered) if remembered else inside)
        given = self.options["binaries"]
        programs = place.reachable_binaries(binaries.for_server(Path(given) if given else None), account)
        data = place.data_folder(self.home, remembered, account)
        server = postmaster.Server(programs, data, account, self.home / "postgres.log", self.options["durable"])
        postmaster.initialise(server, self._password(is_new=not data.exists()))
        return server

    def keep(self, server: postmaster.Server) -> None:
        """Runs Postgres until nobody needs it; starts it again as often as it dies under its clients."""
        signal.signal(signal.SIGTERM, self._hurry)
        deaths = 0
        while True:
            process, port = postmaster.launch(server, read_state(self.home).get("port"))
            launched = time.monotonic()
            self._write_state(server, port=port, ready=True)
            _say({"ready": True})
            unused = self._until_unused(process)
            self._write_state(server, port=port, ready=False)
            if unused is not None:  # the lock stays ours until we are gone: a new client waits for it, then starts anew
                postmaster.stop(process)
                return
            deaths = 0 if time.monotonic() - launched > _SOUND else deaths + 1
            time.sleep(_PAUSES[min(deaths, len(_PAUSES) - 1)])

    def _until_unused(self, process: subprocess.Popen[bytes]) -> locks.Lock | None:
        last_use = time.monotonic()
        while process.poll() is None:
            lock = locks.alone(self.home / "clients.lock")
            if lock is None:
                last_use = time.monotonic()
            elif self.hurried or time.monotonic() - last_use > self.options["idle_seconds"]:
                return lock
            else:
                lock.close()
            time.sleep(_PULSE)
        return None

    def _hurry(self, _signal: int, _frame: FrameType | None) -> None:
        self.hurried = True

    def _password(self, *, is_new: bool) -> str:
        path = self.home / "postgres.password"
        if is_new:
            path.touch(mode=0o600)
            path.chmod(0o600)
            path.write_text(postmaster.new_password())
        if not path.exists():
            raise DatabaseUnavailable(
                str(path), "it is missing", fix="Bring it back from a backup: it is the key to the data beside it"
            )
        return path.read_text().strip()

    def _write_state(self, server: postmaster.Server, *, port: int, ready: bool) -> None:
        state = {
            "ready": ready,
            "port": port,
            "keeper": os.getpid(),
            "data": str(server.data),
            "binaries": str(server.binaries.folder),
            "version": server.binaries.version,
            "user": server.account.name if server.account else None,
        }
        unfinished = self.home / "postgres.json.unfinished"
        unfinished.write_text(json.dumps(state, indent=1))
        unfinished.replace(self.home / "postgres.json")


def read_state(home: Path) -> dict[str, Any]:
    """What the last keeper of `home` wrote: where the data are, the port, whether it takes connections; {} at first."""
    try:
        return dict(json.loads((home / "postgres.json").read_text()))
    except FileNotFoundError:
        return {}


def _say(answer: dict[str, Any]) -> None:
    """Tells the client that started us; afterwards nobody listens."""
    with suppress(BrokenPipeError):  # that client was killed; others may have come
        print(json.dumps(answer), flush=True)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def main(home: Path, options: dict[str, Any]) -> None:
    """Detaches, then keeps the server of `home`."""
    if os.fork():
        os._exit(0)
    while (lock := locks.alone(home / "server.lock")) is None:  # a keeper that is just ending
        time.sleep(_PULSE)
    try:
        keeper = Keeper(home, options)
        keeper.keep(keeper.prepare())
    except DatabaseUnavailable as error:
        _say({"error": error.args})
    except OSError as error:
        _say({"error": (str(error.filename or home), error.strerror or str(error), "", "Correct that, then try again")})
    lock.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
