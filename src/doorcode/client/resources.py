"""The server's objects as they are read: people, sessions, attempts.

Only what a program needs is named here; whatever else a server sends is ignored, and what it
leaves out has a default, so that older and newer servers of this API are both understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec import Struct, ValidationError, convert, field

from doorcode.client.errors import AnswerError

T = TypeVar("T")


class Resource(Struct, frozen=True, kw_only=True):
    """Anything that the server answers with; it does not change once it is read."""


class Verification(Resource, frozen=True, kw_only=True):
    """How far the proof of one address has come.

    ``status``: ``unverified``, ``verified``, ``failed`` (too many wrong codes), ``expired``,
    ``transferable``, or None. ``strategy``: ``phone_code`` or ``email_code``, None before a code
    was sent. ``attempts``: codes tried so far. ``next_action`` (sign-up only): ``needs_prepare``
    while no code was sent, ``needs_attempt`` once one was. ``channel``: ``sms`` or ``whatsapp``.
    """

    status: str | None = None
    strategy: str | None = None
    attempts: int | None = None
    next_action: str | None = None
    channel: str | None = None
    expire_at_ms: int | None = field(default=None, name="expire_at")

    @property
    def expire_at(self) -> datetime | None:
        """When the code stops working, in UTC, or None before a code was sent."""
        return _moment(self.expire_at_ms)


class PhoneNumber(Resource, frozen=True, kw_only=True):
    """A phone number of a user, in E.164 form."""

    id: str
    phone_number: str
    verification: Verification | None = None


class EmailAddress(Resource, frozen=True, kw_only=True):
    """An e-mail address of a user."""

    id: str
    email_address: str
    verification: Verification | None = None


class User(Resource, frozen=True, kw_only=True):
    """Who is signed in."""

    id: str
    username: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    image_url: str | None = None
    locale: str | None = None
    external_id: str | None = None
    phone_numbers: tuple[PhoneNumber, ...] = ()
    email_addresses: tuple[EmailAddress, ...] = ()
    primary_phone_number_id: str | None = None
    primary_email_address_id: str | None = None
    public_metadata: dict[str, Any] | None = None
    unsafe_metadata: dict[str, Any] | None = None
    created_at_ms: int | None = field(default=None, name="created_at")
    last_sign_in_at_ms: int | None = field(default=None, name="last_sign_in_at")

    @property
    def primary_phone_number(self) -> PhoneNumber | None:
        """The phone number that stands for this user, or None."""
        own = (each for each in self.phone_numbers if each.id == self.primary_phone_number_id)
        return next(own, None)

    @property
    def primary_email_address(self) -> EmailAddress | None:
        """The e-mail address that stands for this user, or None."""
        own = (each for each in self.email_addresses if each.id == self.primary_email_address_id)
        return next(own, None)

    @property
    def created_at(self) -> datetime | None:
        """When the user signed up, in UTC."""
        return _moment(self.created_at_ms)

    @property
    def last_sign_in_at(self) -> datetime | None:
        """When the user last signed in, in UTC."""
        return _moment(self.last_sign_in_at_ms)


class Token(Resource, frozen=True, kw_only=True):
    """A signed session token, as text."""

    jwt: str = ""


class Session(Resource, frozen=True, kw_only=True):
    """One stay of a user on one client.

    ``status`` is ``active`` while it lasts; others are ``pending``, ``ended``, ``removed``,
    ``revoked``, ``expired``, ``abandoned``.
    """

    id: str
    status: str
    user: User | None = None
    last_active_token: Token | None = None
    expire_at_ms: int | None = field(default=None, name="expire_at")
    abandon_at_ms: int | None = field(default=None, name="abandon_at")
    last_active_at_ms: int | None = field(default=None, name="last_active_at")

    @property
    def expire_at(self) -> datetime | None:
        """When the session ends at the latest, in UTC."""
        return _moment(self.expire_at_ms)

    @property
    def abandon_at(self) -> datetime | None:
        """When the session ends unless it is used before, in UTC."""
        return _moment(self.abandon_at_ms)

    @property
    def last_active_at(self) -> datetime | None:
        """When the session was last used, in UTC."""
        return _moment(self.last_active_at_ms)


class Factor(Resource, frozen=True, kw_only=True):
    """A way to prove who one is.

    ``strategy`` is ``phone_code`` or ``email_code``; ``safe_identifier`` is the address it goes
    to, masked unless it is the one that was typed; one of the two ids names that address.
    """

    strategy: str
    safe_identifier: str | None = None
    phone_number_id: str | None = None
    email_address_id: str | None = None
    primary: bool | None = None

    @property
    def address_id(self) -> str | None:
        """The id of the address that this factor sends its code to."""
        return self.phone_number_id or self.email_address_id


class SignUpVerifications(Resource, frozen=True, kw_only=True):
    """The verification of each address that a sign-up brings."""

    phone_number: Verification | None = None
    email_address: Verification | None = None


class SignUpAttempt(Resource, frozen=True, kw_only=True):
    """A sign-up as the server sees it; one without an id has not begun."""

    id: str | None = None
    status: str = "missing_requirements"
    required_fields: tuple[str, ...] = ()
    optional_fields: tuple[str, ...] = ()
    missing_fields: tuple[str, ...] = ()
    unverified_fields: tuple[str, ...] = ()
    verifications: SignUpVerifications | None = None
    phone_number: str | None = None
    email_address: str | None = None
    username: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    unsafe_metadata: dict[str, Any] | None = None
    locale: str | None = None
    created_session_id: str | None = None
    created_user_id: str | None = None
    abandon_at_ms: int | None = field(default=None, name="abandon_at")

    @property
    def abandon_at(self) -> datetime | None:
        """When the server forgets this attempt, in UTC."""
        return _moment(self.abandon_at_ms)


class SignInAttempt(Resource, frozen=True, kw_only=True):
    """A sign-in as the server sees it; one without an id has not begun."""

    id: str | None = None
    status: str = "needs_identifier"
    identifier: str | None = None
    supported_identifiers: tuple[str, ...] | None = None
    supported_first_factors: tuple[Factor, ...] | None = None
    supported_second_factors: tuple[Factor, ...] | None = None
    first_factor_verification: Verification | None = None
    created_session_id: str | None = None
    abandon_at_ms: int | None = field(default=None, name="abandon_at")

    @property
    def abandon_at(self) -> datetime | None:
        """When the server forgets this attempt, in UTC."""
        return _moment(self.abandon_at_ms)


class ClientRecord(Resource, frozen=True, kw_only=True):
    """What the server knows of one client: its sessions and the attempts under way."""

    id: str | None = None
    sessions: tuple[Session, ...] = ()
    sign_up: SignUpAttempt | None = None
    sign_in: SignInAttempt | None = None
    last_active_session_id: str | None = None


def decode(kind: type[T], told: object) -> T:
    """Return what the server told as a ``kind``; raise ``AnswerError`` if it is something else."""
    try:
        return convert(told, kind)
    except ValidationError as error:
        raise AnswerError(f"The server's {kind.__name__} cannot be read: {error}") from None


def decode_client(told: Mapping[str, Any] | None) -> ClientRecord:
    """Return the client, or an empty one for a browser that the server does not know."""
    return ClientRecord() if told is None else decode(ClientRecord, told)


def _moment(milliseconds: int | None) -> datetime | None:
    if milliseconds is None:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        # Beyond the calendar: some servers write "never" as a very large number.
        return None
