"""`doorcode messages`: what became of each letter, step by step, and what each route is worth."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict
from statistics import quantiles
from typing import Any

from doorcode.cli_beside import note, with_storage
from doorcode.cli_text import complain, table, time_text
from doorcode.domain.addresses import Malformed, mask, parse_identifier
from doorcode.domain.limits import DAY, SECOND
from doorcode.domain.message import Posted, State, Step
from doorcode.server import now
from doorcode.storage.interface import Transaction

MOST = 50
_TAKEN = {State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED}


def add_commands(messages: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Give `messages` its commands; each works on a data directory."""
    kinds = messages.add_subparsers(required=True, metavar="show|list|figures|suppressed")
    show = kinds.add_parser("show", help="the steps of one message, or of those to an address")
    show.add_argument("what", help="a message's id (msg_…), a phone number or an e-mail address")
    show.set_defaults(run=_show)
    listing = kinds.add_parser("list", help="the latest messages")
    listing.set_defaults(run=_list)
    figures = kinds.add_parser("figures", help="by route and country: taken, arrived, typed, paid")
    figures.add_argument("--days", type=int, default=1, help="how far back (default 1, at most 7)")
    figures.set_defaults(run=_figures)
    suppressed = kinds.add_parser("suppressed", help="mailboxes to which nothing is sent any more")
    suppressed.add_argument("--lift", metavar="ADDRESS", help="send to this one again")
    suppressed.set_defaults(run=_suppressed)
    commands = [show, listing, figures, suppressed]
    for command in commands:
        command.add_argument("--json", action="store_true", help="for a program")
        command.add_argument("--full", action="store_true", help="show addresses unmasked")
    return commands


# ── the commands ──────────────────────────────────────────────────────────────────────
def _show(options: argparse.Namespace) -> int:
    async def work(tx: Transaction, _: str) -> int:
        one = await tx.posted(options.what)
        found = [one] if one else await tx.posted_to(_normal(options.what), 5)
        if not found:
            complain("Nothing was found:", [f"no message {options.what} of the last seven days"])
            return 1
        for posted in found:
            steps = await tx.steps(posted.id)
            _print(_story(posted, steps, options), options)
        return 0

    return with_storage(options, work)


def _list(options: argparse.Namespace) -> int:
    async def work(tx: Transaction, _: str) -> int:
        found = await tx.posted_to(None, MOST)
        if options.json:
            _print([_document(one, options.full) for one in found], options)
            return 0
        head = ["WHEN", "MESSAGE", "TO", "CHANNEL", "ROUTE", "STATE", "TYPED"]
        rows = [
            [
                time_text(one.created_at),
                one.id,
                _to(one, options.full),
                one.channel,
                one.route or "-",
                str(one.state),
                "yes" if one.verified_at else "no",
            ]
            for one in found
        ]
        for line in table([head, *rows]):
            print(line)
        return 0

    return with_storage(options, work)


def _figures(options: argparse.Namespace) -> int:
    async def work(tx: Transaction, _: str) -> int:
        until = now()
        days = min(7, max(1, options.days))
        found = figures(await tx.posted_since(until - days * DAY, until))
        if options.json:
            _print(found, options)
            return 0
        head = [
            "ROUTE",
            "COUNTRY",
            "ASKED",
            "TAKEN",
            "ARRIVED",
            "MEDIAN",
            "TYPED",
            "SHARE",
            "PER SIGN-IN",
        ]
        rows = [
            [
                str(one["route"] or "-"),
                str(one["country"] or "-"),
                str(one["asked"]),
                str(one["taken"]),
                str(one["delivered"]),
                _seconds(one["median_seconds"]),
                str(one["typed"]),
                f"{one['conversion']:.0%}",
                _dollars(one["dollars_per_typed"]),
            ]
            for one in found
        ]
        for line in table([head, *rows]):
            print(line)
        return 0

    return with_storage(options, work)


