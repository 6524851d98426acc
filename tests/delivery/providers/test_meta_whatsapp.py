"""Codes by WhatsApp's Cloud API, and its webhooks, against a double that checks as it does."""

from __future__ import annotations

from typing import Any

import pytest
from tests.laboratory.meta_whatsapp import AT, NUMBER, OPTIONS, SECRET, TOKEN, VERIFY_TOKEN
from tests.laboratory.meta_whatsapp import MetaWhatsapp as Double
from tests.laboratory.wire import Call
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
    TryElsewhere,
    TryLater,
)
from doorcode.delivery.providers.meta_whatsapp import MetaWhatsapp
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.registry import make
from doorcode.delivery.routing import Route, Routing
from doorcode.domain.limits import SECOND

from ..conftest import CODE, LetterMaker
from .line import Line, callback

PHONE = "+4915112345678"
LETTER = Letters("wamid.HBgL", PHONE, CODE)
URL = "https://auth.example.com/v1/receipts/meta_whatsapp"


@pytest.fixture
def double() -> Double:
    return Double()


@pytest.fixture
def message(letter: LetterMaker) -> Letter:
    return letter(channel="whatsapp", to=PHONE, subject="", html="")


def provider(line: Line, **changes: Any) -> MetaWhatsapp:
    made = make("whatsapp", OPTIONS | changes, line.transport)
    assert isinstance(made, MetaWhatsapp)
    return made


# ── sending ───────────────────────────────────────────────────────────────────────────
async def test_a_code_is_sent_in_a_template_as_documented(double: Double, message: Letter) -> None:
    line = Line(double)
    meta = provider(line, language="de", version="v23.0")
    assert await meta.send(message) == Taken(double.taken[0].ref)
    assert line.asked == [f"https://graph.facebook.com/v23.0/{NUMBER}/messages"]
    parameters = [{"type": "text", "text": CODE}]
    button = {"type": "button", "sub_type": "url", "index": "0", "parameters": parameters}
    assert double.messages == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": PHONE,
            "type": "template",
            "template": {
                "name": "login_code",
                "language": {"code": "de"},
                "components": [{"type": "body", "parameters": parameters}, button],
            },
        }
    ]


@pytest.mark.parametrize("code", ["", "1" * 16])
async def test_what_is_no_code_goes_another_way(
    double: Double, letter: LetterMaker, code: str
) -> None:
    with pytest.raises(TryElsewhere, match="code"):
        await provider(Line(double)).send(letter(channel="whatsapp", to=PHONE, code=code))
    assert double.messages == []


@pytest.mark.parametrize(
    ("answer", "sort", "words"),
    [
        ((401, 190, ""), TryAnother, "system user"),
        ((403, 10, ""), TryAnother, "whatsapp_business_messaging"),
        ((403, 294, ""), TryAnother, "whatsapp_business_messaging"),
        ((400, 100, ""), TryAnother, "phone_number_id"),
        ((403, 368, ""), TryAnother, "policy"),
        ((403, 131031, ""), TryAnother, "locked"),
        ((400, 131042, ""), TryAnother, "payment method"),
        ((400, 131048, ""), TryAnother, "quality"),
        ((404, 132001, ""), TryAnother, "no such template"),
        ((400, 132015, ""), TryAnother, "paused"),
        ((400, 133010, ""), TryAnother, "register it"),
        ((400, 131026, ""), TryElsewhere, "does not use WhatsApp"),
        ((400, 131047, ""), TryElsewhere, "template"),
        ((400, 131049, ""), TryElsewhere, "no more to this person"),
        ((400, 131056, ""), TryElsewhere, "too many messages to this number"),
        ((400, 131030, ""), TryElsewhere, "add it"),
        ((400, 131021, ""), Never, "sender's own"),
        ((429, 130429, ""), TryLater, "throughput"),
        ((400, 80007, ""), TryLater, "throughput"),
        ((500, 131000, ""), TryLater, "trouble of its own"),
        ((503, 2, ""), TryLater, "trouble of its own"),
        ((500, 999999, ""), TryLater, "answered 500"),
        ((400, 999999, ""), Never, "answered 400"),
    ],
)
async def test_each_refusal_says_what_to_do_and_how_to_mend_it(
    double: Double,
    message: Letter,
    answer: tuple[int, int, str],
    sort: type[NotSent],
    words: str,
) -> None:
    double.refuse_with = answer
    with pytest.raises(NotSent) as caught:
        await provider(Line(double)).send(message)
    assert type(caught.value) is sort
    assert words in caught.value.why
    assert caught.value.code == ("200" if answer[1] == 294 else str(answer[1]))
    assert not {PHONE, CODE, TOKEN, SECRET, VERIFY_TOKEN} & set(caught.value.why.split())


async def test_numbers_without_whatsapp_do_not_close_the_route(
    double: Double, message: Letter
) -> None:
    route = Route("meta_whatsapp", "whatsapp", provider(Line(double)))
    routing = Routing({"whatsapp": [route]})
    double.refuse_with = (400, 131026, "")
    for _ in range(10):
        with pytest.raises(TryElsewhere) as caught:
            await route.provider.send(message)
        assert routing.note(route, caught.value, AT) is False


@pytest.mark.parametrize(
    ("changes", "code"), [({"language": "fr"}, "132001"), ({"access_token": "x"}, "190")]
)
async def test_a_wrong_setting_is_refused_by_the_double_itself(
    double: Double, message: Letter, changes: dict[str, str], code: str
) -> None:
    with pytest.raises(TryAnother) as caught:
        await provider(Line(double), **changes).send(message)
    assert caught.value.code == code


