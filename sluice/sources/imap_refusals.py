"""What can go wrong with a mailbox, as sentences: where, what was found, what to do. No address stands in them."""

from __future__ import annotations

import imaplib
import socket
import ssl
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from imapclient.exceptions import CapabilityError

from sluice.errors import SluiceError, UserError

CUT = "the connection was cut"
_HOSTNAME, _EXPIRED, _NOT_YET = 62, 10, 9  # X509_V_ERR_… of OpenSSL
_SELF_SIGNED = frozenset({18, 19})


class MailboxUnavailable(UserError):
    """A mailbox cannot be read; nothing is lost, the next reading goes on where this one stood.

    Args:
        needs_person: it will not pass by itself.
    """

    exit_code = 4

    def __init__(
        self, where: str, found: str, allowed: str = "", fix: str = "", seen: str = "", *, needs_person: bool = False
    ) -> None:
        super().__init__(where, found, allowed, fix, seen)
        self.needs_person = needs_person


class LoginRefused(MailboxUnavailable):
    """The server knows no such user with that secret; whoever tries often may be locked out."""

    def __init__(self, where: str, found: str, allowed: str = "", fix: str = "", seen: str = "") -> None:
        super().__init__(where, found, allowed, fix, seen, needs_person=True)


@contextmanager
def translated(where: str) -> Generator[None]:
    """What libraries raise about a connection, in our terms.

    Raises:
        MailboxUnavailable: whatever it was; what the server said is in `seen`, since it may name people.
    """
    try:
        yield
    except SluiceError:
        raise
    except ssl.SSLCertVerificationError as error:
        raise _certificate(where, error) from None
    except imaplib.IMAP4.readonly as error:
        fix = "Give the account the right to change the folder, or take `after:` away"
        raise MailboxUnavailable(
            where, "the folder can only be read", fix=fix, seen=str(error), needs_person=True
        ) from None
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, imaplib.IMAP4.abort, ConnectionError) as error:
        raise _cut(where, error) from None
    except ssl.SSLError as error:
        found = f"TLS is impossible there ({error.reason or 'no answer of TLS'})"
        fix = "Check host, port and security: port 993 takes tls, port 143 starttls"
        raise MailboxUnavailable(where, found, fix=fix, needs_person=True) from None
    except socket.gaierror:
        fix = "Correct its name in mailboxes.yml, or mend the name service"
        raise MailboxUnavailable(where, "there is no host of that name", fix=fix, needs_person=True) from None
    except TimeoutError:
        fix = "Wait; if it lasts, ask whether a firewall stands between"
        raise MailboxUnavailable(where, "it did not answer in time", fix=fix) from None
    except OSError as error:
        found = f"it cannot be reached ({error.strerror or type(error).__name__})"
        raise MailboxUnavailable(where, found, fix="Check the network; it is tried again") from None
    except CapabilityError as error:
        raise MailboxUnavailable(where, "the server lacks what is asked of it", seen=str(error)) from None
    except imaplib.IMAP4.error as error:
        raise MailboxUnavailable(
            where, "the server refused a command", fix="It is tried again", seen=_said(error)
        ) from None
    except Exception as error:  # a library that stumbles over an answer raises whatever it likes
        found = f"it answered what is no IMAP ({type(error).__name__})"
        fix = "Check that an IMAP server listens there; it is tried again"
        raise MailboxUnavailable(where, found, fix=fix) from None


def no_starttls(where: str) -> MailboxUnavailable:
    """The server offers no encryption, or somebody in between has taken the offer away."""
    return MailboxUnavailable(
        where,
        "the server offers no STARTTLS, or somebody between here and there has taken the offer away",
        "a connection that is encrypted before the password is sent",
        "Use security: tls with port 993, or ask the server's administrator",
        needs_person=True,
    )


def no_folder(where: str, name: str, there: Sequence[str]) -> MailboxUnavailable:
    """The folder is not among those that are `there`; one that is called alike is suggested."""
    shown = [folder for folder in there if "@" not in folder]
    alike = get_close_matches(name.casefold(), [folder.casefold() for folder in shown], n=1, cutoff=0.6)
    near = next((folder for folder in shown if folder.casefold() in alike), None)
    found = f"there is no folder {name!r}" + (f"; did you mean {near!r}" if near else "")
    return MailboxUnavailable(
        where, found, ", ".join(shown[:20]), "Correct it in mailboxes.yml, or make the folder", needs_person=True
    )


def _cut(where: str, error: Exception) -> MailboxUnavailable:
    if isinstance(error, ConnectionRefusedError):
        fix = "Check host and port; if they are right, the server is down: it is tried again"
        return MailboxUnavailable(where, "nobody listens there", fix=fix)
    return MailboxUnavailable(where, CUT, fix="Nothing is lost; it is tried again", seen=_said(error))


def _certificate(where: str, error: ssl.SSLCertVerificationError) -> MailboxUnavailable:
    code = error.verify_code
    if code == _HOSTNAME:
        found = "its certificate is of another host"
        fix = "Use the name that the certificate is made for, as `openssl s_client` shows it"
    elif code == _EXPIRED:
        found, fix = "its certificate has expired", "The server's administrator must renew it"
    elif code == _NOT_YET:
        found, fix = "its certificate is not valid yet", "Set the clock of this machine, or of the server"
    elif code in _SELF_SIGNED:
        found = "its certificate is signed by itself, or by an authority that is not trusted here"
        fix = "Name that authority's certificate as ca_file, or use a certificate of a public authority"
    else:
        found = f"its certificate cannot be verified ({error.verify_message})"
        fix = "Name the authority's certificate as ca_file, or have the server send its whole chain"
    return MailboxUnavailable(where, found, "a valid certificate for that host", fix, needs_person=True)


def _said(error: Exception) -> str:
    return " ".join(str(part) for part in error.args)[:500]
