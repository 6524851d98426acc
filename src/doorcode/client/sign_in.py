"""Signing in: say who you are, prove it with a code."""

from __future__ import annotations

from doorcode.client.attempt import Attempt, Course, Part
from doorcode.client.connection import Connection
from doorcode.client.errors import StateError, UsageError
from doorcode.client.flow import D, Flow, tracked
from doorcode.client.resources import Factor, SignInAttempt, Verification
from doorcode.client.results import SignInFieldErrors
from doorcode.client.sign_up import Channel


class SignIn(Attempt[D, SignInAttempt, SignInFieldErrors]):
    """The current sign-in of a client; reach it as ``client.sign_in``.

    ``phone_code.send_code(phone_number=…)`` → ``phone_code.verify_code(code=…)`` → ``status`` is
    ``complete`` → ``finalize()``. The same with ``email_code``.
    """

    def __init__(self, connection: Connection[D]) -> None:
        course = Course(connection, connection.state.sign_in, "/client/sign_ins")
        super().__init__(course, SignInFieldErrors)
        self.phone_code: PhoneCode[D] = PhoneCode(self, course)
        self.email_code: EmailCode[D] = EmailCode(self, course)

    @property
    def status(self) -> str:
        """Where the sign-in stands.

        ``needs_identifier`` (also before it has begun), ``needs_first_factor`` (a code is due),
        ``complete``; servers with more features also know ``needs_second_factor`` and others.
        """
        return self.attempt.status

    @property
    def identifier(self) -> str | None:
        """The phone number or e-mail address given, as the server writes it."""
        return self.attempt.identifier

    @property
    def supported_identifiers(self) -> tuple[str, ...]:
        """What one may sign in with, such as ``phone_number`` and ``email_address``."""
        return self.attempt.supported_identifiers or ()

    @property
    def supported_first_factors(self) -> tuple[Factor, ...]:
        """The ways in which this user may prove who they are."""
        return self.attempt.supported_first_factors or ()

    @property
    def supported_second_factors(self) -> tuple[Factor, ...]:
        """The further proofs asked for once the first is given."""
        return self.attempt.supported_second_factors or ()

    @property
    def first_factor_verification(self) -> Verification | None:
        """How far the first proof has come, or None before a code was sent."""
        return self.attempt.first_factor_verification

    @tracked
    def create(self, *, identifier: str, locale: str | None = None) -> Flow[None]:
        """Begin a sign-in with a phone number or an e-mail address; nothing is sent yet.

        Errors: ``form_identifier_not_found`` (nobody has that address: sign up instead),
        ``form_param_format_invalid``, ``session_exists`` (this client is signed in).
        """
        yield from self._course.start({"identifier": identifier, "locale": locale})


class Wanted:
    """The factor that a caller asks for: by a new identifier, by an address's id, or any."""

    def __init__(self, strategy: str, identifier: str | None, address_id: str | None) -> None:
        self.strategy = strategy
        self.id_name = {"phone_code": "phone_number_id", "email_code": "email_address_id"}[strategy]
        self.identifier = identifier
        self._address_id = address_id
        if identifier is not None and address_id is not None:
            raise UsageError(f"Give the address or its id ({self.id_name}), not both")

    def choose(self, attempt: SignInAttempt) -> Factor:
        """Return the wanted factor of the attempt, or raise ``factor_not_found``."""
        factors = attempt.supported_first_factors or ()
        able = [factor for factor in factors if factor.strategy == self.strategy]
        if self._address_id is not None:
            able = [factor for factor in able if factor.address_id == self._address_id]
        # The address that was typed comes first: others may be masked, but never that one.
        able.sort(key=lambda factor: factor.safe_identifier != attempt.identifier)
        if not able:
            raise StateError("factor_not_found", f"This sign-in cannot use a {self.strategy}.")
        return able[0]


class _SignInPart(Part[D, SignInAttempt, SignInFieldErrors]):
    def _send_code(self, wanted: Wanted, channel: Channel | None = None) -> Flow[None]:
        if wanted.identifier is not None:
            yield from self._course.start({"identifier": wanted.identifier})
        factor = wanted.choose(self._course.require())
        form = {"strategy": wanted.strategy, wanted.id_name: factor.address_id, "channel": channel}
        yield from self._course.act("/prepare_first_factor", form)

    def _verify_code(self, strategy: str, code: str) -> Flow[None]:
        form = {"strategy": strategy, "code": code}
        yield from self._course.act("/attempt_first_factor", form)


class PhoneCode(_SignInPart[D]):
    """Signing in with a code sent to a phone; reach it as ``client.sign_in.phone_code``."""

    @tracked
    def send_code(
        self,
        *,
        phone_number: str | None = None,
        phone_number_id: str | None = None,
        channel: Channel = "sms",
    ) -> Flow[None]:
        """Send a code by phone.

        With ``phone_number`` (E.164) a new sign-in begins. With ``phone_number_id``, or nothing,
        the current one goes on; after a ``create()`` that failed, its error is given once more.

        Errors: those of ``create()``, and ``factor_not_found`` if the user has no such number.
        Raises ``UsageError`` if there is neither a number nor a sign-in.
        """
        wanted = Wanted("phone_code", phone_number, phone_number_id)
        yield from self._send_code(wanted, channel)

    @tracked
    def verify_code(self, *, code: str) -> Flow[None]:
        """Try the code that the person received.

        Errors: ``form_code_incorrect`` (in ``errors.fields.code``), ``verification_expired``,
        ``verification_failed`` (too many wrong codes: send a new one), ``user_locked``.
        """
        yield from self._verify_code("phone_code", code)


class EmailCode(_SignInPart[D]):
    """Signing in with a code sent by e-mail; reach it as ``client.sign_in.email_code``."""

    @tracked
    def send_code(
        self, *, email_address: str | None = None, email_address_id: str | None = None
    ) -> Flow[None]:
        """Send a code by e-mail; as ``phone_code.send_code()``."""
        wanted = Wanted("email_code", email_address, email_address_id)
        yield from self._send_code(wanted)

    @tracked
    def verify_code(self, *, code: str) -> Flow[None]:
        """Try the code that the person received; as ``phone_code.verify_code()``."""
        yield from self._verify_code("email_code", code)
