"""E-mail addresses: the one to send to, the one to match on, and the domain. They are never mixed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from sluice.distinct import distinct
from sluice.normalization.draft import Draft
from sluice.normalization.readings import NOTHING, Reading, Readings
from sluice.normalization.rules import EmailReading

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@([A-Za-z0-9.-]{{3,253}})")
_WRITTEN_PLAINLY = rf"^{_ATOM}(?:\.{_ATOM})*@[a-z0-9.-]{{3,253}}$"
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+(?:[a-z0-9][a-z0-9-]{{0,61}})?[a-z]")
_SPECIAL = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)
_ANGLE = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_AROUND = " \t\"'`,;:.<>()[]{}"
_SEVERAL = re.compile(r"[;,|\s]+")


def read_emails(draft: Draft) -> None:
    """Adds `email`, `email_key` and `email_domain`; further fields of type email get their address only."""
    rules = draft.context.rules.email
    for field in (name for name, kind in draft.fields.items() if kind.type == "email" and draft.has(name)):
        cells = draft.cells(field)
        draft.put_read(field, Readings(read_all_emails(cells.values, rules), cells))
    email = distinct(draft.columns.setdefault("email", draft.nothing()))
    domains = email_domains(email.values)
    draft.put("email_domain", email.spread(domains))
    draft.put("email_key", email.spread(email_keys(email.values, domains, rules)))


def read_all_emails(texts: list[str | None], rules: EmailReading) -> list[Reading]:
    """`read_email` of many texts; None is read as nothing."""
    return [
        Reading(text) if is_plain else NOTHING if text is None else read_email(text, rules)
        for text, is_plain in zip(texts, plain_addresses(texts), strict=True)
    ]


def plain_addresses(texts: Sequence[str | None]) -> list[bool]:
    """Which texts are valid addresses as they stand: written plainly, the domain in lower case and a valid one.

    Arrow finds them at a fifth of what `read_email` takes for each; all others are its business.
    """
    written = pa.array(texts, pa.large_string())
    plain = pc.and_(pc.match_substring_regex(written, _WRITTEN_PLAINLY), pc.less_equal(pc.binary_length(written), 254))
    plain = pc.and_(plain, pc.less_equal(pc.find_substring(written, "@"), 64))
    domains = pc.dictionary_encode(pc.replace_substring_regex(written, "^[^@]*@", ""))
    valid = [domain is not None and quick_domain(domain) for domain in domains.dictionary.to_pylist()]
    return pc.and_(plain, pa.array(valid, pa.bool_()).take(domains.indices)).fill_null(False).to_pylist()


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


def quick_domain(domain: str) -> bool:
    """Whether a domain is valid and shown as it stands; False means "ask the library", never "invalid".

    ASCII in lower case, labels of letters, digits and single hyphens, the last one ending in a letter and not set aside
    for special use: all that the library asks of such a domain.
    """
    return (
        _HOST.fullmatch(domain) is not None
        and len(domain) <= 253
        and "--" not in domain
        and domain.rpartition(".")[2] not in _SPECIAL
    )


def email_domains(addresses: list[str]) -> list[str]:
    """`email_domain` of each."""
    lower = pc.ascii_lower(pc.replace_substring_regex(pa.array(addresses, pa.large_string()), "^.*@", "")).to_pylist()
    return [
        domain if domain.isascii() else email_domain(address) for address, domain in zip(addresses, lower, strict=True)
    ]


def email_keys(addresses: list[str], domains: list[str], rules: EmailReading) -> list[str]:
    """`email_key` of each; of most addresses it is the address in lower case."""
    special = {*rules.same_domain, *rules.ignore_dots}
    return [
        address.lower()
        if rules.tag_separator not in address and domain not in special and address.isascii()
        else email_key(address, rules)
        for address, domain in zip(addresses, domains, strict=True)
    ]


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


@lru_cache(maxsize=20_000)
def _domain(domain: str) -> tuple[str, str] | None:
    """The domain as shown and in ASCII, by the library where it is unusual; None if mail cannot go there."""
    if quick_domain(domain):
        return domain, domain
    try:
        found = validate_email(f"a@{domain}", check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return found.domain, found.ascii_domain or found.domain
