"""What one right code opens: once, in time, and only where it was asked for."""

from __future__ import annotations

import asyncio
import secrets

from doorcode.selfcheck.people import RIGHT, Account, Asked, People
from doorcode.selfcheck.prober import Answer, Prober
from doorcode.selfcheck.report import Row, Verdict

AT_ONCE = 12
LIVES_FOR = 600.0  # seconds
_ID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

ONE_SESSION = "Never two sessions from one code"
NOT_EXPIRED = "Never a success after expiry"
OTHER_ATTEMPT = "Never by a code for another attempt"
OTHER_CLIENT = "Never by a code for another client"
OTHER_CHANNEL = "Never by a code for another channel"
OTHER_INSTANCE = "Never by a code for another instance"


async def one_session(people: People) -> list[Row]:
    """The right code, typed many times at once and then again."""
    account = await people.somebody()
    asked = await people.asked(account.identifier)
    before = await _sessions(people, account.owner.token)
    answers = await asyncio.gather(*(asked.type_code() for _ in range(AT_ONCE)))
    answers.append(await asked.type_code())
    made = await _sessions(people, account.owner.token) - before
    accepted = sum(answer.ok for answer in answers)
    tried = f"the right code typed {AT_ONCE} times at once and once more: "
    tried += f"{accepted} accepted, {made} session{'s' * (made != 1)} made"
    return [_row(ONE_SESSION, tried, accepted == 1 and made == 1)]


class Expiry:
    """A code that is left to expire while the other rows are tried."""

    def __init__(self, prober: Prober, account: Account, asked: Asked) -> None:
        self.account = account
        self._prober, self._asked = prober, asked
        self._sent_at = prober.clock()

    async def row(self) -> list[Row]:
        """Wait for the end of the code's life, and type it."""
        left = self._sent_at + LIVES_FOR + 2 - self._prober.clock()
        if left > 0:
            await self._prober.sleep(left)
        age = self._prober.clock() - self._sent_at
        answer = await self._asked.type_code()
        tried = f"the right code, {age:.0f} s after it was sent: {answer.said}"
        return [_row(NOT_EXPIRED, tried, not answer.ok)]


async def other_attempt(people: People) -> list[Row]:
    """A live code, typed where none was asked for; then where it was."""
    account = await people.somebody()
    asked = await people.asked(account.identifier)
    stranger = people.visitor()
    started = (await stranger.start(account.identifier)).expect_ok("a sign-in")
    theirs = await stranger.type_code(started.id, people.strategy, RIGHT)
    again = (await asked.visitor.start(account.identifier)).expect_ok("a sign-in")
    own = await asked.visitor.type_code(again.id, people.strategy, RIGHT)
    (await asked.visitor.send_code(again.id, people.strategy)).expect_ok("asking for a code")
    last = await Asked(asked.visitor, again.id, people.strategy).type_code()
    tried = (
        "a live code typed into another client's attempt and into a later one of the same: "
        f"{theirs.said}, {own.said}"
    )
    return [_refused(OTHER_ATTEMPT, tried, [theirs, own], last)]


async def other_client(people: People) -> list[Row]:
    """A live code and its attempt's id, in the hands of somebody else."""
    account = await people.somebody()
    asked = await people.asked(account.identifier)
    stranger, nobody = people.visitor(), people.visitor()
    (await stranger.start(account.identifier)).expect_ok("a sign-in")
    answers = [
        await Asked(visitor, asked.attempt, people.strategy).type_code()
        for visitor in (stranger, nobody)
    ]
    tried = "a live code typed into its attempt by another client and by one without a cookie: "
    tried += ", ".join(answer.said for answer in answers)
    return [_refused(OTHER_CLIENT, tried, answers, await asked.type_code())]


async def other_channel(people: People) -> list[Row]:
    """A live code, said to be that of the other channel."""
    account = await people.somebody()
    asked = await people.asked(account.identifier)
    other = people.other_strategy
    answer = await asked.visitor.type_code(asked.attempt, other, RIGHT)
    tried = f"a live code sent by {people.strategy}, typed as {other}: {answer.said}"
    return [_refused(OTHER_CHANNEL, tried, [answer], await asked.type_code())]


async def other_instance(people: People) -> list[Row]:
    """An attempt and a client as another instance would have made them."""
    account = await people.somebody()
    asked = await people.asked(account.identifier)
    elsewhere = f"{asked.attempt.partition('_')[0]}_{_drawn(len(asked.attempt.partition('_')[2]))}"
    token = secrets.token_urlsafe(32)
    answers = [
        await Asked(visitor, elsewhere, people.strategy).type_code()
        for visitor in (asked.visitor, people.prober.visitor(token))
    ]
    tried = "a code for an attempt made elsewhere, by a client of here and by one of there: "
    tried += ", ".join(answer.said for answer in answers)
    return [_refused(OTHER_INSTANCE, tried, answers, await asked.type_code())]


async def _sessions(people: People, token: str | None) -> int:
    """How many sessions the account has, as its owner sees it."""
    answer = await people.prober.visitor(token).ask("GET", "/v1/me/sessions/active")
    answer.expect_ok("the list of sessions")
    return len(answer.body)


def _drawn(length: int) -> str:
    return "".join(secrets.choice(_ID) for _ in range(length))


def _refused(guarantee: str, tried: str, answers: list[Answer], last: Answer) -> Row:
    """Holds where all were refused, and the code was good where it belonged."""
    tried += f"; typed where it belongs: {last.said}"
    return _row(guarantee, tried, last.ok and not any(answer.ok for answer in answers))


def _row(guarantee: str, tried: str, holds: bool) -> Row:
    return Row(guarantee, tried, Verdict.HOLDS if holds else Verdict.FAILS)
