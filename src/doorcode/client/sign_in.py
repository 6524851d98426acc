"""Signing in: say who you are, prove it with a code."""

from __future__ import annotations

from doorcode.client.addresses import Channel
from doorcode.client.attempt import Attempt, Course, Part
from doorcode.client.connection import Connection
from doorcode.client.errors import StateError, UsageError
from doorcode.client.flow import D, Flow, tracked
from doorcode.client.resources import Factor, SignInAttempt, UserData, Verification
from doorcode.client.results import SignInFieldErrors
from doorcode.client.session import Session


class SignIn(Attempt[D, SignInAttempt, SignInFieldErrors]):
    """The current sign-in of a client; reach it as ``client.sign_in``.

    ``phone_code.send_code(phone_number=…)`` → ``phone_code.verify_code(code=…)`` → ``status`` is
    ``complete`` → ``finalize()``. The same with ``email_code``. Where the status becomes
    ``needs_second_factor`` or ``needs_client_trust``, ``mfa`` asks for the second proof.
    """

    def __init__(self, connection: Connection[D]) -> None:
        course = Course(connection, connection.state.sign_in, "/client/sign_ins")
        super().__init__(course, SignInFieldErrors)
        self.phone_code: PhoneCode[D] = PhoneCode(self, course)
        self.email_code: EmailCode[D] = EmailCode(self, course)
        self.mfa: Mfa[D] = Mfa(self, course)

    @property
    def status(self) -> str:
        """Where the sign-in stands.

        ``needs_identifier`` (also before it has begun), ``needs_first_factor`` (a code is due),
        ``needs_second_factor`` (another is due, see ``mfa``), ``needs_client_trust`` (the same,
        because this client is new to the user), ``complete``.
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

    @property
    def second_factor_verification(self) -> Verification | None:
        """How far the second proof has come, or None before a code was sent."""
        return self.attempt.second_factor_verification

    @property
    def user_data(self) -> UserData | None:
        """What may be shown of the person who is about to sign in, such as a first name."""
        return self.attempt.user_data

    @property
    def is_transferable(self) -> bool:
        """True once a code has proven an address that nobody has, where that was asked for.

        ``sign_up.create(transfer=True)`` makes it an account; see ``sign_up_if_missing``.
        """
        proof = self.first_factor_verification
        return proof is not None and proof.status == "transferable"

    @property
    def existing_session(self) -> Session[D] | None:
        """The session in which the person is signed in on this client already, or None.

        There is one after the error ``identifier_already_signed_in``: ``set_active()`` goes to it.
        """
        state, ended = self._connection.known(), self._course.slot.ended
        for problem in ended.problems if ended is not None else ():
            session_id = problem.meta.get("session_id")
            if problem.code == "identifier_already_signed_in" and isinstance(session_id, str):
                return state.find_session(session_id)
        return None

    @tracked
    def create(
        self,
        *,
        identifier: str | None = None,
        ticket: str | None = None,
        transfer: bool = False,
        sign_up_if_missing: bool = False,
        locale: str | None = None,
    ) -> Flow[None]:
        """Begin a sign-in; nothing is sent yet. One of the first three says for whom.

        ``identifier``: a phone number, an e-mail address or, where the server has them, a username.
        ``ticket``: what the app's server made for a person; it signs them in at once.
        ``transfer``: take over the address that the sign-up has proven and somebody has.
        ``sign_up_if_missing``: send a code even if nobody has the address; the right one gives the
        error ``sign_up_if_missing_transfer``, and ``is_transferable``.

        Errors: ``form_identifier_not_found`` (nobody has that address: sign up instead),
        ``form_param_format_invalid``, ``session_exists`` (this client is signed in),
        ``identifier_already_signed_in`` (that person is, see ``existing_session``).
        """
        if (identifier is not None) + (ticket is not None) + transfer != 1:
            raise UsageError("Give either an identifier, a ticket, or transfer=True")
        form = {
            "identifier": identifier,
            "strategy": None if ticket is None else "ticket",
            "ticket": ticket,
            "transfer": transfer or None,
            "sign_up_if_missing": sign_up_if_missing or None,
            "locale": locale,
        }
        yield from self._course.start(form)

    @tracked
    def ticket(self, *, ticket: str) -> Flow[None]:
        """Sign in with a ticket; as ``create(ticket=…)``."""
        yield from self._course.start({"strategy": "ticket", "ticket": ticket})


class Wanted:
    """The factor that a caller asks for: by a new identifier, by an address's id, or any."""

    def __init__(self, strategy: str, identifier: str | None, address_id: str | None) -> None:
        self.strategy = strategy
        self.id_name = {"phone_code": "phone_number_id", "email_code": "email_address_id"}[strategy]
        self.identifier = identifier
        self._address_id = address_id
        if identifier is not None and address_id is not None:
            raise UsageError(f"Give the address or its id ({self.id_name}), not both")

    def choose(self, attempt: SignInAttempt, *, second: bool = False) -> Factor:
        """Return the wanted factor of the step, or raise ``factor_not_found``."""
        factors = attempt.supported_second_factors if second else attempt.supported_first_factors
        able = [factor for factor in factors or () if factor.strategy == self.strategy]
        if self._address_id is not None:
            able = [factor for factor in able if factor.address_id == self._address_id]
        # The address that was typed comes first: others may be masked, but never that one.
        able.sort(key=lambda one: (one.safe_identifier != attempt.identifier, not one.default))
        if not able:
            raise StateError("factor_not_found", f"This sign-in cannot use a {self.strategy}.")
        return able[0]


