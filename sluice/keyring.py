"""Secrets by name: from the environment or from files that only their owner can read; two are valid while one changes.

`SLUICE_SECRET_<NAME>` or the file `SLUICE_HOME/secrets/<name>` holds one secret a line. To change one without refusing
anybody, add the new secret as a second line, change it at the sender, then take the old line away: nothing is started
again.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from pathlib import Path

from sluice.errors import ConfigError

MOST = 2
"""Secrets of one name that are valid at a time: the old one and the new one."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Keyring:
    """The secrets of this installation; it shows none of them, neither printed nor in what it raises.

    Args:
        home: `SLUICE_HOME`.
        environ: the environment, read when the process starts. A file counts as it was read until `refresh`: a look at
            it with every request would cost more than all else that is done for one.
    """

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self._folder = home / "secrets"
        self._environ = {name: value for name, value in environ.items() if name.startswith("SLUICE_SECRET_")}
        self._kept: dict[str, tuple[bytes, ...]] = {}

    def secrets(self, name: str) -> tuple[bytes, ...]:
        """The one or two secrets of that name, as bytes without blanks around them.

        Raises:
            ConfigError: there is none, there are more than two, or others may read the file.
        """
        if not _NAME.fullmatch(name):
            raise ConfigError("the name of a secret", "it has other characters", "letters, digits, - and _, at most 64")
        variable = f"SLUICE_SECRET_{name.upper().replace('-', '_')}"
        if variable in self._environ:
            return _lines(variable, self._environ[variable].encode())
        if name not in self._kept:
            self._kept[name] = self._in_file(name, variable)
        return self._kept[name]

    def refresh(self) -> None:
        """From now on files count as they are now; to be called every second or so."""
        self._kept = {}

    def __repr__(self) -> str:
        return f"Keyring({str(self._folder)!r})"

    def _in_file(self, name: str, variable: str) -> tuple[bytes, ...]:
        path = self._folder / name
        try:
            _refuse_open(path, path.stat().st_mode)
            return _lines(str(path), path.read_bytes())
        except FileNotFoundError:
            fix = f"Write it into that file (mode 0600), or set {variable}"
            raise ConfigError(str(path), "there is no such secret", "one or two lines, a secret each", fix) from None
        except OSError as error:
            raise ConfigError(str(path), f"it cannot be read: {error.strerror}", fix="Let its user read it") from None


def _refuse_open(path: Path, mode: int) -> None:
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        found = f"others may read or change it (mode {stat.S_IMODE(mode):04o})"
        raise ConfigError(str(path), found, "mode 0600 or 0400", f"Run: chmod 600 {path}")


def _lines(where: str, content: bytes) -> tuple[bytes, ...]:
    secrets = tuple(line.strip() for line in content.splitlines() if line.strip())
    if not 1 <= len(secrets) <= MOST:
        raise ConfigError(where, f"it holds {len(secrets)} secrets", "one or two lines, a secret each")
    return secrets
