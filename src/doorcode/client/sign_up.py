"""Signing up: give an address, prove it with a code, become a user."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack

from doorcode.client.addresses import Channel
from doorcode.client.attempt import Attempt, Course, Part
from doorcode.client.connection import Connection
from doorcode.client.flow import D, Flow, tracked
from doorcode.client.resources import SignUpAttempt, SignUpVerifications, Verification
from doorcode.client.results import SignUpFieldErrors
from doorcode.client.wire import checked


class SignUpFields(TypedDict, total=False):
    """What a sign-up may bring; None is the same as not given.

    ``phone_number`` in E.164 form (``+14155552671``), ``locale`` a BCP 47 tag (``en-US``),
    ``unsafe_metadata`` any JSON object, kept with the user and writable by them;
    ``legal_accepted``: the person has accepted the terms.
    """

    phone_number: str | None
    email_address: str | None
    username: str | None
    first_name: str | None
    last_name: str | None
    unsafe_metadata: Mapping[str, Any] | None
    legal_accepted: bool | None
    locale: str | None


class SignUpStart(SignUpFields, total=False):
    """What a sign-up may begin with, beside its fields.

    ``ticket``: the text of an invitation, whose address is proven by it. ``transfer``: take over
    the address that the sign-in has proven (``sign_in.is_transferable``).
    """

    ticket: str | None
    transfer: bool | None


class SignUp(Attempt[D, SignUpAttempt, SignUpFieldErrors]):
    """The current sign-up of a client; reach it as ``client.sign_up``.

    ``create()`` → ``verifications.send_phone_code()`` → ``verifications.verify_phone_code()`` →
    ``status`` is ``complete`` → ``finalize()``. The same with e-mail.
    """

    def __init__(self, connection: Connection[D]) -> None:
        course = Course(connection, connection.state.sign_up, "/client/sign_ups")
        super().__init__(course, SignUpFieldErrors)
        self.verifications: Verifications[D] = Verifications(self, course)
        self.phone_code: SignUpPhoneCode[D] = SignUpPhoneCode(self, course)
        self.email_code: SignUpEmailCode[D] = SignUpEmailCode(self, course)

    @property
    def status(self) -> str:
        """``missing_requirements`` (also before ``create()``), ``complete``, or ``abandoned``."""
        return self.attempt.status

    @property
    def required_fields(self) -> tuple[str, ...]:
        """The fields that every sign-up at this server must have."""
        return self.attempt.required_fields

    @property
    def optional_fields(self) -> tuple[str, ...]:
        """The fields that a sign-up may have."""
        return self.attempt.optional_fields

    @property
    def missing_fields(self) -> tuple[str, ...]:
        """The required fields still without a value; ``update()`` can bring them."""
        return self.attempt.missing_fields

    @property
    def unverified_fields(self) -> tuple[str, ...]:
        """The addresses still to be proven: ``phone_number``, ``email_address``, or both."""
        return self.attempt.unverified_fields

    @property
    def phone_number(self) -> str | None:
        """The phone number given, as the server writes it."""
        return self.attempt.phone_number

    @property
    def email_address(self) -> str | None:
        """The e-mail address given, as the server writes it."""
        return self.attempt.email_address

    @property
    def username(self) -> str | None:
        """The user name given."""
        return self.attempt.username

    @property
    def first_name(self) -> str | None:
        """The first name given."""
        return self.attempt.first_name

    @property
    def last_name(self) -> str | None:
        """The last name given."""
        return self.attempt.last_name

    @property
    def unsafe_metadata(self) -> Mapping[str, Any]:
        """The metadata given; it goes over to the user."""
        return self.attempt.unsafe_metadata or {}

    @property
    def locale(self) -> str | None:
        """The language given, as a BCP 47 tag."""
        return self.attempt.locale

    @property
    def created_user_id(self) -> str | None:
        """The id of the user that a complete sign-up made."""
        return self.attempt.created_user_id

    @property
    def legal_accepted_at(self) -> datetime | None:
        """When the terms were accepted, in UTC, or None."""
        return self.attempt.legal_accepted_at

    @tracked
    def create(self, **fields: Unpack[SignUpStart]) -> Flow[None]:
        """Begin a sign-up with what is known of the person; an earlier attempt is given up.

        Errors: ``form_param_format_invalid`` (a malformed number or address),
        ``form_identifier_exists`` (taken already: sign in instead), ``form_param_missing``,
        ``session_exists`` (this client is signed in), ``sign_up_mode_restricted`` and
        ``sign_up_restricted_waitlist`` (only with a ``ticket``).
        """
        yield from self._start(checked("sign-up", fields, SignUpStart))

    @tracked
    def update(self, **fields: Unpack[SignUpFields]) -> Flow[None]:
        """Change or add fields of the current sign-up; a changed address must be proven anew."""
        yield from self._course.act("", checked("sign-up", fields, SignUpFields), "PATCH")

    @tracked
    def ticket(self, *, ticket: str) -> Flow[None]:
        """Begin with an invitation; what is still missing comes by ``update()``."""
        yield from self._start({"ticket": ticket})

    def _start(self, form: dict[str, object]) -> Flow[None]:
        strategy = "ticket" if form.get("ticket") is not None else None
        yield from self._course.start({"strategy": strategy, **form})


class _SignUpPart(Part[D, SignUpAttempt, SignUpFieldErrors]):
    def _send_code(self, strategy: str, channel: Channel | None = None) -> Flow[None]:
        form = {"strategy": strategy, "channel": channel}
        yield from self._course.act("/prepare_verification", form)

    def _verify_code(self, strategy: str, code: str) -> Flow[None]:
        form = {"strategy": strategy, "code": code}
        yield from self._course.act("/attempt_verification", form)


class Verifications(_SignUpPart[D]):
    """The proofs of a sign-up's addresses; reach it as ``client.sign_up.verifications``."""

    @property
    def phone_number(self) -> Verification | None:
        """How far the proof of the phone number has come, or None if none was given."""
        return self._told.phone_number

    @property
    def email_address(self) -> Verification | None:
        """How far the proof of the e-mail address has come, or None if none was given."""
        return self._told.email_address

    @property
    def _told(self) -> SignUpVerifications:
        self._course.connection.known()
        return self._course.slot.attempt.verifications or SignUpVerifications()

    @tracked
    def send_phone_code(self, *, channel: Channel = "sms") -> Flow[None]:
        """Send a code to the phone number; again to send another, the first stays good.

        After a ``create()`` that failed, nothing is sent and its error is given once more.
        Raises ``UsageError`` if there was no ``create()`` at all.
        """
        yield from self._send_code("phone_code", channel)

    @tracked
    def verify_phone_code(self, *, code: str) -> Flow[None]:
        """Try the code that the person received by phone.

        Errors: ``form_code_incorrect`` (in ``errors.fields.code``), ``verification_expired``,
        ``verification_failed`` (too many wrong codes: send a new one).
        """
        yield from self._verify_code("phone_code", code)

    @tracked
    def send_email_code(self) -> Flow[None]:
        """Send a code to the e-mail address; as ``send_phone_code()``."""
        yield from self._send_code("email_code")

    @tracked
    def verify_email_code(self, *, code: str) -> Flow[None]:
        """Try the code that the person received by e-mail; as ``verify_phone_code()``."""
        yield from self._verify_code("email_code", code)


class SignUpPhoneCode(_SignUpPart[D]):
    """``verifications`` for the phone number, under the names that a sign-in has for it."""

    @tracked
    def send_code(self, *, channel: Channel = "sms") -> Flow[None]:
        """Do what ``verifications.send_phone_code()`` does."""
        yield from self._send_code("phone_code", channel)

    @tracked
    def verify_code(self, *, code: str) -> Flow[None]:
        """Do what ``verifications.verify_phone_code()`` does."""
        yield from self._verify_code("phone_code", code)


class SignUpEmailCode(_SignUpPart[D]):
    """``verifications`` for the e-mail address, under the names that a sign-in has for it."""

    @tracked
    def send_code(self) -> Flow[None]:
        """Do what ``verifications.send_email_code()`` does."""
        yield from self._send_code("email_code")

    @tracked
    def verify_code(self, *, code: str) -> Flow[None]:
        """Do what ``verifications.verify_email_code()`` does."""
        yield from self._verify_code("email_code", code)
