"""The vocabulary of the generated leads, read from `words.yml`."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, field_validator


class _Lists(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return value.split(", ") if isinstance(value, str) and ", " in value else value


class Land(_Lists):
    """What one country contributes; its fields are explained at the top of `words.yml`."""

    code: str
    weight: int
    spellings: tuple[str, ...]
    first: tuple[str, ...]
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    between: str = ""
    titles: tuple[str, ...] = ()
    firms: tuple[str, ...]
    forms: tuple[tuple[str, ...], ...]
    cities: tuple[tuple[str, str, str], ...]
    streets: tuple[str, ...]
    providers: tuple[str, ...]
    nicknames: dict[str, str]


class Words(_Lists):
    """All words there are."""

    stem_starts: tuple[str, ...]
    stem_middles: tuple[str, ...]
    stem_ends: tuple[str, ...]
    titles: tuple[str, ...]
    industries: tuple[str, ...]
    streets: tuple[str, ...]
    sizes: tuple[str, ...]
    revenues: tuple[str, ...]
    lands: tuple[Land, ...]

    @field_validator("lands", mode="before")
    @classmethod
    def _name(cls, lands: dict[str, dict[str, object]]) -> list[dict[str, object]]:
        return [{"code": code, **land} for code, land in lands.items()]

    @property
    def stems(self) -> int:
        """How many different first words of a firm's name there are."""
        return len(self.stem_starts) * len(self.stem_middles) * len(self.stem_ends)

    def stem(self, number: int) -> str:
        """The first word of a firm's name with this number."""
        number, end = divmod(number, len(self.stem_ends))
        start, middle = divmod(number, len(self.stem_middles))
        return self.stem_starts[start] + self.stem_middles[middle] + self.stem_ends[end]


def read_words() -> Words:
    """The vocabulary that lies beside this module."""
    return Words.model_validate(yaml.safe_load(Path(__file__).with_suffix(".yml").read_text(encoding="utf-8")))
