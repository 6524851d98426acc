"""Whom an attempt to sign in is for: by identifier, by ticket, or by what a sign-up proved."""

from __future__ import annotations

from dataclasses import dataclass, replace

from doorcode.domain import errors
from doorcode.domain.addresses import Address, Channel, Malformed, Strategy, parse_identifier
from doorcode.domain.client import Client
from doorcode.domain.errors import Refused
from doorcode.domain.instance import SignUpMode
from doorcode.domain.session import Session
from doorcode.domain.sign_up import Status as SignUpStatus
from doorcode.domain.sign_up import expect_allowed, username_value
from doorcode.domain.ticket import TicketKind
from doorcode.domain.user import User
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.domain.verification import Verification
from doorcode.flows import client as clients
from doorcode.flows import ticket as tickets
from doorcode.flows.deps import Deps
from doorcode.storage.interface import Transaction


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody typed. Without an identifier, the client's attempt is merely reset.

    `strategy` asks for a code in the same request, `channel` says how it travels. Codes are
    written in the language of `locale`.
    `ticket` is the text of a sign-in token or an invitation. `transfer` takes over the
    address that the client's sign-up has proved and somebody has. With
    `sign_up_if_missing` the code is sent whether or not there is an account.
    """

    identifier: str | None = None
    strategy: Strategy | None = None
    channel: Channel | None = None
    ticket: str | None = None
    transfer: bool = False
    sign_up_if_missing: bool = False
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom an attempt is for, as far as the form says; `proved` where it proves it too.

    One that `is_neutral` looks the same whether or not there is an account.
    """

    address: Address | None = None
    username: str | None = None
    user: User | None = None
    proved: Verification | None = None
    ticket_id: str | None = None
    is_neutral: bool = False


async def find(
    deps: Deps,
    tx: Transaction,
    client: Client | None,
    wanted: Wanted,
    proved: tuple[Verification, User] | None,
) -> Whom:
    """Whom the form means, or `Refused`."""
    live = await clients.live_sessions(tx, client, deps.now()) if client else []
    if live and deps.instance.single_session:
        raise Refused(errors.SESSION_EXISTS)
    if wanted.ticket:
        found = await _by_ticket(deps, tx, wanted.ticket)
    elif proved:
        found = Whom(proved[0].address, user=proved[1], proved=proved[0])
    elif wanted.identifier is not None:
        found = await _by_identifier(deps, tx, wanted)
    else:
        return Whom()
    # Who was asked for by address alone, and may be nobody, is looked at after the code.
    waits = wanted.sign_up_if_missing and not (found.proved or found.ticket_id)
    if found.user and not waits:
        expect_usable(found.user)
        _expect_not_here(live, found.user)
    return found


async def _by_ticket(deps: Deps, tx: Transaction, text: str) -> Whom:
    ticket = await tickets.find(deps, tx, text)
    if ticket.kind is TicketKind.INVITATION:
        user = await tx.user_by_address(ticket.email) if ticket.email else None
        # It proves the mailbox, as a code does, and opens what a code to it would. Whoever named
        # the address without proof, beside one of their own, was not invited.
        if not (user and ticket.email and user.signs_in_by(ticket.email, deps.instance)):
            raise Refused(errors.INVITATION_NO_ACCOUNT)
        return Whom(ticket.email, user=user, ticket_id=ticket.id)
    user = await tx.user(ticket.user_id) if ticket.user_id else None
    if user is None:
        raise Refused(errors.USER_GONE)
    return Whom(user=user, ticket_id=ticket.id)


async def _by_identifier(deps: Deps, tx: Transaction, wanted: Wanted) -> Whom:
    text = wanted.identifier or ""
    by_name = deps.instance.username.used_for_sign_in and "@" not in text and text[:1] != "+"
    if by_name:
        if wanted.sign_up_if_missing:
            raise Refused(errors.SIGN_UP_IF_MISSING_NOT_ALLOWED)
        user = await tx.user_by_username(username_value(text))
        if user is None:
            raise Refused(errors.IDENTIFIER_UNKNOWN)
        return Whom(username=user.profile.username, user=user)
    address = _read(deps, text)
    if wanted.sign_up_if_missing:
        _expect_public(deps, wanted, address)
    if deps.instance.is_strict:
        return Whom(address, is_neutral=True)  # not even looked up: that takes time
    user = await tx.user_by_address(address)
    if wanted.sign_up_if_missing:
        return Whom(address, user=user, is_neutral=True)
    if user is None:
        raise Refused(errors.IDENTIFIER_UNKNOWN)
    return Whom(address, user=user)


def _read(deps: Deps, text: str) -> Address:
    try:
        address = parse_identifier(text, test_mode=deps.instance.test_mode)
    except Malformed:
        raise Refused(errors.IDENTIFIER_FORMAT.about("identifier")) from None
    if address.kind not in deps.instance.identifiers:
        raise Refused(errors.IDENTIFIER_FORMAT.about("identifier"))
    return address


def _expect_public(deps: Deps, wanted: Wanted, address: Address) -> None:
    """Refuse to sign somebody up on the way in where signing up is not open to all."""
    instance = deps.instance
    open_to_all = instance.mode is SignUpMode.PUBLIC
    if not open_to_all or not instance.attribute(address.kind).used_for_sign_up:
        raise Refused(errors.SIGN_UP_IF_MISSING_NOT_ALLOWED)
    if wanted.strategy and wanted.strategy is not address.strategy:
        raise Refused(errors.SIGN_UP_IF_MISSING_STRATEGY)
    # Whether or not there is an account: no code is paid for that could only lead to a refusal,
    # and nothing is told by it.
    # Whose mailbox it is, is asked once the code has proved it: the sign-up is refused then.
    expect_allowed(address, instance, param="identifier")


def expect_usable(user: User | None) -> User:
    """The account, where there still is one and nobody has shut it."""
    if user is None:
        raise Refused(errors.USER_GONE)
    if user.banned:
        raise Refused(errors.USER_BANNED)
    return user


def _expect_not_here(live: list[Session], user: User) -> None:
    """Refuse where this person is signed in on this client already; SDKs go to that session."""
    for one in live:
        if one.user_id == user.id:
            raise Refused(replace(errors.ALREADY_SIGNED_IN, meta={"session_id": one.id}))


async def transferable(
    deps: Deps, tx: Transaction, client: Client | None
) -> tuple[Verification, User]:
    """The proof that the client's sign-up holds of an address that somebody has by now.

    It counts for as long as the code would have: an old proof is no proof that the phone
    is still in the same hands.
    """
    sign_up = await tx.sign_up(client.sign_up_id) if client and client.sign_up_id else None
    if sign_up and sign_up.status is not SignUpStatus.COMPLETE:
        for verification in sign_up.verifications:
            fresh = deps.now() < verification.expires_at
            if fresh and verification.status is VerificationStatus.VERIFIED:
                user = await tx.user_by_address(verification.address)
                if user and user.signs_in_by(verification.address, deps.instance):
                    return verification, user
    raise Refused(errors.TRANSFER_INVALID)
