"""E-mail by Postmark, and its webhooks, against a double that checks as its pages say."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.laboratory.postmark import OPTIONS, SECRET, TOKEN
from tests.laboratory.postmark import Postmark as Double
from tests.laboratory.wire import Call, Reply
from tests.laboratory.wire import Taken as Letters

from doorcode.delivery.interface import (
    Foreign,
    Greeter,
    Letter,
    Never,
    NotSent,
    Reporter,
    State,
    Taken,
    TryAnother,
    TryLater,
)
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.postmark import Postmark
from doorcode.delivery.providers.registry import make

from ..conftest import LetterMaker
from .line import NOON, Line, callback

LETTER = Letters("883953f4", "ada@example.com", "")


@pytest.fixture
def double() -> Double:
    return Double()


def provider(line: Line, **changes: Any) -> Postmark:
    made = make("email", OPTIONS | changes, line.transport)
    assert isinstance(made, Postmark)
    return made


# ── sending ───────────────────────────────────────────────────────────────────────────
async def test_a_letter_is_sent_as_documented(double: Double, letter: LetterMaker) -> None:
    line, mail = Line(double), letter()
    postmark = provider(line, reply_to="help@example.com", message_stream="codes")
    assert await postmark.send(mail) == Taken(double.taken[0].ref)
    assert line.asked == ["https://api.postmarkapp.com/email"]
    assert double.letters == [
        {
            "From": "Acme <no-reply@example.com>",
            "ReplyTo": "help@example.com",
            "To": "ada@example.com",
            "Subject": mail.subject,
            "TextBody": mail.text,
            "HtmlBody": mail.html,
            "MessageStream": "codes",
            "TrackOpens": False,
            "TrackLinks": "None",
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
        ((401, 10, ""), TryAnother, "server_token"),
        ((503, 100, ""), TryLater, "maintained"),
        ((422, 300, "Error parsing 'To': Illegal email address"), Never, "this address"),
        ((422, 300, "Invalid 'From' address: 'x'."), TryAnother, "check from"),
        ((422, 400, ""), TryAnother, "confirm its address"),
        ((422, 401, ""), TryAnother, "confirm its address"),
        ((422, 403, ""), TryAnother, "url"),
        ((422, 405, ""), TryAnother, "credit"),
        ((422, 406, "inactive: ada@example.com"), Never, "reactivate"),
        ((422, 412, ""), TryAnother, "approval"),
        ((422, 413, ""), TryAnother, "support"),
        ((429, 429, ""), TryLater, "too often"),
        ((500, 500, ""), TryLater, "trouble of its own"),
        ((422, 1235, ""), TryAnother, "message_stream"),
        ((200, 406, ""), Never, "reactivate"),
        ((422, 9999, ""), Never, "answered 422"),
    ],
)
async def test_each_refusal_says_what_to_do_and_how_to_mend_it(
    double: Double,
    letter: LetterMaker,
    answer: tuple[int, int, str],
    sort: type[NotSent],
    words: str,
) -> None:
    mail: Letter = letter()
    double.refuse_with = answer
    with pytest.raises(NotSent) as caught:
        await provider(Line(double)).send(mail)
    assert type(caught.value) is sort
    assert words in caught.value.why
    assert caught.value.code == str(answer[1])
    assert not {mail.to, mail.code, TOKEN, SECRET} & set(caught.value.why.split())


async def test_a_page_in_the_place_of_an_answer_is_no_refusal(
    double: Double, letter: LetterMaker
) -> None:
    double.handle = lambda _: Reply(200, b"<!doctype html>")  # type: ignore[method-assign]
    assert await provider(Line(double)).send(letter()) == Taken("")


async def test_a_mailbox_that_bounced_before_is_left_alone(
    double: Double, letter: LetterMaker
) -> None:
    double.inactive.add("ada@example.com")
    with pytest.raises(Never, match="reactivate"):
        await provider(Line(double)).send(letter())


# ── receipts ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("state", "code", "expected", "suppress", "words"),
    [
        ("delivered", "", State.DELIVERED, False, ""),
        ("complained", "", State.DELIVERED, True, "spam"),
        ("undelivered", "HardBounce", State.UNDELIVERED, True, "does not exist"),
        ("undelivered", "BadEmailAddress", State.UNDELIVERED, True, "no e-mail address"),
        ("undelivered", "ManuallyDeactivated", State.UNDELIVERED, True, "reactivate"),
        ("undelivered", "SoftBounce", State.UNDELIVERED, False, "full"),
        ("undelivered", "DnsError", State.UNDELIVERED, False, "spelt"),
        ("undelivered", "SpamNotification", State.UNDELIVERED, False, "DKIM"),
        ("undelivered", "Blocked", State.UNDELIVERED, False, "DMARC"),
        ("undelivered", "Transient", State.ACCEPTED, False, "tries again"),
        ("undelivered", "Unheard", State.UNDELIVERED, False, "refused the letter"),
    ],
)
def test_a_webhook_tells_what_became_of_the_letter(
    double: Double, state: str, code: str, expected: State, suppress: bool, words: str
) -> None:
    [call] = double.report(LETTER, state, code)
    [receipt] = provider(Line(double)).receipts(callback(call))
    assert (receipt.ref, receipt.state, receipt.suppress) == (LETTER.ref, expected, suppress)
    assert receipt.at == NOON + 123
    assert words in receipt.why
    assert LETTER.to not in receipt.why
    assert receipt.code == code or not code


@pytest.mark.parametrize(("is_off", "told"), [(True, 1), (False, 0)])
def test_a_mailbox_that_is_switched_off_is_suppressed(
    double: Double, is_off: bool, told: int
) -> None:
    change = {
        "RecordType": "SubscriptionChange",
        "SuppressSending": is_off,
        "SuppressionReason": "ManualSuppression",
        "ChangedAt": "2026-05-08T12:00:00Z",
    }
    receipts = provider(Line(double)).receipts(callback(double.call(change, LETTER)))
    assert [(one.state, one.suppress) for one in receipts] == [(State.ACCEPTED, True)] * told


def test_a_mailbox_that_postmark_gave_up_is_suppressed_whatever_the_bounce(double: Double) -> None:
    bounce = {"RecordType": "Bounce", "Type": "SoftBounce", "Inactive": True}
    [receipt] = provider(Line(double)).receipts(callback(double.call(bounce, LETTER)))
    assert receipt.suppress


@pytest.mark.parametrize(
    "told",
    [
        {"RecordType": "Open"},
        {"RecordType": "Bounce", "Type": "AutoResponder"},
        {"RecordType": "Delivery", "MessageID": None},
        {},
    ],
)
def test_what_tells_nothing_of_a_letter_is_passed_over(
    double: Double, told: dict[str, Any]
) -> None:
    assert provider(Line(double)).receipts(callback(double.call(told, LETTER))) == []


@pytest.mark.parametrize("body", [b"", b"[1]", b"\xff", b"null"])
def test_whatever_else_comes_with_the_secret_tells_nothing(double: Double, body: bytes) -> None:
    [call] = double.report(LETTER, "delivered")
    assert provider(Line(double)).receipts(callback(call, body=body)) == []


def test_the_secret_may_come_in_a_header(double: Double) -> None:
    [call] = double.report(LETTER, "delivered")
    headers = {"x-webhook-secret": SECRET}
    assert len(provider(Line(double)).receipts(callback(call, headers=headers))) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Basic"},
        {"authorization": "Basic é"},
        {"authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()},
        {"authorization": "Basic " + base64.b64encode(b"postmark:wrong-secret").decode()},
        {"authorization": f"Bearer {SECRET}"},
        {"x-webhook-secret": SECRET[:-1]},
        {"x-webhook-secret": "é"},
    ],
)
def test_without_the_secret_nothing_is_believed(double: Double, headers: dict[str, str]) -> None:
    [call] = double.report(LETTER, "undelivered")
    with pytest.raises(Foreign, match="webhook_secret") as caught:
        provider(Line(double)).receipts(callback(call, headers=headers))
    assert SECRET not in str(caught.value)


def test_where_no_secret_is_set_nothing_is_believed(double: Double) -> None:
    call = Call("POST", "", {"authorization": "Basic Og=="}, json.dumps({}).encode())
    with pytest.raises(Foreign, match="no webhook_secret"):
        provider(Line(double), webhook_secret="").receipts(callback(call))


def test_a_receipt_that_comes_twice_says_the_same(double: Double) -> None:
    [call] = double.report(LETTER, "delivered")
    postmark = provider(Line(double))
    assert postmark.receipts(callback(call)) == postmark.receipts(callback(call, NOON * 2))


# ── options ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"from": "Acme"}, "sender"),
        ({"webhook_secret": "short"}, "webhook_secret is short"),
        ({"url": "postmark"}, "url"),
        ({"token": "x"}, "token"),
    ],
)
def test_options_that_make_no_route_are_named(
    double: Double, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(BadOptions, match=words):
        provider(Line(double), **changes)


def test_it_reports_and_needs_no_greeting(double: Double) -> None:
    assert isinstance(provider(Line(double)), Reporter)
    assert not isinstance(provider(Line(double)), Greeter)
