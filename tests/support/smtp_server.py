"""A mail server as others run it (aiosmtpd): with TLS by a certificate of our own making, and with passwords."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "pbx", "correct horse"


class SmtpServer:
    """``ca`` is the file of whoever signed its certificate, which is for ``host`` alone. ``letters`` came encrypted and
    with the right password."""

    def __init__(self, home: Path, *, host: str = "127.0.0.1", implicit: bool = False, plain: bool = False) -> None:
        self.letters: list[EmailMessage] = []
        self.ca, certificate = home / "ca.pem", home / "server.pem"
        _make_certificate(self.ca, certificate, host)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        self._at_once = context if implicit else None
        self._options: dict[str, Any] = {"authenticator": _is_right, "auth_required": True}
        self._options["auth_require_tls"] = not implicit and not plain
        if not implicit and not plain:
            self._options |= {"tls_context": context, "require_starttls": True}
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="mail.x.example", **self._options), "127.0.0.1", 0, ssl=self._at_once
        )
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert session.authenticated
        content = cast(bytes, envelope.content)
        self.letters.append(cast(EmailMessage, message_from_bytes(content, policy=policy.default)))
        return "250 taken"


def _is_right(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


def _make_certificate(ca: Path, certificate: Path, host: str) -> None:
    """For an address or a name; by a house of our own that nobody trusts who does not know ``ca``."""
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in ("Our own CA", host)]
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    named = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    own = _signed(names[0], names[0], root, root, x509.BasicConstraints(ca=True, path_length=0))
    server = _signed(names[1], names[0], key, root, x509.SubjectAlternativeName([named]))
    ca.write_bytes(own.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate.write_bytes(private + server.public_bytes(serialization.Encoding.PEM))


def _signed(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    extension: x509.BasicConstraints | x509.SubjectAlternativeName,
) -> x509.Certificate:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    return made.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints)).sign(
        by, hashes.SHA256()
    )
