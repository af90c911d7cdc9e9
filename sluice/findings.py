"""What is wrong with a config file: where, what was found, what is allowed; a model's complaints in these terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from sluice.criteria import suggest
from sluice.errors import ConfigError
from sluice.rules import Rules
from sluice.strict_yaml import Document, KeyPath

Model = TypeVar("Model", bound=Rules)


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that `sluice config check` prints.

    Attributes:
        severity: an `error` stops everything that needs the config; a `warning` is legal but hardly meant.
        file: below the config folder.
        line: 1-based; 0 where nothing is written.
        key: path of keys, e.g. `signals.3.when`.
        found: what is there.
        allowed: what may be there, or "".
    """

    file: str
    line: int
    key: str
    found: str
    allowed: str = ""
    severity: Literal["error", "warning"] = "error"

    @property
    def where(self) -> str:
        """`file:line: key`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}" if self.key else place

    def error(self) -> ConfigError:
        """The finding as the error that stops a command."""
        return ConfigError(self.where, self.found, self.allowed, "`sluice config check` lists all findings")

    @classmethod
    def of(cls, error: ConfigError) -> Finding:
        """The finding that an error of `sluice.strict_yaml` stands for."""
        file, _, line = error.where.rpartition(":")
        return (
            cls(file, int(line), "", error.found, error.allowed)
            if line.isdecimal()
            else cls(error.where, 0, "", error.found, error.allowed)
        )


def read(model: type[Model], document: Document) -> tuple[Model | None, list[Finding]]:
    """The document as a model; or None and everything that does not fit."""
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        return None, [_finding(model, document, dict(complaint)) for complaint in error.errors()]


def read_named(
    model: type[Model], document: Document, part: str, entries: Mapping[str, Mapping[str, Any]], file: str
) -> tuple[dict[str, Model], list[Finding]]:
    """The entries of a mapping as models that know their names; and everything that does not fit, by entry.

    Args:
        document: whole.
        part: key under which the entries stand.
        entries: name → what is said of it.
        file: name of the document, for what stands on no line.
    """
    found: dict[str, Model] = {}
    findings: list[Finding] = []
    for name, said in entries.items():
        places = {key[2:]: place for key, place in document.places.items() if key[:2] == (part, name)}
        rules, complaints = read(model, Document({**said, "name": name}, places))
        for one in complaints:
            key = f"{part}.{name}.{one.key}".rstrip(".")
            findings.append(Finding(one.file or file, one.line, key, one.found, one.allowed))
        if rules is not None:
            found[name] = rules
    return found, findings


def at(document: Document, path: KeyPath, found: str, allowed: str = "", *, warn: bool = False) -> Finding:
    """A finding about what a document says at a path."""
    _, place = document.place(path)
    file, line = (place.file, place.line) if place else ("", 0)
    return Finding(file, line, ".".join(map(str, path)), found, allowed, "warning" if warn else "error")


def _finding(model: type[Rules], document: Document, complaint: dict[str, Any]) -> Finding:
    path: KeyPath = complaint["loc"]
    written, _ = document.place(path)
    match complaint["type"]:
        case "extra_forbidden":
            allowed = sorted(_keys_at(model, path[:-1]))
            hint = suggest(str(path[-1]), allowed)
            return at(document, path, f"unknown key {str(path[-1])!r}{hint}".rstrip("?"), ", ".join(allowed))
        case "missing":
            return at(document, path, "it is missing")
        case "value_error":
            return at(document, written, str(complaint["ctx"]["error"]))
        case "literal_error":
            return at(document, written, f"found {complaint['input']!r}", str(complaint["ctx"]["expected"]))
        case _:
            return at(document, written, f"found {str(complaint['input'])[:80]!r}", str(complaint["msg"]))


def _keys_at(model: type[BaseModel], path: Iterable[str | int]) -> set[str]:
    """Keys of the model that a path leads to."""
    reached: Any = model
    for step in path:
        if _is_model(reached):
            named = {field.alias or name: field.annotation for name, field in reached.model_fields.items()}
            reached = _without_none(named.get(str(step)))
        else:
            reached = next((part for part in reversed(get_args(reached)) if part is not Ellipsis), None)
    if not _is_model(reached):
        return set()
    return {field.alias or name for name, field in reached.model_fields.items()}


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _without_none(annotation: Any) -> Any:
    """X of `X | None`; anything else as it is."""
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return parts[0] if type(None) in get_args(annotation) else annotation
