"""The `form:` part of a source: how a provider signs, what its bodies mean, and what makes a filled form doubtful."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from sluice.model import Rules

Paths = str | list[str]
"""One dotted path, or several of which the first that is there counts."""

_NAME = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"
_HEADER = r"^[a-z0-9][a-z0-9-]{0,63}$"
_TAKES: dict[str, tuple[set[str], set[str]]] = {
    "hmac": (
        {"secret", "header"},
        {"encoding", "prefix", "signed", "timestamp", "unit", "layout", "tolerance_seconds"},
    ),
    "standard_webhooks": ({"secret"}, {"tolerance_seconds"}),
    "body_key": ({"secret", "path"}, set()),
    "bearer": ({"secret"}, {"header", "prefix"}),
    "query_key": ({"secret", "parameter"}, set()),
    "unsigned": ({"unsigned", "allow_from"}, set()),
}
"""Scheme → what it needs, and what it may have besides."""


class Handshake(Rules):
    """How a provider asks, by GET, whether the address is ours.

    Attributes:
        kind: meta: `hub.verify_token` is compared and `hub.challenge` echoed.
        secret: name of the secret that the provider's token must equal.
    """

    kind: Literal["meta"] = "meta"
    secret: str = Field(pattern=_NAME)


class Signature(Rules):
    """How a body proves that it comes from its provider.

    Attributes:
        scheme: hmac: a header holds the HMAC-SHA256 of the body · standard_webhooks: standardwebhooks.com · body_key: a
            secret stands in the body · bearer: a secret stands in a header · query_key: a secret stands in the URL ·
            unsigned: nothing proves it but the sender's address.
        secret: name of the secret, never its value; two values may be valid at a time.
        header: which holds the signature or the secret, in lower case.
        encoding: of the HMAC.
        prefix: before the HMAC or the secret, such as `sha256=`.
        signed: what the HMAC is over, of `{body}` and `{timestamp}`.
        timestamp: header that holds the time, if `signed` has it.
        unit: of the time.
        layout: plain: the header is the HMAC · t_v1: it reads `t=<time>,v1=<HMAC>` (Calendly, Formspree).
        tolerance_seconds: how far the signed time may be from ours, either way.
        path: of the secret in the body, dotted.
        parameter: of the URL that holds the secret.
        unsigned: must say true for the scheme `unsigned`.
        allow_from: networks that an unsigned body may come from.
        handshake: how the provider asks first.
    """

    scheme: Literal["hmac", "standard_webhooks", "body_key", "bearer", "query_key", "unsigned"]
    secret: str | None = Field(default=None, pattern=_NAME)
    header: str | None = Field(default=None, pattern=_HEADER)
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str | None = None
    signed: str = "{body}"
    timestamp: str | None = Field(default=None, pattern=_HEADER)
    unit: Literal["s", "ms"] = "s"
    layout: Literal["plain", "t_v1"] = "plain"
    tolerance_seconds: int = Field(default=300, ge=1, le=3600)
    path: str | None = Field(default=None, min_length=1)
    parameter: str | None = Field(default=None, min_length=1)
    unsigned: bool = False
    allow_from: list[IPv4Network | IPv6Network] = Field(default_factory=list)
    handshake: Handshake | None = None

    @model_validator(mode="after")
    def _has_what_its_scheme_needs(self) -> Self:
        needed, optional = _TAKES[self.scheme]
        stated = {name for name in self.model_fields_set if getattr(self, name)} - {"scheme", "handshake"}
        if missing := sorted(needed - stated):
            raise ValueError(f"{self.scheme} without {', '.join(missing)}; it needs {', '.join(sorted(needed))}")
        if surplus := sorted(stated - needed - optional):
            takes = ", ".join(sorted(needed | optional))
            raise ValueError(f"{self.scheme} with {', '.join(surplus)}; it takes {takes}")
        return self

    @model_validator(mode="after")
    def _signs_the_body_and_its_time(self) -> Self:
        rest = self.signed.replace("{body}", "", 1).replace("{timestamp}", "", 1)
        if "{body}" not in self.signed or "{" in rest or "}" in rest:
            raise ValueError(f"found signed: {self.signed!r}; it takes {{body}} once, and {{timestamp}} at most once")
        has_time = self.timestamp is not None or self.layout == "t_v1"
        if has_time != ("{timestamp}" in self.signed) or (self.timestamp and self.layout == "t_v1"):
            raise ValueError(
                f"found signed: {self.signed!r}; a {{timestamp}} comes from `timestamp:` (a header) or `layout: t_v1`, "
                "and a time that is not signed proves nothing"
            )
        return self

    @field_validator("allow_from")
    @classmethod
    def _is_not_everybody(cls, networks: list[IPv4Network | IPv6Network]) -> list[IPv4Network | IPv6Network]:
        if any(network.prefixlen == 0 for network in networks):
            raise ValueError("found a network of all addresses; it takes those of the provider")
        return networks


class Answers(Rules):
    """Where the answers stand in a submission, and how they become cells.

    Attributes:
        format: flat: an object, name → value; objects inside get dotted names · pairs: a list of objects that hold
            a name and a value each · typeform, tally, jotform, google_ads: as that provider writes them.
        path: of the answers inside a submission; without it the submission itself.
        name, value: keys of a pair.
    """

    format: Literal["flat", "pairs", "typeform", "tally", "jotform", "google_ads"] = "flat"
    path: Paths = ""
    name: str = "name"
    value: str = "value"


class TestLead(Rules):
    """What shows that a submission is a test: it is acknowledged and never becomes a lead.

    Attributes:
        path: in the submission, or …
        cell: … the name of a cell, `*` for any.
        equals: values that mean a test, whatever their case.
        contains: texts that mean a test if the value holds one of them.
    """

    __test__ = False  # pytest takes the name for a class of tests

    path: str | None = None
    cell: str | None = None
    equals: list[str] = Field(default_factory=lambda: ["true", "yes", "1"])
    contains: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _looks_at_one_place(self) -> Self:
        if (self.path is None) == (self.cell is None):
            raise ValueError("found path and cell, or neither; it takes one of them")
        return self


class Honeypot(Rules):
    """Fields that people do not see and programs fill in."""

    fields: list[str] = Field(min_length=1)
    points: int = Field(default=60, ge=0)


class TimeToFill(Rules):
    """How fast the form was filled in.

    Attributes:
        cell: that holds the seconds, or …
        start, end: … the cells that hold the two times.
        minimum_seconds: what takes less is suspicious.
    """

    cell: str | None = None
    start: str | None = None
    end: str | None = None
    minimum_seconds: float = Field(default=3, ge=0)
    points: int = Field(default=40, ge=0)

    @model_validator(mode="after")
    def _knows_the_time(self) -> Self:
        if (self.cell is None) != (self.start is not None and self.end is not None):
            raise ValueError("found no single way to know the time; it takes cell, or start and end")
        return self


class Links(Rules):
    """More web addresses in one answer than people write."""

    most: int = Field(default=2, ge=0)
    points: int = Field(default=30, ge=0)


class AllAlike(Rules):
    """The same text in every answer, as programs write it.

    Attributes:
        answers: fewest answers that must be alike.
    """

    answers: int = Field(default=3, ge=2)
    points: int = Field(default=50, ge=0)


class SpamRules(Rules):
    """Signals that add up; from the threshold on a submission is set aside as spam, and may be released.

    Attributes:
        threshold: points; below it the signals only warn.
    """

    threshold: int = Field(default=60, ge=1)
    honeypot: Honeypot | None = None
    time_to_fill: TimeToFill | None = None
    links: Links = Links()
    all_alike: AllAlike = AllAlike()


class Fetch(Rules):
    """For providers that announce a lead by its id only, which is then fetched.

    Attributes:
        provider: meta: the Graph API's `GET /{id}`.
        url: what the id is appended to.
        secret: name of the token that it is fetched with.
        ask: parameters of the URL, such as the fields that are wanted.
        id: path of the lead's id in an element of `items`.
        keep: cell name → path, for what only the announcement says.
        only: path → the value it must have for an element to announce a lead.
    """

    provider: Literal["meta"]
    url: str = Field(default="https://graph.facebook.com/v24.0", pattern="^https?://")
    secret: str = Field(pattern=_NAME)
    ask: dict[str, str] = Field(default_factory=dict)
    id: str
    keep: dict[str, str] = Field(default_factory=dict)
    only: dict[str, str] = Field(default_factory=dict)


class Form(Rules):
    """What a source of kind `form` says about its provider.

    Paths are dotted (`form_response.token`); they are looked up in the submission, then in the whole body.

    Attributes:
        id: of the provider's submission: paths, `header:<name>`, or several paths joined by ` + `; the first that is
            there counts. It must be the submission's, not the event's: a resent event has an id of its own.
        items: path of the submissions, for bodies that hold several; lists on the way are gone through.
        context: our name of a cell → path of what the provider says about the submission.
        resent: names of cells that differ when the same submission is sent again, such as the number of the attempt.
        test: signs of a test lead; one is enough.
    """

    signature: Signature
    answers: Answers = Answers()
    id: Paths = Field(default_factory=list)
    items: str | None = None
    context: dict[str, Paths] = Field(default_factory=dict)
    resent: list[str] = Field(default_factory=list)
    test: list[TestLead] = Field(default_factory=list)
    spam: SpamRules = SpamRules()
    fetch: Fetch | None = None


def listed(paths: Paths) -> list[str]:
    """The paths, in the order in which they are tried."""
    return [paths] if isinstance(paths, str) else paths
