"""Sends letters by e-mail, through the mail server that a URL names.

    smtp://user:password@host:587?starttls=required     required (default), auto or never
    smtps://user:password@host:465                      TLS from the first byte

As a route: {"provider": "smtp", "url": "env:SMTP_URL", "from": "Acme <no-reply@acme.example>"}

What the server says after it has learned the recipient is not repeated in a reason: it
may quote the address, or the subject and the code in it. Only its numbers are.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as MAIL
from email.policy import SMTPUTF8 as INTERNATIONAL_MAIL
from email.utils import format_datetime
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import aiosmtplib
import msgspec
from email_validator import EmailNotValidError, validate_email

from doorcode.delivery.interface import (
    Letter,
    Never,
    NotSent,
    Taken,
    TryAnother,
    TryElsewhere,
    TryLater,
)
from doorcode.delivery.providers.options import BadOptions, RouteOptions, read
from doorcode.delivery.providers.transport import Transport
from doorcode.domain.limits import SECOND

TIMEOUT_SECONDS = 15.0
GOODBYE_SECONDS = 2.0

_EXAMPLE = "smtp://user:password@mail.example.com:587 or smtps://user:password@mail.example.com"
_ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_SENDER = re.compile(rf'(?P<name>"[^"]*" *|[^"<>@]*)<(?P<named>{_ADDRESS})>|(?P<bare>{_ADDRESS})')
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")  # RFC 3463


class Tls(StrEnum):
    """When the line to the server is encrypted."""

    FROM_START = "from_start"
    REQUIRED = "required"
    AUTO = "auto"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Relay:
    """The mail server that takes our letters."""

    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_url(url: str) -> Relay:
    """The server that a URL names, or `ValueError` with the mend. The URL is never repeated."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        # Python's own message would quote the password.
        raise ValueError(
            f"the mail server's URL cannot be read; write it as {_EXAMPLE}, and any of "
            "/ ? # @ : % in the password as %2F %3F %23 %40 %3A %25"
        ) from None
    if parts.scheme not in ("smtp", "smtps") or not host or port == 0:
        raise ValueError(f"the mail server's URL must look like {_EXAMPLE}")
    if parts.path.strip("/") or parts.fragment:
        raise ValueError(
            "the mail server's URL ends after the port; write / in the password as %2F, # as %23"
        )
    tls = _tls(parts)
    username, password = _credentials(parts)
    if password and tls is Tls.AUTO:
        raise ValueError(
            "starttls=auto would give the password to whoever strips STARTTLS from the "
            "answer; use starttls=required, or starttls=never on a network you trust"
        )
    return Relay(host, port or _default_port(tls), tls, username, password)


def parse_sender(text: str) -> Address:
    """Who the letters are from, or `ValueError` with the mend."""
    match = _SENDER.fullmatch(text.strip(" "))
    # A line break in the name would add a header, such as Bcc, to every letter.
    if match is None or not text.isprintable():
        raise ValueError(
            f"the sender {text!r} is no address; write it as no-reply@example.com or "
            "Acme <no-reply@example.com>, with xn-- for a domain that is not ASCII"
        )
    name = (match["name"] or "").strip(' "')
    return Address(display_name=name, addr_spec=match["named"] or match["bare"])


