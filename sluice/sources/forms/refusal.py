"""Why a request is refused."""

from __future__ import annotations

from sluice.errors import UserError


class Unauthenticated(UserError):
    """Nothing proves that the request comes from its provider; neither the secret nor the body is part of the message.

    Args:
        code: such as `signature.mismatch`: what differs, for counting and alarms.
        reason: the same as a sentence, for the owner of the source; a stranger is only told that he is refused.
        fix: what the owner of the source can do.
    """

    def __init__(self, code: str, reason: str, fix: str = "Compare the source's `signature:` and secret") -> None:
        self.code = code
        super().__init__("the request", reason, fix=fix)


class UnreadableBody(UserError):
    """A body that is no JSON, no form and no multipart form, or one that is made to do harm."""

    def __init__(self, found: str, allowed: str = "", fix: str = "Send JSON or a form") -> None:
        super().__init__("the body", found, allowed, fix)
