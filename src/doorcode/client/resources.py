"""The server's objects as they are read: attempts, factors, verifications.

Only what a program needs is named here; whatever else a server sends is ignored, and what it
leaves out has a default, so that older and newer servers of this API are both understood.
"""

from __future__ import annotations

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
        return moment(self.expire_at_ms)


class Token(Resource, frozen=True, kw_only=True):
    """A signed session token, as text."""

    jwt: str = ""


class Factor(Resource, frozen=True, kw_only=True):
    """A way to prove who one is.

    ``strategy`` is ``phone_code``, ``email_code`` or, as a second factor, ``backup_code``;
    ``safe_identifier`` is the address it goes to, masked unless it is the one that was typed; one
    of the two ids names that address. ``default``: the one to ask among several second factors.
    ``channels``: by what a code to a phone can travel.
    """

    strategy: str
    safe_identifier: str | None = None
    phone_number_id: str | None = None
    email_address_id: str | None = None
    primary: bool | None = None
    default: bool | None = None
    channels: tuple[str, ...] | None = None

    @property
    def address_id(self) -> str | None:
        """The id of the address that this factor sends its code to."""
        return self.phone_number_id or self.email_address_id

    @property
    def form(self) -> dict[str, object]:
        """The fields of a request that ask for a code by this factor."""
        return {
            "strategy": self.strategy,
            "phone_number_id": self.phone_number_id,
            "email_address_id": self.email_address_id,
        }


class UserData(Resource, frozen=True, kw_only=True):
    """What may be shown of a person who is about to sign in."""

    first_name: str | None = None
    last_name: str | None = None
    image_url: str | None = None
    has_image: bool = False


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
    legal_accepted_at_ms: int | None = field(default=None, name="legal_accepted_at")

    @property
    def legal_accepted_at(self) -> datetime | None:
        """When the terms were accepted, in UTC, or None."""
        return moment(self.legal_accepted_at_ms)

    @property
    def abandon_at(self) -> datetime | None:
        """When the server forgets this attempt, in UTC."""
        return moment(self.abandon_at_ms)


class SignInAttempt(Resource, frozen=True, kw_only=True):
    """A sign-in as the server sees it; one without an id has not begun."""

    id: str | None = None
    status: str = "needs_identifier"
    identifier: str | None = None
    supported_identifiers: tuple[str, ...] | None = None
    supported_first_factors: tuple[Factor, ...] | None = None
    supported_second_factors: tuple[Factor, ...] | None = None
    first_factor_verification: Verification | None = None
    second_factor_verification: Verification | None = None
    user_data: UserData | None = None
    created_session_id: str | None = None
    abandon_at_ms: int | None = field(default=None, name="abandon_at")

    @property
    def abandon_at(self) -> datetime | None:
        """When the server forgets this attempt, in UTC."""
        return moment(self.abandon_at_ms)


def decode(kind: type[T], told: object) -> T:
    """Return what the server told as a ``kind``; raise ``AnswerError`` if it is something else."""
    try:
        return convert(told, kind)
    except ValidationError as error:
        raise AnswerError(f"The server's {kind.__name__} cannot be read: {error}") from None


def moment(milliseconds: int | None) -> datetime | None:
    """Return a time of the wire, milliseconds since the epoch, in UTC; None for "never"."""
    if milliseconds is None:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        # Beyond the calendar: some servers write "never" as a very large number.
        return None
