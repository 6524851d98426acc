"""Draws the state tables of `docs/state-tables.md` from the rules in `domain/`.

    python scripts/state_tables.py          writes the page anew
    python scripts/state_tables.py --check  says whether it is as the code has it

What may follow what is read from each module's TRANSITIONS. What makes it so is said here;
a step without a word, or a word without a step, is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType

from doorcode.domain import reverification, session, sign_in, sign_up, ticket, verification

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "state-tables.md"
COMMAND = "python scripts/state_tables.py"
TOP = f"""# State tables

What each thing can be, and what may follow what. Every status stands here by its name on
the wire. This page is drawn from the rules in `src/doorcode/domain/` by
`{COMMAND}`; a test compares the two.

Time moves nothing in the database: a status that ends by its time is read as ended
from that millisecond on, whatever is written.
"""


class Untold(ValueError):
    """A step that the rules allow and nobody has put into words, or the other way round."""


@dataclass(frozen=True)
class Machine:
    """One thing that has a status: where it begins, and by what it goes on."""

    name: str
    module: ModuleType
    starts: tuple[StrEnum, ...]
    steps: Mapping[tuple[StrEnum, StrEnum], str]

    @property
    def transitions(self) -> Mapping[StrEnum, frozenset[StrEnum]]:
        """What may follow what, by the rules."""
        found: Mapping[StrEnum, frozenset[StrEnum]] = self.module.TRANSITIONS
        return found

    def told(self) -> list[tuple[StrEnum, StrEnum, str]]:
        """Each step with its words, in the order of the statuses; or `Untold`."""
        order = list(type(self.starts[0]))
        steps = [(a, b) for a in order for b in order if b in self.transitions[a]]
        if set(steps) != set(self.steps):
            wrong = sorted(f"{a} to {b}" for a, b in set(steps) ^ set(self.steps))
            raise Untold(f"{self.name}: {', '.join(wrong)}")
        return [(a, b, self.steps[a, b]) for a, b in steps]


def _sign_up() -> Machine:
    status = sign_up.Status
    return Machine(
        "SignUp",
        sign_up,
        (status.MISSING,),
        {
            (
                status.MISSING,
                status.COMPLETE,
            ): "nothing is missing, and all that must be is verified",
            (status.MISSING, status.ABANDONED): "a day has passed, or a newer attempt has begun",
        },
    )


def _sign_in() -> Machine:
    status = sign_in.Status
    over = "a day has passed, or a newer attempt has begun"
    return Machine(
        "SignIn",
        sign_in,
        (status.NEEDS_IDENTIFIER, status.NEEDS_FIRST_FACTOR),
        {
            (status.NEEDS_IDENTIFIER, status.NEEDS_FIRST_FACTOR): "the identifier of an account",
            (status.NEEDS_IDENTIFIER, status.COMPLETE): "a ticket",
            (status.NEEDS_FIRST_FACTOR, status.NEEDS_SECOND_FACTOR): (
                "a right code, of a person who has two steps"
            ),
            (status.NEEDS_FIRST_FACTOR, status.NEEDS_CLIENT_TRUST): (
                "a right code, in a browser that the person never used"
            ),
            (status.NEEDS_FIRST_FACTOR, status.COMPLETE): "a right code, or a ticket",
            (status.NEEDS_SECOND_FACTOR, status.COMPLETE): "a right second code, or a backup code",
            (status.NEEDS_CLIENT_TRUST, status.COMPLETE): "a right second code",
            **{
                (one, status.ABANDONED): over
                for one, after in sign_in.TRANSITIONS.items()
                if status.ABANDONED in after
            },
        },
    )


def _verification() -> Machine:
    status = verification.Status
    return Machine(
        "Verification",
        verification,
        (status.UNVERIFIED, status.VERIFIED),  # the latter: by another attempt, or a ticket
        {
            (status.UNVERIFIED, status.VERIFIED): "a right code",
            (status.UNVERIFIED, status.TRANSFERABLE): (
                "a right code, but nobody has this address: a sign-up may take the proof over"
            ),
            (status.UNVERIFIED, status.FAILED): "the fifth wrong code",
            (status.UNVERIFIED, status.EXPIRED): "ten minutes have passed since the newest code",
        },
    )


def _session() -> Machine:
    status = session.Status
    ends = {
        status.ENDED: "the person signs out of it",
        status.REMOVED: "it is taken off a client that holds several",
        status.REVOKED: "it is ended from elsewhere",
        status.REPLACED: "another takes its place, where a client holds one",
        status.EXPIRED: "its time is over",
    }
    return Machine(
        "Session",
        session,
        (status.PENDING, status.ACTIVE),
        {
            (status.PENDING, status.ACTIVE): (
                "the second step is set up in it, or the instance asks for none any more"
            ),
            **{(live, end): why for live in session.LIVE for end, why in ends.items()},
        },
    )


def _reverification() -> Machine:
    status = reverification.Status
    return Machine(
        "Reverification",
        reverification,
        (status.NEEDS_FIRST_FACTOR, status.NEEDS_SECOND_FACTOR),
        {
            (status.NEEDS_FIRST_FACTOR, status.NEEDS_SECOND_FACTOR): (
                "a right code, where both are asked for"
            ),
            (status.NEEDS_FIRST_FACTOR, status.COMPLETE): "a right code",
            (status.NEEDS_SECOND_FACTOR, status.COMPLETE): "a right second code, or a backup code",
        },
    )


def _ticket() -> Machine:
    status = ticket.TicketStatus
    return Machine(
        "Ticket",
        ticket,
        (status.PENDING,),
        {
            (status.PENDING, status.ACCEPTED): "it is used",
            (status.PENDING, status.REVOKED): "the app's server takes it back",
            (status.PENDING, status.EXPIRED): "its time is over",
        },
    )


def machines() -> list[Machine]:
    """All that is drawn, in the order of the page."""
    return [_sign_up(), _sign_in(), _verification(), _session(), _reverification(), _ticket()]


def draw(machine: Machine) -> str:
    """One thing: a sentence, a diagram and a table."""
    about = (machine.module.__doc__ or "").partition("\n")[0]
    told = machine.told()
    ends = [status for status in type(machine.starts[0]) if not machine.transitions[status]]
    diagram = [
        *(f"    [*] --> {status}" for status in machine.starts),
        *(f"    {before} --> {after}" for before, after, _ in told),
        *(f"    {status} --> [*]" for status in ends),
    ]
    rows = [f"| `{before}` | `{after}` | {why} |" for before, after, why in told]
    name = machine.module.__name__.rpartition(".")[2]
    return "\n".join(
        [
            f"## {machine.name}",
            "",
            f"{about} Begins as {_listed(machine.starts)}; over as {_listed(ends)}.",
            f"Rules: [`domain/{name}.py`](../src/doorcode/domain/{name}.py).",
            "",
            "```mermaid",
            "stateDiagram-v2",
            *diagram,
            "```",
            "",
            "| from | to | by |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def page() -> str:
    """The whole page."""
    return "\n".join([TOP, *(draw(machine) for machine in machines())])


def _listed(statuses: tuple[StrEnum, ...] | list[StrEnum]) -> str:
    *most, last = [f"`{status}`" for status in statuses]
    return f"{', '.join(most)} or {last}" if most else last


def main(arguments: list[str]) -> int:
    """Write the page, or say whether it is up to date: 0 where it is."""
    if arguments == ["--check"]:
        same = PAGE.exists() and PAGE.read_text("utf-8") == page()
        sys.stdout.write(f"{PAGE.name} is {'up to date' if same else f'out of date: {COMMAND}'}\n")
        return 0 if same else 1
    PAGE.write_text(page(), "utf-8")
    sys.stdout.write(f"{PAGE.name} is written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
