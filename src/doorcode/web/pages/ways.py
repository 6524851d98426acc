"""The two ways in, as the pages see them: signing up and signing in.

The pages are the same for both; here is what differs. Which attempt is meant is never
told by the page, it is the one that the browser's client has under way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from doorcode.domain import limits
from doorcode.domain.addresses import Kind, Strategy, mask
from doorcode.domain.limits import Rate
from doorcode.domain.verification import Verification
from doorcode.flows import sign_in, sign_up
from doorcode.flows.client import Answer, ClientView
from doorcode.flows.deps import Caller, Deps


@dataclass(frozen=True, slots=True)
class Pending:
    """An attempt for which a code was sent, and the address as it may be shown."""

    id: str
    verification: Verification
    shown: str


class Way(Protocol):
    """One way in: its words, its limits, and its story."""

    path: str
    other_path: str
    title: str
    other_title: str
    other_question: str
    create_rate: Rate
    attempt_rate: Rate

    def pending(self, view: ClientView | None) -> Pending | None:
        """What this browser has under way."""

    async def begin(self, deps: Deps, caller: Caller, text: str) -> Answer[Any]:
        """Start with the address that was typed, and send a code to it."""

    async def send_code(self, deps: Deps, caller: Caller, pending: Pending) -> Answer[Any]:
        """Send another code."""

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

    def pending(self, view: ClientView | None) -> Pending | None:
        """What this browser has under way."""
        attempt = view.sign_up if view else None
        for address in attempt.addresses if attempt else ():
            verification = attempt.verification(address.strategy) if attempt else None
            if attempt and verification and not attempt.is_verified(address.kind):
                return Pending(attempt.id, verification, address.spelling)
        return None

    async def begin(self, deps: Deps, caller: Caller, text: str) -> Answer[Any]:
        """Start with the address that was typed, and send a code to it."""
        strategy = strategy_of(text)
        wanted = sign_up.Wanted({strategy.kind: text}, strategy=strategy)
        return await sign_up.start(deps, caller, wanted)

    async def send_code(self, deps: Deps, caller: Caller, pending: Pending) -> Answer[Any]:
        """Send another code."""
        return await sign_up.send_code(deps, caller, pending.id, pending.verification.strategy)

    async def try_code(
        self, deps: Deps, caller: Caller, pending: Pending, code: str
    ) -> Answer[Any]:
        """Try a code."""
        strategy = pending.verification.strategy
        return await sign_up.try_code(deps, caller, pending.id, strategy, code)


class SignInWay:
    """For those who have an account."""

    path, title = "/sign-in", "Sign in"
    other_path, other_title = "/sign-up", "Sign up"
    other_question = "New here?"
    create_rate, attempt_rate = limits.CREATE_SIGN_IN, limits.ATTEMPT_SIGN_IN

    def pending(self, view: ClientView | None) -> Pending | None:
        """What this browser has under way."""
        attempt = view.sign_in if view else None
        if attempt is None or attempt.first is None:
            return None
        address = attempt.first.address
        # An attempt made by an app may send the code elsewhere than to what was typed.
        typed = attempt.identifier is not None and attempt.identifier.value == address.value
        return Pending(attempt.id, attempt.first, address.value if typed else mask(address))

    async def begin(self, deps: Deps, caller: Caller, text: str) -> Answer[Any]:
        """Start with the address that was typed, and send a code to it."""
        return await sign_in.start(deps, caller, sign_in.Wanted(text, strategy_of(text)))

    async def send_code(self, deps: Deps, caller: Caller, pending: Pending) -> Answer[Any]:
        """Send another code."""
        wish = sign_in.Wish(pending.verification.strategy)
        return await sign_in.send_code(deps, caller, pending.id, wish)

    async def try_code(
        self, deps: Deps, caller: Caller, pending: Pending, code: str
    ) -> Answer[Any]:
        """Try a code."""
        strategy = pending.verification.strategy
        return await sign_in.try_code(deps, caller, pending.id, strategy, code)


def strategy_of(text: str) -> Strategy:
    """How the address typed into the one field is verified, by what sort it looks like."""
    kind = Kind.EMAIL if "@" in text else Kind.PHONE
    return Strategy.EMAIL_CODE if kind is Kind.EMAIL else Strategy.PHONE_CODE
