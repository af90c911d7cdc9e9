"""What there is to see in a mail that tells what kind it is, in the forms that the questions are asked of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sluice.mail_rules import ClassificationRules, MailRules
from sluice.sources.mail.bodies import parted
from sluice.sources.mail.message import Mail

_LOOKED_AT = 16_384  # characters of the text that phrases are sought in
_WORDS = re.compile(r"[^\w' -]+")
_ANGLES = re.compile(r"\s*<\s*>\s*")
_HEADERS_IN_TEXT = re.compile(r"^[> ]*(?:received|message-id|return-path):", re.IGNORECASE | re.MULTILINE)
_MOST_MARKS = 20


@dataclass(frozen=True)
class Ourselves:
    """What the caller knows that a mail does not say.

    Attributes:
        addresses, domains: ours, in lower case; a mail from there is a loop.
        unsubscribe: addresses that List-Unsubscribe of our mails names, in lower case.
        is_ours: whether we sent a mail of this message id.
    """

    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    unsubscribe: frozenset[str] = frozenset()
    is_ours: Callable[[str], bool] = lambda _: False


@dataclass(frozen=True)
class Evidence:
    """A mail as the classifier looks at it.

    Attributes:
        subject, text, new: folded (`folded`); the subject without marks such as Re:, the text's beginning, and what is
            new in it.
        is_answer: it has In-Reply-To, or a mark such as Re: in its subject.
        is_forward: its subject begins with a mark such as Fwd:.
        answered: the message id of ours that it answers.
    """

    mail: Mail
    words: ClassificationRules
    ourselves: Ourselves
    subject: str
    text: str
    new: str
    is_answer: bool
    is_forward: bool
    answered: str | None

    @classmethod
    def of(cls, mail: Mail, rules: MailRules, ourselves: Ourselves) -> Evidence:
        """Looks at a mail."""
        words = rules.classification
        subject, marks = _without_marks(mail.subject, (*words.reply_marks, *words.forward_marks))
        forwarded = {folded(mark) for mark in words.forward_marks}
        asked = (mail.in_reply_to, *reversed(mail.references))
        return cls(
            mail, words, ourselves, subject, folded(mail.text[:_LOOKED_AT]),
            folded(parted(mail.text[:_LOOKED_AT], mail.sender, rules.replies).new),
            bool(mail.in_reply_to) or any(mark not in forwarded for mark in marks),
            bool(marks) and marks[0] in forwarded,
            next((known for known in asked if known and ourselves.is_ours(known)), None),
        )  # fmt: skip

    def header(self, name: str) -> str:
        """A header in lower case; "" if it is missing."""
        return (self.mail.headers.header(name) or "").strip().lower()

    def has_null_return_path(self) -> bool:
        """Whether the sender wants no answer, not even a bounce (RFC 3834, section 3.1)."""
        return any(_ANGLES.fullmatch(said) for said in self.mail.headers.all("return-path")[:1])

    def is_from(self, names_of_programs: Iterable[str]) -> bool:
        """Whether the sender is called like one of these programs."""
        sender = self.mail.sender
        names = {sender.local, folded(sender.name), sender.address or ""}
        raw = self.header("from")
        return any(
            daemon in names or sender.local.startswith(f"{daemon}-") or folded(sender.name).startswith(daemon)
            or (sender.address is None and daemon in raw)
            for daemon in map(folded, names_of_programs)
        )  # fmt: skip

    def encloses(self) -> bool:
        """Whether another mail, or the headers of one, are in it."""
        enclosing = ("message/rfc822", "text/rfc822-headers", "message/global")
        if any(part.media_type in enclosing for part in self.mail.parts):
            return True
        return len(_HEADERS_IN_TEXT.findall(self.mail.text[:_LOOKED_AT])) > 1

    def is_own(self, address: str | None) -> bool:
        """Whether an address is ours."""
        known = (address or "").lower()
        return known in self.ourselves.addresses or known.rpartition("@")[2] in self.ourselves.domains

    def says(self, phrases: Iterable[str], where: str) -> bool:
        """Whether one of the phrases stands in a folded text."""
        return any(folded(phrase) in where for phrase in phrases)


def folded(text: str) -> str:
    """Without regard to case, width of letters, kind of apostrophe and spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("’", "'").casefold().split())


def _without_marks(subject: str, marks: Iterable[str]) -> tuple[str, list[str]]:
    """The subject without Re:, Fwd: and [list] at its beginning, and the marks."""
    known = {folded(mark) for mark in marks}
    rest, found = folded(subject), list[str]()
    while True:
        before, colon, behind = rest.replace("\uff1a", ":").partition(":")
        mark = re.sub(r"[\[(]\d+[\])]$|^\[[^\]]*\]\s*", "", before.strip()).strip()
        if not colon or mark not in known or len(found) > _MOST_MARKS:
            return rest, found
        found.append(mark)
        rest = behind.strip()


def bare(text: str, left_out: tuple[str, ...]) -> str:
    """A short text's words without marks and without polite ones; a long one is no wish by itself."""
    if len(text) > 120:
        return text
    words = " ".join(_WORDS.sub(" ", text).split())
    return " ".join(_kept(words, left_out)) or words


def _kept(words: str, left_out: tuple[str, ...]) -> Iterator[str]:
    for phrase in left_out:
        if " " in phrase:
            words = words.replace(phrase, " ")
    yield from (word for word in words.split() if word not in left_out)