def parse_recipient(to: str) -> Address:
    """The address with its domain in ASCII, or `Never`.

    It was checked when it was typed. It is checked again because a line break or a second
    address would let whoever typed it send mail of their own with our server.
    """
    try:
        valid = validate_email(to, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise Never("the recipient is no e-mail address") from None
    return Address(username=valid.local_part, domain=valid.ascii_domain)


class Options(RouteOptions, frozen=True, forbid_unknown_fields=True):
    """A mail server as a route."""

    url: str
    sender: str = msgspec.field(name="from")


class _Client(aiosmtplib.SMTP):
    """Notes when the letter itself goes out: from then on the server may have taken it."""

    has_begun = False

    async def data(self, *args: Any, **kwargs: Any) -> aiosmtplib.SMTPResponse:
        self.has_begun = True
        return await super().data(*args, **kwargs)


class Smtp:
    """A provider for the channel "email"."""

    name = "smtp"
    immediate = False

    def __init__(self, url: str, sender: str, tls: ssl.SSLContext | None = None) -> None:
        self._relay = parse_url(url)
        self._sender = parse_sender(sender)
        self._tls = tls or _tls_context(self._relay.tls)

    @classmethod
    def of_route(cls, given: Mapping[str, Any], _: Transport) -> Smtp:
        """Make one from a route's options, or raise `BadOptions`."""
        options = read(Options, given)
        try:
            return cls(options.url, options.sender)
        except ValueError as error:
            raise BadOptions(str(error)) from None

    async def send(self, letter: Letter) -> Taken:
        """Hand a letter to the mail server, or raise `TryLater`, `TryAnother` or `Never`."""
        recipient = parse_recipient(letter.to)
        mail = _compose(letter, self._sender, recipient)
        client = self._client()
        try:
            await self._connect(client)
            await self._transmit(client, recipient, mail)
            # The letter is the server's now: no answer to our goodbye takes it back.
            with suppress(Exception):
                await client.quit(timeout=GOODBYE_SECONDS)
        finally:
            client.close()
        return Taken()

    def _client(self) -> _Client:
        relay = self._relay
        return _Client(
            hostname=relay.host,
            port=relay.port,
            username=relay.username,
            password=relay.password,
            # Ours, not the machine's: looking that up can take longer than the sending.
            local_hostname=self._sender.domain,
            timeout=TIMEOUT_SECONDS,
            use_tls=relay.tls is Tls.FROM_START,
            start_tls={Tls.REQUIRED: True, Tls.AUTO: None}.get(relay.tls, False),
            tls_context=self._tls,
        )

    async def _connect(self, client: aiosmtplib.SMTP) -> None:
        """Everything before a letter is spoken of. What fails here is ours to mend."""
        try:
            await client.connect()
        except aiosmtplib.SMTPAuthenticationError as error:
            raise _ours(error, f"the mail server refused the login: {_said(error)}") from None
        except aiosmtplib.SMTPResponseException as error:
            raise _ours(error, f"the mail server refused us: {_said(error)}") from None
        except ssl.SSLError as error:
            raise TryLater(f"no trusted TLS with the mail server: {error.reason}") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise TryLater(f"the mail server cannot be used: {error}") from None

    async def _transmit(self, client: _Client, recipient: Address, mail: bytes) -> None:
        options = [] if recipient.username.isascii() else ["SMTPUTF8"]
        try:
            await client.sendmail(
                self._sender.addr_spec, [_spec(recipient)], mail, mail_options=options
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _verdict(error, client.has_begun) from None


def _tls(parts: SplitResult) -> Tls:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    starttls = options.pop("starttls", None)
    if options:
        raise ValueError("the only option of the mail server's URL is ?starttls=")
    if parts.scheme == "smtps":
        if starttls is not None:
            raise ValueError("smtps:// is encrypted from the start; leave ?starttls= out")
        return Tls.FROM_START
    if starttls not in (None, Tls.REQUIRED, Tls.AUTO, Tls.NEVER):
        raise ValueError("starttls is one of required, auto and never")
    return Tls(starttls or Tls.REQUIRED)


def _credentials(parts: SplitResult) -> tuple[str | None, str | None]:
    username = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    if (username is None) != (password is None):
        raise ValueError("the mail server's URL needs both a user and a password, or neither")
    return username, password


def _default_port(tls: Tls) -> int:
    return 465 if tls is Tls.FROM_START else 587


def _tls_context(tls: Tls) -> ssl.SSLContext | None:
    if tls is Tls.NEVER:
        return None
    context = ssl.create_default_context()
    if tls is Tls.AUTO:
        # Whoever could forge the certificate could strip STARTTLS as well. So `auto` only
        # keeps listeners out, and does not fail where a server has a certificate of its own.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _spec(address: Address) -> str:
    return f"{address.username}@{address.domain}"


def _compose(letter: Letter, sender: Address, recipient: Address) -> bytes:
    policy = MAIL if recipient.username.isascii() else INTERNATIONAL_MAIL
    mail = EmailMessage(policy=policy.clone(cte_type="7bit"))
    try:
        mail["From"] = sender
        mail["To"] = recipient
        mail["Subject"] = letter.subject
    except ValueError:
        raise Never("a header of the letter holds a line break") from None
    mail["Date"] = format_datetime(datetime.fromtimestamp(letter.created_at / SECOND, UTC))
    # Of the letter, not of the sending: a letter sent twice is shown once by many readers.
    mail["Message-ID"] = f"<{re.sub(r'[^A-Za-z0-9_.-]', '', letter.id)}@{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office reply, please
    mail.set_content(letter.text)
    mail.add_alternative(letter.html, subtype="html")
    return mail.as_bytes()


def _verdict(error: Exception, has_begun: bool) -> NotSent:
    """What a failure means that came when the server knew the recipient.

    Where the letter `has_begun` to go out and no answer came, it may have been taken.
    """
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[refused, *_]):
            return _by_code(refused, "the mail server refused the recipient")
        case aiosmtplib.SMTPDataError():
            return _by_code(error, "the mail server refused the letter")
        case aiosmtplib.SMTPSenderRefused():
            return _ours(error, f"the mail server refused the sender: {_numbers(error)}")
        case aiosmtplib.SMTPNotSupported():
            return Never("the mail server takes ASCII addresses only (no SMTPUTF8)")
        case aiosmtplib.SMTPResponseException():
            return _ours(error, f"the mail server refused a command: {_numbers(error)}")
        case TimeoutError():
            return TryLater("the mail server took too long", maybe=has_begun)
        case _:
            why = f"the line to the mail server broke ({type(error).__name__})"
            return TryLater(why, maybe=has_begun)


def _ours(error: aiosmtplib.SMTPResponseException, why: str) -> NotSent:
    """A refusal that is not about the recipient: for good, this server carries nothing of ours."""
    return (TryAnother if error.code >= 500 else TryLater)(why, str(error.code))


def _by_code(error: aiosmtplib.SMTPResponseException, why: str) -> NotSent:
    """A refusal of the recipient or the letter. Of policy (X.7.X, RFC 3463) it is this server's."""
    why, numbers = f"{why}: {_numbers(error)}", _numbers(error)
    if error.code < 500:
        return TryLater(why, str(error.code))
    return (TryElsewhere if " 5.7." in numbers else Never)(why, str(error.code))


def _numbers(error: aiosmtplib.SMTPResponseException) -> str:
    """The reply's code, and the enhanced one where the server gives it: `550 5.1.1`."""
    enhanced = _ENHANCED.match(error.message)
    return f"{error.code} {enhanced[0]}" if enhanced else str(error.code)


def _said(error: aiosmtplib.SMTPResponseException) -> str:
    """The reply in full, on one line."""
    return " ".join(f"{error.code} {error.message}".split())
