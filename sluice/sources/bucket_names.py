"""What lies in an S3 bucket under whatever names, for when obstore cannot tell.

An object store takes any name, obstore only paths: one object whose name has a newline, `//` or `..` ends its listing,
and the page that it is in is lost. Then the store is asked directly, with a URL that obstore signs, so that credentials
come from wherever obstore has them.
"""

from __future__ import annotations

import urllib.error
import urllib.request
import xml.etree.ElementTree as Xml
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote_plus

import obstore
from obstore.store import S3Store

PATIENCE_SECONDS = 60
_VALID = timedelta(seconds=PATIENCE_SECONDS)


@dataclass(frozen=True)
class Named:
    """An object as the store lists it.

    Attributes:
        name: its whole key in the bucket.
        changed: to the second, as `2026-11-22T09:44:43`.
    """

    name: str
    size: int
    e_tag: str
    changed: str


def names(bucket: str, prefix: str, after: str, client: Any) -> tuple[list[Named], bool]:
    """A page of the objects of an S3 bucket, by name.

    Args:
        prefix: what their names begin with.
        after: the name behind which to begin, or "".
        client: options of obstore's client.

    Returns:
        The objects, and whether they are the last ones.

    Raises:
        OSError: with the store's answer, or because there is none.
        obstore.exceptions.BaseError: there are no credentials.
    """
    page = _asked(bucket, {"prefix": prefix, "start-after": after}, client)
    found = [_named(each, page) for each in page.iterfind("{*}Contents")]
    return found, not found or page.findtext("{*}IsTruncated") != "true"


def _asked(bucket: str, query: dict[str, str], client: Any) -> Xml.Element:
    """One page of the store's own answer.

    obstore signs URLs of objects only. An endpoint that already has the bucket's name is taken as it is, query and
    all; the path of the object, which is put behind it, ends up as the value of a parameter that stores ignore.
    """
    place = obstore.sign(S3Store(bucket, client_options=client), "GET", "x", _VALID).partition("?")[0]
    said = "&".join(f"{name}={quote(text, safe='')}" for name, text in query.items() if text)
    endpoint = f"{place.removesuffix('/x')}?list-type=2&encoding-type=url&{said}&x-path="
    store = S3Store(bucket, endpoint=endpoint, virtual_hosted_style_request=True, client_options=client)
    url = obstore.sign(store, "GET", "", _VALID)
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 the scheme is obstore's
            return Xml.fromstring(answer.read())  # noqa: S314 expat bounds what entities may grow to
    except urllib.error.HTTPError as error:
        with error:
            raise OSError(f"status code: {error.code} {error.read().decode(errors='replace')}") from None
    except Xml.ParseError as error:
        raise OSError("it answers with something else than a listing") from error


def _named(found: Xml.Element, page: Xml.Element) -> Named:
    name, is_encoded = found.findtext("{*}Key", ""), page.findtext("{*}EncodingType") == "url"
    return Named(
        unquote_plus(name) if is_encoded else name,
        int(found.findtext("{*}Size", "0")),
        found.findtext("{*}ETag", ""),
        found.findtext("{*}LastModified", "")[:19],
    )