def _suppressed(options: argparse.Namespace) -> int:
    async def work(tx: Transaction, _: str) -> int:
        if options.lift:
            if not await tx.unsuppress(options.lift.lower()):
                complain("Nothing was found:", [f"{options.lift} is not suppressed"])
                return 1
            await note(tx, "mailbox.unsuppressed", "email_address:" + options.lift.lower())
            print(f"Mail goes to {options.lift} again.")
            return 0
        found = await tx.suppressions(MOST)
        if options.json:
            _print([asdict(one) for one in found], options)
            return 0
        rows = [
            [time_text(one.at), one.address if options.full else "*****", one.route, one.why]
            for one in found
        ]
        for line in table([["SINCE", "MAILBOX", "TOLD BY", "WHY"], *rows]):
            print(line)
        return 0

    return with_storage(options, work)


def figures(found: Iterable[Posted]) -> list[dict[str, Any]]:
    """What each route did in each country; times in seconds, money in US dollars."""
    groups: dict[tuple[str, str], list[Posted]] = {}
    for one in found:
        groups.setdefault((one.route, one.country), []).append(one)
    return [_figure(route, country, of) for (route, country), of in sorted(groups.items())]


def _figure(route: str, country: str, of: list[Posted]) -> dict[str, Any]:
    taken = [one for one in of if one.state in _TAKEN]
    arrived = [one for one in of if one.delivered_at and one.delivered_at >= one.created_at]
    times = sorted((one.delivered_at or 0) - one.created_at for one in arrived)
    typed = sum(one.verified_at is not None for one in of)
    paid = sum(one.price or 0 for one in taken) / 1_000_000
    return {
        "route": route,
        "country": country,
        "asked": len(of),
        "taken": len(taken),
        "delivered": len(arrived),
        "median_seconds": times[len(times) // 2] / SECOND if times else None,
        "p95_seconds": quantiles(times, n=20)[-1] / SECOND if len(times) > 1 else None,
        "typed": typed,
        "conversion": typed / len(taken) if taken else 0.0,
        "dollars": paid,
        "dollars_per_typed": paid / typed if typed else None,
    }


# ── what a person reads, and a program ────────────────────────────────────────────────
def _story(posted: Posted, steps: list[Step], options: argparse.Namespace) -> Any:
    if options.json:
        return _document(posted, options.full) | {"steps": [asdict(step) for step in steps]}
    lines = [
        f"{posted.id}  {posted.channel} to {_to(posted, options.full)}: {posted.state}"
        + (", and the code was typed" if posted.verified_at else "")
    ]
    rows = [["WHEN", "AFTER", "STEP", "ROUTE", "CODE", "COST", "WHY"]]
    rows.append([time_text(posted.created_at), "0.0 s", "queued", "-", "-", "-", "-"])
    for step in steps:
        state = f"{step.state} (maybe sent)" if step.maybe else step.state
        after = f"{(step.at - posted.created_at) / SECOND:.1f} s"
        cost = _dollars(step.price / 1_000_000 if step.price is not None else None)
        rows.append(
            [
                time_text(step.at),
                after,
                state,
                step.route or "-",
                step.code or "-",
                cost,
                step.why or "-",
            ]
        )
    return [*lines, *(f"  {line}" for line in table(rows)), ""]


def _print(what: Any, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(what, ensure_ascii=False, default=str))
    else:
        for line in what:
            print(line)


def _document(one: Posted, full: bool) -> dict[str, Any]:
    return asdict(one) | {"recipient": _to(one, full)}


def _to(one: Posted, full: bool) -> str:
    if full:
        return one.recipient
    try:
        return mask(parse_identifier(one.recipient, test_mode=True))
    except Malformed:
        return "*****"


def _normal(text: str) -> str:
    try:
        return parse_identifier(text, test_mode=True).value
    except Malformed:
        return text


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _dollars(value: float | None) -> str:
    return "-" if value is None else f"${value:.4f}"
