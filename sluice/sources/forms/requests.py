"""A request as it arrived: nothing parsed, every header that was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Posted:
    """One request of a provider.

    Attributes:
        body: raw bytes; signatures are over these and nothing else.
        headers: lower-case name → every value that was sent, decoded as Latin-1.
        query: parameter → every value; a secret that stands in the path is handed over as a parameter, too.
        address: of the sender, from the connection or a trusted proxy; "" if it is not known.
    """

    body: bytes = b""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    address: str = ""

    @property
    def content_type(self) -> str:
        """What the sender says the body is; "" if nothing."""
        return next(iter(self.headers.get("content-type", ())), "")
