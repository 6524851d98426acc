"""Proving oneself again, played at random: steps in any order, codes right, old and wrong.

The model knows which codes open which step, and nothing of how. What it watches: a status
moves only as TRANSITIONS allows, and a time of proof moves only by a right code.
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
from doorcode.domain.reverification import TRANSITIONS, Level, Reverification, Status
from doorcode.domain.session import TRANSITIONS as SESSION_TRANSITIONS
from doorcode.domain.session import Session
from doorcode.domain.session import Status as SessionStatus
from doorcode.flows import backup_codes, reverification, session
from doorcode.flows.sign_in import Wish

from .world import ADA, ADA_MAIL, EMAIL, INSTANCE, PHONE, World

T = TypeVar("T")
MOMENTS = [1, limits.RESEND_AFTER, limits.CODE_LIVES_FOR, limits.REVERIFICATION_LIVES_FOR]
TWO_STEPS = replace(
    INSTANCE, phone=Attribute(used_for_second_factor=True), backup_codes=True, reverification=True
)


class ReverificationMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.world = World(Path(self.folder.name) / "doorcode.db")
        self.run(self.sign_in())
        self.one: Reverification | None = None  # as it was seen last
        self.codes: dict[str, list[str]] = {"first": [], "second": []}  # of the newest start
        self.seen = self.run(self.session())
        self.used: set[str] = set()

    async def sign_in(self) -> None:
        """Ada: her mail signs her in, her phone is her second step, ten codes are in a drawer."""
        world = self.world
        self.caller, answer = await world.account(ADA, ADA_MAIL)
        assert answer.subject is not None
        assert answer.user is not None
        self.session_id = answer.subject.created_session_id or ""
        world.deps.instance = TWO_STEPS
        self.reserve(True)
        async with world.storage.transaction() as tx:
            self.backup = await backup_codes.issue(world.deps, tx, answer.user.id)

    def teardown(self) -> None:
        self.run(self.world.storage.close())
        self.runner.close()
        self.folder.cleanup()

    def run(self, story: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(story)

    def told(self, story: Coroutine[Any, Any, Any]) -> Any:
        """What a story says: its subject, or None where it refuses."""
        try:
            return self.run(story).subject
        except Refused:
            return None

    async def session(self) -> Session:
        async with self.world.storage.reading() as tx:
            found: Session | None = await tx.session(self.session_id)
        assert found is not None
        return found

    async def stored(self) -> Reverification | None:
        async with self.world.storage.reading() as tx:
            found: Reverification | None = await tx.reverification(self.session_id)
        return found

    def reserve(self, yes: bool) -> None:
        self.world.write(
            "UPDATE addresses SET reserved_for_second_factor = ? WHERE kind = 'phone_number'", yes
        )

    # ── what may happen ──────────────────────────────────────────────────────────────
    @rule(level=st.sampled_from(Level))
    def it_is_begun(self, level: Level) -> None:
        story = reverification.start(self.world.deps, self.caller, self.session_id, level)
        if self.told(story):
            self.one = self.run(self.stored())
            self.codes = {"first": [], "second": []}

    @rule(second=st.booleans())
    def a_code_is_sent(self, second: bool) -> None:
        send = reverification.send_second_code if second else reverification.send_first_code
        wish = Wish(PHONE if second else EMAIL)
        sent = self.told(send(self.world.deps, self.caller, self.session_id, wish))
        if sent:
            step = "second" if second else "first"
            assert sent.one.status == f"needs_{step}_factor"
            self.codes[step].append(self.world.code)

    @rule(second=st.booleans(), back=st.integers(0, 3), of=st.sampled_from(["first", "second"]))
    def a_code_is_typed(self, second: bool, back: int, of: str) -> None:
        step, sent = "second" if second else "first", self.codes[of]
        typed = sent[-1 - back] if back < len(sent) else self.world.wrong
        try_code = reverification.try_second_code if second else reverification.try_first_code
        strategy = PHONE if second else EMAIL
        before = self.run(self.session())
        story = try_code(self.world.deps, self.caller, self.session_id, strategy, typed)
        if self.told(story):
            assert typed in self.codes[step][-limits.CODES_ALIVE :]
            self.note_proof(before, second)

    @rule(level=st.sampled_from(Level), steps=st.lists(st.booleans(), min_size=1, max_size=3))
    def it_is_done_as_it_should_be(self, level: Level, steps: list[bool]) -> None:
        self.it_is_begun(level)
        for second in steps:
            self.a_code_is_sent(second)
            self.a_code_is_typed(second, 0, "second" if second else "first")
            self.a_status_moves_only_as_the_rules_allow()

    @rule(number=st.integers(0, 11))
    def a_backup_code_is_typed(self, number: int) -> None:
        typed = self.backup[number] if number < len(self.backup) else "0000000000"
        before = self.run(self.session())
        story = reverification.try_backup_code(self.world.deps, self.caller, self.session_id, typed)
        if self.told(story):
            assert typed in self.backup
            assert typed not in self.used
            self.used.add(typed)
            self.note_proof(before, second=True)

    @rule(yes=st.booleans())
    def the_second_step_is_set_up_or_taken_away(self, yes: bool) -> None:
        self.reserve(yes)

    @rule(moment=st.sampled_from(MOMENTS))
    def time_passes(self, moment: int) -> None:
        self.world.clock.forward(moment)

    @rule(seldom=st.integers(0, 99))
    def the_session_ends_now_and_then(self, seldom: int) -> None:
        if seldom == 77:
            end = session.end(self.world.deps, self.caller, self.session_id, SessionStatus.ENDED)
            self.told(end)

    def note_proof(self, before: Session, second: bool) -> None:
        """A right code moves the time of its own factor, to this moment."""
        after, now = self.run(self.session()), self.world.clock()
        if second:
            assert (after.first_factor_at, after.second_factor_at) == (before.first_factor_at, now)
        else:
            assert after.first_factor_at == now
            assert after.second_factor_at in (before.second_factor_at, None)
        self.seen = after

    # ── what must hold ───────────────────────────────────────────────────────────────
    @invariant()
    def a_status_moves_only_as_the_rules_allow(self) -> None:
        found = self.run(self.stored())
        if found and self.one and found.id == self.one.id:
            moved = found.status is not self.one.status
            assert not moved or found.status in TRANSITIONS[self.one.status]
        if found and found.level is Level.FIRST_FACTOR:
            assert found.status is not Status.NEEDS_SECOND_FACTOR
        self.one = found

    @invariant()
    def the_session_moves_only_as_the_rules_allow(self) -> None:
        after = self.run(self.session())
        moved = after.status is not self.seen.status
        assert not moved or after.status in SESSION_TRANSITIONS[self.seen.status]
        self.seen = replace(self.seen, status=after.status)

    @invariant()
    def nothing_is_proved_without_a_right_code(self) -> None:
        after, seen = self.run(self.session()), self.seen
        assert after.first_factor_at == seen.first_factor_at
        assert after.second_factor_at == seen.second_factor_at


ReverificationMachine.TestCase.settings = settings(
    max_examples=max(5, settings.default.max_examples // 5), stateful_step_count=30, deadline=None
)
TestReverificationMachine = ReverificationMachine.TestCase
