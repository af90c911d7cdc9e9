"""YAML as people mean it: `NO` is Norway, `08:30` and `01234` are texts, a key is written once, and each has its line.

Read with YAML 1.2's idea of a scalar (true, false, null, whole and decimal numbers; all else is text). Aliases, tags
and repeated keys are refused, since what they do cannot be seen where it is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import yaml
from yaml.composer import ComposerError

from sluice.errors import ConfigError

KeyPath = tuple[str | int, ...]
_DEEPEST = 50


@dataclass(frozen=True)
class Place:
    """Where something was written."""

    file: str
    line: int


@dataclass(frozen=True)
class Document:
    """What a file says, and where it says it.

    Attributes:
        data: plain dicts, lists and scalars; keys are always texts.
        places: key path → place, also for what was inherited from another file.
    """

    data: dict[str, Any]
    places: Mapping[KeyPath, Place]

    def place(self, path: KeyPath) -> tuple[KeyPath, Place | None]:
        """The longest part of the path that is written somewhere, and where."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return path[:length], self.places[path[:length]]
        return (), None


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core scalars; PyYAML's own are those of YAML 1.1."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise ComposerError(None, None, "an alias (*name); write the value out", event.start_mark)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"null|Null|NULL|~|", "nN~"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", "-+0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), [*_first, ""])


@lru_cache(maxsize=128)  # profiles share most of their files; documents are never changed
def parse(file: str, text: str) -> Document:
    """What a YAML file says.

    Args:
        file: its name for messages.
        text: its content; an empty one says nothing.

    Raises:
        ConfigError: it is not YAML, or not a mapping, or uses what is refused here; `where` is `file:line`.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _refused(file, mark.line + 1 if mark else 1, str(error.problem or error.context)) from error
    except yaml.YAMLError as error:
        raise _refused(file, 1, " ".join(str(error).split())) from error
    except RecursionError as error:
        raise _refused(file, 1, f"it is nested deeper than {_DEEPEST} levels") from error
    places: dict[KeyPath, Place] = {(): Place(file, 1)}
    if node is None:
        return Document({}, places)
    if not isinstance(node, yaml.MappingNode):
        raise _refused(file, node.start_mark.line + 1, "it is not a mapping", "`key: value` lines")
    return Document(_value(node, (), file, places), places)


def parse_file(path: Path) -> Document | None:
    """A file of the config folder, None if it is not there; known by its name in what is said about it.

    Raises:
        ConfigError: it cannot be read, or is no YAML of ours.
    """
    try:
        return parse(path.name, path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ConfigError(path.name, "it is not UTF-8", fix="Save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(path.name, f"it cannot be read: {error.strerror}") from error


def merge(base: Document, over: Document) -> Document:
    """`base` with what `over` states in its place: mappings key by key, all else as a whole; null takes a key away."""
    places = dict(base.places)
    data = _merged(base.data, over, (), places)
    return Document(data, places)


def _merged(base: dict[str, Any], over: Document, path: KeyPath, places: dict[KeyPath, Place]) -> dict[str, Any]:
    stated: Any = over.data
    for key in path:
        stated = stated[key]
    result = dict(base)
    for key, value in cast(dict[str, Any], stated).items():
        here = (*path, key)
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            result[key] = _merged(base[key], over, here, places)
            places[here] = over.places[here]
            continue
        for known in [known for known in places if known[: len(here)] == here]:
            del places[known]
        if value is None and key in base:
            del result[key]
            continue
        result[key] = value
        places.update({known: place for known, place in over.places.items() if known[: len(here)] == here})
    return result


def _value(node: yaml.Node, path: KeyPath, file: str, places: dict[KeyPath, Place]) -> Any:
    line = node.start_mark.line + 1
    places.setdefault(path, Place(file, line))
    if len(path) > _DEEPEST:
        raise _refused(file, line, f"it is nested deeper than {_DEEPEST} levels")
    if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
        return [_value(item, (*path, place), file, places) for place, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
        return _mapping(node, path, file, places)
    if isinstance(node, yaml.ScalarNode):
        match node.tag.removeprefix("tag:yaml.org,2002:"):
            case "null":
                return None
            case "bool":
                return node.value.lower() == "true"
            case "int":
                return int(node.value) if len(node.value) < 20 else node.value
            case "float":
                return float(node.value)
            case "str":
                return node.value
            case _:
                pass
    raise _refused(file, line, f"a tag ({node.tag})", "plain values, lists and mappings")


def _mapping(node: yaml.MappingNode, path: KeyPath, file: str, places: dict[KeyPath, Place]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise _refused(file, line, "a key that is a list or a mapping", "a text as key")
        key = str(key_node.value)
        if key in result:
            raise _refused(file, line, f"the key {key!r} is written twice", "each key once")
        places[*path, key] = Place(file, line)
        result[key] = _value(value_node, (*path, key), file, places)
    return result


def _refused(file: str, line: int, found: str, allowed: str = "") -> ConfigError:
    return ConfigError(f"{file}:{line}", found, allowed, "Correct the file; `sluice config check` lists all findings")
