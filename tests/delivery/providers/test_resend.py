"""E-mail by Resend, and its webhooks."""

from __future__ import annotations

from typing import Any

import pytest
from tests.laboratory.resend import KEY, OPTIONS, SECRET
from tests.laboratory.resend import Resend as Double
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
from doorcode.delivery.providers.resend import LIVES, Resend

from ..conftest import LetterMaker
from .line import NOON, Line, callback

LETTER = Letters("49a3999c", "ada@example.com", "")


@pytest.fixture
def double() -> Double:
    return Double()


def provider(line: Line, **changes: Any) -> Resend:
    made = make("email", OPTIONS | changes, line.transport)
    assert isinstance(made, Resend)
    return made


# ── sending ───────────────────────────────────────────────────────────────────────────
async def test_a_letter_is_sent_as_documented(double: Double, letter: LetterMaker) -> None:
    line, mail = Line(double), letter()
    assert await provider(line, reply_to="help@example.com").send(mail) == Taken(
        double.taken[0].ref
    )
    assert line.asked == ["https://api.resend.com/emails"]
    assert double.letters == [
        {
            "from": "Acme <no-reply@example.com>",
            "to": ["ada@example.com"],
            "reply_to": "help@example.com",
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
        }
    ]


async def test_a_letter_that_is_handed_over_twice_goes_once(
    double: Double, letter: LetterMaker
) -> None:
    resend = provider(Line(double))
    first, second = await resend.send(letter()), await resend.send(letter())
    assert first == second
    assert len(double.taken) == 1


@pytest.mark.parametrize("to", ["ada@example.com, eve@example.com", "büch@example.com", ""])
async def test_one_letter_goes_to_one_mailbox(double: Double, letter: LetterMaker, to: str) -> None:
    with pytest.raises(Never):
        await provider(Line(double)).send(letter(to=to))
    assert double.letters == []


@pytest.mark.parametrize(
    ("answer", "sort", "words"),
    [
        ((401, "missing_api_key", ""), TryAnother, "api_key"),
        ((403, "invalid_api_key", ""), TryAnother, "api_key"),
        ((401, "restricted_api_key", ""), TryAnother, "api_key"),
        ((403, "validation_error", "The domain is not verified."), TryAnother, "verify its domain"),
        ((422, "validation_error", "Invalid `to` field."), Never, "this address"),
        ((422, "invalid_from_address", ""), TryAnother, "check from"),
        ((429, "daily_quota_exceeded", ""), TryAnother, "larger plan"),
        ((429, "monthly_quota_exceeded", ""), TryAnother, "larger plan"),
        ((429, "rate_limit_exceeded", ""), TryLater, "too often"),
        ((409, "concurrent_idempotent_requests", ""), TryLater, "under way"),
        ((409, "invalid_idempotent_request", ""), TryAnother, "within a day"),
        ((500, "internal_server_error", ""), TryLater, "trouble of its own"),
        ((503, "unheard", ""), TryLater, "answered 503"),
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
    assert caught.value.code == answer[1]
    assert not {KEY, SECRET, "ada@example.com"} & set(caught.value.why.split())


# ── receipts ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("state", "code", "expected", "suppress", "words"),
    [
        ("sent", "", State.ACCEPTED, False, ""),
        ("delivered", "", State.DELIVERED, False, ""),
        ("delivery_delayed", "", State.ACCEPTED, False, "tries again"),
        ("complained", "", State.DELIVERED, True, "spam"),
        ("suppressed", "", State.UNDELIVERED, True, "take it off"),
        ("undelivered", "Permanent", State.UNDELIVERED, True, "does not exist"),
        ("undelivered", "Transient", State.UNDELIVERED, False, "full"),
        ("undelivered", "Undetermined", State.UNDELIVERED, False, "did not say"),
        ("failed", "reached_daily_quota", State.FAILED, False, "larger plan"),
        ("failed", "ada@example.com", State.FAILED, False, "could not send"),
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
    assert LETTER.to not in f"{receipt.why}{receipt.code}"


@pytest.mark.parametrize(
    "told", [{"type": "email.opened", "data": {"email_id": "x"}}, {"type": "email.sent"}]
)
def test_what_tells_nothing_of_a_letter_is_passed_over(double: Double, told: Any) -> None:
    assert provider(Line(double)).receipts(callback(double.call(told))) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff"])
def test_whatever_else_is_signed_tells_nothing(double: Double, body: bytes) -> None:
    assert provider(Line(double)).receipts(callback(double.sign(body))) == []


def test_one_of_two_signatures_is_enough_while_a_secret_is_changed(double: Double) -> None:
    [call] = double.report(LETTER, "delivered")
    both = {"svix-signature": f"v1,AAAA v2,BBBB {call.headers['svix-signature']}"}
    headers = dict(call.headers) | both
    assert len(provider(Line(double)).receipts(callback(call, headers=headers))) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"svix-id": "msg_2"},
        {"svix-timestamp": "1778241601"},
        {"svix-timestamp": ""},
        {"svix-timestamp": "é"},
        {"svix-timestamp": "9" * 5000},
        {"svix-signature": ""},
        {"svix-signature": "v1,é"},
    ],
)
def test_nothing_that_is_signed_can_be_altered(double: Double, headers: dict[str, str]) -> None:
    [call] = double.report(LETTER, "undelivered")
    with pytest.raises(Foreign) as caught:
        provider(Line(double)).receipts(callback(call, headers=dict(call.headers) | headers))
    assert SECRET not in str(caught.value)


def test_another_body_or_another_secret_is_foreign(double: Double) -> None:
    [call] = double.report(LETTER, "undelivered")
    theirs = double.sign(call.body, "whsec_" + "QUFB" * 8)
    resend = provider(Line(double))
    for altered in (callback(call, body=call.body + b" "), callback(theirs)):
        with pytest.raises(Foreign, match="altered"):
            resend.receipts(altered)


@pytest.mark.parametrize("late", [LIVES + 1, -LIVES - 1])
def test_an_old_webhook_is_not_believed(double: Double, late: int) -> None:
    [call] = double.report(LETTER, "delivered")
    with pytest.raises(Foreign, match="too long ago"):
        provider(Line(double)).receipts(callback(call, NOON + late))


def test_where_no_secret_is_set_nothing_is_believed(double: Double) -> None:
    [call] = double.report(LETTER, "delivered")
    with pytest.raises(Foreign, match="no webhook_secret"):
        provider(Line(double), webhook_secret="").receipts(callback(call))


# ── options ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"from": "Acme"}, "sender"),
        ({"webhook_secret": "QUFB" * 8}, "whsec_"),
        ({"webhook_secret": "whsec_é"}, "whsec_"),
        ({"webhook_secret": "whsec_QUFB"}, "whsec_"),
        ({"url": "resend"}, "url"),
    ],
)
def test_options_that_make_no_route_are_named(
    double: Double, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(BadOptions, match=words):
        provider(Line(double), **changes)
