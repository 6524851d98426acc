"""What a call gives back, and how its problems are laid beside the fields of a form."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Generic, TypeVar

from doorcode.client.errors import CallError, Problem


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a call: ``error`` is None when the call did what it was asked to."""

    error: CallError | None = None

    @property
    def ok(self) -> bool:
        """True when there is no error."""
        return self.error is None

    def raise_for_error(self) -> None:
        """Raise ``error`` if there is one, for programs that prefer exceptions."""
        if self.error is not None:
            raise self.error


@dataclass(frozen=True, slots=True)
class SignUpFieldErrors:
    """The problem of each field of a sign-up form, or None."""

    first_name: Problem | None = None
    last_name: Problem | None = None
    email_address: Problem | None = None
    phone_number: Problem | None = None
    password: Problem | None = None
    username: Problem | None = None
    code: Problem | None = None
    captcha: Problem | None = None
    legal_accepted: Problem | None = None


@dataclass(frozen=True, slots=True)
class SignInFieldErrors:
    """The problem of each field of a sign-in form, or None.

    Phone numbers and e-mail addresses are both ``identifier`` here: that is what the person typed.
    """

    identifier: Problem | None = None
    password: Problem | None = None
    code: Problem | None = None


@dataclass(frozen=True, slots=True)
class WaitlistFieldErrors:
    """The problem of each field of the form that joins a waitlist, or None."""

    email_address: Problem | None = None


F = TypeVar("F", bound=SignUpFieldErrors | SignInFieldErrors | WaitlistFieldErrors)


@dataclass(frozen=True, slots=True)
class Errors(Generic[F]):
    """The problems of the last call, sorted for display.

    ``fields`` holds those that belong to a field of the form, ``global_`` all others, ``raw``
    every one in the server's order. All are empty at the start of each call.
    """

    fields: F
    global_: tuple[Problem, ...] = ()
    raw: tuple[Problem, ...] = ()


def sort_problems(problems: tuple[Problem, ...], form: type[F]) -> Errors[F]:
    """Return ``problems`` laid beside the fields of ``form``; the first of a field wins.

    What no field can show stays in ``global_``: a problem that is nowhere to be seen leaves a
    person with a form that does nothing.
    """
    known = {field.name for field in fields(form)}
    placed: dict[str, Problem] = {}
    for problem in problems:
        if problem.param_name in known:
            placed.setdefault(problem.param_name, problem)
    rest = tuple(problem for problem in problems if problem.param_name not in known)
    return Errors(form(**placed), rest, problems)
