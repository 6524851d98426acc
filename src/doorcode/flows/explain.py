"""Why the next code to an address would be sent or refused; nothing is changed by asking.

Each answer comes from the function that the sending of a code asks (`flows/codes.py: send`),
in the same order, so an explanation cannot disagree with what happens. It is about a browser
that never signed in to the address: what a known device has left is its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers

from doorcode.delivery.words import voice_for
from doorcode.domain import limits
from doorcode.domain.addresses import Address, Channel, Kind
from doorcode.domain.errors import Refused
from doorcode.domain.instance import ShieldMode
from doorcode.domain.phone_numbers import country_of, unwanted
from doorcode.domain.user import User
from doorcode.flows import codes, guesses, sending
from doorcode.flows.deps import Caller, Grounds
from doorcode.flows.guesses import Budget
from doorcode.flows.sending import Weighed
from doorcode.storage.interface import Transaction


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one limit stands.

    `opens_in` is in whole seconds: 0 where it is open, None where time alone does not open it.
    """

    bucket: str
    used: float
    most: float
    holds: bool
    opens_in: int | None = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the next code: "sent", "recorded" (sent all the same), "challenged" or
    "refused"; `standing` is what decided."""

    outcome: str
    why: str = ""
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that bears on the next code to an address. `price` is in millionths of a dollar."""

    address: Address
    channel: Channel
    country: str
    sort: str
    owner: User | None
    language: str
    segments: int
    price: int
    standings: tuple[Standing, ...]
    verdict: Verdict


async def explain(
    grounds: Grounds, tx: Transaction, caller: Caller, address: Address
) -> Explanation:
    """What the next code to an address would meet, asked for by `caller`."""
    by_phone = address.kind is Kind.PHONE
    instance, channel = grounds.instance, grounds.instance.channel_to(address)
    owner = await tx.user_by_address(address)
    # As for a sign-in that names no language; one that names another may be longer or shorter.
    locale = owner.profile.locale if owner else None
    segments = codes.segments_of(instance, caller, locale, channel) if by_phone else 0
    against = await guesses.budgets_for(grounds, tx, caller, address)
    weighed = None
    if by_phone and not address.is_test:
        weighed = await sending.weigh(
            grounds, tx, caller, address, channel, known=False, segments=segments
        )
    standings = [await _guesses(grounds, tx, budget) for budget in against]
    if not address.is_test:
        standings += await _sends(grounds, tx, address.name)
    if weighed:
        standings += _checks(weighed)
        standings.append(await _money_in_all(grounds, tx, weighed))
    return Explanation(
        address=address,
        channel=channel,
        country=country_of(address.value) if by_phone else "",
        sort=_sort(address.value) if by_phone else "",
        owner=owner,
        language=voice_for(instance.texts, locale).language,
        segments=segments,
        price=weighed.sending.price if weighed else 0,
        standings=tuple(standings),
        verdict=await _verdict(grounds, tx, caller, address, against, weighed, standings),
    )


# ── the limits, each by itself ────────────────────────────────────────────────────────
async def _guesses(grounds: Grounds, tx: Transaction, budget: Budget) -> Standing:
    used = await tx.count_guesses(budget.subject, grounds.now() - budget.window)
    wait = await guesses.wait_for(grounds, tx, budget)
    return Standing(budget.bucket, used, budget.most, not wait, wait, "wrong codes")


async def _sends(grounds: Grounds, tx: Transaction, subject: str) -> list[Standing]:
    found = []
    for bucket, most, window in sending.windows(grounds.instance):
        used = await tx.count_sends(subject, grounds.now() - window)
        wait = await sending.wait_for_window(grounds, tx, subject, most, window)
        found.append(Standing(bucket, used, most, not wait, wait, "codes sent"))
    return found


async def _money_in_all(grounds: Grounds, tx: Transaction, weighed: Weighed) -> Standing:
    """That of the country is among the checks, as the shield sees it."""
    _, (name, most, bucket) = sending.purses(grounds.instance, weighed.sending.country)
    price, day = weighed.sending.price, weighed.sending.at // limits.DAY
    used = await tx.money_spent(name, day) + price
    holds = not price or used <= most
    return Standing(bucket, used, most, holds, 0 if holds else _tomorrow(weighed), "money spent")


def _tomorrow(weighed: Weighed) -> int:
    """Whole seconds until another day (UTC)."""
    return -(-(limits.DAY - weighed.sending.at % limits.DAY) // limits.SECOND)


def _checks(weighed: Weighed) -> list[Standing]:
    waits = {limits.MONEY: _tomorrow(weighed)}
    return [
        Standing(
            check.bucket,
            check.used,
            check.limit,
            check.holds,
            0 if check.holds else waits.get(check.bucket),
            check.why,
        )
        for check in weighed.ruling.checks
    ]


def _sort(e164: str) -> str:
    known = unwanted(e164, voip=True)
    if known:
        return known
    kind = phonenumbers.number_type(phonenumbers.parse(e164, None))
    return str(phonenumbers.PhoneNumberType.to_string(kind)).lower().replace("_", " ")


# ── all of them, as the sending of a code asks ────────────────────────────────────────
async def _verdict(
    grounds: Grounds,
    tx: Transaction,
    caller: Caller,
    address: Address,
    against: tuple[Budget, ...],
    weighed: Weighed | None,
    standings: list[Standing],
) -> Verdict:
    by_bucket = {one.bucket: one for one in standings}
    try:
        codes.expect_way(grounds, grounds.instance.channel_to(address), address)
        await guesses.expect_left(grounds, tx, caller, against)
    except Refused as refused:
        bucket = refused.event.bucket if refused.event else ""
        return Verdict("refused", refused.refusal.long_message, by_bucket.get(bucket))
    if address.is_test:
        return Verdict("sent")
    decided = sending.decide(grounds.instance, caller, weighed) if weighed else None
    if decided and decided[0] is not ShieldMode.RECORD:
        mode, check = decided
        return Verdict(sending.OUTCOMES[mode], check.why, by_bucket[check.bucket])
    spent = await sending.wait_for_budget(grounds, tx, address.name)
    if spent:
        return Verdict("refused", "too many codes were sent there", by_bucket[spent[0]])
    in_all = by_bucket.get(limits.MONEY_IN_ALL)
    if in_all and not in_all.holds:
        return Verdict("refused", "the day's money for all countries is spent", in_all)
    if decided:
        return Verdict("recorded", decided[1].why, by_bucket[decided[1].bucket])
    return Verdict("sent")
