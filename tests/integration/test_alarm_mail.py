"""Alarms by mail reach a server that is who it says it is, and no other one: STARTTLS, smtps and a password (RFC 3207)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sluice.alarms import SERVER, TO, Notice, Targets
from tasks.ring import Unreachable, mail

NOTICE = Notice("a run failed", "intake · messe-hannover.csv", "The file is not there.", "/runs/1")
USER, PASSWORD = "alarms", "brackish-3-otters"


@dataclass
class Mailroom(Sink):
    """What a server on loopback was handed."""

    letters: list[Envelope] = field(default_factory=list[Envelope])

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:
        self.letters.append(envelope)
        return "250 taken"


@dataclass
class Servers:
    """Mail servers on loopback whose certificate is in the folder."""

    folder: Path
    room: Mailroom
    stack: ExitStack

    def start(self, scheme: str, *, has_tls: bool = True) -> str:
        """A server that wants a password; its URL."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "certificate.pem", self.folder / "key.pem")
        with socket.socket() as probe:  # the controller calls the port that it was told, so that 0 is none
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(
            self.room,
            hostname="127.0.0.1",
            port=port,
            ssl_context=context if scheme == "smtps" else None,
            tls_context=context if scheme == "smtp" and has_tls else None,
            require_starttls=scheme == "smtp" and has_tls,
            auth_require_tls=False,
            authenticator=lambda *given: AuthResult(
                handled=False, success=given[-1] == LoginPassword(USER.encode(), PASSWORD.encode())
            ),
        )
        controller.start()
        self.stack.callback(controller.stop)
        return f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{port}"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mailroom")]),
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(hours=1))
        .not_valid_after(datetime.now(UTC) + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(key.private_bytes(*plain))
    (tmp_path / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    with ExitStack() as stack:
        yield Servers(tmp_path, Mailroom(), stack)


@pytest.fixture
def trusted(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine trusts the servers' certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(servers.folder / "certificate.pem"))


def send(url: str) -> None:
    mail.fn(Targets.read({TO: "ops@harbour-freight.example", SERVER: url}), NOTICE)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.usefixtures("trusted")
def test_a_server_that_is_who_it_says_it_is_gets_the_alarm(servers: Servers, scheme: str) -> None:
    send(servers.start(scheme))
    (letter,) = servers.room.letters
    assert letter.rcpt_tos == ["ops@harbour-freight.example"]
    assert "The file is not there." in str(letter.content)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda servers: servers.start("smtp"), id="STARTTLS with a certificate that nobody vouches for"),
        pytest.param(lambda servers: servers.start("smtps"), id="smtps with such a certificate"),
    ],
)
def test_a_server_that_nobody_vouches_for_gets_nothing(servers: Servers, spoil: Callable[[Servers], str]) -> None:
    with pytest.raises(Unreachable, match=r"did not take the alarm \(SSLCertVerificationError\)"):
        send(spoil(servers))
    assert servers.room.letters == []


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        pytest.param(lambda servers: servers.start("smtp", has_tls=False), "SMTPNotSupportedError", id="no STARTTLS"),
        pytest.param(
            lambda servers: servers.start("smtps").replace("otters", "others"), "SMTPAuthenticationError", id="wrong password"
        ),
        pytest.param(
            lambda servers: servers.start("smtps").replace("127.0.0.1", "localhost"), "SSLCertVerificationError", id="another name"
        ),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("trusted")
def test_nothing_is_sent_where_it_could_be_read(servers: Servers, spoil: Callable[[Servers], str], why: str) -> None:
    with pytest.raises(Unreachable, match=why) as refused:
        send(spoil(servers))
    assert servers.room.letters == []
    assert PASSWORD not in str(refused.value)
