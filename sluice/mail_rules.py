"""What YAML says about mail: words that tell machines from people, quoted text from new text, and parsing rules.

`config/mail/classification.yml`, `replies.yml` and `signatures.yml` hold words; `config/mail/rules/<name>.yml` holds
one parsing rule each. The functions in `sluice.sources.mail` take them as arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BeforeValidator, Field, model_validator

from sluice.conditions import Condition, problems
from sluice.criteria import Kind, suggest
from sluice.errors import ConfigError
from sluice.findings import Finding, Model, at, read
from sluice.model import Rules
from sluice.schema import Fields
from sluice.strict_yaml import Document, parse

FOLDER = "mail"
ASKED: Mapping[str, Kind] = dict.fromkeys(
    ("from", "from_domain", "from_name", "reply_to", "to", "subject", "text", "list_id"), "text"
)
"""What a parsing rule's `when` can ask of a mail; `to` holds every recipient, separated by spaces."""


def _listed(written: Any) -> Any:
    return [written] if isinstance(written, str) else written


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One text or a list of them."""


class ClassificationRules(Rules):
    """`classification.yml`: phrases and names, each with the evidence it needs as its comment says."""

    daemons: Texts
    perhaps_daemons: Texts
    bounce_subjects: Texts
    bounce_texts: Texts
    complaint_subjects: Texts
    auto_reply_subjects: Texts
    absence_texts: Texts
    unsubscribe: Texts
    politeness: Texts
    reply_marks: Texts
    forward_marks: Texts


class Attribution(Rules):
    """How the line above a quoted mail begins and ends in one language."""

    begins: Texts
    ends: Texts = Field(min_length=1)


HeaderLine = Literal["from", "sent", "to", "cc", "subject", "reply_to"]


class ReplyRules(Rules):
    """`replies.yml`: what separates new text from quoted text and from the signature."""

    attributions: tuple[Attribution, ...]
    header_lines: dict[HeaderLine, Texts]
    original: Texts
    forwarded: Texts
    sent_from: Texts
    closings: Texts


SuggestedField = Literal["phone", "mobile", "company", "title", "website", "full_name"]


class SignatureRules(Rules):
    """`signatures.yml`: labels and words, and how sure a suggestion must be to count."""

    thresholds: dict[SuggestedField, Annotated[float, Field(ge=0, le=1)]]
    labels: dict[Literal["phone", "mobile", "fax", "website", "company", "title"], Texts]
    titles: Texts


class Taking(Rules):
    """How a parsing rule finds one field: exactly one of the four ways.

    Attributes:
        after: labels; the value is the rest of the line, or the next line if nothing follows the label.
        between: the value is what stands between two texts, over any number of lines; "" as the second is the end.
        pattern: RE2 with one named group; found anywhere in the text.
        header: the value is of a header and not of the text.
    """

    after: Texts | None = None
    between: tuple[str, str] | None = None
    pattern: str | None = Field(default=None, max_length=500)
    header: Literal["reply_to", "reply_to_name", "from_name", "subject"] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.after, self.between, self.pattern, self.header]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("found none or several of after, between, pattern and header; it takes exactly one")
        if any(not label.strip() for label in self.after or ()) or (self.between and not self.between[0].strip()):
            raise ValueError("found a blank text to look for")
        if self.pattern is not None and (complaint := _pattern_problem(self.pattern)):
            raise ValueError(complaint)
        return self


class Sample(Rules):
    """A golden sample: a mail beside the rule, and what the rule must make of it.

    Attributes:
        file: its name; it lies in `samples/` below the rule's folder.
        cells: field → value, all of them.
        coverage: the least share of the text that is understood.
    """

    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,100}$")
    cells: dict[str, str]
    coverage: float = Field(default=0, ge=0, le=1)


class ParsingRule(Rules):
    """`rules/<name>.yml`: how the mails of one sender are read.

    Attributes:
        version: raised by whoever changes the rule, kept with every mail it read.
        when: which mails it is for, in the condition language; see `ASKED`.
        fields: our field → how it is found.
        require: fields without which the rule does not fit and the next one is asked.
        defaults: our field → value where the mail has none.
        ignore: beginnings of lines that say nothing about the person (greetings, footers).
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    version: int = Field(default=1, ge=1)
    description: str = ""
    when: Condition
    fields: dict[str, Taking] = Field(min_length=1)
    require: tuple[str, ...] = ()
    defaults: dict[str, str] = Field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True)
class MailRules:
    """Everything that `config/mail` says.

    Attributes:
        parsing: in the order of their names, the order in which they are asked.
    """

    classification: ClassificationRules
    replies: ReplyRules
    signatures: SignatureRules
    parsing: tuple[ParsingRule, ...] = ()


