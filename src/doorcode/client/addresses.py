"""The addresses of a user: adding one is the user's call, all else is theirs."""

from __future__ import annotations

from typing import ClassVar, Generic, Literal, TypeAlias

from doorcode.client.flow import D, Flow, flow
from doorcode.client.live import Live
from doorcode.client.resources import Verification
from doorcode.client.wire import segment

Channel: TypeAlias = Literal["sms", "whatsapp"]


class _Address(Live[D], Generic[D], frozen=True, kw_only=True, dict=True):
    id: str
    verification: Verification | None = None

    _kind: ClassVar[str]
    _list: ClassVar[str]

    @flow
    def attempt_verification(self, *, code: str) -> Flow[None]:
        """Try the code that the person received; the right one makes the address theirs.

        Errors: ``form_code_incorrect``, ``verification_expired``, ``verification_failed`` (too
        many wrong codes: send a new one), ``identification_claimed`` (somebody was first).
        """
        yield from self._change("/attempt_verification", {"code": code})

    @flow
    def make_primary(self) -> Flow[None]:
        """Let this address stand for the user among those of its kind; it must be verified."""
        yield from self._send("/me", {f"primary_{self._kind}_id": self.id}, "PATCH")

    @flow
    def destroy(self) -> Flow[None]:
        """Take the address off the account; the last one to sign in with cannot be."""
        yield from self._send(self._path, None, "DELETE")

    @property
    def _path(self) -> str:
        return f"/me/{self._list}/{segment(self.id)}"

    def _change(self, action: str, form: dict[str, object], method: str = "POST") -> Flow[None]:
        answer = yield from self._send(self._path + action, form, method)
        self._become(answer.resource)


class PhoneNumber(_Address[D], Generic[D], frozen=True, kw_only=True, dict=True):
    """A phone number of a user, in E.164 form.

    ``verification.status`` is ``verified`` once it is proven to be theirs.
    ``reserved_for_second_factor``: a code to it is the second step of a sign-in, and no longer the
    first; ``default_second_factor``: the one to ask among several. ``backup_codes`` are there only
    after the call that made them.
    """

    phone_number: str
    reserved_for_second_factor: bool = False
    default_second_factor: bool = False
    backup_codes: tuple[str, ...] | None = None

    _kind: ClassVar[str] = "phone_number"
    _list: ClassVar[str] = "phone_numbers"

    @flow
    def prepare_verification(self, *, channel: Channel | None = None) -> Flow[None]:
        """Send a code to the number; again to send another."""
        form: dict[str, object] = {"strategy": "phone_code", "channel": channel}
        yield from self._change("/prepare_verification", form)

    @flow
    def set_reserved_for_second_factor(self, *, reserved: bool) -> Flow[None]:
        """Make the number a second step at sign-in, or give that up; it must be verified.

        The first one brings ``backup_codes`` where the server has them: show them now, they
        are not told again.
        """
        yield from self._change("", {"reserved_for_second_factor": reserved}, "PATCH")

    @flow
    def make_default_second_factor(self) -> Flow[None]:
        """Make the number the one to ask among several second steps."""
        yield from self._change("", {"default_second_factor": True}, "PATCH")


class EmailAddress(_Address[D], Generic[D], frozen=True, kw_only=True, dict=True):
    """An e-mail address of a user.

    ``verification.status`` is ``verified`` once it is proven to be theirs.
    """

    email_address: str

    _kind: ClassVar[str] = "email_address"
    _list: ClassVar[str] = "email_addresses"

    @flow
    def prepare_verification(self) -> Flow[None]:
        """Send a code to the address; again to send another."""
        yield from self._change("/prepare_verification", {"strategy": "email_code"})
