"""A profile: the whole policy that leads are worked by, read from a folder of YAML and checked before anything uses it.

A profile states only what differs from the one it inherits (`standard`, unless it says otherwise): mappings are merged
key by key, lists and values are replaced, `null` takes an inherited key away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import field_validator

from sluice.criteria import suggest
from sluice.errors import ConfigError
from sluice.findings import Finding, read
from sluice.lints import is_zone, lint_routing, lint_scoring, lint_source, lint_teams
from sluice.mail_rules import MailRules, mail_rules_of
from sluice.matching.rules import MatchingRules
from sluice.normalization import NormalizationRules
from sluice.rota import Teams
from sluice.routing import RoutingRules
from sluice.rules import Rules, SourceRules
from sluice.schema import Fields
from sluice.scoring import ScoringRules
from sluice.strict_yaml import Document, merge, parse
from sluice.validation import ValidationRules

STANDARD = "standard"


class ProfileRules(Rules):
    """`profile.yml`: what the profile is for, whom it inherits, and the zone that its days and hours are counted in."""

    description: str = ""
    inherits: str | None = None
    business_timezone: str

    @field_validator("business_timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if not is_zone(name):
            raise ValueError(f"found {name!r}; it takes a zone of the IANA list, e.g. Europe/Sofia")
        return name


PARTS: Mapping[str, type[Rules]] = {
    "profile": ProfileRules,
    "fields": Fields,
    "normalization": NormalizationRules,
    "validation": ValidationRules,
    "matching": MatchingRules,
    "scoring": ScoringRules,
    "routing": RoutingRules,
}
"""The files of a profile's folder and what they are read as."""


@dataclass(frozen=True)
class Profile:
    """A checked policy.

    Attributes:
        mail: how mails are told apart and read; None if `config/mail` is not there.
        sources: the declared sources by name; what is imported without a source is read as `files`.
        business_timezone: IANA zone.
        hash: sha256 over what all the files below say; comments and blanks do not count.
        content: path below the config folder → text, of every file that counts; `from_content` makes the same profile.
    """

    name: str
    description: str
    business_timezone: str
    fields: Fields
    normalization: NormalizationRules
    validation: ValidationRules
    matching: MatchingRules
    scoring: ScoringRules
    routing: RoutingRules
    teams: Teams
    sources: dict[str, SourceRules]
    mail: MailRules | None
    hash: str
    content: dict[str, str]


def load_profile(config: Path, name: str) -> Profile:
    """The profile of that name.

    Args:
        config: folder with `profiles/`, `sources/` and `teams.yml`.
        name: of a folder in `profiles/`.

    Raises:
        ConfigError: the first thing that `check_config` would report as an error about it.
    """
    return from_content(_read_files(config), name)


def from_content(content: Mapping[str, str], name: str) -> Profile:
    """The profile of that name, from files read before: a decision is explained with the rules it was taken by.

    Raises:
        ConfigError: as `load_profile`.
    """
    profile, findings = _examine(content, name)
    if profile is None:
        raise min(finding for finding in findings if finding.severity == "error").error()
    return profile


def load_sources(config: Path) -> dict[str, SourceRules]:
    """Every declared source by name: the name of its file.

    Raises:
        ConfigError: a file cannot be read as a source.
    """
    sources, findings = _sources(_read_files(config))
    if findings:
        raise min(findings).error()
    return {name: source for name, (source, _) in sources.items()}


def names_of_sources(config: Path) -> list[str]:
    """Names of all declared sources, also of those that cannot be read."""
    return sorted(path.stem for path in (config / "sources").glob("*.yml"))


def check_config(config: Path) -> list[Finding]:
    """Everything that is wrong or doubtful about all profiles, sources and teams, by file and line.

    Raises:
        ConfigError: there are no profiles at all, or a file is not UTF-8.
    """
    content = _read_files(config)
    return sorted({finding for name in _names(content) for finding in _examine(content, name)[1]})


def _examine(content: Mapping[str, str], name: str) -> tuple[Profile | None, list[Finding]]:
    """The profile if it has no errors, and all findings."""
    findings: list[Finding] = []
    try:
        chain = _chain(content, name)
    except ConfigError as error:
        return None, [Finding.of(error)]
    counted = {path: text for path, text in sorted(content.items()) if _counts(path, chain)}
    documents, unreadable = _documents(counted)
    findings += unreadable
    parts: dict[str, Any] = {}
    merged: dict[str, Document] = {}
    for part, model in PARTS.items():
        files = [f"profiles/{ancestor}/{part}.yml" for ancestor in chain]
        merged[part] = Document({}, parse(files[-1], "").places)
        for file in files:
            merged[part] = merge(merged[part], documents[file]) if file in documents else merged[part]
        if not any(finding.file in files for finding in unreadable):
            parts[part], complaints = read(model, merged[part])
            findings += complaints
    findings += _unknown_files(counted)
    merged["teams"] = documents.get("teams.yml", parse("teams.yml", ""))
    if not any(finding.file == "teams.yml" for finding in unreadable):
        parts["teams"], complaints = read(Teams, merged["teams"])
        findings += complaints
    sources, complaints = _sources(counted)
    findings += [*complaints, *_lints(parts, merged), *_source_lints(sources, parts.get("fields"))]
    mail, complaints = mail_rules_of(counted, parts.get("fields"))
    findings = list(dict.fromkeys([*findings, *complaints]))
    if any(finding.severity == "error" for finding in findings):
        return None, findings
    own: ProfileRules = parts.pop("profile")
    said = json.dumps({path: document.data for path, document in documents.items()}, ensure_ascii=False)
    return Profile(
        name=name,
        description=own.description,
        business_timezone=own.business_timezone,
        sources={key: source for key, (source, _) in sources.items()},
        mail=mail,
        hash=hashlib.sha256(said.encode()).hexdigest(),
        content=counted,
        **parts,
    ), findings


