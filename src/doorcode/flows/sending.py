"""Whether one more code may be sent: the identifier's budget, and for texts the shield.

All of it is decided and counted in the unit that puts the message in the outbox, so of any
number of requests at once no more are sent than the limits allow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import phonenumbers

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Address, Channel, Kind
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.event import Event
from doorcode.domain.instance import Instance, ShieldMode
from doorcode.domain.limits import COUNTRY, MONEY, MONEY_IN_ALL, PAUSED, TYPE
from doorcode.domain.phone_numbers import country_of
from doorcode.domain.prices import price_of
from doorcode.domain.send import Pause, Send
from doorcode.domain.shield import (
    Check,
    Evidence,
    Ruling,
    Sending,
    after_sending,
    after_verifying,
    rule,
    subjects_of,
)
from doorcode.flows import audit
from doorcode.flows.deps import Caller, Deps, Grounds
from doorcode.storage.interface import Transaction

OUTCOMES = {
    ShieldMode.RECORD: "recorded",
    ShieldMode.CHALLENGE: "challenged",
    ShieldMode.DENY: "refused",
}
ALL_COUNTRIES = "*"  # the name under which the money of all of them is counted


@dataclass(frozen=True, slots=True)
class About:
    """Who asks for a code, to where and by what, for which verification by which message.

    `segments`: of how many parts that message is, each paid for.
    """

    caller: Caller
    address: Address
    channel: Channel
    verification_id: str
    message_id: str
    segments: int


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the shield says of a text message, and what it had before it."""

    sending: Sending
    evidence: Evidence
    ruling: Ruling


async def spend(deps: Deps, tx: Transaction, about: About, *, known: bool) -> None:
    """Count a code that is to be sent, or refuse it.

    One that is not real (`codes.Decoy`) is counted like any other, its money too: else the
    counting would tell who has an account, to whoever meets the limit.
    """
    weighed = None
    if about.address.kind is Kind.PHONE:
        weighed = await weigh(
            deps,
            tx,
            about.caller,
            about.address,
            about.channel,
            known=known,
            segments=about.segments,
        )
        await _expect_allowed(deps, tx, about, weighed)
    price = weighed.sending.price if weighed else 0
    tallies = await _count(tx, weighed) if weighed else ()
    await _spend_budget(
        deps,
        tx,
        about,
        Send(
            id=about.message_id,
            subject=subject_of(about.address, known=known),
            verification_id=about.verification_id,
            at=deps.now(),
            price=price,
            tallies=tallies,
        ),
    )
    if weighed and price:
        await _spend_money(deps, tx, about, weighed)