# ── receipts ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("state", "code", "expected", "words"),
    [
        ("sent", "", State.SENT, ""),
        ("delivered", "", State.DELIVERED, ""),
        ("read", "", State.DELIVERED, ""),
        ("failed", "131026", State.UNDELIVERED, "does not use WhatsApp"),
        ("failed", "131049", State.UNDELIVERED, "for now"),
        ("failed", "131042", State.FAILED, "payment method"),
        ("failed", "999999", State.FAILED, "did not deliver"),
    ],
)
def test_a_webhook_tells_what_became_of_the_message(
    double: Double, state: str, code: str, expected: State, words: str
) -> None:
    [call] = double.report(LETTER, state, code)
    [receipt] = provider(Line(double)).receipts(callback(call))
    assert (receipt.ref, receipt.state, receipt.code) == (LETTER.ref, expected, code)
    assert receipt.at == AT * SECOND
    assert words in receipt.why
    assert not receipt.suppress


def test_one_webhook_may_tell_of_several(double: Double) -> None:
    call = double.call([{"id": f"wamid.{n}", "status": "sent", "timestamp": "1"} for n in (1, 2)])
    receipts = provider(Line(double)).receipts(callback(call))
    assert [receipt.ref for receipt in receipts] == ["wamid.1", "wamid.2"]


def test_what_another_number_of_the_app_sent_is_passed_over(double: Double) -> None:
    call = double.call([{"id": "wamid.1", "status": "sent"}], number="999999999999999")
    assert provider(Line(double)).receipts(callback(call)) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"entry": 1}',
        b'{"entry": [1, {"changes": [1, {"value": []}]}]}',
        b"[" * 50_000,
    ],
)
def test_whatever_else_is_signed_tells_nothing(double: Double, body: bytes) -> None:
    assert provider(Line(double)).receipts(callback(double.sign(body))) == []


@pytest.mark.parametrize(
    "status",
    [1, {"id": "wamid.1", "status": "deleted"}, {"status": "sent"}, {"id": [], "status": 1}],
)
def test_what_tells_nothing_of_a_message_is_passed_over(double: Double, status: Any) -> None:
    assert provider(Line(double)).receipts(callback(double.call([status]))) == []


@pytest.mark.parametrize("what", ["altered", "unsigned", "by another secret", "sha1", "no letters"])
def test_without_the_apps_signature_nothing_is_believed(double: Double, what: str) -> None:
    [call] = double.report(LETTER, "failed", "131026")
    body, headers = call.body, dict(call.headers)
    if what == "altered":
        body = body.replace(b"131026", b"131042")
    elif what == "unsigned":
        del headers["x-hub-signature-256"]
    elif what == "by another secret":
        headers = dict(double.sign(body, "another-secret").headers)
    elif what == "sha1":
        headers["x-hub-signature-256"] = headers["x-hub-signature-256"].replace("256", "1")
    else:
        headers["x-hub-signature-256"] = "é"
    with pytest.raises(Foreign, match="signature") as caught:
        provider(Line(double)).receipts(callback(call, headers=headers, body=body))
    assert SECRET not in str(caught.value)


def test_where_no_app_secret_is_set_nothing_is_believed(double: Double) -> None:
    call = double.sign(b"{}", "")
    with pytest.raises(Foreign, match="no app_secret"):
        provider(Line(double), app_secret="").receipts(callback(call))


# ── the handshake ─────────────────────────────────────────────────────────────────────
def handshake(**changes: str) -> Call:
    asked = {
        "hub.mode": "subscribe",
        "hub.verify_token": VERIFY_TOKEN,
        "hub.challenge": "1158201444",
    } | {name.replace("_", ".", 1): value for name, value in changes.items()}
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return Call("GET", f"{URL}?{query}", {}, b"")


async def test_metas_challenge_is_said_again(double: Double) -> None:
    assert await provider(Line(double)).greet(callback(handshake())) == b"1158201444"


async def test_a_webhook_is_no_greeting(double: Double) -> None:
    [call] = double.report(LETTER, "sent")
    assert await provider(Line(double)).greet(callback(call)) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hub_verify_token": "wrong"}, "verify_token"),
        ({"hub_verify_token": ""}, "verify_token"),
        ({"hub_verify_token": "%C3%A9"}, "verify_token"),
        ({"hub_mode": "unsubscribe"}, "verification"),
        ({"hub_challenge": ""}, "verification"),
        ({"hub_challenge": "<script>alert(1)</script>"}, "verification"),
    ],
)
async def test_nobody_elses_challenge_is_said_again(
    double: Double, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(Foreign, match=words):
        await provider(Line(double)).greet(callback(handshake(**changes)))


async def test_where_no_verify_token_is_set_none_is_right(double: Double) -> None:
    with pytest.raises(Foreign, match="no verify_token"):
        meta = provider(Line(double), verify_token="")
        await meta.greet(callback(handshake(hub_verify_token="")))


# ── options ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phone_number_id": "+15550100"}, "phone_number_id"),
        ({"phone_number_id": "1/../2"}, "phone_number_id"),
        ({"version": "latest"}, "version"),
        ({"language": "English"}, "language"),
        ({"url": "graph"}, "url"),
    ],
)
def test_options_that_make_no_route_are_named(
    double: Double, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(BadOptions, match=words):
        provider(Line(double), **changes)


def test_it_reports_and_greets(double: Double) -> None:
    assert isinstance(provider(Line(double)), Reporter)
    assert isinstance(provider(Line(double)), Greeter)
