"""`doorcode providers`: the routes that are set, and one message sent by one of them."""

from __future__ import annotations

import argparse
import asyncio
import os

from doorcode.cli_beside import beside, with_storage
from doorcode.cli_text import complain, table
from doorcode.delivery.interface import Letter, NotSent
from doorcode.delivery.providers.registry import OURS
from doorcode.delivery.providers.transport import Transport
from doorcode.delivery.routing import Route
from doorcode.domain.addresses import Kind, Malformed, parse_identifier
from doorcode.domain.limits import SECOND
from doorcode.live_routes import routes_of
from doorcode.server import now
from doorcode.settings import BadSettings
from doorcode.storage.interface import Transaction

TEXT = "This is a test of Doorcode. Nobody asked for a code."


def add_commands(providers: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Give `providers` its commands; each works on a data directory."""
    kinds = providers.add_subparsers(required=True, metavar="list|test")
    listing = kinds.add_parser("list", help="show the routes that are set, and what there is")
    listing.set_defaults(run=_list)
    test = kinds.add_parser("test", help="send one message by a route, and print each step")
    test.add_argument("name", help="a route's name, as `doorcode providers list` shows it")
    test.add_argument("--to", required=True, help="a phone number or an e-mail address of yours")
    test.set_defaults(run=_test)
    return [listing, test]


def _list(options: argparse.Namespace) -> int:
    async def work(tx: Transaction, instance_id: str) -> int:
        routes = await _routes(tx, options, instance_id, Transport())
        rows = [
            [route.channel, route.name, ", ".join(sorted(route.countries)) or "all"]
            for of in routes.values()
            for route in of
        ]
        for line in table([["CHANNEL", "ROUTE", "COUNTRIES"], *rows]) if rows else []:
            print(line)
        if not rows:
            print("No route is set. Set delivery.sms or delivery.email; see docs/providers.md.")
        print(f"There are: {', '.join(sorted(OURS))}")
        return 0

    return with_storage(options, work)


def _test(options: argparse.Namespace) -> int:
    async def work(tx: Transaction, instance_id: str) -> int:
        transport = Transport()
        routes = await _routes(tx, options, instance_id, transport)
        named = [route for of in routes.values() for route in of if route.name == options.name]
        if not named:
            known = ", ".join(route.name for of in routes.values() for route in of) or "none is set"
            complain("There is no such route:", [f"{options.name}; there are: {known}"])
            return 1
        try:
            return await _send(named[0], options.to)
        finally:
            await transport.close()

    return with_storage(options, work)


async def _routes(
    tx: Transaction, options: argparse.Namespace, instance_id: str, transport: Transport
) -> dict[str, list[Route]]:
    known = await beside(tx, options, instance_id)
    return routes_of(known.instance.delivery, transport, os.environ)


async def _send(route: Route, to: str) -> int:
    """Hand one letter over, and say what happens."""
    try:
        address = parse_identifier(to, test_mode=False)
    except Malformed:
        raise BadSettings(
            [f"{to} is neither a phone number (+14155552671) nor an e-mail address"]
        ) from None
    if (address.kind is Kind.EMAIL) != (route.channel == "email"):
        raise BadSettings([f"{route.name} carries {route.channel}, which does not reach {to}"])
    letter = Letter(
        id=f"msg_test_{now()}",
        channel=route.channel,
        to=address.value,
        subject="A test of Doorcode" if route.channel == "email" else "",
        text=TEXT,
        html=f"<p>{TEXT}</p>" if route.channel == "email" else "",
        code="000000",
        created_at=now(),
        at=now(),
    )
    print(f"1. {letter.id} to {address.value} by {route.name} ({route.channel})")
    begun = now()
    try:
        taken = await asyncio.wait_for(route.provider.send(letter), 30)
    except (NotSent, TimeoutError) as refusal:
        sort = type(refusal).__name__
        words = getattr(refusal, "why", "") or "no answer within 30 seconds"
        code = f" ({code})" if (code := getattr(refusal, "code", "")) else ""
        print(f"2. not sent after {(now() - begun) / SECOND:.1f} s: {words}{code}")
        print(f"   {_MEANING.get(sort, _MEANING['TryLater'])}")
        return 1
    print(f"2. {taken.state} after {(now() - begun) / SECOND:.1f} s")
    if taken.ref:
        print(f"   the provider calls it {taken.ref}; look for that in its own log")
    print("3. Taken is not arrived: look whether it is there.")
    return 0


_MEANING = {
    "Never": "It is this address: no other route would be tried.",
    "TryElsewhere": "It is this address by this route: another route would be tried.",
    "TryAnother": "The provider takes nothing from us: another route would be tried.",
    "TryLater": "The provider is in trouble: another route would be tried, or this one later.",
}
