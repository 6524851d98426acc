"""Every limit in one table, as docs/limits.md shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from doorcode.domain import limits
from doorcode.domain.instance import Shield
from doorcode.domain.limits import HOUR, RATES, SECOND
from doorcode.domain.shield import Policy


class Scope(StrEnum):
    """Whose a limit is."""

    ADDRESS = "client address"
    IDENTIFIER = "identifier"
    DEVICE = "device"
    BLOCK = "block of numbers"
    COUNTRY = "country"
    INSTANCE = "instance"
    VERIFICATION = "verification"


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of the table: the bucket's name, whose it is, how much, and what is refused.

    `refusal` is the code on the wire. `setting` is by what an operator changes it.
    """

    bucket: str
    scope: Scope
    much: str
    refusal: str
    setting: str = ""


_POLICY = Policy()
_LOCKOUT = "attack_protection.user_lockout.max_attempts"
_UNTYPED = "the share of codes that nobody types,"
_WRONG = f"{limits.GUESSES_PER_ADDRESS} wrong codes an hour"
LIMITS = (
    Limit(
        limits.TRIES,
        Scope.VERIFICATION,
        f"{limits.TRIES_PER_VERIFICATION} tries, resends included",
        "verification_failed",
    ),
    Limit(
        limits.GUESSES,
        Scope.IDENTIFIER,
        f"{_WRONG} from all new devices together",
        "user_locked",
        _LOCKOUT,
    ),
    Limit(
        limits.DEVICE_GUESSES,
        Scope.DEVICE,
        f"{_WRONG} for an identifier, for each of the last {limits.KNOWN_DEVICES} devices that "
        "signed in to it",
        "user_locked",
        _LOCKOUT,
    ),
    Limit(
        limits.BACKUP_GUESSES,
        Scope.IDENTIFIER,
        f"{limits.GUESSES_PER_ADDRESS} wrong backup codes an hour from all new devices together",
        "user_locked",
        _LOCKOUT,
    ),
    Limit(
        limits.NETWORK_GUESSES,
        Scope.ADDRESS,
        f"{limits.GUESSES_PER_NETWORK} wrong codes an hour from new devices, whatever the "
        f"identifier; {limits.SITE_TIMES} times as many for an IPv6 /48",
        "too_many_requests",
    ),
    Limit(
        limits.RESENDS,
        Scope.VERIFICATION,
        f"{limits.RESEND_AFTER // SECOND} seconds between two codes",
        "verification_code_too_many_requests",
    ),
    Limit(
        limits.SENDS_SHORT,
        Scope.IDENTIFIER,
        f"{limits.SENDS_PER_10_MINUTES} codes in 10 minutes, whatever restarts lie between; "
        "known devices share one of their own",
        "verification_code_rate_limit_exceeded",
        "limits.sends_per_10_minutes",
    ),
    Limit(
        limits.SENDS_LONG,
        Scope.IDENTIFIER,
        f"{limits.SENDS_PER_DAY} codes in 24 hours, counted in the same way",
        "verification_code_rate_limit_exceeded",
        "limits.sends_per_day",
    ),
    Limit(
        limits.COUNTRY,
        Scope.COUNTRY,
        "text messages to the listed countries alone; by default "
        f"{' and '.join(sorted(_POLICY.countries or ()))}",
        "unsupported_country_code",
        "shield.countries",
    ),
    Limit(
        limits.TYPE,
        Scope.IDENTIFIER,
        "no premium, toll-free, shared-cost, satellite or internet numbers",
        "not_allowed_access",
        "shield.refuse_voip",
    ),
    Limit(
        limits.MONEY,
        Scope.COUNTRY,
        f"{_POLICY.money_per_country // 1_000_000} US dollars a day (UTC), by list prices and "
        "segments",
        "unsupported_country_code",
        "shield.dollars_per_country_and_day",
    ),
    Limit(
        limits.MONEY_IN_ALL,
        Scope.INSTANCE,
        f"{Shield().money_in_all // 1_000_000} US dollars a day (UTC), all countries together",
        "sms_send_error",
        "shield.dollars_per_day",
    ),
    Limit(
        limits.PAUSED,
        Scope.COUNTRY,
        "nothing while the country is paused (`doorcode shield`); known devices go on",
        "unsupported_country_code",
    ),
    *(
        Limit(bucket, scope, much, "action_blocked", "shield.mode")
        for bucket, scope, much in (
            ("shield.number", Scope.IDENTIFIER, "codes to one number while none of them is typed"),
            ("shield.block", Scope.BLOCK, f"{_UNTYPED} in its block of numbers"),
            ("shield.network", Scope.ADDRESS, f"{_UNTYPED} from its network and those around it"),
            ("shield.client", Scope.DEVICE, f"{_UNTYPED} from this browser"),
            ("shield.area", Scope.COUNTRY, f"{_UNTYPED} in its area and country"),
        )
    ),
    *(
        Limit(
            rate.name,
            Scope.ADDRESS,
            f"{rate.times} {rate.what} in {'an hour' if rate.window == HOUR else '10 seconds'}",
            "too_many_requests",
        )
        for rate in RATES
    ),
)

SETTING_OF = {one.bucket: one.setting for one in LIMITS if one.setting}


def markdown() -> Iterable[str]:
    """The table's lines."""
    yield "| bucket | of each | how much | refused with | setting |"
    yield "|---|---|---|---|---|"
    for one in LIMITS:
        setting = f"`{one.setting}`" if one.setting else ""
        yield f"| `{one.bucket}` | {one.scope} | {one.much} | `{one.refusal}` | {setting} |"
