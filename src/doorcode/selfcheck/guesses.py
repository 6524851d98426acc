"""How often one identifier can be guessed at, and by whom nobody else is kept out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from doorcode.selfcheck.people import Account, Asked, People, wrong_codes
from doorcode.selfcheck.prober import Answer
from doorcode.selfcheck.report import Row, Verdict

MOST = 10  # guesses for each identifier and hour, of everybody who is new to it
CODE_MOST = 5  # tries for each code
HOUR = 3600  # seconds
VISITORS = 6
LOCKED = "user_locked"

BY_ALL = f"At most {MOST} guesses for each identifier and hour, however they are mixed"
BY_KNOWN = f"A client that signed in before has at most {MOST} guesses of its own"
KNOWN_ENTERS = "A client that signed in before is never refused because of others' guesses"
NEW_WAITS = "A refusal of a new client because of others ends within the hour"
OPERATOR_SEES = "The operator sees such a refusal"


async def by_all(people: People) -> list[Row]:
    """Many clients guess at once, after starting over and asking again."""
    account = await people.somebody()
    asked = []
    for _ in range(VISITORS):
        first = await people.asked(account.identifier)
        again = await people.asked(account.identifier, first.visitor)
        await again.visitor.send_code(again.attempt, again.strategy)
        asked.append(again)
    tally = Tally()
    each = 10
    await tally.guess(asked, each)
    late = people.visitor()
    started = await late.start(account.identifier)
    sent = await late.send_code(started.id, people.strategy)
    if sent.ok:  # a restart that is served must not begin the count anew
        await tally.guess([Asked(late, started.id, people.strategy)], CODE_MOST)
    tried = (
        f"{tally.total} wrong codes at once by {VISITORS} clients, after {VISITORS} restarts and "
        f"{VISITORS} resends: {tally.told}; another restart: {sent.said or 'served'}"
    )
    return [_row(BY_ALL, tried, 0 < tally.compared <= MOST and not tally.let_in)]


async def by_known(people: People) -> list[Row]:
    """A client that is exempt from other people's guesses could guess without end."""
    account = await people.somebody()
    known = await _signed_in_before(people, account)
    tally = Tally()
    said = []
    for _ in range(MOST // CODE_MOST + 2):
        started = await known.visitor.start(account.identifier)
        sent = await known.visitor.send_code(started.id, known.strategy)
        said.append(sent.said)
        if sent.ok:
            await tally.guess([Asked(known.visitor, started.id, known.strategy)], CODE_MOST)
    tried = f"{tally.total} wrong codes of one such client: {tally.told}; "
    tried += f"its sign-ins: {', '.join(said)}"
    return [_row(BY_KNOWN, tried, 0 < tally.compared <= MOST and not tally.let_in)]


async def by_strangers(people: People) -> list[Row]:
    """Strangers use all guesses up; then somebody who was here before, and somebody new."""
    account = await people.somebody()
    known = await _signed_in_before(people, account)
    tally = Tally()
    strangers = [await people.asked(account.identifier) for _ in range(MOST // CODE_MOST)]
    await tally.guess(strangers, CODE_MOST)
    before = f"after {tally.compared} wrong codes of {len(strangers)} strangers"
    refused = await _entering(people, account)
    operator = await _operator_sees(people, account, before, refused)
    entered = await _entering(people, account, known)
    tried = f"{before}, the right code of a client that signed in before: {entered.said}"
    return [
        _row(KNOWN_ENTERS, tried, entered.ok),
        _new_client(before, refused),
        operator,
    ]


class Tally:
    """What was said to wrong codes."""

    def __init__(self) -> None:
        self._said: Counter[str] = Counter()
        self.compared = 0
        self.let_in = 0

    async def guess(self, asked: Sequence[Asked], each: int) -> None:
        """Let everybody type so many wrong codes, all at once."""
        codes = wrong_codes(each * len(asked))
        mine = [codes[number * each : (number + 1) * each] for number in range(len(asked))]
        for answers in await asyncio.gather(
            *(_type_all(one, codes) for one, codes in zip(asked, mine, strict=True))
        ):
            self._take(answers)

    def _take(self, answers: Sequence[Answer]) -> None:
        said = Counter(answer.code or str(answer.status) for answer in answers)
        # Of an attempt's refusals as "failed" one was a comparison, the fifth; the rest were not.
        self.compared += said["form_code_incorrect"] + min(1, said["verification_failed"])
        self.let_in += sum(answer.ok for answer in answers)
        self._said += said

    @property
    def total(self) -> int:
        """How many codes were typed."""
        return self._said.total()

    @property
    def told(self) -> str:
        """The counts in words."""
        locked = self._said[LOCKED]
        used = self._said["form_code_incorrect"] + self._said["verification_failed"] - self.compared
        other = self.total - self.compared - locked - used - self.let_in
        parts = [f"{self.compared} were compared", f"{locked} refused as locked"]
        parts += [f"{used} because the code's {CODE_MOST} tries were used"] if used else []
        parts += [f"{other} refused otherwise"] if other else []
        parts += [f"{self.let_in} LET IN"] if self.let_in else []
        return ", ".join(parts)


async def _type_all(asked: Asked, codes: Sequence[str]) -> list[Answer]:
    return await asyncio.gather(*(asked.type_code(code) for code in codes))


async def _signed_in_before(people: People, account: Account) -> Asked:
    """A client that has signed in to the account and out again."""
    known = await people.asked(account.identifier)
    (await known.type_code()).expect_ok("the right code")
    await known.visitor.ask("DELETE", "/v1/client/sessions")
    return known


async def _entering(people: People, account: Account, known: Asked | None = None) -> Answer:
    """Sign in by the right code; the answer that decides it."""
    visitor = known.visitor if known else people.visitor()
    started = await visitor.start(account.identifier)
    if not started.ok:
        return started
    sent = await visitor.send_code(started.id, people.strategy)
    return await Asked(visitor, started.id, people.strategy).type_code() if sent.ok else sent


def _new_client(before: str, refused: Answer) -> Row:
    if refused.ok:
        return Row(NEW_WAITS, f"{before} nobody was refused", Verdict.NOT_RUN)
    left = refused.locked_for
    ends = "no end is named" if left is None else f"it is said to end in {left} s"
    tried = f"{before}, the right code of a new client: {refused.said}; {ends}"
    named = refused.code == LOCKED and left is not None and left <= HOUR
    return _row(NEW_WAITS, tried, named)


async def _operator_sees(people: People, account: Account, before: str, refused: Answer) -> Row:
    if refused.ok:
        return Row(OPERATOR_SEES, f"{before} nobody was refused", Verdict.NOT_RUN)
    if not people.prober.has_secret_key:
        return Row(OPERATOR_SEES, "needs the secret key (--secret-key)", Verdict.NOT_RUN)
    answer = await people.prober.operator("GET", f"/v1/users/{account.user_id}")
    user = answer.body if answer.ok and isinstance(answer.body, dict) else {}
    left = user.get("lockout_expires_in_seconds")
    tried = f"the account as the Backend API shows it: locked {user.get('locked')}, for {left} s"
    ends = isinstance(left, int) and left <= HOUR
    return _row(OPERATOR_SEES, tried, user.get("locked") is True and ends)


def _row(guarantee: str, tried: str, holds: bool) -> Row:
    return Row(guarantee, tried, Verdict.HOLDS if holds else Verdict.FAILS)