def load_mail_rules(config: Path) -> MailRules:
    """What `config/mail` says.

    Raises:
        ConfigError: the first thing that is wrong with it.
    """
    files = sorted((config / FOLDER).glob("**/*.yml"))
    content = {path.relative_to(config).as_posix(): _text(path, str(path.relative_to(config))) for path in files}
    rules, findings = mail_rules_of(content)
    if rules is None:
        raise min(findings).error()
    return rules


def mail_rules_of(content: Mapping[str, str], fields: Fields | None = None) -> tuple[MailRules | None, list[Finding]]:
    """The rules of mail in files that were read, and everything that is wrong or doubtful about them.

    The golden samples are another matter: `sluice.sources.mail.parsing.check_samples`.

    Args:
        content: path below the config folder → text.
        fields: of the profile; None: fields are not looked up.

    Returns:
        None instead of rules if there are errors, or no file at all.
    """
    said = {path: text for path, text in content.items() if path.startswith(f"{FOLDER}/") and path.endswith(".yml")}
    if not said:
        return None, []
    rules, findings = _read_all(said)
    for rule in rules.parsing if rules and fields else ():
        findings += _doubts(rule, _document(said, f"rules/{rule.name}.yml"), fields) if fields else []
    is_sound = not any(finding.severity == "error" for finding in findings)
    return rules if is_sound else None, sorted(findings)


def read_parsing_rule(path: Path) -> ParsingRule:
    """One rule by itself, as `sluice mailbox try` takes it.

    Raises:
        ConfigError: it is no rule.
    """
    rule, findings = _parsing_rule(parse(path.name, _text(path, path.name)), path.stem)
    if rule is None or findings:
        raise min(findings).error()
    return rule


def _read_all(content: Mapping[str, str]) -> tuple[MailRules | None, list[Finding]]:
    findings: list[Finding] = []
    classification = _part(ClassificationRules, content, "classification.yml", findings)
    replies = _part(ReplyRules, content, "replies.yml", findings)
    signatures = _part(SignatureRules, content, "signatures.yml", findings)
    parsing: list[ParsingRule] = []
    for path in sorted(path for path in content if path.startswith(f"{FOLDER}/rules/")):
        try:
            rule, found = _parsing_rule(parse(path, content[path]), PurePosixPath(path).stem)
        except ConfigError as error:
            rule, found = None, [Finding.of(error)]
        findings += found
        parsing += [rule] if rule else []
    if classification is None or replies is None or signatures is None:
        return None, findings
    return MailRules(classification, replies, signatures, tuple(parsing)), findings


def _part(model: type[Model], content: Mapping[str, str], file: str, findings: list[Finding]) -> Model | None:
    try:
        rules, found = read(model, _document(content, file))
    except ConfigError as error:
        rules, found = None, [Finding.of(error)]
    findings += found
    return rules


def _parsing_rule(document: Document, name: str) -> tuple[ParsingRule | None, list[Finding]]:
    rule, findings = read(ParsingRule, Document({**document.data, "name": name}, document.places))
    if rule is not None:
        findings += [at(document, ("when",), found) for found in problems(rule.when, ASKED)]
        for place, field in enumerate(rule.require):
            if field not in rule.fields:
                hint = suggest(field, rule.fields) or ";"
                findings.append(at(document, ("require", place), f"no field {field!r}{hint}", ", ".join(rule.fields)))
    return rule, findings


def _doubts(rule: ParsingRule, document: Document, fields: Fields) -> Iterator[Finding]:
    known = fields.enabled()
    for key, names in (("fields", rule.fields), ("defaults", rule.defaults)):
        for name in names:
            if name not in known:
                yield at(document, (key, name), f"no field {name!r}{suggest(name, known)}", "a field of fields.yml")
    if rule.when.always:
        yield at(document, ("when",), "it holds for every mail", "what tells this sender's mails", warn=True)
    if not rule.samples:
        yield at(document, (), "it has no sample, so that nothing tells when the sender changes", "samples:", warn=True)


def _document(content: Mapping[str, str], file: str) -> Document:
    path = f"{FOLDER}/{file}"
    if path not in content:
        raise ConfigError(path, "it is missing", "the file that Sluice ships, with your changes", "Bring it back")
    return parse(path, content[path])


def _text(path: Path, shown: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(shown, "it is not UTF-8", fix="Save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(shown, f"it cannot be read: {error.strerror}") from error


def _pattern_problem(pattern: str) -> str | None:
    try:
        groups = pc.extract_regex(pa.array([""]), pattern=pattern).type.num_fields
    except pa.ArrowInvalid as error:
        return f"found {pattern!r}; it takes RE2 syntax with one named group: {str(error)[:80]}"
    return None if groups == 1 else f"found {groups} groups; it takes one named group such as (?P<value>…)"
