"""E-mail by Twilio SendGrid, and its events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.laboratory.sendgrid import KEY, options
from tests.laboratory.sendgrid import Sendgrid as Double
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
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.registry import make
from doorcode.delivery.providers.sendgrid import LIVES, Sendgrid

from ..conftest import LetterMaker
from .line import NOON, Line, callback

LETTER = Letters("msg_1", "ada@example.com", "")


@pytest.fixture
def double() -> Double:
    return Double()


def provider(line: Line, **changes: Any) -> Sendgrid:
    made = make("email", options() | changes, line.transport)
    assert isinstance(made, Sendgrid)
    return made


# ── sending ───────────────────────────────────────────────────────────────────────────
async def test_a_letter_is_sent_as_documented(double: Double, letter: LetterMaker) -> None:
    line, mail = Line(double), letter()
    sendgrid = provider(line, reply_to="help@example.com", region="eu")
    assert await sendgrid.send(mail) == Taken("msg_1")
    assert line.asked == ["https://api.eu.sendgrid.com/v3/mail/send"]
    assert double.letters == [
        {
            "from": {"email": "no-reply@example.com", "name": "Acme"},
            "reply_to": {"email": "help@example.com"},
            "personalizations": [{"to": [{"email": "ada@example.com"}]}],
            "subject": mail.subject,
            "content": [
                {"type": "text/plain", "value": mail.text},
                {"type": "text/html", "value": mail.html},
            ],
            "custom_args": {"doorcode_message": "msg_1"},
            "tracking_settings": {
                "click_tracking": {"enable": False, "enable_text": False},
                "open_tracking": {"enable": False},
                "subscription_tracking": {"enable": False},
            },
        }
    ]


@pytest.mark.parametrize("to", ["ada@example.com, eve@example.com", "büch@example.com", ""])
async def test_one_letter_goes_to_one_mailbox(double: Double, letter: LetterMaker, to: str) -> None:
    with pytest.raises(Never):
        await provider(Line(double)).send(letter(to=to))
    assert double.letters == []


@pytest.mark.parametrize(
    ("answer", "sort", "words"),
    [
        ((400, "personalizations.0.to.0.email", "ada@example.com"), Never, "this address"),
        ((400, "from.email", ""), TryAnother, "check from"),
        ((400, "", ""), TryAnother, "check from"),
        ((401, "", "Maximum credits exceeded"), TryAnother, "credit"),
        ((403, "from", ""), TryAnother, "verify it"),
        ((429, "", ""), TryLater, "answered 429"),
        ((500, "", ""), TryLater, "answered 500"),
    ],
)
async def test_each_refusal_says_what_to_do_and_how_to_mend_it(
    double: Double,
    letter: LetterMaker,
    answer: tuple[int, str, str],
    sort: type[NotSent],
    words: str,
) -> None:
    double.refuse_with = answer
    with pytest.raises(NotSent) as caught:
        await provider(Line(double)).send(letter())
    assert type(caught.value) is sort
    assert words in caught.value.why
    assert caught.value.code == str(answer[0])
    assert not {KEY, "ada@example.com"} & set(caught.value.why.split())


# ── receipts ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("state", "code", "expected", "suppress", "words"),
    [
        ("sent", "", State.ACCEPTED, False, ""),
        ("delivered", "", State.DELIVERED, False, ""),
        ("deferred", "", State.ACCEPTED, False, "tries again"),
        ("undelivered", "bounce", State.UNDELIVERED, True, "does not exist"),
        ("undelivered", "blocked", State.UNDELIVERED, False, "DKIM"),
        ("failed", "Bounced Address", State.FAILED, True, "take it off"),
        ("failed", "Spam Content", State.FAILED, False, "activity feed"),
        ("spamreport", "", State.DELIVERED, True, "spam"),
    ],
)
def test_an_event_tells_what_became_of_the_letter(
    double: Double, state: str, code: str, expected: State, suppress: bool, words: str
) -> None:
    [call] = double.report(LETTER, state, code)
    [receipt] = provider(Line(double)).receipts(callback(call))
    assert (receipt.ref, receipt.state, receipt.suppress) == (LETTER.ref, expected, suppress)
    assert receipt.at == NOON
    assert words in receipt.why
    assert LETTER.to not in receipt.why


def test_one_webhook_tells_of_many_letters_and_not_of_others(double: Double) -> None:
    events = [
        {"event": "processed", "doorcode_message": "msg_1"},
        {"event": "delivered"},
        {"event": "open", "doorcode_message": "msg_1"},
        {"event": "delivered", "doorcode_message": "msg_2"},
    ]
    receipts = provider(Line(double)).receipts(callback(double.call(events)))
    assert [(one.ref, one.state) for one in receipts] == [
        ("msg_1", State.ACCEPTED),
        ("msg_2", State.DELIVERED),
    ]


@pytest.mark.parametrize("body", [b"", b"{}", b"[1, [], null]", b"\xff"])
def test_whatever_else_is_signed_tells_nothing(double: Double, body: bytes) -> None:
    assert provider(Line(double)).receipts(callback(double.sign(body))) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"timestamp": "1778241601"},
        {"timestamp": ""},
        {"timestamp": "é"},
        {"signature": ""},
        {"signature": "é"},
        {"signature": "AAAA"},
    ],
)
def test_nothing_that_is_signed_can_be_altered(double: Double, headers: dict[str, str]) -> None:
    [call] = double.report(LETTER, "undelivered")
    changed = {f"x-twilio-email-event-webhook-{name}": text for name, text in headers.items()}
    with pytest.raises(Foreign):
        provider(Line(double)).receipts(callback(call, headers=dict(call.headers) | changed))


def test_another_body_or_another_key_is_foreign(double: Double) -> None:
    [call] = double.report(LETTER, "undelivered")
    theirs = double.sign(call.body, ec.generate_private_key(ec.SECP256R1()))
    altered = json.dumps(json.loads(call.body), indent=1).encode()
    sendgrid = provider(Line(double))
    for foreign in (callback(call, body=altered), callback(theirs)):
        with pytest.raises(Foreign, match="altered"):
            sendgrid.receipts(foreign)


@pytest.mark.parametrize("late", [LIVES + 1, -LIVES - 1])
def test_an_old_webhook_is_not_believed(double: Double, late: int) -> None:
    [call] = double.report(LETTER, "delivered")
    with pytest.raises(Foreign, match="too long ago"):
        provider(Line(double)).receipts(callback(call, NOON + late))


def test_where_no_key_is_set_nothing_is_believed(double: Double) -> None:
    [call] = double.report(LETTER, "delivered")
    with pytest.raises(Foreign, match="no verification_key"):
        provider(Line(double), verification_key="").receipts(callback(call))


# ── options ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"from": "Acme"}, "sender"),
        ({"region": "mars"}, "region"),
        ({"verification_key": "é"}, "verification_key"),
        ({"verification_key": "AAAA"}, "verification_key"),
        ({"url": "sendgrid"}, "url"),
    ],
)
def test_options_that_make_no_route_are_named(
    double: Double, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(BadOptions, match=words):
        provider(Line(double), **changes)
