"""The life of a verification, played at random on a real database.

The model beside it is a few lines of plain counting. Each step goes through storage and
the rules in the order of the flows: count, commit, compare, settle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from doorcode.domain import limits
from doorcode.domain.addresses import Address, Kind
from doorcode.domain.verification import Code, Status, Verdict, Verification, judge
from doorcode.security.codes import Codes
from doorcode.security.master_key import MasterKey
from doorcode.storage.sqlite import Sqlite

T = TypeVar("T")
ATTEMPT = "sua_1"
ADDRESS = Address(Kind.EMAIL, "ada@example.com", "Ada@example.com")
NEVER_SENT = "999999"
MOMENTS = [1, limits.RESEND_AFTER, limits.CODE_LIVES_FOR - 1, limits.CODE_LIVES_FOR]


@dataclass
class Known:
    """What the model knows of the newest verification without asking the database."""

    id: str
    sent: list[tuple[str, int]] = field(default_factory=list)
    tries: int = 0
    status: Status = Status.UNVERIFIED
    successes: int = 0

    def is_open(self, now: int) -> bool:
        in_time = now < self.sent[-1][1]
        has_tries = self.tries < limits.TRIES_PER_VERIFICATION
        return self.status is Status.UNVERIFIED and in_time and has_tries

    def opens(self, code: str, now: int) -> bool:
        kept = self.sent[-limits.CODES_ALIVE :]
        return any(code == sent and now < expires_at for sent, expires_at in kept)

    def nth_newest(self, back: int) -> str:
        return self.sent[-1 - back][0] if back < len(self.sent) else NEVER_SENT


class VerificationMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.storage = Sqlite(Path(self.folder.name) / "doorcode.db")
        self.codes = Codes(MasterKey({1: b"k" * 32}), "ins_1")
        self.now = 1_700_000_000_000
        self.codes_made = 0
        self.known = Known("ver_0")

    def teardown(self) -> None:
        self.run(self.storage.close())
        self.runner.close()
        self.folder.cleanup()

    def run(self, story: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(story)

    # ── the stories, as the flows tell them ──────────────────────────────────────────
    async def send(self) -> Verification:
        now, expires_at = self.now, self.now + limits.CODE_LIVES_FOR
        async with self.storage.transaction() as tx:
            found = await tx.verification_of(ATTEMPT, ADDRESS)
            if found and found.can_be_sent_again(now):
                await tx.extend(replace(found, sent_at=now, expires_at=expires_at))
            else:
                found = Verification(
                    f"ver_{self.codes_made}", ATTEMPT, ADDRESS, "email", Status.UNVERIFIED,
                    attempts=0, sent_at=now, expires_at=expires_at,
                )  # fmt: skip
                await tx.add_verification(found, delete_at=now + limits.DAY)
            version, digest = self.codes.digest(found, f"{self.codes_made:06}")
            await tx.add_code(found.id, Code(digest, version, expires_at), limits.CODES_ALIVE)
        return found

    async def count(self) -> tuple[Verification, int, list[Code]] | None:
        async with self.storage.transaction() as tx:
            found = await self.stored()
            if found.why_not_try(self.now):
                return None
            number = await tx.count_try(found.id, limits.TRIES_PER_VERIFICATION, self.now)
            return (found, number, await tx.codes(found.id)) if number else None

    async def try_code(self, typed: str, pause: int = 0) -> bool:
        counted = await self.count()
        if counted is None:
            return False
        self.now += pause
        found, number, codes = counted
        verdict = judge(self.codes.digests(found, typed), codes, number, self.now)
        if verdict is Verdict.WRONG:
            return False
        right = verdict is Verdict.RIGHT
        async with self.storage.transaction() as tx:
            settled = await tx.settle(found.id, Status.VERIFIED if right else Status.FAILED)
        return right and settled

    async def stored(self) -> Verification:
        async with self.storage.reading() as tx:
            found = await tx.verification_of(ATTEMPT, ADDRESS)
        assert found is not None
        return found

    # ── what may happen ──────────────────────────────────────────────────────────────
    @initialize()
    def the_first_code_is_sent(self) -> None:
        self.note_sent(self.run(self.send()))

    @precondition(lambda self: self.known.status is not Status.VERIFIED)
    @rule()
    def another_code_is_sent(self) -> None:
        self.now += self.run(self.stored()).wait_before_resend(self.now) * limits.SECOND
        joins = self.known.is_open(self.now)
        found = self.run(self.send())
        assert (found.id == self.known.id) is joins
        self.note_sent(found)

    @rule(back=st.integers(0, limits.CODES_ALIVE + 1), pause=st.sampled_from([0, 0, 0, *MOMENTS]))
    def a_code_is_typed(self, back: int, pause: int) -> None:
        code, was_open = self.known.nth_newest(back), self.known.is_open(self.now)
        verified = self.run(self.try_code(code, pause))
        assert verified is (was_open and self.known.opens(code, self.now))
        self.known.tries += was_open
        self.known.successes += verified
        if verified:
            self.known.status = Status.VERIFIED
        elif was_open and self.known.tries == limits.TRIES_PER_VERIFICATION:
            self.known.status = Status.FAILED

    @rule(backs=st.lists(st.integers(0, limits.CODES_ALIVE + 1), min_size=2, max_size=12))
    def codes_are_typed_at_once(self, backs: list[int]) -> None:
        codes, was_open = [self.known.nth_newest(back) for back in backs], self.known.is_open
        could_open = was_open(self.now) and any(self.known.opens(one, self.now) for one in codes)
        successes = sum(self.run(self.together(codes)))
        assert successes <= could_open
        self.known.successes += successes
        found = self.run(self.stored())
        assert self.known.tries <= found.attempts <= self.known.tries + len(codes)
        assert (found.status is Status.VERIFIED) is (self.known.successes == 1)
        self.known.tries, self.known.status = found.attempts, found.status

    async def together(self, codes: list[str]) -> list[bool]:
        return await asyncio.gather(*(self.try_code(code) for code in codes))

    @rule()
    def the_server_dies_between_counting_and_comparing(self) -> None:
        was_open = self.known.is_open(self.now)
        assert (self.run(self.count()) is not None) is was_open
        self.known.tries += was_open

    @rule(moment=st.sampled_from(MOMENTS))
    def time_passes(self, moment: int) -> None:
        self.now += moment

    @rule()
    def what_has_expired_is_deleted(self) -> None:
        self.run(self.clean())

    async def clean(self) -> None:
        async with self.storage.transaction() as tx:
            await tx.delete_expired(self.now, most=100)

    def note_sent(self, found: Verification) -> None:
        if found.id != self.known.id or not self.known.sent:
            self.known = Known(found.id)
        self.known.sent.append((f"{self.codes_made:06}", self.now + limits.CODE_LIVES_FOR))
        self.codes_made += 1

    # ── what must hold ───────────────────────────────────────────────────────────────
    @invariant()
    def the_database_agrees_with_the_model(self) -> None:
        if self.known.sent:
            found = self.run(self.stored())
            seen = (found.id, found.status, found.attempts)
            assert seen == (self.known.id, self.known.status, self.known.tries)

    @invariant()
    def no_budget_is_overspent(self) -> None:
        assert self.known.tries <= limits.TRIES_PER_VERIFICATION
        assert self.known.successes <= 1

    @invariant()
    def no_more_codes_live_than_may(self) -> None:
        codes = self.run(self.codes_kept())
        assert len(codes) <= limits.CODES_ALIVE
        assert not codes or self.known.status is Status.UNVERIFIED

    async def codes_kept(self) -> list[Code]:
        async with self.storage.reading() as tx:
            return await tx.codes(self.known.id)


VerificationMachine.TestCase.settings = settings(
    max_examples=settings.default.max_examples * 6 // 10, stateful_step_count=30, deadline=None
)
TestVerificationMachine = VerificationMachine.TestCase
