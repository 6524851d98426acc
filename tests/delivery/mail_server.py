"""A real mail server in a thread of its own, that refuses what a test tells it to."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER = "acme"
PASSWORD = "p@ss/w:rd#1"
URL_PASSWORD = "p%40ss%2Fw%3Ard%231"


class Mailbox:
    """What the server takes, and the replies it gives instead where a test says so."""

    def __init__(self, **replies: str) -> None:
        self.replies = replies  # by command: mail, rcpt, data, ehlo
        self.envelopes: list[Envelope] = []
        self.sessions: list[Session] = []

    @property
    def mails(self) -> list[EmailMessage]:
        return [
            message_from_bytes(envelope.content or b"", policy=policy.default)  # type: ignore[arg-type]
            for envelope in self.envelopes
        ]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.replies.get("mail", "250 OK")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "rcpt" in self.replies:
            return self.replies["rcpt"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "data" in self.replies:
            return self.replies["data"]
        self.sessions.append(session)
        self.envelopes.append(envelope)
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return self.replies.get("quit", "221 Bye")


class MailServer(Controller):
    """Listens on a free port of the loopback, from start() to stop()."""

    def __init__(self, mailbox: Mailbox, **settings: Any) -> None:
        settings.setdefault("enable_SMTPUTF8", True)
        super().__init__(mailbox, hostname="127.0.0.1", port=0, **settings)

    @property
    def listens_on(self) -> int:
        assert isinstance(self.server, asyncio.Server)
        return int(self.server.sockets[0].getsockname()[1])

    def _trigger_server(self) -> None:
        """Say hello once to see that it listens; the port is known only now."""
        self.port = self.listens_on
        super()._trigger_server()  # type: ignore[no-untyped-call]


def check_login(
    server: SMTP, session: Session, envelope: Envelope, how: str, who: Any
) -> AuthResult:
    """Accept the one user there is."""
    right = isinstance(who, LoginPassword) and (who.login, who.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=right, handled=False)


def make_certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A certificate for 127.0.0.1: what its server uses, and a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cafile=str(pem))
    return server, client
