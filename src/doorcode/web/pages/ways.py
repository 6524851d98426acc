"""The two ways in, as the pages see them: signing up and signing in.

The pages are the same for both; here is what differs. Which attempt is meant is never
told by the page, it is the one that the browser's client has under way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Kind, Strategy, mask
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.instance import Instance
from doorcode.domain.limits import Rate
from doorcode.domain.sign_in import BACKUP_CODE, SECOND, factors_of_step, first_factors
from doorcode.domain.sign_up import SignUp, expect_public
from doorcode.domain.verification import Verification
from doorcode.flows import second_factor, sign_in, sign_up
from doorcode.flows.client import Answer, ClientView
from doorcode.flows.deps import Caller, Deps
from doorcode.web import challenges
from doorcode.web.frontend_api import forms


@dataclass(frozen=True, slots=True)
class Choice:
    """An address that a code may be sent to, as it may be shown."""

    id: str
    strategy: Strategy
    shown: str


@dataclass(frozen=True, slots=True)
class Pending:
    """An attempt that waits for a code.

    `verification` is the one that a code was sent for, None where none was yet; `shown`
    is its address as it may be shown. In the second step there may be a `choice` of
    addresses, and a backup code may do instead.
    """

    id: str
    verification: Verification | None = None
    shown: str = ""
    is_second: bool = False
    choice: tuple[Choice, ...] = ()
    takes_backup_code: bool = False


class Way(Protocol):
    """One way in: its words, its limits, and its story."""

    path: str
    other_path: str
    title: str
    other_title: str
    other_question: str
    create_rate: Rate
    attempt_rate: Rate
    challenge: str

    def needs_challenge(self, instance: Instance) -> bool:
        """Whether nobody comes in this way without a challenge, whatever the limits say."""

    def pending(self, view: ClientView | None, instance: Instance) -> Pending | None:
        """What this browser has under way and can finish by a code."""

    def missing(self, view: ClientView | None, instance: Instance) -> list[str]:
        """What must still be said of oneself, by its name on the wire."""

    def takes(self, instance: Instance) -> list[str]:
        """What may be typed to begin, by its name on the wire."""

    def closed(self, instance: Instance) -> Refusal | None:
        """Why nobody can come in this way without an invitation, if that is so."""

    async def begin(self, deps: Deps, caller: Caller, text: str) -> Answer[Any]:
        """Start with the address that was typed, and send a code to it."""

    async def send_code(
        self, deps: Deps, caller: Caller, pending: Pending, choice: Choice | None
    ) -> Answer[Any]:
        """Send another code, or one to the address that was chosen."""

    async def try_code(
        self, deps: Deps, caller: Caller, pending: Pending, code: str
    ) -> Answer[Any]:
        """Try a code."""


class SignUpWay:
    """For those who have no account yet."""

    path, title = "/sign-up", "Sign up"
    other_path, other_title = "/sign-in", "Sign in"
    other_question = "Do you have an account?"
    create_rate, attempt_rate = limits.CREATE_SIGN_UP, limits.ATTEMPT_SIGN_UP
    challenge = challenges.SIGN_UP

    def needs_challenge(self, instance: Instance) -> bool:
        """Whether nobody comes in this way without a challenge, whatever the limits say."""
        return instance.bot_protection.is_always_asked

    def pending(self, view: ClientView | None, instance: Instance) -> Pending | None:
        """What this browser has under way and can finish by a code."""
        attempt = view.sign_up if view else None
        strategy = _unverified(attempt, instance)
        if attempt is None or strategy is None:
            return None
        address = attempt.address(strategy.kind)
        shown = address.spelling if address else ""
        choice = Choice("", strategy, shown)
        return Pending(attempt.id, attempt.verification(strategy), shown, choice=(choice,))

    def missing(self, view: ClientView | None, instance: Instance) -> list[str]:
        """What must still be said of oneself, by its name on the wire."""
        return view.sign_up.missing_fields(instance) if view and view.sign_up else []

    def takes(self, instance: Instance) -> list[str]:
        """What may be typed to begin, by its name on the wire."""
        return [kind for kind in Kind if instance.attribute(kind).used_for_sign_up]

    def closed(self, instance: Instance) -> Refusal | None:
        """Why nobody can come in this way without an invitation, if that is so."""
        try:
            expect_public(instance)
        except Refused as refused:
            return refused.refusal
        return None

    async def begin(self, deps: Deps, caller: Caller, text: str) -> Answer[Any]:
        """Start with the address that was typed, and send a code to it."""
        strategy = strategy_of(text)
        verify = deps.instance.attribute(strategy.kind).verify_at_sign_up
        wanted = sign_up.Wanted({strategy.kind: text}, strategy=strategy if verify else None)
        return await sign_up.start(deps, caller, wanted)

    async def tell(
        self, deps: Deps, caller: Caller, attempt: SignUp, form: Mapping[str, str]
    ) -> Answer[SignUp]:
        """Take what was missing, and send a code to an address that came with it."""
        texts = forms.addresses(form)
        kinds = [kind for kind in texts if deps.instance.attribute(kind).verify_at_sign_up]
        wanted = sign_up.Wanted(
            texts=texts,
            given=forms.profile(form),
            strategy=_STRATEGIES[kinds[0]] if kinds else None,
            legal_accepted=True if "legal_accepted" in form else None,
        )
        return await sign_up.change(deps, caller, attempt.id, wanted)

    async def send_code(
        self, deps: Deps, caller: Caller, pending: Pending, choice: Choice | None
    ) -> Answer[Any]:
        """Send another code."""
        strategy = pending.choice[0].strategy
        return await sign_up.send_code(deps, caller, pending.id, strategy)

    async def try_code(
        self, deps: Deps, caller: Caller, pending: Pending, code: str
    ) -> Answer[Any]:
        """Try a code. Where another address waits for its own, that is sent at once."""
        strategy = pending.choice[0].strategy
        answer = await sign_up.try_code(deps, caller, pending.id, strategy, code)
        after = _unverified(answer.subject, deps.instance)
        if answer.subject and after and answer.subject.verification(after) is None:
            return await sign_up.send_code(deps, caller, answer.subject.id, after)
        return answer


class SignInWay:
    """For those who have an account."""

    path, title = "/sign-in", "Sign in"
    other_path, other_title = "/sign-up", "Sign up"
    other_question = "New here?"
    create_rate, attempt_rate = limits.CREATE_SIGN_IN, limits.ATTEMPT_SIGN_IN
    challenge = challenges.SIGN_IN

    def needs_challenge(self, instance: Instance) -> bool:
        """Only a limit may ask whoever has an account."""
        return False

    def pending(self, view: ClientView | None, instance: Instance) -> Pending | None:
        """What this browser has under way and can finish by a code."""
        attempt = view.sign_in if view else None
        user = view.sign_in_user if view else None
        if attempt is None:
            return None
        if attempt.status in SECOND and user:
            factors = factors_of_step(attempt, user, instance)
            sent = attempt.second
            return Pending(
                attempt.id,
                sent,
                mask(sent.address) if sent else "",
                is_second=True,
                choice=tuple(
                    Choice(one.id, Strategy(one.strategy), one.safe_identifier)
                    for one in factors
                    if one.address
                ),
                takes_backup_code=any(one.strategy == BACKUP_CODE for one in factors),
            )
        if attempt.first is None:
            return None
        address = attempt.first.address
        # An attempt made by an app may send the code elsewhere than to what was typed.
        typed = attempt.identifier is not None and attempt.identifier.value == address.value
        return Pending(attempt.id, attempt.first, address.value if typed else mask(address))

    def missing(self, view: ClientView | None, instance: Instance) -> list[str]:
        """Whoever has an account has said what must be said."""
        return []

    def takes(self, instance: Instance) -> list[str]:
        """What may be typed to begin, by its name on the wire."""
        return instance.identifiers

    def closed(self, instance: Instance) -> Refusal | None:
        """Whoever has an account may always sign in."""
        return None

    async def begin(self, deps: Deps, caller: Caller, text: str) -> Answer[Any]:
        """Start with what was typed, and send a code to it; by a name, to the first address."""
        if "username" not in self.takes(deps.instance) or "@" in text or text[:1] == "+":
            return await sign_in.start(deps, caller, sign_in.Wanted(text, strategy_of(text)))
        begun = await sign_in.start(deps, caller, sign_in.Wanted(text))
        if begun.refusal or begun.subject is None or begun.client is None:
            return begun
        factors = first_factors(begun.subject, begun.user, deps.instance)
        if not factors:
            return Answer(refusal=errors.STRATEGY_FOR_USER)
        # The browser may be a client since a moment ago, and has no cookie of it yet.
        known = replace(caller, client_id=begun.client.client.id, cookie=None)
        wish = sign_in.Wish(Strategy(factors[0].strategy), factors[0].id)
        sent = await sign_in.send_code(deps, known, begun.subject.id, wish)
        return replace(sent, client_token=begun.client_token)

    async def send_code(
        self, deps: Deps, caller: Caller, pending: Pending, choice: Choice | None
    ) -> Answer[Any]:
        """Send another code, or one to the address that was chosen."""
        if pending.is_second:
            if not pending.choice:  # given up elsewhere since the first code was sent
                raise Refused(errors.NO_SECOND_FACTORS)
            chosen = choice or next(
                (one for one in pending.choice if one.shown == pending.shown), pending.choice[0]
            )
            wish = sign_in.Wish(chosen.strategy, chosen.id)
            return await second_factor.send_code(deps, caller, pending.id, wish)
        assert pending.verification is not None  # noqa: S101 - there is none without
        wish = sign_in.Wish(pending.verification.strategy)
        return await sign_in.send_code(deps, caller, pending.id, wish)

    async def try_code(
        self, deps: Deps, caller: Caller, pending: Pending, code: str
    ) -> Answer[Any]:
        """Try a code. Where a second one is asked for, it is sent at once."""
        if pending.is_second and pending.verification is None:
            return await second_factor.try_backup_code(deps, caller, pending.id, code)
        assert pending.verification is not None  # noqa: S101 - there is none without
        strategy = pending.verification.strategy
        if pending.is_second:
            return await second_factor.try_code(deps, caller, pending.id, strategy, code)
        answer = await sign_in.try_code(deps, caller, pending.id, strategy, code)
        after = self.pending(answer.client, deps.instance)
        if answer.refusal is None and after and after.is_second and after.choice:
            return await self.send_code(deps, caller, after, None)
        return answer


_STRATEGIES = {Kind.PHONE: Strategy.PHONE_CODE, Kind.EMAIL: Strategy.EMAIL_CODE}


def strategy_of(text: str) -> Strategy:
    """How the address typed into the one field is verified, by what sort it looks like."""
    return _STRATEGIES[Kind.EMAIL if "@" in text else Kind.PHONE]


def _unverified(attempt: SignUp | None, instance: Instance) -> Strategy | None:
    """The strategy of the first address that must still be proved."""
    fields = attempt.unverified_fields(instance) if attempt else []
    return _STRATEGIES[Kind(fields[0])] if fields else None