async def weigh(
    deps: Grounds,
    tx: Transaction,
    caller: Caller,
    address: Address,
    channel: Channel,
    *,
    known: bool,
    segments: int,
) -> Weighed:
    """What the shield says of a text message to this number; nothing is changed by asking.

    It costs what its own channel costs: where one goes to the inbox, another may be paid for.
    """
    shield, now = deps.instance.shield, deps.now()
    country = country_of(address.value)
    is_free = deps.post.is_free(str(channel))
    sending = Sending(
        to=address.value,
        country=country,
        network=caller.network,
        client_id=caller.client_id or "",
        is_known=known,
        at=now,
        price=0 if is_free else price_of(country, shield.prices) * segments,
    )
    evidence = Evidence(
        tallies=await tx.tallies(subjects_of(sending)),
        money_spent=await tx.money_spent(country, now // limits.DAY),
        is_paused=await tx.pause(country) is not None,
    )
    seen = _without_owner(sending, evidence) if deps.instance.is_strict else evidence
    return Weighed(sending, evidence, rule(sending, seen, shield.policy))


async def note_verified(deps: Deps, tx: Transaction, verification_id: str) -> None:
    """A code was right: those sent for it were wanted, and weigh against nobody any more."""
    now = deps.now()
    for sent_at, subjects in await tx.verify_sends(verification_id, now):
        if subjects:
            tallies = await tx.tallies(subjects)
            await tx.save_tallies(after_verifying(subjects, tallies, sent_at, now))


def subject_of(address: Address, *, known: bool) -> str:
    """Whose budget a code takes from.

    Devices that signed in before have one of their own: who asks for twenty codes to a
    stranger's number must not keep its owner from the twenty-first. They share it: a number
    whose codes are typed makes as many known devices as it likes.
    """
    return f"{address.name}@known" if known else address.name


def expect_number(instance: Instance, caller: Caller, address: Address) -> None:
    """Refuse a number that no code is ever sent to, before it is taken for an account."""
    if address.kind is not Kind.PHONE or address.is_test:
        return
    sending = Sending(address.value, country_of(address.value), "", "", False, 0, 0)
    failed = rule(sending, Evidence({}), instance.shield.policy).failed
    if failed and failed.bucket in (COUNTRY, TYPE):
        raise Refused(_refusal(failed, address), _decided(caller, address, "refused", failed))


def decide(instance: Instance, caller: Caller, weighed: Weighed) -> tuple[ShieldMode, Check] | None:
    """What becomes of a text message, and by which check; None where all of them hold."""
    failed = weighed.ruling.failed
    if failed is None:
        return None
    mode = ShieldMode.DENY if weighed.ruling.is_static else instance.shield.mode
    if mode is ShieldMode.CHALLENGE and caller.is_human and not caller.is_testing:
        mode = ShieldMode.RECORD  # a testing token shows no person, and pays for no messages
    return mode, failed


def windows(instance: Instance) -> tuple[tuple[str, int, int], ...]:
    """How many codes an identifier is sent within how long, each by the name of its bucket."""
    budget = instance.sends
    return (
        (limits.SENDS_LONG, budget.long, budget.long_window),
        (limits.SENDS_SHORT, budget.short, budget.short_window),
    )


def purses(instance: Instance, country: str) -> tuple[tuple[str, int, str], ...]:
    """Whose money of the day a text message is paid from: the name, the most, the bucket."""
    shield = instance.shield
    return (
        (country, shield.policy.money_per_country, MONEY),
        (ALL_COUNTRIES, shield.money_in_all, MONEY_IN_ALL),
    )


async def wait_for_budget(deps: Grounds, tx: Transaction, subject: str) -> tuple[str, int] | None:
    """The bucket of codes that is used up, with the whole seconds until it opens, if one is."""
    for bucket, most, window in windows(deps.instance):
        seconds = await wait_for_window(deps, tx, subject, most, window)
        if seconds:
            return bucket, seconds
    return None


async def wait_for_window(
    deps: Grounds, tx: Transaction, subject: str, most: int, window: int
) -> int:
    """Whole seconds until a window holds another code; 0 where it does now."""
    now = deps.now()
    made_at = await tx.nth_latest_send(subject, most, now - window)
    if made_at is None:
        return 0
    return max(1, -(-(made_at + window - now) // limits.SECOND))


# ── parts ─────────────────────────────────────────────────────────────────────────────
async def _spend_budget(deps: Deps, tx: Transaction, about: About, send: Send) -> None:
    if await tx.add_send(send, deps.instance.sends):
        return
    bucket, seconds = await wait_for_budget(deps, tx, send.subject) or (limits.SENDS_LONG, 1)
    event = _event(
        about.caller,
        about.address,
        "limit.refused",
        "refused",
        bucket,
        opens_in_seconds=seconds,
    )
    raise Refused(replace(errors.SENDS_SPENT, retry_after=seconds), event)


async def _expect_allowed(deps: Deps, tx: Transaction, about: About, weighed: Weighed) -> None:
    """Refuse what the shield holds for an attack, as far as its mode goes."""
    decided = decide(deps.instance, about.caller, weighed)
    if decided is None:
        return
    mode, failed = decided
    if mode is ShieldMode.RECORD and not await _may_pass(deps, tx, about.caller):
        mode = ShieldMode.CHALLENGE
    event = _decided(about.caller, about.address, OUTCOMES[mode], failed)
    pause = None
    if weighed.ruling.pause and not weighed.evidence.is_paused:
        pause = Pause(weighed.sending.country, deps.now(), failed.why)
    if mode is ShieldMode.RECORD:
        await audit.note(deps, tx, event)
        if pause:
            await audit.pause(deps, tx, pause)
        return
    refusal = errors.CAPTCHA_REQUIRED
    if mode is ShieldMode.DENY:
        refusal = _refusal(failed, about.address)
    if failed.bucket == MONEY:
        refusal = replace(refusal, retry_after=_until_tomorrow(weighed.sending.at))
    raise Refused(refusal, event, pause)


async def _may_pass(deps: Deps, tx: Transaction, caller: Caller) -> bool:
    """Whether a person's solved challenge still counts; it is used up by one message.

    Only where a challenge is what lets it pass: in mode `record` nobody is asked for one.
    """
    if deps.instance.shield.mode is not ShieldMode.CHALLENGE or not caller.is_remembered:
        return True
    return await tx.use_human(caller.client_id or "", deps.now())


def _without_owner(sending: Sending, evidence: Evidence) -> Evidence:
    """Without the codes that were typed for the number itself.

    They earn it trust that a number without an account has not, so whoever attacks the numbers
    around it would learn from what is still sent which of them have one.
    """
    name = f"number:{sending.to}"
    if name not in evidence.tallies:
        return evidence
    number = replace(evidence.tallies[name], typed=0.0)
    return replace(evidence, tallies={**evidence.tallies, name: number})


async def _count(tx: Transaction, weighed: Weighed) -> tuple[str, ...]:
    """Counts the code; what is kept with it is all that its verification will be counted in."""
    await tx.save_tallies(after_sending(weighed.sending, weighed.evidence.tallies))
    return subjects_of(weighed.sending)


async def _spend_money(deps: Deps, tx: Transaction, about: About, weighed: Weighed) -> None:
    """Take the price from the day's money of the country and of all, whatever was read before."""
    day, price = weighed.sending.at // limits.DAY, weighed.sending.price
    for name, most, bucket in purses(deps.instance, weighed.sending.country):
        if not await tx.spend_money(name, day, price, most):
            refusal = errors.SMS_UNDELIVERABLE
            if bucket == MONEY:
                refusal = _country_refusal(about.address)
            refusal = replace(refusal, retry_after=_until_tomorrow(weighed.sending.at))
            spent = Check(bucket, False, 0.0, float(most), "the day's money is spent")
            raise Refused(refusal, _decided(about.caller, about.address, "refused", spent))


def _until_tomorrow(now: int) -> int:
    """Whole seconds until another day (UTC), on which there is money again."""
    return -(-(limits.DAY - now % limits.DAY) // limits.SECOND)


def _refusal(failed: Check, address: Address) -> Refusal:
    """What is said to the person. Which rule it was stands in the log, for the operator."""
    if failed.bucket == TYPE:
        return errors.NUMBER_UNSUPPORTED
    if failed.bucket in (COUNTRY, MONEY, PAUSED):
        return _country_refusal(address)
    return errors.SENDING_BLOCKED


def _country_refusal(address: Address) -> Refusal:
    country = country_of(address.value)
    code = phonenumbers.parse(address.value, None).country_code
    meta = {"alpha2": country, "country_code": str(code)}
    return replace(errors.COUNTRY_UNSUPPORTED, meta=meta)


def _decided(caller: Caller, address: Address, outcome: str, check: Check) -> Event:
    country = country_of(address.value)
    return _event(
        caller, address, "shield.decided", outcome, check.bucket, why=check.why, country=country
    )


def _event(
    caller: Caller, address: Address, name: str, outcome: str, bucket: str, **details: object
) -> Event:
    return Event(
        name,
        outcome,
        bucket=bucket,
        subject=address.name,
        network=caller.network,
        client_id=caller.client_id or "",
        details=details,
    )
