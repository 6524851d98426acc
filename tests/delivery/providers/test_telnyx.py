"""Texts by Telnyx, and its webhooks."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.laboratory.telnyx import KEY, NUMBER, options
from tests.laboratory.telnyx import Telnyx as Double
from tests.laboratory.wire import Taken as Letters

from doorcode.delivery.interface import (
    Foreign,
    Letter,
    Never,
    NotSent,
    State,
    Taken,
    TryAnother,
    TryElsewhere,
    TryLater,
)
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.registry import make
from doorcode.delivery.providers.telnyx import LIVES, Telnyx

from ..conftest import LetterMaker
from .line import NOON, Line, callback

PHONE = "+4915112345678"
LETTER = Letters("40385f64", PHONE, "")
URL = "https://auth.example.com/v1/receipts/telnyx"


@pytest.fixture
def double() -> Double:
    return Double()


@pytest.fixture
def message(letter: LetterMaker) -> Letter:
    return letter(channel="sms", to=PHONE, subject="", html="", callback_url=URL)


def provider(line: Line, **changes: Any) -> Telnyx:
    made = make("sms", options() | changes, line.transport)
    assert isinstance(made, Telnyx)
    return made


# ── sending ───────────────────────────────────────────────────────────────────────────
async def test_a_text_is_sent_as_documented(double: Double, message: Letter) -> None:
    line = Line(double)
    telnyx = provider(line, messaging_profile_id="4000eba1")
    assert await telnyx.send(message) == Taken(double.taken[0].ref, price=4000)
    assert line.asked == ["https://api.telnyx.com/v2/messages"]
    assert double.messages == [
        {
            "from": NUMBER,
            "messaging_profile_id": "4000eba1",
            "to": PHONE,
            "text": message.text,
            "webhook_url": URL,
        }
    ]


async def test_without_the_key_no_receipts_are_asked_for(double: Double, message: Letter) -> None:
    await provider(Line(double), public_key="").send(message)
    assert "webhook_url" not in double.messages[0]


@pytest.mark.parametrize(
    ("answer", "sort", "words"),
    [
        ((401, "10009"), TryAnother, "api_key"),
        ((429, "10011"), TryLater, "too often"),
        ((403, "20100"), TryAnother, "add funds"),
        ((400, "40310"), Never, "no phone number"),
        ((400, "40300"), Never, "START"),
        ((400, "40001"), Never, "landline"),
        ((400, "40305"), TryAnother, "check from"),
        ((400, "40309"), TryElsewhere, "country"),
        ((400, "40310 to +4915112345678"), Never, "answered 400"),
        ((400, "40318"), TryLater, "queue"),
        ((400, "40321"), TryAnother, "add one"),
        ((500, ""), TryLater, "answered 500"),
    ],
)
async def test_each_refusal_says_what_to_do_and_how_to_mend_it(
    double: Double, message: Letter, answer: tuple[int, str], sort: type[NotSent], words: str
) -> None:
    double.refuse_with = answer
    with pytest.raises(NotSent) as caught:
        await provider(Line(double)).send(message)
    assert type(caught.value) is sort
    assert words in caught.value.why
    assert caught.value.code in (answer[1], str(answer[0]))
    assert not {KEY, PHONE} & set(f"{caught.value.why} {caught.value.code}".split())


# ── receipts ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("state", "code", "expected", "words"),
    [
        ("sent", "", State.SENT, ""),
        ("delivered", "", State.DELIVERED, ""),
        ("delivery_unconfirmed", "", State.SENT, ""),
        ("undelivered", "40001", State.UNDELIVERED, "landline"),
        ("undelivered", "40005", State.EXPIRED, "waited"),
        ("undelivered", "40010", State.UNDELIVERED, "10DLC"),
        ("failed", "40015", State.FAILED, "spam"),
        ("expired", "", State.EXPIRED, "no known reason"),
        ("undelivered", PHONE, State.UNDELIVERED, "no known reason"),
    ],
)
def test_an_event_tells_what_became_of_the_text(
    double: Double, state: str, code: str, expected: State, words: str
) -> None:
    [call] = double.report(LETTER, state, code)
    [receipt] = provider(Line(double)).receipts(callback(call))
    assert (receipt.ref, receipt.state, receipt.price) == (LETTER.ref, expected, 5100)
    assert receipt.at == NOON
    assert words in receipt.why
    assert PHONE not in f"{receipt.why}{receipt.code}"


@pytest.mark.parametrize(
    "data",
    [
        {"event_type": "message.received", "payload": {"id": "x", "to": [{"status": "delivered"}]}},
        {"event_type": "message.sent"},
        {"event_type": "message.sent", "payload": {"id": "x", "to": []}},
        {"event_type": "message.sent", "payload": {"to": [{"status": "sent"}]}},
    ],
)
def test_what_tells_nothing_of_a_text_is_passed_over(double: Double, data: Any) -> None:
    assert provider(Line(double)).receipts(callback(double.call(data))) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"data": 1}'])
def test_whatever_else_is_signed_tells_nothing(double: Double, body: bytes) -> None:
    assert provider(Line(double)).receipts(callback(double.sign(body))) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"telnyx-timestamp": "1778241601"},
        {"telnyx-timestamp": ""},
        {"telnyx-timestamp": "é"},
        {"telnyx-signature-ed25519": ""},
        {"telnyx-signature-ed25519": "é"},
        {"telnyx-signature-ed25519": "AAAA"},
    ],
)
def test_nothing_that_is_signed_can_be_altered(double: Double, headers: dict[str, str]) -> None:
    [call] = double.report(LETTER, "undelivered")
    with pytest.raises(Foreign):
        provider(Line(double)).receipts(callback(call, headers=dict(call.headers) | headers))


def test_another_body_or_another_key_is_foreign(double: Double) -> None:
    [call] = double.report(LETTER, "undelivered")
    theirs = double.sign(call.body, key=Ed25519PrivateKey.generate())
    telnyx = provider(Line(double))
    for foreign in (callback(call, body=call.body + b" "), callback(theirs)):
        with pytest.raises(Foreign, match="altered"):
            telnyx.receipts(foreign)


@pytest.mark.parametrize("late", [LIVES + 1, -LIVES - 1])
def test_an_old_webhook_is_not_believed(double: Double, late: int) -> None:
    [call] = double.report(LETTER, "delivered")
    with pytest.raises(Foreign, match="too long ago"):
        provider(Line(double)).receipts(callback(call, NOON + late))


def test_where_no_key_is_set_nothing_is_believed(double: Double) -> None:
    [call] = double.report(LETTER, "delivered")
    with pytest.raises(Foreign, match="no public_key"):
        provider(Line(double), public_key="").receipts(callback(call))


# ── options ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"from": "Acme"}, "messaging_profile_id"),
        ({"from": ""}, "messaging_profile_id"),
        ({"public_key": "é"}, "public_key"),
        ({"public_key": "AAAA"}, "public_key"),
        ({"url": "telnyx"}, "url"),
    ],
)
def test_options_that_make_no_route_are_named(
    double: Double, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(BadOptions, match=words):
        provider(Line(double), **changes)