def _lints(parts: Mapping[str, Any], documents: Mapping[str, Document]) -> list[Finding]:
    fields, teams = parts.get("fields"), parts.get("teams")
    found: list[Finding] = []
    if teams:
        found += lint_teams(teams, documents["teams"])
    if fields and parts.get("scoring"):
        found += lint_scoring(parts["scoring"], documents["scoring"], fields)
    if fields and teams and parts.get("routing"):
        found += lint_routing(parts["routing"], documents["routing"], fields, teams)
    return found


def _source_lints(sources: Mapping[str, tuple[SourceRules, Document]], fields: Fields | None) -> list[Finding]:
    if fields is None:
        return []
    kinds = {name: source.kind for name, (source, _) in sources.items()}
    return [found for source, document in sources.values() for found in lint_source(source, document, fields, kinds)]


def _sources(content: Mapping[str, str]) -> tuple[dict[str, tuple[SourceRules, Document]], list[Finding]]:
    documents, findings = _documents({path: text for path, text in content.items() if path.startswith("sources/")})
    sources: dict[str, tuple[SourceRules, Document]] = {}
    for path, document in documents.items():
        stem = Path(path).stem
        if document.data.get("name", stem) != stem:
            findings.append(
                Finding(path, document.places["name",].line, "name", f"found {document.data['name']!r}", stem)
            )
        source, complaints = read(SourceRules, Document({**document.data, "name": stem}, document.places))
        findings += complaints
        if source is not None:
            sources[stem] = source, document
    return sources, findings


def _documents(content: Mapping[str, str]) -> tuple[dict[str, Document], list[Finding]]:
    documents: dict[str, Document] = {}
    findings: list[Finding] = []
    for path, text in content.items():
        try:
            documents[path] = parse(path, text)
        except ConfigError as error:
            findings.append(Finding.of(error))
    return documents, findings


def _chain(content: Mapping[str, str], name: str) -> list[str]:
    """The profile and whom it inherits, the oldest first."""
    names, chain = _names(content), list[str]()
    wanted: str | None = name
    while wanted is not None:
        if wanted not in names:
            where = f"profiles/{chain[0]}/profile.yml:1" if chain else "profiles"
            raise ConfigError(where, f"there is no profile {wanted!r}{suggest(wanted, names)}", ", ".join(names))
        if wanted in chain:
            raise ConfigError(f"profiles/{chain[0]}/profile.yml:1", f"it inherits itself through {wanted!r}")
        chain.insert(0, wanted)
        own = parse(f"profiles/{wanted}/profile.yml", content.get(f"profiles/{wanted}/profile.yml", "")).data
        parent = own.get("inherits", None if wanted == STANDARD else STANDARD)
        wanted = None if parent is None else str(parent)
    return chain


def _names(content: Mapping[str, str]) -> list[str]:
    return sorted({path.split("/")[1] for path in content if path.startswith("profiles/")})


def _counts(path: str, chain: list[str]) -> bool:
    return not path.startswith("profiles/") or path.split("/")[1] in chain


def _unknown_files(content: Mapping[str, str]) -> list[Finding]:
    allowed = [f"{part}.yml" for part in PARTS]
    strange = [path for path in content if path.startswith("profiles/") and path.split("/")[2] not in allowed]
    found = [
        Finding(path, 0, "", f"no such file belongs to a profile{suggest(Path(path).stem, PARTS)}", ", ".join(allowed))
        for path in strange
    ]
    misnamed = [path for path in content if path.startswith("sources/") and not path.endswith(".yml")]
    return found + [
        Finding(path, 0, "", "its name does not end in .yml", f"{Path(path).stem}.yml") for path in misnamed
    ]


def _read_files(config: Path) -> dict[str, str]:
    """Path below the folder → text of everything that configures."""
    found = [
        path
        for pattern in ("profiles/*/*.y*ml", "sources/*.y*ml", "teams.yml", "mail/*.yml", "mail/rules/*.yml")
        for path in config.glob(pattern)
    ]
    if not any(path.parent.parent.name == "profiles" for path in found):
        raise ConfigError(
            str(config), "it holds no profiles", "a folder with profiles/, sources/ and teams.yml", "Set SLUICE_CONFIG"
        )
    content: dict[str, str] = {}
    for path in sorted(found):
        name = path.relative_to(config).as_posix()
        try:
            content[name] = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigError(name, "it is not UTF-8", fix="Save it as UTF-8") from error
        except OSError as error:
            raise ConfigError(name, f"it cannot be read: {error.strerror}") from error
    return content
