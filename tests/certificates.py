"""Certificates for tests: one authority, and servers whose certificates are right or wrong in one way each."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """Who signs; `path` is its own certificate."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def made(cls, folder: Path) -> Authority:
        """A new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Authority of the tests")
        certificate = _certificate(name, name, key, 3_650).add_extension(x509.BasicConstraints(True, None), True)
        signed = certificate.sign(key, hashes.SHA256())
        (folder / "authority.pem").write_bytes(signed.public_bytes(Encoding.PEM))
        return cls(folder, key, signed)

    @property
    def path(self) -> Path:
        """The file that clients trust."""
        return self.folder / "authority.pem"

    def issue(self, name: str, host: str = "localhost", days: int = 365, *, self_signed: bool = False) -> Path:
        """A file with certificate and key of a server; with negative days it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer, by = (_name(host), key) if self_signed else (self.certificate.subject, self.key)
        names: list[x509.GeneralName] = [x509.DNSName(host)]
        if host == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        built = _certificate(_name(host), issuer, key, days)
        built = built.add_extension(x509.SubjectAlternativeName(names), False)
        made = built.sign(by, hashes.SHA256())
        path = self.folder / f"{name}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(made.public_bytes(Encoding.PEM) + private)
        path.chmod(0o644)  # the server runs as somebody else
        return path


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
    )