class _SignInPart(Part[D, SignInAttempt, SignInFieldErrors]):
    def _send_code(self, wanted: Wanted, channel: Channel | None = None) -> Flow[None]:
        if wanted.identifier is not None:
            yield from self._course.start({"identifier": wanted.identifier})
        factor = wanted.choose(self._course.require())
        yield from self._course.act("/prepare_first_factor", {**factor.form, "channel": channel})

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


class Mfa(Part[D, SignInAttempt, SignInFieldErrors]):
    """The second proof of a sign-in; reach it as ``client.sign_in.mfa``.

    ``supported_second_factors`` says what there is, once the status asks for it.
    """

    @tracked
    def send_phone_code(
        self, *, phone_number_id: str | None = None, channel: Channel | None = None
    ) -> Flow[None]:
        """Send a code by phone: to the number of that id, else to the default one.

        Error: ``factor_not_found`` if the user has no such second factor.
        """
        yield from self._send_code(Wanted("phone_code", None, phone_number_id), channel)

    @tracked
    def verify_phone_code(self, *, code: str) -> Flow[None]:
        """Try the code that the person received by phone; errors as for the first code."""
        yield from self._verify_code("phone_code", code)

    @tracked
    def send_email_code(self, *, email_address_id: str | None = None) -> Flow[None]:
        """Send a code by e-mail; as ``send_phone_code()``."""
        yield from self._send_code(Wanted("email_code", None, email_address_id))

    @tracked
    def verify_email_code(self, *, code: str) -> Flow[None]:
        """Try the code that the person received by e-mail; errors as for the first code."""
        yield from self._verify_code("email_code", code)

    @tracked
    def verify_backup_code(self, *, code: str) -> Flow[None]:
        """Use up one of the codes that were written down."""
        yield from self._verify_code("backup_code", code)

    def _send_code(self, wanted: Wanted, channel: Channel | None = None) -> Flow[None]:
        factor = wanted.choose(self._course.require(), second=True)
        yield from self._course.act("/prepare_second_factor", {**factor.form, "channel": channel})

    def _verify_code(self, strategy: str, code: str) -> Flow[None]:
        form = {"strategy": strategy, "code": code}
        yield from self._course.act("/attempt_second_factor", form)
