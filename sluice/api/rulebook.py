"""The rules in force: read anew when a file of the config folder changes; a mistake there keeps the old ones."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from sluice.api.log import say
from sluice.api.rules import FILE, DoorRules, load_door
from sluice.errors import ConfigError
from sluice.profiles import Profile, load_profile
from sluice.settings import Settings
from sluice.store import receipts
from sluice.store.engine import Database

_PATTERNS = ("profiles/*/*.y*ml", "sources/*.y*ml", "teams.yml", FILE)

_Stamps = dict[Path, tuple[int, int]]


@dataclass(frozen=True)
class InForce:
    """The rules by which arrivals are taken at the moment.

    Attributes:
        config_id: under which they are kept in the database; pinned by each receipt.
    """

    profile: Profile
    door: DoorRules
    config_id: int


class Rulebook:
    """Keeps the rules in force up to date.

    Raises:
        ConfigError: at the start the files must be right.
        DatabaseUnavailable: at the start the database must be there.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database
        self._stamps = self._look()
        self.in_force = self._read()
        self.mistake = ""
        """What is wrong with the files as they are, in words; "" if nothing is."""

    def refresh(self) -> None:
        """Reads the files if one has changed.

        Raises:
            DatabaseUnavailable, StoreError: the old rules stay; the next call tries again.
        """
        stamps = self._look()
        if stamps == self._stamps:
            return
        try:
            found = self._read()
        except ConfigError as error:
            self._stamps, self.mistake = stamps, str(error)
            say("rules not read", logging.ERROR, where=error.where)
            return
        self._stamps, self.mistake = stamps, ""
        if found != self.in_force:
            say("rules read", config_id=found.config_id, hash=found.profile.hash[:12])
        self.in_force = found

    def remember(self) -> None:
        """Makes sure that the database knows the rules in force: it may be another one than before, after a restore."""
        with self._database.transaction() as connection:
            config_id = receipts.remember_config(connection, self.in_force.profile)
        if config_id != self.in_force.config_id:
            self.in_force = InForce(self.in_force.profile, self.in_force.door, config_id)

    def _read(self) -> InForce:
        profile = load_profile(self._settings.config, self._settings.profile)
        door = load_door(self._settings.config)
        with self._database.transaction() as connection:
            return InForce(profile, door, receipts.remember_config(connection, profile))

    def _look(self) -> _Stamps:
        """When each file was written and how long it is."""
        stamps: _Stamps = {}
        for path in (path for pattern in _PATTERNS for path in self._settings.config.glob(pattern)):
            try:
                found = path.stat()
            except OSError:  # it went away meanwhile, which the next look sees
                continue
            stamps[path] = found.st_mtime_ns, found.st_size
        return stamps
