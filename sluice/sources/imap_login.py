"""Logging in to a mailbox: by password, or by an access token (XOAUTH2) that is given or fetched."""

from __future__ import annotations

import imaplib
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from sluice.keyring import Keyring
from sluice.mailbox_rules import MailboxRules, Refresh
from sluice.sources.imap_refusals import LoginRefused, MailboxUnavailable, translated

REMEMBERED = 300.0
"""Seconds for which a refusal is believed: servers lock out whoever asks too often."""

_EARLY = 120.0  # seconds before a token expires in which a new one is fetched
_PATIENCE = 20.0
_FOR_NOW = ("[UNAVAILABLE]", "[LIMIT]", "[INUSE]", "[SERVERBUG]")  # RFC 5530: no judgement of the secret
_REFUSALS = frozenset({"invalid_grant", "invalid_client", "unauthorized_client", "invalid_scope", "invalid_request"})


class Login:
    """How one account logs in; its folders share it, so that a wrong secret is tried once and not by each.

    Args:
        rules: of the account.
        keyring: has the secrets.
    """

    def __init__(self, rules: MailboxRules, keyring: Keyring) -> None:
        self._rules, self._keyring = rules, keyring
        self._lock = Lock()
        self._refusal: tuple[float, LoginRefused] | None = None
        self._token: tuple[float, str] | None = None

    def log_in(self, client: IMAPClient) -> None:
        """Logs in on a connection that is encrypted, or may be plain.

        Raises:
            LoginRefused: the secret is wrong, or was a moment ago; a token has expired.
            MailboxUnavailable: the server cannot say at the moment, or knows no such way.
            ConfigError: there is no such secret.
        """
        with self._lock:
            if self._refusal and time.monotonic() < self._refusal[0]:
                raise self._refusal[1]
            self._refusal = None
            try:
                self._log_in(client)
            except LoginRefused as error:
                self._refusal = time.monotonic() + REMEMBERED, error
                raise

    def _log_in(self, client: IMAPClient) -> None:
        login = self._rules.login
        if login.password is not None:
            self._by_password(client, login.password)
            return
        if not client.has_capability("AUTH=XOAUTH2"):
            found, fix = "the server takes no XOAUTH2", "Declare login: {password: …}, or check host and port"
            raise MailboxUnavailable(self._rules.where, found, fix=fix, needs_person=True)
        if login.access_token is not None:
            fix = f"Write a fresh token as the secret {login.access_token!r}, or declare login: {{refresh: …}}"
            tokens = [self._text(secret) for secret in self._keyring.secrets(login.access_token)]
            self._first(
                [lambda token=token: client.oauth2_login(self._rules.user, token) for token in tokens],
                "the server refused the access token: it has expired, or is not for this mailbox",
                fix,
            )
        elif login.refresh is not None:
            self._by_refresh(client, login.refresh)

    def _by_password(self, client: IMAPClient, name: str) -> None:
        user, passwords = self._rules.user, [self._text(secret) for secret in self._keyring.secrets(name)]
        if client.has_capability("AUTH=PLAIN"):
            ways = [lambda password=password: client.plain_login(user, password) for password in passwords]
        elif client.has_capability("LOGINDISABLED"):
            found = "the server takes no password here"
            raise MailboxUnavailable(
                self._rules.where, found, "what its provider allows, often XOAUTH2", needs_person=True
            )
        else:
            ways = [lambda password=password: client.login(user, password) for password in passwords]
        fix = (
            f"Check `user` and the secret {name!r}; providers with a second factor want a password for programs, or "
            "XOAUTH2"
        )
        self._first(ways, "the server refused the user or the password", fix)

    def _by_refresh(self, client: IMAPClient, refresh: Refresh) -> None:
        fix = "Log in at the provider again, allow IMAP, and write the new refresh token as its secret"
        refused = "the server refused a fresh access token: it is not for this mailbox, or does not allow IMAP"
        held = self._token
        if held and time.monotonic() < held[0]:
            try:
                self._first([lambda: client.oauth2_login(self._rules.user, held[1])], refused, fix)
                return
            except LoginRefused:  # taken back before its time
                self._token = None
        token = self._fetch(refresh)
        self._first([lambda: client.oauth2_login(self._rules.user, token)], refused, fix)

    def _first(self, ways: Sequence[Callable[[], Any]], refused: str, fix: str) -> None:
        """Tries the secrets of a name, the older first: two are valid while one changes."""
        said = ""
        for way in ways:
            try:
                refusal = self._tried(way)
            except MailboxUnavailable:
                if said:  # the server hung up after the first refusal
                    break
                raise
            if refusal is None:
                return
            said = refusal
            if any(code in said.upper() for code in _FOR_NOW):
                found = "the server takes no logins at the moment"
                raise MailboxUnavailable(self._rules.where, found, fix="It is tried again", seen=said)
        raise LoginRefused(self._rules.where, refused, fix=fix, seen=said)

    def _tried(self, way: Callable[[], Any]) -> str | None:
        """What the server says against a login; None if it let us in."""
        with translated(self._rules.where):
            try:
                way()
            except LoginError as error:
                if isinstance(error.__context__, imaplib.IMAP4.abort):  # IMAPClient takes a cut for a refusal
                    raise error.__context__ from None
                return str(error)
        return None

    def _fetch(self, refresh: Refresh) -> str:
        where = f"{self._rules.where}, token from {urlsplit(refresh.token_url).hostname}"
        form = {"grant_type": "refresh_token", "client_id": refresh.client_id}
        form["refresh_token"] = self._text(self._keyring.secrets(refresh.refresh_token)[-1])
        if refresh.client_secret is not None:
            form["client_secret"] = self._text(self._keyring.secrets(refresh.client_secret)[-1])
        if refresh.scope is not None:
            form["scope"] = refresh.scope
        try:
            answer = httpx.post(refresh.token_url, data=form, timeout=_PATIENCE)
        except httpx.HTTPError as error:
            found = f"it cannot be asked ({type(error).__name__})"
            raise MailboxUnavailable(where, found, fix="It is tried again") from None
        said = _json(answer)
        if answer.status_code in (400, 401, 403):
            why = str(said.get("error"))
            found = f"it refused the refresh token or the client ({why if why in _REFUSALS else answer.status_code})"
            fix = "Log in at the provider again and write the new refresh token as its secret"
            raise LoginRefused(where, found, fix=fix)
        token = said.get("access_token")
        if answer.status_code != 200 or not isinstance(token, str) or not token.isprintable():
            found = f"it answered {answer.status_code} without a token"
            raise MailboxUnavailable(where, found, fix="It is tried again")
        lasts = said.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int | float) else 600.0
        self._token = time.monotonic() + max(seconds - _EARLY, 0.0), token
        return token

    def _text(self, secret: bytes) -> str:
        try:
            return secret.decode()
        except UnicodeDecodeError:
            found = "the secret is not UTF-8"
            raise LoginRefused(self._rules.where, found, fix="Save its file as UTF-8") from None


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        said: object = answer.json()
    except ValueError:
        return {}
    return cast("dict[str, Any]", said) if isinstance(said, dict) else {}
