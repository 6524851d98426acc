"""Who is signed in: a user with their profile, addresses, and devices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, TypedDict, Unpack

from msgspec import field

from doorcode.client.activities import SessionWithActivities
from doorcode.client.addresses import EmailAddress, PhoneNumber
from doorcode.client.errors import AnswerError
from doorcode.client.flow import D, Flow, flow
from doorcode.client.live import Live
from doorcode.client.resources import Resource, moment
from doorcode.client.wire import checked, upload


class UserFields(TypedDict, total=False):
    """What users may change of themselves: what is not given stays, None empties a field.

    ``unsafe_metadata`` replaces what was there; ``update_metadata()`` changes parts of it. The
    primary addresses are named by their ids.
    """

    first_name: str | None
    last_name: str | None
    username: str | None
    unsafe_metadata: Mapping[str, Any] | None
    primary_phone_number_id: str
    primary_email_address_id: str


class BackupCodes(Resource, frozen=True, kw_only=True):
    """Codes to write down for the day when the phone is lost; each signs in once."""

    id: str
    codes: tuple[str, ...]


class User(Live[D], Generic[D], frozen=True, kw_only=True, dict=True):
    """Who is signed in; reach it as ``client.user``.

    ``image_url`` is a picture in every case: with ``has_image`` their own, else one drawn from
    their name. ``two_factor_enabled``: signing in takes two steps. ``backup_code_enabled``: they
    have backup codes left.
    """

    id: str
    username: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    image_url: str | None = None
    has_image: bool = False
    locale: str | None = None
    external_id: str | None = None
    phone_numbers: tuple[PhoneNumber[D], ...] = ()
    email_addresses: tuple[EmailAddress[D], ...] = ()
    primary_phone_number_id: str | None = None
    primary_email_address_id: str | None = None
    two_factor_enabled: bool = False
    backup_code_enabled: bool = False
    delete_self_enabled: bool = False
    public_metadata: dict[str, Any] | None = None
    unsafe_metadata: dict[str, Any] | None = None
    created_at_ms: int | None = field(default=None, name="created_at")
    updated_at_ms: int | None = field(default=None, name="updated_at")
    last_sign_in_at_ms: int | None = field(default=None, name="last_sign_in_at")
    legal_accepted_at_ms: int | None = field(default=None, name="legal_accepted_at")

    @property
    def full_name(self) -> str | None:
        """The first and the last name, or None where there is neither."""
        return " ".join(name for name in (self.first_name, self.last_name) if name) or None

    @property
    def primary_phone_number(self) -> PhoneNumber[D] | None:
        """The phone number that stands for this user, or None."""
        own = (each for each in self.phone_numbers if each.id == self.primary_phone_number_id)
        return next(own, None)

    @property
    def primary_email_address(self) -> EmailAddress[D] | None:
        """The e-mail address that stands for this user, or None."""
        own = (each for each in self.email_addresses if each.id == self.primary_email_address_id)
        return next(own, None)

    @property
    def created_at(self) -> datetime | None:
        """When the user signed up, in UTC."""
        return moment(self.created_at_ms)

    @property
    def updated_at(self) -> datetime | None:
        """When anything of the user last changed, in UTC."""
        return moment(self.updated_at_ms)

    @property
    def last_sign_in_at(self) -> datetime | None:
        """When the user last signed in, in UTC."""
        return moment(self.last_sign_in_at_ms)

    @property
    def legal_accepted_at(self) -> datetime | None:
        """When the user accepted the terms, in UTC."""
        return moment(self.legal_accepted_at_ms)

    @flow
    def reload(self) -> Flow[None]:
        """Ask the server what the user is like now."""
        answer = yield from self._get("/me")
        self._become(answer.resource)

    @flow
    def update(self, **fields: Unpack[UserFields]) -> Flow[None]:
        """Change the profile.

        Errors: ``form_identifier_exists`` (the username is taken), ``form_username_…``,
        ``session_reverification_required`` (see ``session.start_verification()``).
        """
        given = checked("user", fields, UserFields)
        # On this wire a blank is how a field is emptied.
        form = {name: "" if value is None else value for name, value in given.items()}
        yield from self._send("/me", form, "PATCH")
        self._refresh()

    @flow
    def update_metadata(self, *, unsafe_metadata: Mapping[str, Any]) -> Flow[None]:
        """Lay these values over the metadata there is; None takes one away."""
        yield from self._send("/me/metadata", {"unsafe_metadata": unsafe_metadata}, "PATCH")
        self._refresh()

    @flow
    def delete(self) -> Flow[None]:
        """Delete the account and sign out; there is no way back."""
        yield from self._send("/me", None, "DELETE")

    @flow
    def set_profile_image(self, *, file: bytes | None) -> Flow[None]:
        """Take the bytes of a PNG, JPEG or WebP file as the picture; None removes it.

        Errors: ``image_too_large``, ``request_body_invalid`` (no picture), ``image_not_found``.
        """
        tie, path = self._tie, "/me/profile_image"
        if file is None:
            yield from self._send(path, None, "DELETE")
        else:
            yield from tie.line.exchange(upload(path, file, query=tie.query))
        self._refresh()

    @flow
    def create_phone_number(self, *, phone_number: str) -> Flow[PhoneNumber[D]]:
        """Add a phone number (E.164); it counts once ``attempt_verification()`` has proven it."""
        answer = yield from self._post("/me/phone_numbers", {"phone_number": phone_number})
        self._refresh()
        added: PhoneNumber[D] = self._read(PhoneNumber, answer.resource)
        return added

    @flow
    def create_email_address(self, *, email_address: str) -> Flow[EmailAddress[D]]:
        """Add an e-mail address; it counts once ``attempt_verification()`` has proven it."""
        answer = yield from self._post("/me/email_addresses", {"email_address": email_address})
        self._refresh()
        added: EmailAddress[D] = self._read(EmailAddress, answer.resource)
        return added

    @flow
    def create_backup_code(self) -> Flow[BackupCodes]:
        """Make fresh backup codes: show them now, they are not told again. Older ones end."""
        answer = yield from self._post("/me/backup_codes")
        self._refresh()
        return self._read(BackupCodes, answer.resource)

    @flow
    def get_sessions(self) -> Flow[tuple[SessionWithActivities[D], ...]]:
        """Return where the user is signed in, on all devices."""
        answer = yield from self._get("/me/sessions/active")
        if not isinstance(answer.resource, list):
            raise AnswerError("The server's list of sessions cannot be read: it is no list")
        return tuple(self._read(SessionWithActivities, each) for each in answer.resource)

    def _refresh(self) -> None:
        found = self._tie.line.find_user(self._tie.session_id)
        if found is not None:
            self._become(found)
