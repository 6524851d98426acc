"""What the form of a sign-up comes to: addresses, profile, invitation, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from doorcode.domain import errors
from doorcode.domain.addresses import Address, Channel, Kind, Malformed, Strategy, parse
from doorcode.domain.client import Client
from doorcode.domain.errors import PARAM_MISSING, Refused
from doorcode.domain.instance import Instance
from doorcode.domain.limits import ATTEMPT_LIVES_FOR
from doorcode.domain.sign_up import (
    Profile,
    SignUp,
    Status,
    expect_allowed,
    expect_public,
    expect_username,
    username_value,
)
from doorcode.domain.ticket import Ticket, TicketKind
from doorcode.domain.verification import Verification
from doorcode.flows import mailbox, sending
from doorcode.flows import ticket as tickets
from doorcode.flows.deps import Caller, Deps
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Transaction


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody typed: the addresses by kind, as text, and the rest of the form.

    `given` holds fields of the profile. `strategy` asks for a code in the same request,
    `channel` says how it travels. `ticket` is an invitation's text. `transfer` takes over
    the address that the client's sign-in has proved and nobody has.
    """

    texts: Mapping[Kind, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    strategy: Strategy | None = None
    channel: Channel | None = None
    legal_accepted: bool | None = None
    ticket: str | None = None
    transfer: bool = False


async def draft(
    deps: Deps, tx: Transaction, caller: Caller, wanted: Wanted, proved: Verification | None
) -> SignUp:
    """The attempt as the form describes it, or `Refused`."""
    invitation = await _invitation(deps, tx, wanted)
    if invitation:
        wanted = as_invited(deps.instance, wanted, invitation.email)
    addresses = await addresses_of(deps, tx, caller, wanted, invited=invitation is not None)
    if proved:
        expect_allowed(proved.address, deps.instance)
        addresses[proved.address.kind] = await _expect_free(deps, tx, proved.address)
    if invitation and invitation.email:
        addresses[Kind.EMAIL] = invitation.email
    if not addresses:
        raise Refused(PARAM_MISSING.about(wanted.strategy.kind if wanted.strategy else Kind.PHONE))
    if wanted.strategy and wanted.strategy.kind not in addresses:
        raise Refused(PARAM_MISSING.about(wanted.strategy.kind))
    now = deps.now()
    return SignUp(
        id=new_id("sua", now),
        client_id="",
        status=Status.MISSING,
        created_at=now,
        abandon_at=now + ATTEMPT_LIVES_FOR,
        phone=addresses.get(Kind.PHONE),
        email=addresses.get(Kind.EMAIL),
        profile=await profile_of(deps, tx, wanted, Profile()),
        ticket_id=invitation.id if invitation else None,
    )


async def transferable(deps: Deps, tx: Transaction, client: Client | None) -> Verification:
    """The proof that the client's sign-in holds of an address that nobody has."""
    sign_in = await tx.sign_in(client.sign_in_id) if client and client.sign_in_id else None
    if sign_in is None or not sign_in.is_open(deps.now()) or not sign_in.transferable:
        raise Refused(errors.TRANSFER_INVALID)
    assert sign_in.first is not None  # noqa: S101 - it is what can be transferred
    return sign_in.first


async def _invitation(deps: Deps, tx: Transaction, wanted: Wanted) -> Ticket | None:
    """The invitation that the form names; without one, only a public instance takes people."""
    if wanted.ticket:
        ticket = await tickets.find(deps, tx, wanted.ticket)
        if ticket.kind is not TicketKind.INVITATION or ticket.email is None:
            raise Refused(errors.SIGN_IN_TOKEN_ELSEWHERE)
        if await tx.user_by_address(ticket.email):
            raise Refused(errors.INVITATION_ACCOUNT_EXISTS)
        if wanted.transfer:
            raise Refused(errors.PARAM_CONFLICT.about("ticket"))
        return ticket
    expect_public(deps.instance)
    return None


def as_invited(instance: Instance, wanted: Wanted, email: Address | None) -> Wanted:
    """The form without the invited address, which components send along, or `Refused`.

    The invitation is that address's; with another it would let in anybody.
    """
    text = wanted.texts.get(Kind.EMAIL)
    if text is None:
        return wanted
    if not _read(instance, Kind.EMAIL, text).is_same_as(email):
        raise Refused(errors.PARAM_CONFLICT.about(Kind.EMAIL))
    others: dict[Kind, str] = {
        kind: one for kind, one in wanted.texts.items() if kind is not Kind.EMAIL
    }
    return replace(wanted, texts=others)


async def addresses_of(
    deps: Deps, tx: Transaction, caller: Caller, wanted: Wanted, *, invited: bool
) -> dict[Kind, Address]:
    """The addresses that the form gives, or `Refused` where one cannot sign up here."""
    addresses = {kind: _read(deps.instance, kind, text) for kind, text in wanted.texts.items()}
    # All of them, before anything is said of whether somebody has one.
    for address in [] if invited else addresses.values():
        expect_allowed(address, deps.instance)
    for address in addresses.values():
        sending.expect_number(deps.instance, caller, address)
    # In strict mode whoever has proved nothing is told nothing: they go on, and get no code.
    for address in [] if deps.instance.is_strict else addresses.values():
        await _expect_free(deps, tx, address)
    return addresses


def _read(instance: Instance, kind: Kind, text: str) -> Address:
    if not instance.attribute(kind).used_for_sign_up:
        raise Refused(errors.PARAM_UNKNOWN.about(kind))
    try:
        return parse(kind, text, test_mode=instance.test_mode)
    except Malformed:
        raise Refused(errors.ADDRESS_FORMATS[kind].about(kind)) from None


async def _expect_free(deps: Deps, tx: Transaction, address: Address) -> Address:
    """Refuse an address that somebody has, or whose mailbox somebody has."""
    if await tx.user_by_address(address):
        raise Refused(errors.IDENTIFIER_TAKEN.about(address.kind))
    await mailbox.expect_free(deps, tx, address)
    return address


async def profile_of(deps: Deps, tx: Transaction, wanted: Wanted, before: Profile) -> Profile:
    """The profile with what the form gives."""
    username = wanted.given.get("username")
    if username is not None:
        if not deps.instance.username.used_for_sign_up:
            raise Refused(errors.PARAM_UNKNOWN.about("username"))
        expect_username(username, deps.instance.username)
        if await tx.user_by_username(username_value(username)):
            raise Refused(errors.IDENTIFIER_TAKEN.about("username"))
    profile = replace(before, **wanted.given)
    if wanted.legal_accepted:
        return replace(profile, legal_accepted_at=deps.now())
    if wanted.legal_accepted is False and deps.instance.legal_consent:
        raise Refused(errors.LEGAL_NOT_ACCEPTED)
    return profile
