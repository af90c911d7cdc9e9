"""Companies: the name as given and its key, the website, and the domain that is really theirs."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

import idna

from sluice.distinct import distinct
from sluice.domains import REMEMBERED, is_disposable, is_free, registrable_domain
from sluice.names import company_name
from sluice.normalization.draft import Draft
from sluice.normalization.readings import NOTHING, Reading, read_each

_NAMES = 50_000  # of which the answers are kept: three of four rows of a large file name a company that came before
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})")


def read_companies(draft: Draft) -> None:
    """Adds `company`, `company_key`, `legal_class`, `website`, `company_domain`.

    Where only what the requester typed is there (`lead_company_name`, S003-07), that is the company.
    """
    company = draft.given("company").fillna(draft.given("lead_company_name"))
    draft.put_text("company", company.str.strip(" ,;"))
    named = read_each(distinct(draft.columns["company"]), _read_name)
    draft.put("company_key", named.value())
    draft.put("legal_class", named.also())
    for field in (name for name, kind in draft.fields.items() if kind.type == "website" and draft.has(name)):
        found = read_each(draft.cells(field), read_website)
        draft.put_text(field, found.value())
        draft.note(field, found)
    shared = frozenset(draft.context.rules.shared_hosts)
    site = draft.columns.get("website", draft.nothing())
    own = distinct(site).map(lambda url: _own_domain(urlsplit(url).hostname or "", shared))
    mail = distinct(draft.columns["email_domain"]).map(lambda domain: _own_domain(domain, shared))
    draft.put("company_domain", own.fillna(mail))


def read_website(text: str) -> Reading:
    """A web address, scheme and host in lower case; https where it has none. Only http(s) is valid."""
    text = text.strip("<> ")
    if not _SCHEME.match(text) or re.match(r"[^/:]+:\d{2,5}(?:/|$)", text):
        text = "https://" + text.lstrip("/")
    parts = _split(text)
    if (
        parts is None
        or parts.scheme.lower() not in ("http", "https")
        or "@" in parts.netloc
        or re.search(r"[\s<>\"']", text)
    ):
        return Reading(None, "invalid")
    host = _ascii_host(parts.hostname or "")
    if not host or not _HOST.fullmatch(host):
        return Reading(None, "invalid")
    port = f":{parts.port}" if parts.port and parts.port not in (80, 443) else ""
    path = "" if parts.path == "/" and not parts.query else parts.path
    query = f"?{parts.query}" if parts.query else ""
    return Reading(f"{parts.scheme.lower()}://{host}{port}{path}{query}")


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port, parts.hostname
    except ValueError:
        return None
    return parts


def _ascii_host(host: str) -> str | None:
    host = host.rstrip(".").lower()
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None


@lru_cache(maxsize=_NAMES)
def _read_name(text: str) -> Reading:
    name = company_name(text)
    return Reading(name.key, None, name.legal_class) if name else NOTHING


@lru_cache(maxsize=REMEMBERED)
def _own_domain(host: str, shared: frozenset[str]) -> str | None:
    domain = registrable_domain(host.removeprefix("www."))
    if domain is None or domain in shared or is_free(domain) or is_disposable(domain):
        return None
    return domain
