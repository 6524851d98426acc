"""Values that fit one by one, and together lock people out or mean nothing."""

from __future__ import annotations

from collections.abc import Iterable

from doorcode.domain.addresses import Kind
from doorcode.domain.instance import Attribute, Instance, NameAttribute, SignUpMode
from doorcode.domain.instance_settings import Problem


def conflicts(instance: Instance) -> list[Problem]:
    """What is wrong with the values of an instance, each with its mend."""
    return [
        *_required_unasked(instance),
        *_no_way_in(instance),
        *_no_second_step(instance),
        *_misfitting_pairs(instance),
        *_told_by_other_ways(instance),
    ]


def _required_unasked(instance: Instance) -> Iterable[Problem]:
    asked: dict[str, Attribute | NameAttribute] = {
        "auth_phone": instance.phone,
        "auth_email": instance.email,
        "auth_username": instance.username,
        "auth_first_name": instance.first_name,
        "auth_last_name": instance.last_name,
    }
    for name, attribute in asked.items():
        if attribute.required and not attribute.used_for_sign_up:
            keys = f"{name}.required", f"{name}.used_for_sign_up"
            yield Problem(keys, f"{keys[0]} is on, but {keys[1]} is off: turn on {keys[1]} too.")


def _no_way_in(instance: Instance) -> Iterable[Problem]:
    addresses = {"auth_phone": instance.phone, "auth_email": instance.email}
    sign_in = tuple(f"{name}.used_for_sign_in" for name in addresses)
    sign_up = tuple(f"{name}.used_for_sign_up" for name in addresses)
    if not any(one.used_for_sign_in for one in addresses.values()):
        yield Problem(sign_in, f"Nobody could sign in: turn on {' or '.join(sign_in)}.")
    elif instance.mode is SignUpMode.PUBLIC and not any(
        one.used_for_sign_up and one.used_for_sign_in for one in addresses.values()
    ):
        yield Problem(
            (*sign_up, *sign_in, "sign_up_mode"),
            "Nobody who signs up could sign in again: turn on used_for_sign_up and "
            "used_for_sign_in of auth_phone or of auth_email, or set sign_up_mode to restricted.",
        )


def _no_second_step(instance: Instance) -> Iterable[Problem]:
    # A second code travels by another channel than the first: one phone proves one thing.
    pairs = [(Kind.PHONE, Kind.EMAIL), (Kind.EMAIL, Kind.PHONE)]
    possible = any(
        instance.attribute(first).used_for_sign_in
        and instance.attribute(second).used_for_second_factor
        for first, second in pairs
    )
    if instance.mfa_required and not possible:
        yield Problem(
            ("mfa.required", *(f"auth_{n}.used_for_second_factor" for n in ("phone", "email"))),
            "mfa.required is on, but no second step is possible: turn on "
            "auth_phone.used_for_second_factor with auth_email.used_for_sign_in, or "
            "auth_email.used_for_second_factor with auth_phone.used_for_sign_in.",
        )


def _misfitting_pairs(instance: Instance) -> Iterable[Problem]:
    if instance.username.min_length > instance.username.max_length:
        keys = "auth_username.min_length", "auth_username.max_length"
        yield Problem(keys, f"{keys[0]} is above {keys[1]}: lower the one or raise the other.")
    unusable = sorted(
        {c.value for c in instance.preferred_channels.values()} - set(instance.channels)
    )
    if unusable:
        keys = "auth_phone.preferred_channels", "auth_phone.channels"
        yield Problem(
            keys, f"{keys[0]} names {', '.join(unusable)}, but {keys[1]} does not: add it there."
        )


def _told_by_other_ways(instance: Instance) -> Iterable[Problem]:
    """What would tell whether somebody has an account, though strict mode is on."""
    if not instance.is_strict:
        return
    strict = "attack_protection.enumeration_protection"
    if instance.username.used_for_sign_in:
        key = "auth_username.used_for_sign_in"
        yield Problem(
            (strict, key),
            f"{strict} is strict, but {key} is on, and a name shows whose addresses there are: "
            f"turn {key} off.",
        )
    for name, attribute in (("auth_phone", instance.phone), ("auth_email", instance.email)):
        if attribute.used_for_sign_up and not attribute.verify_at_sign_up:
            key = f"{name}.verify_at_sign_up"
            yield Problem(
                (strict, key),
                f"{strict} is strict, but {key} is off, so a sign-up tells whether an address is "
                f"taken: turn {key} on.",
            )
