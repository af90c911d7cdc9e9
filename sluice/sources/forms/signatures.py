"""Who may post: signatures over the raw bytes, secrets in a header, the body or the URL, and known networks.

Whatever a stranger sends ends in `Unauthenticated`. The signature is checked before the time, so that `timestamp.stale`
is only ever said of the provider itself: if all its requests are stale, a clock is wrong.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from standardwebhooks.webhooks import Webhook

from sluice.form_rules import Signature
from sluice.sources.forms.bodies import decoded
from sluice.sources.forms.paths import at
from sluice.sources.forms.refusal import Unauthenticated, UnreadableBody
from sluice.sources.forms.requests import Posted

_HEX = re.compile(r"[0-9a-f]{64}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{43}=")
_DIGITS = re.compile(r"[0-9]{1,15}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000}
_A_YEAR = 366 * 86_400 * 1_000_000
_SECRETS = 2
_SIGNATURES = 10


def verify(posted: Posted, rules: Signature, secrets: Sequence[bytes], now: datetime) -> None:
    """Passes what proves to be the provider's.

    Args:
        posted: the request.
        rules: how the provider signs.
        secrets: one or two valid values; while a secret is changed the old one stays valid.
        now: aware; signed times are compared with it.

    Raises:
        Unauthenticated: it proves nothing.
    """
    if rules.scheme == "unsigned":
        _from_a_known_network(posted, rules)
        return
    time = _CHECKS[rules.scheme](posted, rules, _usable(secrets))
    if time is not None:
        _check_time(time, rules, now)


def challenge(posted: Posted, rules: Signature, secrets: Sequence[bytes]) -> str:
    """The answer to a provider that asks by GET whether the address is ours; it is sent as text/plain.

    Args:
        posted: the request.
        rules: with a handshake.
        secrets: values of the handshake's secret.

    Raises:
        Unauthenticated: the source has no handshake, or the question does not hold its secret.
    """
    if rules.handshake is None:
        raise Unauthenticated("handshake.none", "the source declares no handshake", "Declare `handshake:`")
    usable = _usable(secrets)
    mode, token, question = (_parameter(posted, f"hub.{name}") for name in ("mode", "verify_token", "challenge"))
    if mode != "subscribe":
        raise Unauthenticated("handshake.mode", "hub.mode is not `subscribe`")
    if not _is_one_of(token.encode("utf-8", "replace"), usable):
        raise Unauthenticated("key.mismatch", "hub.verify_token is not the handshake's secret")
    if not _CHALLENGE.fullmatch(question):
        raise Unauthenticated("handshake.challenge", "hub.challenge is not a plain word of at most 200 characters")
    return question


def _hmac(posted: Posted, rules: Signature, secrets: list[bytes]) -> int | None:
    sent = _header(posted, rules.header or "")
    if rules.layout == "t_v1":
        time, signatures = _t_v1(sent)
    else:
        time, signatures = (_header(posted, rules.timestamp) if rules.timestamp else ""), [sent]
    number = _digits(time) if "{timestamp}" in rules.signed else None
    found = [_digest(signature, rules) for signature in signatures]
    before, _, after = rules.signed.replace("{timestamp}", time).partition("{body}")
    message = before.encode() + posted.body + after.encode()
    expected = [hmac.new(secret, message, hashlib.sha256).digest() for secret in secrets]
    if not any([_is_one_of(digest, expected) for digest in found]):
        raise Unauthenticated("signature.mismatch", "the signature is not that of this body with this secret")
    return number


def _standard_webhooks(posted: Posted, rules: Signature, secrets: list[bytes]) -> int | None:
    """The library makes the signature; headers and time are read here.

    Its own `verify` raises ValueError and UnicodeDecodeError on what strangers send, and reads the machine's clock.
    """
    identity, time, sent = (_header(posted, f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    number = _digits(time)
    found = [entry[3:] for entry in sent.split(" ")[:_SIGNATURES] if entry.startswith("v1,")]
    if not found:
        raise Unauthenticated("signature.prefix", "webhook-signature holds no signature of version v1")
    digests = [_base64(signature) for signature in found]
    try:
        body = posted.body.decode()
    except UnicodeDecodeError:
        raise Unauthenticated("signature.not_utf8", "the body is not UTF-8, which Standard Webhooks demands") from None
    expected = [_standard_digest(secret, (identity, number), body) for secret in secrets]
    if not any([_is_one_of(digest, expected) for digest in digests]):
        raise Unauthenticated("signature.mismatch", "the signature is not that of this body with this secret")
    return number


def _standard_digest(secret: bytes, signed: tuple[str, int], body: str) -> bytes:
    identity, time = signed
    try:
        moment = _EPOCH + timedelta(seconds=time)
        signature = Webhook(secret.decode("ascii")).sign(msg_id=identity, timestamp=moment, data=body)
        return b64decode(signature.removeprefix("v1,"))
    except OverflowError:
        raise Unauthenticated("timestamp.future", "the time is past the year 9999") from None
    except Exception:  # the library has no base class for what it may raise about a secret
        raise Unauthenticated(
            "secret.unusable", "the secret is not what Standard Webhooks takes", "Store it as given, with `whsec_`"
        ) from None


def _body_key(posted: Posted, rules: Signature, secrets: list[bytes]) -> None:
    try:
        found = at(decoded(posted.body, posted.content_type).value, rules.path or "")
    except UnreadableBody:
        raise Unauthenticated("key.missing", f"the body cannot be read, so that it holds no {rules.path}") from None
    if not isinstance(found, str) or not found:
        raise Unauthenticated("key.missing", f"the body holds no {rules.path}")
    _compare_key(found, secrets, f"{rules.path} of the body")


def _bearer(posted: Posted, rules: Signature, secrets: list[bytes]) -> None:
    name = rules.header or "authorization"
    prefix = rules.prefix if rules.prefix is not None else "" if rules.header else "Bearer "
    sent = _header(posted, name)
    if sent[: len(prefix)].lower() != prefix.lower():  # the scheme's name has no case (RFC 9110, 11.1)
        raise Unauthenticated("signature.prefix", f"the header {name} does not begin with {prefix!r}")
    _compare_key(sent[len(prefix) :], secrets, f"the header {name}")


def _query_key(posted: Posted, rules: Signature, secrets: list[bytes]) -> None:
    _compare_key(_parameter(posted, rules.parameter or ""), secrets, f"the parameter {rules.parameter}")


_CHECKS: dict[str, Callable[[Posted, Signature, list[bytes]], int | None]] = {
    "hmac": _hmac,
    "standard_webhooks": _standard_webhooks,
    "body_key": _body_key,
    "bearer": _bearer,
    "query_key": _query_key,
}


def _from_a_known_network(posted: Posted, rules: Signature) -> None:
    try:
        address = ip_address(posted.address.partition("%")[0])
    except ValueError:
        raise Unauthenticated("address.unknown", "the sender's address is not known") from None
    address = getattr(address, "ipv4_mapped", None) or address
    if not any(address in network for network in rules.allow_from):
        raise Unauthenticated("address.refused", "the sender's address is in none of `allow_from`", "Add its network")


def _compare_key(found: str, secrets: list[bytes], where: str) -> None:
    if not _is_one_of(found.encode("utf-8", "replace"), secrets):
        raise Unauthenticated("key.mismatch", f"{where} is not the secret")


def _usable(secrets: Sequence[bytes]) -> list[bytes]:
    usable = [secret for secret in secrets if secret][:_SECRETS]
    if not usable:
        raise Unauthenticated("secret.missing", "no secret is set for the source", "Set it; until then all is refused")
    return usable


def _is_one_of(found: bytes, expected: Sequence[bytes]) -> bool:
    """Compares with all of them, so that the time taken does not tell which one it was."""
    return any([hmac.compare_digest(found, each) for each in expected])


def _header(posted: Posted, name: str) -> str:
    sent: tuple[str, ...] = posted.headers.get(name, ())
    if not sent:
        raise Unauthenticated("header.missing", f"there is no header {name}")
    value, *others = sent
    if others:
        raise Unauthenticated("header.repeated", f"the header {name} was sent {len(sent)} times")
    if not value.strip():
        raise Unauthenticated("header.empty", f"the header {name} is empty")
    if not value.isascii():
        raise Unauthenticated("header.not_ascii", f"the header {name} is not ASCII")
    return value.strip()


def _parameter(posted: Posted, name: str) -> str:
    sent = posted.query.get(name, ())
    if len(sent) > 1:
        raise Unauthenticated("key.repeated", f"the URL has the parameter {name} {len(sent)} times")
    if not sent or not sent[0]:
        raise Unauthenticated("key.missing", f"the URL has no parameter {name}")
    return sent[0]


def _t_v1(sent: str) -> tuple[str, list[str]]:
    parts = [part.strip().partition("=") for part in sent.split(",")[: 2 * _SIGNATURES]]
    times = [value for name, _, value in parts if name == "t"]
    signatures = [value for name, _, value in parts if name == "v1"][:_SIGNATURES]
    if len(times) != 1 or not signatures:
        raise Unauthenticated("signature.prefix", "the header does not read t=<time>,v1=<signature>")
    return times[0], signatures


def _digest(signature: str, rules: Signature) -> bytes:
    prefix = rules.prefix or ""
    if not signature.startswith(prefix):
        raise Unauthenticated("signature.prefix", f"the signature does not begin with {prefix!r}")
    text = signature[len(prefix) :]
    if rules.encoding == "base64":
        return _base64(text)
    if not _HEX.fullmatch(text):
        raise Unauthenticated("signature.not_hex", "the signature is not 64 hexadecimal digits in lower case")
    return bytes.fromhex(text)


def _base64(text: str) -> bytes:
    digest = b64decode(text) if _BASE64.fullmatch(text) else b""
    if b64encode(digest) != text.encode() or not digest:  # two texts must not stand for one signature
        raise Unauthenticated("signature.not_base64", "the signature is not 32 bytes in Base64")
    return digest


def _digits(time: str) -> int:
    if not _DIGITS.fullmatch(time):
        raise Unauthenticated("timestamp.malformed", "the time is not a whole number of at most 15 digits")
    return int(time)


def _check_time(time: int, rules: Signature, now: datetime) -> None:
    """Compares in microseconds; the bounds are inside."""
    exact = (now - _EPOCH) // timedelta(microseconds=1)
    late = exact - time * _MICROSECONDS[rules.unit]
    if abs(late) <= rules.tolerance_seconds * 1_000_000:
        return
    if abs(exact - time * _MICROSECONDS["ms" if rules.unit == "s" else "s"]) <= _A_YEAR:
        raise Unauthenticated("timestamp.unit", f"the signed time is not in {rules.unit}", "Correct `unit:`")
    if late > 0:
        raise Unauthenticated("timestamp.stale", f"it was signed {late // 1_000_000} s ago", "Compare the clocks")
    raise Unauthenticated("timestamp.future", f"it was signed {-late // 1_000_000} s ahead", "Compare the clocks")
