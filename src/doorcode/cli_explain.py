"""`doorcode explain`: why the next code to an address would be sent or refused."""

from __future__ import annotations

import argparse
import ipaddress
import json
from typing import Any

from doorcode.cli_beside import Beside, beside, with_storage
from doorcode.cli_text import DOLLAR, complain, dollars, span, table, time_text
from doorcode.domain.addresses import TEST_CODE, Address, Kind, Malformed, parse_identifier
from doorcode.domain.limit_table import SETTING_OF
from doorcode.domain.limits import COUNTRY, MONEY, MONEY_IN_ALL, PAUSED
from doorcode.domain.session import Device
from doorcode.flows.deps import Caller
from doorcode.flows.explain import Explanation, Standing, Verdict, explain
from doorcode.storage.interface import Transaction

_MONEY = frozenset({MONEY, MONEY_IN_ALL})
_WHOLE = frozenset({"shield.country", "shield.type", "shield.paused"})  # they hold or they do not
_SHARES = frozenset({"shield.area", "shield.block", "shield.network", "shield.client"})


def add_arguments(explaining: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Give `explain` what it takes."""
    explaining.description = (
        "Says whether the next code to an address would be sent, for a browser that never signed "
        "in to it, and where each limit stands. Nothing is sent or counted."
    )
    explaining.add_argument("address", help="a phone number such as +447911123456, or an e-mail")
    explaining.add_argument("--ip", type=_ip, help="also the limits of this client address")
    explaining.add_argument("--json", action="store_true", help="for a program")
    explaining.set_defaults(run=_explain)
    return explaining


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no network address") from None


def _explain(options: argparse.Namespace) -> int:
    async def show(tx: Transaction, instance_id: str) -> int:
        by = await beside(tx, options, instance_id)
        try:
            address = parse_identifier(options.address, test_mode=by.instance.test_mode)
        except Malformed as error:
            how = "write a number as +14155552671, with the country code"
            complain("No code would be sent:", [f"{options.address} is {error}; {how}"])
            return 1
        caller = Caller(device=Device(ip_address=options.ip))
        found = await explain(by, tx, caller, address)
        write = _document if options.json else _text
        print(write(by, found, caller.network))
        return 0

    return with_storage(options, show)


# ── what a person reads ───────────────────────────────────────────────────────────────
def _text(by: Beside, found: Explanation, network: str) -> str:
    facts = [*_facts(found), ("goes by", _route(by, found)), ("settings", _source(by))]
    if network:
        facts.append(("asked from", f"{network}; what it asked within seconds, its server knows"))
    rows = [_row(one) for one in found.standings]
    lines = [found.address.value, *table([[f"  {name}", text] for name, text in facts]), ""]
    lines += table([["  limit", "used", "most", "opens", ""], *rows])
    return "\n".join([*lines, "", sentence(found.verdict), *_advice(by, found)])


def _facts(found: Explanation) -> list[tuple[str, str]]:
    owner = found.owner
    whose = "nobody has it"
    if owner:
        banned = ", banned" if owner.banned else ""
        whose = f"{owner.id}, since {time_text(owner.created_at)}{banned}"
    facts = [("account", whose), ("test identifier", "yes" if found.address.is_test else "no")]
    if found.address.kind is Kind.PHONE:
        parts = "1 message" if found.segments == 1 else f"{found.segments} messages"
        facts = [("country", found.country or "none"), ("sort", found.sort), *facts]
        price = dollars(found.price) if found.price else "nobody pays for it"
        facts.append(("text", f"the code, in {found.language}: {parts}, {price}"))
    else:
        facts.append(("text", f"the code, in {found.language}"))
    return facts


def _route(by: Beside, found: Explanation) -> str:
    if found.address.is_test:
        return f"{found.channel}: no provider sees it, the code is always {TEST_CODE}"
    name = _carrier(by, found.address, found.channel)
    return f"{found.channel}, carried by {name}" if name else f"{found.channel}: nobody carries it"


def _carrier(by: Beside, address: Address, channel: str) -> str | None:
    return None if address.is_test else by.post.named.get(channel)


def _source(by: Beside) -> str:
    whose = "as the server that runs here was started"
    if not by.told:
        whose = "of this environment, in development: no server runs here"
    return f"shield.mode is {by.instance.shield.mode}; {whose}"


def _row(one: Standing) -> list[str]:
    opens = span(one.opens_in) if one.opens_in else ""
    if one.bucket in _WHOLE:
        return [f"  {one.bucket}", "", "", "", "open" if one.holds else f"shut: {one.why}"]
    used, most = _amount(one.bucket, one.used), _amount(one.bucket, one.most)
    return [f"  {one.bucket}", used, most, opens, "" if one.holds else one.why]


def sentence(verdict: Verdict) -> str:
    """The verdict in a line."""
    decided = verdict.standing
    why = f"{decided.bucket}: {verdict.why}" if decided else verdict.why
    if decided and decided.opens_in:
        why = why.rstrip(".") + f"; it opens in {span(decided.opens_in)}"
    match verdict.outcome:
        case "sent":
            return "The next code would be sent."
        case "recorded":
            return f"The next code would be sent, and written down: {why}."
        case "challenged":
            return f"The next code would ask for a challenge: {why}."
        case _:
            return f"The next code would be refused: {why.removesuffix('.')}."


def _advice(by: Beside, found: Explanation) -> list[str]:
    """By what an operator changes the verdict, where they can."""
    verdict = found.verdict
    bucket = verdict.standing.bucket if verdict.standing else ""
    if bucket == PAUSED:
        return [f"To open it: doorcode shield resume {found.country}"]
    if bucket == COUNTRY and found.country:
        listed = sorted({*(by.instance.shield.policy.countries or ()), found.country})
        return [f"To open it: doorcode settings set {SETTING_OF[bucket]} {','.join(listed)}"]
    if bucket in SETTING_OF:
        return [f"Its setting: doorcode settings list {SETTING_OF[bucket]} --explain"]
    return []


def _amount(bucket: str, value: float) -> str:
    if bucket in _MONEY:
        return dollars(value)
    if bucket in _SHARES:
        return f"{value:.0%}"
    # What fades with time has digits behind the point, and a moment later it would be 1.9999.
    return f"{value:.2f}".removesuffix(".00")


# ── what a program reads ──────────────────────────────────────────────────────────────
def _document(by: Beside, found: Explanation, network: str) -> str:
    document: dict[str, Any] = {
        "address": found.address.value,
        "kind": found.address.kind,
        "country": found.country,
        "sort": found.sort,
        "user_id": found.owner.id if found.owner else None,
        "is_test": found.address.is_test,
        "network": network,
        "channel": found.channel,
        "provider": _carrier(by, found.address, found.channel),
        "language": found.language,
        "segments": found.segments,
        "dollars": found.price / DOLLAR,
        "mode": by.instance.shield.mode,
        "limits": [_standing(one) for one in found.standings],
        "outcome": found.verdict.outcome,
        "bucket": found.verdict.standing.bucket if found.verdict.standing else "",
        "why": found.verdict.why,
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _standing(one: Standing) -> dict[str, Any]:
    unit = DOLLAR if one.bucket in _MONEY else 1
    return {
        "bucket": one.bucket,
        "used": one.used / unit,
        "most": one.most / unit,
        "holds": one.holds,
        "opens_in_seconds": one.opens_in,
    }
