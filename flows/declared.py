"""What the YAML files of `deployments/` declare: read, and checked entry by entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from sluice.errors import ConfigError
from sluice.rules import Rules
from sluice.strict_yaml import parse

Declared = TypeVar("Declared", bound=Rules)


def declared(path: Path, key: str, model: type[Declared]) -> list[Declared]:
    """The entries below `key`.

    Raises:
        ConfigError: the file cannot be read, or an entry says what we do not know: which, and what is wrong with it.
    """
    try:
        entries = cast("list[Any]", parse(path.name, path.read_text(encoding="utf-8")).data.get(key) or [])
    except OSError as error:
        raise ConfigError(str(path), f"it cannot be read ({error.strerror})") from None
    return [_checked(entry, f"{path}, {key}.{at}", model) for at, entry in enumerate(entries)]


def _checked(entry: Any, where: str, model: type[Declared]) -> Declared:
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([where, *(str(part) for part in first["loc"])])
        raise ConfigError(place, first["msg"].lower(), fix="Correct the file") from None
