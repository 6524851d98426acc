"""E-mail by Mailgun, and its webhooks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.laboratory.mailgun import DOMAIN, KEY, OPTIONS, SIGNING_KEY
from tests.laboratory.mailgun import Mailgun as Double
from tests.laboratory.wire import Taken as Letters

from doorcode.delivery.interface import (
    Foreign,
    Never,
    NotSent,
    State,
    Taken,
    TryAnother,
    TryLater,
)
from doorcode.delivery.providers.mailgun import LIVES, Mailgun
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.registry import make

from ..conftest import LetterMaker
from .line import NOON, Line, callback

LETTER = Letters(f"20260508.1@{DOMAIN}", "ada@example.com", "")


@pytest.fixture
def double() -> Double:
    return Double()


def provider(line: Line, **changes: Any) -> Mailgun:
    made = make("email", OPTIONS | changes, line.transport)
    assert isinstance(made, Mailgun)
    return made


# ── sending ───────────────────────────────────────────────────────────────────────────
async def test_a_letter_is_sent_as_documented(double: Double, letter: LetterMaker) -> None:
    line, mail = Line(double), letter()
    mailgun = provider(line, reply_to="help@example.com", region="eu")
    assert await mailgun.send(mail) == Taken(double.taken[0].ref)
    assert line.asked == [f"https://api.eu.mailgun.net/v3/{DOMAIN}/messages"]
    assert double.forms == [
        {
            "from": f"Acme <no-reply@{DOMAIN}>",
            "h:Reply-To": "help@example.com",
            "o:tracking": "no",
            "to": "ada@example.com",
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
        }
    ]


@pytest.mark.parametrize("to", ["ada@example.com, eve@example.com", "büch@example.com", ""])
async def test_one_letter_goes_to_one_mailbox(double: Double, letter: LetterMaker, to: str) -> None:
    with pytest.raises(Never):
        await provider(Line(double)).send(letter(to=to))
    assert double.forms == []


@pytest.mark.parametrize(
    ("answer", "sort", "words"),
    [
        ((400, "to parameter is not a valid address."), Never, "this address"),
        ((400, "from parameter is missing"), TryAnother, "check from"),
        ((401, "Forbidden"), TryAnother, "api_key"),
        ((402, ""), TryAnother, "payment method"),
        ((403, "Domain is not allowed to send"), TryAnother, "dashboard"),
        ((404, "Domain not found"), TryAnother, "check domain"),
        ((429, ""), TryLater, "answered 429"),
        ((500, ""), TryLater, "answered 500"),
    ],
)
async def test_each_refusal_says_what_to_do_and_how_to_mend_it(
    double: Double, letter: LetterMaker, answer: tuple[int, str], sort: type[NotSent], words: str
) -> None:
    double.refuse_with = answer
    with pytest.raises(NotSent) as caught:
        await provider(Line(double)).send(letter())
    assert type(caught.value) is sort
    assert words in caught.value.why
    assert caught.value.code == str(answer[0])
    assert not {KEY, SIGNING_KEY, "ada@example.com"} & set(caught.value.why.split())


# ── receipts ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("state", "code", "expected", "suppress", "words"),
    [
        ("sent", "", State.ACCEPTED, False, ""),
        ("delivered", "", State.DELIVERED, False, ""),
        ("undelivered", "permanent/bounce", State.UNDELIVERED, True, "does not exist"),
        ("undelivered", "permanent/suppress-bounce", State.UNDELIVERED, True, "take it off"),
        ("undelivered", "permanent/old", State.UNDELIVERED, False, "too long"),
        ("undelivered", "permanent/espblock", State.UNDELIVERED, False, "DKIM"),
        ("undelivered", "permanent/ada@example.com", State.UNDELIVERED, False, "refused"),
        ("undelivered", "temporary/greylisted", State.ACCEPTED, False, "tries again"),
        ("undelivered", "temporary/bounce", State.ACCEPTED, False, "tries again"),
        ("failed", "", State.FAILED, False, "logs"),
        ("complained", "", State.DELIVERED, True, "spam"),
    ],
)
def test_an_event_tells_what_became_of_the_letter(
    double: Double, state: str, code: str, expected: State, suppress: bool, words: str
) -> None:
    [call] = double.report(LETTER, state, code)
    [receipt] = provider(Line(double)).receipts(callback(call))
    assert (receipt.ref, receipt.state, receipt.suppress) == (LETTER.ref, expected, suppress)
    assert receipt.at == NOON + 250
    assert words in receipt.why
    assert LETTER.to not in f"{receipt.why}{receipt.code}"


@pytest.mark.parametrize(
    "event",
    [
        {"event": "opened", "message": {"headers": {"message-id": "x"}}},
        {"event": "delivered"},
        {"event": "delivered", "message": [], "timestamp": 1e300},
        None,
        [],
    ],
)
def test_what_tells_nothing_of_a_letter_is_passed_over(double: Double, event: Any) -> None:
    assert provider(Line(double)).receipts(callback(double.call(event))) == []


@pytest.mark.parametrize("name", ["timestamp", "token", "signature"])
@pytest.mark.parametrize("value", ["", "1778241601", "é", None])
def test_nothing_that_is_signed_can_be_altered(
    double: Double, name: str, value: str | None
) -> None:
    [call] = double.report(LETTER, "undelivered")
    told = json.loads(call.body)
    told["signature"][name] = value
    with pytest.raises(Foreign) as caught:
        provider(Line(double)).receipts(callback(call, body=json.dumps(told).encode()))
    assert SIGNING_KEY not in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"signature": 1}'])
def test_what_is_not_signed_is_foreign(double: Double, body: bytes) -> None:
    [call] = double.report(LETTER, "delivered")
    with pytest.raises(Foreign, match="not signed"):
        provider(Line(double)).receipts(callback(call, body=body))


def test_another_key_is_foreign(double: Double) -> None:
    call = double.call({"event": "delivered"}, "another key")
    with pytest.raises(Foreign, match="signing_key"):
        provider(Line(double)).receipts(callback(call))


@pytest.mark.parametrize("late", [LIVES + 1, -LIVES - 1])
def test_an_old_webhook_is_not_believed(double: Double, late: int) -> None:
    [call] = double.report(LETTER, "delivered")
    with pytest.raises(Foreign, match="too long ago"):
        provider(Line(double)).receipts(callback(call, NOON + late))


def test_where_no_key_is_set_nothing_is_believed(double: Double) -> None:
    [call] = double.report(LETTER, "delivered")
    with pytest.raises(Foreign, match="no signing_key"):
        provider(Line(double), signing_key="").receipts(callback(call))


# ── options ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"from": "Acme"}, "sender"),
        ({"region": "mars"}, "region"),
        ({"domain": "example.com/../x"}, "domain"),
        ({"domain": "example..com"}, "domain"),
        ({"url": "mailgun"}, "url"),
    ],
)
def test_options_that_make_no_route_are_named(
    double: Double, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(BadOptions, match=words):
        provider(Line(double), **changes)
