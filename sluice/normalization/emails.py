"""E-mail addresses: the one to send to, the one to match on, and the domain. They are never mixed."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from sluice.batch import map_uniques
from sluice.normalization.draft import Draft
from sluice.normalization.readings import Reading, read_uniques
from sluice.normalization.rules import EmailReading

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@([A-Za-z0-9.-]{{3,253}})")
_ANGLE = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_AROUND = " \t\"'`,;:.<>()[]{}"
_SEVERAL = re.compile(r"[;,|\s]+")


def read_emails(draft: Draft) -> None:
    """Adds `email`, `email_key` and `email_domain`; further fields of type email get their address only."""
    rules = draft.context.rules.email
    for field in (name for name, kind in draft.fields.items() if kind.type == "email" and draft.has(name)):
        found = read_uniques(draft.given(field), lambda text: read_email(str(text), rules))
        draft.put(field, found.value, found.code)
    email = draft.columns.setdefault("email", draft.nothing())
    draft.put("email_key", map_uniques(email, lambda address: email_key(address, rules)))
    domain = email.str.extract(r"@([^@]*)$")[0].astype("str")
    draft.put("email_domain", map_uniques(domain, email_domain))


def read_email(text: str, rules: EmailReading) -> Reading:
    """The address to send to: as given but for mistakes around it; the domain in lower case.

    Of several addresses the first valid one counts, with the warning `ambiguous`.
    """
    address = _valid(text)  # most are written plainly
    if address:
        return Reading(address)
    candidates = _candidates(text, rules)
    for place, candidate in enumerate(candidates):
        address = _valid(candidate)
        if address:
            return Reading(address, "ambiguous" if place or _other_address(candidates) else None)
    return Reading(None, "invalid")


def email_key(address: str, rules: EmailReading) -> str:
    """What a mailbox is recognised by (`address` is valid): lower case, ASCII domain, no tag, provider's rules."""
    local, _, _ = address.rpartition("@")
    domain = email_domain(address)
    domain = rules.same_domain.get(domain, domain)
    local = unicodedata.normalize("NFC", local.lower())
    if domain not in rules.no_tags and not local.startswith('"'):
        local = local.partition(rules.tag_separator)[0] or local
    if domain in rules.ignore_dots:
        local = local.replace(".", "") or local
    return f"{local}@{domain}"


def email_domain(address: str) -> str:
    """The address's domain in ASCII (punycode), lower case."""
    domain = address.rpartition("@")[2]
    return domain.lower() if domain.isascii() else (_domain(domain) or (domain, domain))[1]


def _candidates(text: str, rules: EmailReading) -> list[str]:
    if "@" not in text:
        for written in rules.written_at:
            text = re.sub(rf"\s*{re.escape(written)}\s*", "@", text, count=1, flags=re.IGNORECASE)
    angle = _ANGLE.search(text)
    if angle:
        return [_tidy(angle[1])]
    whole = _tidy(text)
    if whole.count("@") == 1 and not _SEVERAL.search(whole):
        return [whole]
    return [whole, *(_tidy(part) for part in _SEVERAL.split(text)[:20] if "@" in part)]


def _tidy(text: str) -> str:
    text = text.strip(_AROUND)
    if text[:7].lower() == "mailto:":
        text = text[7:].partition("?")[0].strip(_AROUND)
    return text


def _other_address(candidates: list[str]) -> bool:
    return len({candidate.lower() for candidate in candidates[1:]}) > 1


def _valid(text: str) -> str | None:
    plain = _PLAIN.fullmatch(text)
    if plain and len(plain[1]) <= 64 and len(text) <= 254:
        domain = _domain(plain[2].lower())
        return f"{plain[1]}@{domain[0]}" if domain else None
    if "@" not in text or len(text) > 320:
        return None
    try:
        # An address under .test is as good as another: nothing is ever looked up, and invented data live there.
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        return None


@lru_cache(maxsize=100_000)
def _domain(domain: str) -> tuple[str, str] | None:
    """The domain as shown and in ASCII, by the library, once per domain; None if mail cannot go there."""
    try:
        found = validate_email(f"a@{domain}", check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return found.domain, found.ascii_domain or found.domain
