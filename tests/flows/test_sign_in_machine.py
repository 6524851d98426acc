"""Signing in, played at random: two people, two steps for one of them, one browser each time.

What it watches: a status moves only as TRANSITIONS allows, nobody is let in without the
codes that were sent to them, and whoever has two steps is never let in by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from doorcode.domain import limits
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Attribute
from doorcode.domain.sign_in import TRANSITIONS, SignIn, Status
from doorcode.flows import backup_codes, second_factor, sign_in
from doorcode.flows.deps import Caller

from .world import ADA, ADA_MAIL, BEA, EMAIL, INSTANCE, PHONE, World

T = TypeVar("T")
MOMENTS = [1, limits.RESEND_AFTER, limits.CODE_LIVES_FOR, limits.ATTEMPT_LIVES_FOR]
TWO_STEPS = replace(
    INSTANCE,
    phone=Attribute(used_for_second_factor=True),
    backup_codes=True,
    single_session=False,
)
WRONG = "wrong"


class SignInMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.world = World(Path(self.folder.name) / "doorcode.db")
        self.caller = Caller()
        self.one: SignIn | None = None  # as it was seen last
        self.codes: dict[str, list[str]] = {"first": [], "second": []}  # of the newest attempt
        self.proved: set[str] = set()  # the steps that were done by a right code
        self.used: set[str] = set()
        self.run(self.accounts())

    async def accounts(self) -> None:
        """Ada has her mail, her phone as a second step and ten codes; Bea has a phone."""
        await self.world.account(BEA)
        _, answer = await self.world.account(ADA, ADA_MAIL)
        assert answer.user is not None
        self.ada = answer.user.id
        self.world.deps.instance = TWO_STEPS
        self.world.write("UPDATE addresses SET reserved_for_second_factor = 1 WHERE value = ?", ADA)
        async with self.world.storage.transaction() as tx:
            self.backup = await backup_codes.issue(self.world.deps, tx, self.ada)

    def teardown(self) -> None:
        self.run(self.world.storage.close())
        self.runner.close()
        self.folder.cleanup()

    def run(self, story: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(story)

    def told(self, story: Coroutine[Any, Any, Any]) -> Any:
        """What a story answers, or None where it refuses."""
        try:
            answer = self.run(story)
        except Refused:
            return None
        return None if answer.refusal else answer

    async def stored(self, sign_in_id: str) -> SignIn:
        async with self.world.storage.reading() as tx:
            found: SignIn | None = await tx.sign_in(sign_in_id)
        assert found is not None
        return found

    # ── what may happen ──────────────────────────────────────────────────────────────
    @rule()
    def another_browser_comes(self) -> None:
        self.caller, self.one = Caller(), None

    @rule(who=st.sampled_from([ADA_MAIL, BEA, "nobody@example.com", None]))
    def it_is_begun(self, who: str | None) -> None:
        wanted = sign_in.Wanted(who)
        answer = self.told(sign_in.start(self.world.deps, self.caller, wanted))
        self.one, self.codes, self.proved = None, {"first": [], "second": []}, set()
        if answer:
            self.caller = Caller(answer.client.client.id)
            self.one = answer.subject

    @rule(second=st.booleans(), mail=st.booleans())
    def a_code_is_sent(self, second: bool, mail: bool) -> None:
        if self.one is None:
            return
        send = second_factor.send_code if second else sign_in.send_code
        wish = sign_in.Wish(EMAIL if mail else PHONE)
        answer = self.told(send(self.world.deps, self.caller, self.one.id, wish))
        if answer:
            self.codes["second" if second else "first"].append(self.world.code)

    @rule(
        second=st.booleans(),
        mail=st.booleans(),
        back=st.integers(0, 3),
        of=st.sampled_from(["first", "second", WRONG]),
    )
    def a_code_is_typed(self, second: bool, mail: bool, back: int, of: str) -> None:
        if self.one is None:
            return
        sent = self.codes.get(of, [])
        typed = sent[-1 - back] if back < len(sent) else self.world.wrong
        try_code = second_factor.try_code if second else sign_in.try_code
        strategy, step = EMAIL if mail else PHONE, "second" if second else "first"
        story = try_code(self.world.deps, self.caller, self.one.id, strategy, typed)
        if self.told(story):
            assert typed in self.codes[step]
            self.proved.add(step)

    @rule(number=st.integers(0, 11))
    def a_backup_code_is_typed(self, number: int) -> None:
        if self.one is None:
            return
        typed = self.backup[number] if number < len(self.backup) else "0000000000"
        story = second_factor.try_backup_code(self.world.deps, self.caller, self.one.id, typed)
        if self.told(story):
            assert typed in self.backup
            assert typed not in self.used
            self.used.add(typed)
            self.proved.add("second")

    @rule(ada=st.booleans(), steps=st.integers(0, 2), drawer=st.integers(0, 11))
    def it_goes_as_it_should(self, ada: bool, steps: int, drawer: int) -> None:
        self.another_browser_comes()
        self.it_is_begun(ADA_MAIL if ada else BEA)
        self.a_code_is_sent(second=False, mail=ada)
        self.a_code_is_typed(second=False, mail=ada, back=0, of="first")
        self.a_status_moves_only_as_the_rules_allow()
        if steps == 1:
            self.a_code_is_sent(second=True, mail=not ada)
            self.a_code_is_typed(second=True, mail=not ada, back=0, of="second")
        elif steps == 2:
            self.a_backup_code_is_typed(drawer)

    @rule(moment=st.sampled_from(MOMENTS))
    def time_passes(self, moment: int) -> None:
        self.world.clock.forward(moment)

    # ── what must hold ───────────────────────────────────────────────────────────────
    @invariant()
    def a_status_moves_only_as_the_rules_allow(self) -> None:
        if self.one is None:
            return
        now, before = self.world.clock(), self.one.status
        self.one = self.run(self.stored(self.one.id))
        for after in (self.one.status, self.one.as_of(now)):
            assert after is before or after in TRANSITIONS[before]
            before = after

    @invariant()
    def nobody_is_let_in_without_their_codes(self) -> None:
        if self.one is None:
            return
        needed = {"first", "second"} if self.one.user_id == self.ada else {"first"}
        done = self.one.status is Status.COMPLETE
        assert done is bool(self.one.created_session_id)
        assert not done or needed <= self.proved
        asked_again = self.one.status is Status.NEEDS_SECOND_FACTOR
        assert not asked_again or (needed == {"first", "second"} and self.proved == {"first"})


SignInMachine.TestCase.settings = settings(
    max_examples=max(5, settings.default.max_examples // 5), stateful_step_count=30, deadline=None
)
TestSignInMachine = SignInMachine.TestCase
