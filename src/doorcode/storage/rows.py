"""Rows of the database into the values of `domain/`, and back. Nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from doorcode.domain.addresses import Address, Channel, Kind
from doorcode.domain.client import Client
from doorcode.domain.message import Message
from doorcode.domain.restrictions import mailbox_of
from doorcode.domain.reverification import Level, Reverification
from doorcode.domain.reverification import Status as ReverificationStatus
from doorcode.domain.session import Device, Session
from doorcode.domain.session import Status as SessionStatus
from doorcode.domain.sign_in import SignIn
from doorcode.domain.sign_in import Status as SignInStatus
from doorcode.domain.sign_up import Profile, SignUp, username_value
from doorcode.domain.sign_up import Status as SignUpStatus
from doorcode.domain.ticket import (
    Ticket,
    TicketData,
    TicketKind,
    TicketStatus,
    WaitlistEntry,
    WaitlistStatus,
)
from doorcode.domain.user import AppData, OwnedAddress, User
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.domain.verification import Verification

Row = Sequence[Any]
_profiles = msgspec.json.Decoder(Profile)
_app_data = msgspec.json.Decoder(AppData)
_devices = msgspec.json.Decoder(Device)
_ticket_data = msgspec.json.Decoder(TicketData)
_to_json = msgspec.json.Encoder().encode


# ── values into columns ───────────────────────────────────────────────────────────────
def place(verification: Verification) -> dict[str, Any]:
    """What names a verification: its attempt and its address."""
    return {
        "attempt_id": verification.attempt_id,
        "address_kind": str(verification.address.kind),
        "address_value": verification.address.value,
    }


def client_values(client: Client) -> dict[str, Any]:
    """The columns of a client."""
    return {
        "id": client.id,
        "created_at": client.created_at,
        "updated_at": client.updated_at,
        "sign_up_id": client.sign_up_id,
        "sign_in_id": client.sign_in_id,
        "last_active_session_id": client.last_active_session_id,
        "last_strategy": client.last_strategy,
        "human_until": client.human_until,
    }


def sign_up_values(sign_up: SignUp) -> dict[str, Any]:
    """The columns of an attempt to sign up."""
    phone, email = sign_up.phone, sign_up.email
    return {
        "id": sign_up.id,
        "client_id": sign_up.client_id,
        "status": str(sign_up.status),
        "created_at": sign_up.created_at,
        "abandon_at": sign_up.abandon_at,
        "phone_value": phone.value if phone else None,
        "phone_is_test": int(phone is not None and phone.is_test),
        "email_value": email.value if email else None,
        "email_spelling": email.spelling if email else None,
        "email_is_test": int(email is not None and email.is_test),
        "profile": _to_json(sign_up.profile),
        "created_user_id": sign_up.created_user_id,
        "created_session_id": sign_up.created_session_id,
        "ticket_id": sign_up.ticket_id,
    }


def sign_in_values(sign_in: SignIn) -> dict[str, Any]:
    """The columns of an attempt to sign in."""
    typed = sign_in.identifier
    return {
        "id": sign_in.id,
        "client_id": sign_in.client_id,
        "status": str(sign_in.status),
        "created_at": sign_in.created_at,
        "abandon_at": sign_in.abandon_at,
        "identifier_kind": str(typed.kind) if typed else None,
        "identifier_value": typed.value if typed else None,
        "identifier_spelling": typed.spelling if typed else None,
        "identifier_is_test": int(typed is not None and typed.is_test),
        "user_id": sign_in.user_id,
        "verification_id": sign_in.first.id if sign_in.first else None,
        "created_session_id": sign_in.created_session_id,
        "second_verification_id": sign_in.second.id if sign_in.second else None,
        "first_strategy": sign_in.first_strategy,
        "username": sign_in.username,
        "sign_up_if_missing": int(sign_in.sign_up_if_missing),
        "locale": sign_in.locale,
    }


def owned_values(owned: OwnedAddress) -> dict[str, Any]:
    """The columns of an address of an account."""
    return {
        "id": owned.id,
        "user_id": owned.user_id,
        "kind": str(owned.address.kind),
        "value": owned.address.value,
        "spelling": owned.address.spelling,
        "is_test": int(owned.address.is_test),
        "verified_at": owned.verified_at,
        "created_at": owned.created_at,
        "updated_at": owned.updated_at,
        "strategy": owned.strategy,
        "reserved": int(owned.reserved_for_second_factor),
        "is_default": int(owned.default_second_factor),
        "base": mailbox_of(owned.address),
    }


# ── columns into values ───────────────────────────────────────────────────────────────
def _address(kind: str, value: str, spelling: str, is_test: int) -> Address:
    return Address(Kind(kind), value, spelling, bool(is_test))


def to_sign_up(row: Row, verifications: tuple[Verification, ...]) -> SignUp:
    """An attempt to sign up, with its verifications."""
    phone = Address(Kind.PHONE, row[5], row[5], bool(row[6])) if row[5] else None
    email = Address(Kind.EMAIL, row[7], row[8], bool(row[9])) if row[7] else None
    return SignUp(
        id=row[0],
        client_id=row[1],
        status=SignUpStatus(row[2]),
        created_at=row[3],
        abandon_at=row[4],
        phone=phone,
        email=email,
        profile=_profiles.decode(row[10]),
        verifications=verifications,
        created_user_id=row[11],
        created_session_id=row[12],
        ticket_id=row[13],
    )


def to_sign_in(row: Row, first: Verification | None, second: Verification | None) -> SignIn:
    """An attempt to sign in, with the verifications of its two steps."""
    return SignIn(
        id=row[0],
        client_id=row[1],
        status=SignInStatus(row[2]),
        created_at=row[3],
        abandon_at=row[4],
        identifier=_address(*row[5:9]) if row[5] else None,
        user_id=row[9],
        first=first,
        created_session_id=row[11],
        second=second,
        first_strategy=row[13],
        username=row[14],
        sign_up_if_missing=bool(row[15]),
        locale=row[16],
    )


def to_verification(row: Row) -> Verification:
    """A verification."""
    return Verification(
        id=row[0],
        attempt_id=row[1],
        address=_address(*row[2:6]),
        channel=Channel(row[6]),
        status=VerificationStatus(row[7]),
        attempts=row[8],
        sent_at=row[9],
        expires_at=row[10],
    )


def to_user(row: Row, addresses: tuple[OwnedAddress, ...]) -> User:
    """An account."""
    return User(
        id=row[0],
        profile=_profiles.decode(row[1]),
        addresses=addresses,
        created_at=row[2],
        updated_at=row[3],
        last_sign_in_at=row[4],
        last_active_at=row[5],
        primary_phone_id=row[6],
        primary_email_id=row[7],
        banned=bool(row[8]),
        app_data=_app_data.decode(row[9]) if row[9] else AppData(),
        image_id=row[10],
        mfa_enabled_at=row[11],
        mfa_disabled_at=row[12],
        backup_codes=row[13],
    )


def to_owned_address(row: Row) -> OwnedAddress:
    """An address of an account."""
    return OwnedAddress(
        row[0],
        row[1],
        _address(*row[2:6]),
        row[6],
        row[7],
        row[8],
        strategy=row[9],
        reserved_for_second_factor=bool(row[10]),
        default_second_factor=bool(row[11]),
    )


def to_pending_address(row: Row) -> OwnedAddress:
    """An address that somebody says is theirs."""
    return OwnedAddress(row[0], row[1], _address(*row[2:6]), None, row[6], row[7])


def to_session(row: Row) -> Session:
    """A session."""
    return Session(
        row[0],
        row[1],
        row[2],
        SessionStatus(row[3]),
        row[4],
        row[5],
        row[6],
        row[7],
        row[8],
        first_factor_at=row[9],
        second_factor_at=row[10],
        device=_devices.decode(row[11]) if row[11] else None,
        is_banned=bool(row[12]),
    )


def to_message(row: Row) -> Message:
    """A message of the outbox."""
    return Message(row[0], row[1], row[2], row[3], bool(row[4]), *row[5:9])


def user_values(user: User) -> dict[str, Any]:
    """The columns of an account."""
    username = user.profile.username
    return {
        "id": user.id,
        "profile": _to_json(user.profile),
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "last_sign_in_at": user.last_sign_in_at,
        "last_active_at": user.last_active_at,
        "primary_phone_id": user.primary_phone_id,
        "primary_email_id": user.primary_email_id,
        "banned": int(user.banned),
        "username": username,
        "username_value": username_value(username) if username else None,
        "app_data": _to_json(user.app_data),
        "image_id": user.image_id,
        "mfa_enabled_at": user.mfa_enabled_at,
        "mfa_disabled_at": user.mfa_disabled_at,
    }


def session_values(session: Session) -> dict[str, Any]:
    """The columns of a session."""
    return {
        "id": session.id,
        "client_id": session.client_id,
        "user_id": session.user_id,
        "status": str(session.status),
        "created_at": session.created_at,
        "updated_at": session.updated_at,
        "last_active_at": session.last_active_at,
        "expire_at": session.expire_at,
        "abandon_at": session.abandon_at,
        "first_factor_at": session.first_factor_at,
        "second_factor_at": session.second_factor_at,
        "device": _to_json(session.device) if session.device else None,
    }


def reverification_values(one: Reverification) -> dict[str, Any]:
    """The columns of a reverification."""
    return {
        "session_id": one.session_id,
        "id": one.id,
        "level": str(one.level),
        "status": str(one.status),
        "first_verification_id": one.first.id if one.first else None,
        "second_verification_id": one.second.id if one.second else None,
        "created_at": one.created_at,
        "expires_at": one.expires_at,
    }


def to_reverification(
    row: Row, first: Verification | None, second: Verification | None
) -> Reverification:
    """A reverification, with the verifications of its two steps."""
    return Reverification(
        id=row[1],
        session_id=row[0],
        level=Level(row[2]),
        status=ReverificationStatus(row[3]),
        created_at=row[6],
        expires_at=row[7],
        first=first,
        second=second,
    )


def ticket_values(ticket: Ticket) -> dict[str, Any]:
    """The columns of a ticket."""
    email = ticket.email
    return {
        "id": ticket.id,
        "kind": str(ticket.kind),
        "status": str(ticket.status),
        "user_id": ticket.user_id,
        "email_value": email.value if email else None,
        "email_spelling": email.spelling if email else None,
        "email_is_test": int(email is not None and email.is_test),
        "data": _to_json(ticket.data),
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
        "expires_at": ticket.expires_at,
    }


def to_ticket(row: Row) -> Ticket:
    """A ticket."""
    email = _address(Kind.EMAIL, *row[4:7]) if row[4] else None
    return Ticket(
        id=row[0],
        kind=TicketKind(row[1]),
        status=TicketStatus(row[2]),
        user_id=row[3],
        email=email,
        data=_ticket_data.decode(row[7]),
        created_at=row[8],
        updated_at=row[9],
        expires_at=row[10],
    )


def to_waitlist_entry(row: Row) -> WaitlistEntry:
    """An entry of the waitlist."""
    return WaitlistEntry(
        id=row[0],
        email=Address(Kind.EMAIL, row[1], row[2]),
        status=WaitlistStatus(row[3]),
        invitation_id=row[4],
        created_at=row[5],
        updated_at=row[6],
    )
