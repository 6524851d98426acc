"""Test identifiers that nobody has used, and accounts that the check makes and deletes.

A test identifier is fictional (`+1 XXX 555 01XX`, `…+clerk_test@example.com`): nothing is
sent to it and its code is well known, so no real person is ever written to or locked.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from doorcode.selfcheck.deployment import STRATEGIES, Deployment
from doorcode.selfcheck.prober import Answer, Prober, Visitor
from doorcode.selfcheck.refusals import CannotRun, Stopped

RIGHT = "424242"  # the code of every test identifier
TAKEN = "form_identifier_exists"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who has signed up, and the visitor who did it and is signed in."""

    identifier: str
    owner: Visitor
    user_id: str


class People:
    """Everybody that the check needs, and what must be tidied up after it."""

    def __init__(self, prober: Prober, deployment: Deployment) -> None:
        self.prober, self.deployment = prober, deployment
        self.kind = deployment.kinds[0] if deployment.kinds else ""
        self._made: list[Account] = []
        self.left_over: list[str] = []

    @property
    def strategy(self) -> str:
        """How codes are asked for."""
        return STRATEGIES[self.kind]

    @property
    def other_strategy(self) -> str:
        """How no code was asked for."""
        return next(one for one in STRATEGIES.values() if one != self.strategy)

    def visitor(self) -> Visitor:
        """Somebody who was never here."""
        return self.prober.visitor()

    def fresh(self) -> str:
        """An identifier of nobody's. Of one kind all are equally long."""
        return fresh_identifier(self.kind)

    async def choose_kind(self) -> None:
        """Settle by what address people are made up here: the first by which one can sign up."""
        why = "nobody signs in by e-mail address or phone number"
        for kind in self.deployment.kinds:
            self.kind = kind
            try:
                await self.somebody()
                return
            except Stopped as stopped:
                why = str(stopped)
        raise CannotRun(f"The check cannot make an account of its own: {why}.")

    async def somebody(self) -> Account:
        """An account of its own for one row, so that no row spends another's guesses."""
        for _ in range(3):
            owner, identifier = self.visitor(), self.fresh()
            started = await owner.start_sign_up(self.form(identifier))
            if started.code != TAKEN:  # somebody checked before and drew this very number
                break
        done = await self._prove(owner, started.expect_ok("a sign-up"))
        if done.resource.get("status") != "complete":
            missing = ", ".join(map(str, done.resource.get("missing_fields", [])))
            raise Stopped(f"a sign-up is not complete (missing: {missing or 'not said'})")
        account = Account(identifier, owner, str(done.resource.get("created_user_id")))
        self._made.append(account)
        return account

    async def _prove(self, owner: Visitor, answer: Answer) -> Answer:
        attempt = answer.id
        for kind in answer.resource.get("unverified_fields", []):
            strategy = STRATEGIES.get(kind, "")
            (await owner.send_sign_up_code(attempt, strategy)).expect_ok("asking for a code")
            answer = await owner.type_sign_up_code(attempt, strategy, RIGHT)
            answer.expect_ok("the right code")
        return answer

    async def asked(self, identifier: str, visitor: Visitor | None = None) -> Asked:
        """A visitor who has begun to sign in and has had a code sent."""
        visitor = visitor or self.visitor()
        attempt = (await visitor.start(identifier)).expect_ok("a sign-in").id
        (await visitor.send_code(attempt, self.strategy)).expect_ok("asking for a code")
        return Asked(visitor, attempt, self.strategy)

    def form(self, identifier: str) -> dict[str, str]:
        """What a sign-up with this identifier must hold here."""
        made_up = {
            **{kind: fresh_identifier(kind) for kind in STRATEGIES},
            "username": f"selfcheck-{secrets.token_hex(8)}",
            "first_name": "Self",
            "last_name": "Check",
            "legal_accepted": "true",
        }
        needed = {name: made_up[name] for name in self.deployment.required if name in made_up}
        return needed | {self.kind: identifier}

    async def tidy_up(self, but: Account | None = None) -> None:
        """Delete the accounts that were made; those that stay are named."""
        kept = [account for account in self._made if account is but]
        while self._made:
            account = self._made.pop()
            if account is not but and not (await account.owner.ask("DELETE", "/v1/me")).ok:
                self.left_over.append(account.identifier)
        self._made = kept


@dataclass(frozen=True, slots=True)
class Asked:
    """A visitor, and the sign-in for which a code is alive."""

    visitor: Visitor
    attempt: str
    strategy: str

    async def type_code(self, code: str = RIGHT) -> Answer:
        """Type a code; the right one unless another is given."""
        return await self.visitor.type_code(self.attempt, self.strategy, code)


def fresh_identifier(kind: str) -> str:
    """A test identifier drawn by chance."""
    if kind == "phone_number":
        return f"+1{200 + secrets.randbelow(800)}55501{secrets.randbelow(100):02}"
    return f"doorcode-selfcheck-{secrets.token_hex(8)}+clerk_test@example.com"


def wrong_codes(count: int) -> list[str]:
    """Codes that are no test identifier's, each another."""
    first = secrets.randbelow(400_000)
    return [f"{first + number:06}" for number in range(count)]
