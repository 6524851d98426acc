"""What may be changed of an account, and what must stay so that its person can get in.

Nothing here is saved: a function takes the account as it is and gives it as it would be,
or refuses. The stories save the difference.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from doorcode.domain import errors
from doorcode.domain.addresses import Kind
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Instance
from doorcode.domain.sign_up import Profile
from doorcode.domain.user import OwnedAddress, User, is_reserved, other_channel


# ── what must stay ────────────────────────────────────────────────────────────────────
def can_sign_in(user: User, instance: Instance) -> bool:
    """Whether the addresses are enough to come in by, through every step that is set up.

    Backup codes do not count: they come to an end.
    """
    first = user.first_factor_addresses(instance)
    if not user.has_second_factor(instance):
        return bool(first)
    second = user.second_factor_addresses(instance)
    return any(other_channel(one.address.kind, second) for one in first)


def has_two_steps(user: User, instance: Instance) -> bool:
    """Whether a second step is asked of this person at every sign-in."""
    required = instance.mfa_required and not user.needs_second_factor(instance)
    return required or user.has_second_factor(instance)


def without(user: User, owned: OwnedAddress, instance: Instance) -> User:
    """The account without an address, or `Refused` where it must stay.

    One that is only claimed may go, unless it is all that there is to sign in by.
    """
    kept = tuple(one for one in user.addresses if one.id != owned.id)
    after = settled(replace(user, addresses=kept))
    if not owned.is_verified:
        if user.sign_in_addresses(instance) and not after.sign_in_addresses(instance):
            raise Refused(errors.LAST_ADDRESS)
        return after
    kind = owned.address.kind
    if instance.attribute(kind).immutable:
        raise Refused(errors.ATTRIBUTE_IMMUTABLE.about(kind))
    if not any(one.is_verified for one in kept):
        raise Refused(errors.LAST_ADDRESS)
    if instance.attribute(kind).required and not any(
        one.is_verified for one in after.of_kind(kind)
    ):
        raise Refused(errors.LAST_REQUIRED_ADDRESS)
    _expect_second_step_left(user, after, instance)
    if not can_sign_in(after, instance):
        raise Refused(errors.LAST_ADDRESS)
    return after


def _expect_second_step_left(before: User, after: User, instance: Instance) -> None:
    if after.needs_second_factor(instance) and not before.needs_second_factor(instance):
        raise Refused(errors.SECOND_FACTOR_REQUIRED)


# ── the second step ───────────────────────────────────────────────────────────────────
def with_second_step(
    user: User,
    owned: OwnedAddress,
    instance: Instance,
    *,
    reserved: bool | None,
    default: bool | None,
) -> User:
    """The account with an address reserved for the second step, or given back, or made its
    default one; None leaves as it is. `Refused` where the person could not get in by it.
    """
    will_be_reserved = owned.reserved_for_second_factor if reserved is None else reserved
    if default is False and owned.default_second_factor and will_be_reserved:
        raise Refused(errors.DEFAULT_SECOND_FACTOR)
    if reserved or default:
        name = "reserved_for_second_factor" if reserved else "default_second_factor"
        _expect_usable(owned, instance, name)
    if default and not will_be_reserved:
        raise Refused(errors.PARAM_VALUE.about("default_second_factor"))
    changed = replace(
        owned,
        reserved_for_second_factor=will_be_reserved,
        default_second_factor=will_be_reserved and (default or owned.default_second_factor),
    )
    after = settled(_with(user, changed, sole_default=bool(default)))
    _expect_second_step_left(user, after, instance)
    if is_reserved(changed, instance) and not can_sign_in(after, instance):
        raise Refused(errors.LAST_ADDRESS_RESERVED)
    return after


def _expect_usable(owned: OwnedAddress, instance: Instance, name: str) -> None:
    if not instance.attribute(owned.address.kind).used_for_second_factor:
        raise Refused(errors.PARAM_UNKNOWN.about(name))
    if not owned.is_verified:
        raise Refused(errors.SECOND_FACTOR_UNVERIFIED)


def _with(user: User, changed: OwnedAddress, *, sole_default: bool) -> User:
    others = [
        replace(one, default_second_factor=False) if sole_default else one for one in user.addresses
    ]
    addresses = (changed if one.id == changed.id else one for one in others)
    return replace(user, addresses=tuple(addresses))


# ── the first choice ──────────────────────────────────────────────────────────────────
def with_address(user: User, owned: OwnedAddress) -> User:
    """The account with an address added, or in the place of what it was."""
    others = (one for one in user.addresses if one.id != owned.id)
    return settled(replace(user, addresses=(*others, owned)))


def handed_over(user: User, owned: OwnedAddress) -> User:
    """The account as the owner of an address finds it by which somebody else signed up.

    Of what that somebody wrote nothing is in it, and no other address. What the app's server
    said of the account is the app's to keep.
    """
    return settled(
        User(
            user.id,
            Profile(),
            (owned,),
            created_at=user.created_at,
            updated_at=owned.updated_at,
            last_sign_in_at=owned.verified_at,
            last_active_at=owned.verified_at,
            banned=user.banned,
            app_data=user.app_data,
        )
    )


def with_primary(user: User, kind: Kind, address_id: str) -> User:
    """The account with another first choice among its addresses of a kind, or `Refused`."""
    name = f"primary_{kind}_id"
    owned = user.owned(address_id)
    if owned is None or owned.address.kind is not kind:
        raise Refused(errors.PARAM_RESOURCE.about(name))
    if not owned.is_verified:
        raise Refused(errors.VERIFICATION_NEEDED.about(name))
    return _with_primary_id(user, kind, owned.id)


def settled(user: User) -> User:
    """The account with a first choice where there is anything to choose from.

    Of each kind a verified address is primary if there is one. One that is not verified stays
    primary only while the account has proved none of either kind: it may be a stranger's. Of the
    addresses reserved for the second step one is the default.
    """
    has_proved = any(one.is_verified for one in user.addresses)
    for kind in Kind:
        primary = next((one for one in user.of_kind(kind) if user.is_primary(one)), None)
        if primary is None or not primary.is_verified:
            verified = [one for one in user.of_kind(kind) if one.is_verified]
            chosen = verified[0] if verified else (None if has_proved else primary)
            user = _with_primary_id(user, kind, chosen.id if chosen else None)
    reserved = [one for one in user.addresses if one.reserved_for_second_factor]
    if reserved and not any(one.default_second_factor for one in reserved):
        user = _with(user, replace(reserved[0], default_second_factor=True), sole_default=False)
    return user


def _with_primary_id(user: User, kind: Kind, address_id: str | None) -> User:
    if kind is Kind.PHONE:
        return replace(user, primary_phone_id=address_id)
    return replace(user, primary_email_id=address_id)


# ── what the person writes ────────────────────────────────────────────────────────────
def merged(before: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A document with a patch laid over it: objects key by key, null takes a key away.

    JSON Merge Patch (RFC 7396, section 2). Neither argument is changed.
    """
    after = dict(before)
    for key, value in patch.items():
        if value is None:
            after.pop(key, None)
        elif isinstance(value, dict):
            inner = after.get(key)
            after[key] = merged(inner if isinstance(inner, dict) else {}, value)
        else:
            after[key] = value
    return after
