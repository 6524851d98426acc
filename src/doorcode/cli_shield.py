"""`doorcode shield`: what keeps text messages from being run up as a bill, and its pauses."""

from __future__ import annotations

import argparse

import phonenumbers

from doorcode.cli_beside import Beside, SystemClock, beside, with_storage
from doorcode.cli_text import complain, dollars, table, time_text
from doorcode.domain.limits import DAY
from doorcode.flows import pauses
from doorcode.flows.sending import ALL_COUNTRIES
from doorcode.storage.interface import Transaction


def add_commands(shield: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Give `shield` its commands; each works on a data directory."""
    shield.description = (
        "Keeps text messages from being run up as a bill. A country is paused by hand, or by the "
        "shield where nobody types the codes sent there; only `resume` opens it again."
    )
    kinds = shield.add_subparsers(required=True, metavar="status|pause|resume")
    status = kinds.add_parser("status", help="show the mode, paused countries and today's money")
    status.set_defaults(run=_status)
    pause = kinds.add_parser("pause", help="send no more codes to a country")
    pause.add_argument("--why", default="by an operator", help="what the audit log is to say")
    pause.set_defaults(run=_pause)
    resume = kinds.add_parser("resume", help="send codes to a country again")
    resume.set_defaults(run=_resume)
    for command in (pause, resume):
        command.add_argument("country", type=_country, help="two letters, such as GB")
    return [status, pause, resume]


def _country(text: str) -> str:
    code = text.upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise argparse.ArgumentTypeError(f"{text!r} is no country (two letters, ISO 3166-1)")
    return code


def _status(options: argparse.Namespace) -> int:
    async def show(tx: Transaction, instance_id: str) -> int:
        by = await beside(tx, options, instance_id)
        paused = [[one.country, time_text(one.at), one.why] for one in await tx.pauses()]
        spent = await tx.money_of_day(by.now() // DAY)
        print("\n".join(_lines(by, paused, spent)))
        return 0

    return with_storage(options, show)


def _lines(by: Beside, paused: list[list[str]], spent: list[tuple[str, int]]) -> list[str]:
    shield = by.instance.shield
    countries = shield.policy.countries
    lines = [
        f"mode        {shield.mode}",
        f"countries   {'all' if countries is None else ' '.join(sorted(countries)) or 'none'}",
        f"money       at most {dollars(shield.policy.money_per_country)} a country and day, "
        f"{dollars(shield.money_in_all)} in all",
    ]
    lines += ["", *table([["PAUSED", "SINCE", "WHY"], *paused])] if paused else ["paused      none"]
    if spent:
        rows = [
            ["all" if country == ALL_COUNTRIES else country, dollars(millionths)]
            for country, millionths in spent
        ]
        lines += ["", *table([["TODAY", "SPENT"], *rows])]
    return lines


def _pause(options: argparse.Namespace) -> int:
    async def pause(tx: Transaction, instance_id: str) -> int:
        if await pauses.pause(SystemClock(), tx, options.country, options.why):
            print(f"No codes go to {options.country} any more, except to known devices.")
            return 0
        complain("Nothing was changed:", [f"{options.country} is paused already"])
        return 1

    return with_storage(options, pause)


def _resume(options: argparse.Namespace) -> int:
    async def resume(tx: Transaction, instance_id: str) -> int:
        if await pauses.resume(SystemClock(), tx, options.country, "operator"):
            print(f"{options.country} is not paused any more.")
            return 0
        complain("Nothing was changed:", [f"{options.country} is not paused"])
        return 1

    return with_storage(options, resume)
