"""Vonage: the request as its pages have it, what each code means, receipts with real signatures."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.laboratory.server import Laboratory
from tests.laboratory.vonage import (
    API_KEY,
    API_SECRET,
    APPLICATION,
    PRIVATE_KEY,
    SENDER,
    SIGNATURE_SECRET,
    TEMPLATE,
    VonageDouble,
    signed,
)
from tests.laboratory.wire import Call, Taken

from doorcode.delivery.interface import (
    Foreign,
    Letter,
    Never,
    NotSent,
    Receipt,
    State,
    TryAnother,
    TryElsewhere,
    TryLater,
)
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.transport import Transport
from doorcode.delivery.providers.vonage import Vonage

from .contract import CODE, NOON, RECEIPTS_URL, TO, heard, refused
from .contract import lab as lab
from .contract import transport as transport
from .test_twilio import Recorder, letter

DIGITS = TO.removeprefix("+")
NOW = NOON // 1000
REF = "aaaaaaaa-bbbb-4ccc-8ddd-000000000001"
OPTIONS = {
    "api_key": API_KEY,
    "api_secret": API_SECRET,
    "signature_secret": SIGNATURE_SECRET,
    "from": "Acme",
}
WITH_KEY = {
    "application_id": APPLICATION,
    "private_key": PRIVATE_KEY,
    "from": "Acme",
    "signature_secret": SIGNATURE_SECRET,
}


def vonage(url: str, transport: Transport, **options: Any) -> Vonage:
    return Vonage(OPTIONS | {"url": url} | options, transport)


async def body_of(lab: Laboratory, transport: Transport, of: Letter, **options: Any) -> Any:
    double = VonageDouble()
    await vonage(lab.mount("/vonage", double), transport, **options).send(of)
    return double.bodies[0]


# ── the request ───────────────────────────────────────────────────────────────────────
async def test_a_text_goes_as_the_messages_api_wants_it(
    lab: Laboratory, transport: Transport
) -> None:
    assert await body_of(lab, transport, letter()) == {
        "channel": "sms",
        "message_type": "text",
        "to": DIGITS,
        "from": "Acme",
        "text": f"Your Acme code is {CODE}.",
        "client_ref": "msg_1",
        "ttl": 1800,
        "webhook_url": RECEIPTS_URL,
        "webhook_version": "v1",
    }
    assert lab.requests[0].target == "/vonage/v1/messages"


async def test_a_number_of_ours_is_written_without_its_plus(
    lab: Laboratory, transport: Transport
) -> None:
    assert (await body_of(lab, transport, letter(), **{"from": f"+{SENDER}"}))["from"] == SENDER


async def test_nobody_is_told_where_no_receipt_could_be_believed(
    lab: Laboratory, transport: Transport
) -> None:
    assert "webhook_url" not in await body_of(lab, transport, letter(), signature_secret="")
    assert "webhook_url" not in await body_of(lab, transport, letter(callback_url=""))


async def test_a_code_goes_to_whatsapp_in_a_template(lab: Laboratory, transport: Transport) -> None:
    options = {"from": SENDER, "template": TEMPLATE, "locale": "de"}
    body = await body_of(lab, transport, letter(channel="whatsapp"), **options)
    assert (body["channel"], body["message_type"]) == ("whatsapp", "custom")
    template = body["custom"]["template"]
    assert (template["name"], template["language"]["code"]) == (TEMPLATE, "de")
    filled = [part["parameters"][0]["text"] for part in template["components"]]
    assert filled == [CODE, CODE]  # in the words, and behind the button
    assert "text" not in body and "ttl" not in body


async def test_whatsapp_without_a_template_gets_the_words(
    lab: Laboratory, transport: Transport
) -> None:
    body = await body_of(lab, transport, letter(channel="whatsapp"))
    assert (body["message_type"], body["text"]) == ("text", f"Your Acme code is {CODE}.")
    assert "ttl" not in body


async def test_a_letter_without_a_code_takes_no_template(
    lab: Laboratory, transport: Transport
) -> None:
    of = letter(channel="whatsapp", code="", text="A link")
    body = await body_of(lab, transport, of, template=TEMPLATE)
    assert (body["message_type"], body["text"]) == ("text", "A link")


async def test_an_application_signs_each_request_anew(
    lab: Laboratory, transport: Transport
) -> None:
    double = VonageDouble()
    sender = Vonage(WITH_KEY | {"url": lab.mount("/vonage", double)}, transport)
    await sender.send(letter(at=NOON))
    await sender.send(letter(at=NOON + 1))
    tokens = [request.headers["authorization"] for request in lab.requests]
    claims = [json.loads(base64.urlsafe_b64decode(one.split(".")[1] + "==")) for one in tokens]
    assert [one["jti"] for one in claims] == [f"msg_1.{NOON}", f"msg_1.{NOON + 1}"]
    assert (claims[0]["iat"], claims[0]["exp"]) == (NOW, NOW + 900)


async def test_a_clock_that_is_wrong_makes_no_token(lab: Laboratory, transport: Transport) -> None:
    url = lab.mount("/vonage", VonageDouble(now=NOW + 3600))
    refusal = await refused(Vonage(WITH_KEY | {"url": url}, transport), letter(at=NOON))
    assert type(refusal) is TryAnother


def test_a_key_that_is_not_rsa_is_refused() -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(BadOptions, match="no RSA key"):
        Vonage(WITH_KEY | {"private_key": pem.decode()}, Recorder())


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("", "api.nexmo.com"),
        ("us", "api-us.vonage.com"),
        ("eu", "api-eu.vonage.com"),
        ("ap", "api-ap.vonage.com"),
    ],
)
async def test_a_region_has_its_host(region: str, host: str) -> None:
    recorder = Recorder(202)
    await Vonage(OPTIONS | {"region": region}, recorder).send(letter())
    assert recorder.url == f"https://{host}/v1/messages"


# ── the answer ────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("status", "code", "sort", "word"),
    [
        (402, "low-balance", TryAnother, "top it up"),
        (403, "forbidden", TryAnother, "dashboard"),
        (403, "account-suspended", TryAnother, "suspended"),
        (429, "1000", TryLater, "too many"),
        (422, "1022", TryAnother, "template"),
        (500, "1030", TryLater, "trouble"),
        (422, "1040", Never, "no network"),
        (422, "1050", Never, "list"),
        (403, "1060", TryAnother, "barred"),
        (402, "1070", TryAnother, "top it up"),
        (422, "1120", TryElsewhere, "check from"),
        (422, "1150", TryAnother, "check from"),
        (422, "1160", TryElsewhere, "trial"),
        (422, "1170", Never, "no phone number"),
        (422, "1240", Never, "STOP"),
        (422, "1250", TryElsewhere, "no way"),
        (422, "1300", TryElsewhere, "not on WhatsApp"),
        (422, "1340", TryAnother, "template"),
        (422, "9999", Never, "Vonage answered 422"),
        (500, "internal-error", TryLater, "Vonage answered 500"),
    ],
)
async def test_each_code_says_whether_to_go_on_and_the_mend(
    status: int,
    code: str,
    sort: type[NotSent],
    word: str,
    lab: Laboratory,
    transport: Transport,
) -> None:
    url = lab.mount("/vonage", VonageDouble({DIGITS: (status, code)}))
    refusal = await refused(vonage(url, transport), letter())
    assert (type(refusal), refusal.code, refusal.maybe) == (sort, code, False)
    assert word in refusal.why


async def test_a_field_that_is_refused_is_ours_unless_it_is_the_number(
    lab: Laboratory, transport: Transport
) -> None:
    sender = vonage(lab.mount("/vonage", VonageDouble()), transport)
    assert type(await refused(sender, letter(to="+447"))) is Never
    assert type(await refused(sender, letter(text="x" * 1001))) is TryAnother
    assert type(await refused(sender, letter(to="+447", text=""))) is TryAnother


async def test_a_sender_that_is_not_ours_is_refused(lab: Laboratory, transport: Transport) -> None:
    sender = vonage(lab.mount("/vonage", VonageDouble()), transport, **{"from": "Evil"})
    refusal = await refused(sender, letter())
    assert (refusal.code, "check from" in refusal.why) == ("1120", True)


# ── receipts ──────────────────────────────────────────────────────────────────────────
def told(**more: Any) -> dict[str, Any]:
    body = {"message_uuid": REF, "status": "delivered", "timestamp": "2027-01-15T08:00:00Z"}
    return body | more


def receipts(call: Call, **changes: Any) -> list[Receipt]:
    return Vonage(OPTIONS, Recorder()).receipts(heard(call, **changes))


def reported(state: str, code: str = "") -> Call:
    [call] = VonageDouble().report(Taken(REF, DIGITS, "", RECEIPTS_URL), state, code)
    return call


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("submitted", State.SENT),
        ("delivered", State.DELIVERED),
        ("read", State.DELIVERED),
        ("rejected", State.UNDELIVERED),
        ("undeliverable", State.FAILED),
    ],
)
def test_each_status_is_a_state(status: str, state: State) -> None:
    assert receipts(reported(status)) == [Receipt(REF, state, NOON)]


@pytest.mark.parametrize(
    ("code", "word"),
    [("1180", "switched off"), ("1210", "spam"), ("1240", "STOP"), ("1999", "code 1999")],
)
def test_a_receipt_says_why_in_words(code: str, word: str) -> None:
    [receipt] = receipts(reported("rejected", code))
    assert (receipt.state, receipt.code) == (State.UNDELIVERED, code)
    assert word in receipt.why


def test_what_outlived_its_ttl_has_expired() -> None:
    assert receipts(reported("rejected", "1360"))[0].state is State.EXPIRED


def test_a_price_is_told_in_dollars_only() -> None:
    assert receipts(reported("delivered"))[0].price is None  # it was in euros
    body = told(usage={"currency": "USD", "price": "0.0069"})
    assert receipts(signed(RECEIPTS_URL, body, NOW))[0].price == 6900


@pytest.mark.parametrize(
    "body",
    [
        told(status="accepted by nobody"),
        told(status=None),
        told(message_uuid=7.5),
        {"from": DIGITS, "text": "STOP", "message_uuid": REF},
    ],
)
def test_what_tells_of_no_letter_is_no_receipt(body: dict[str, Any]) -> None:
    assert receipts(signed(RECEIPTS_URL, body, NOW)) == []


@pytest.mark.parametrize("error", [None, "x", [], {"title": "Your code is 731904", "type": [7]}])
def test_an_error_of_any_shape_is_no_trouble(error: Any) -> None:
    [receipt] = receipts(signed(RECEIPTS_URL, told(status="rejected", error=error), NOW))
    assert (receipt.state, receipt.code, receipt.why) == (State.UNDELIVERED, "", "")


def test_another_secret_signs_nothing_here() -> None:
    with pytest.raises(Foreign, match="signature secret"):
        receipts(signed(RECEIPTS_URL, told(), NOW, secret="another"))


def test_a_token_signs_one_body() -> None:
    call = signed(RECEIPTS_URL, told(status="rejected"), NOW)
    other = signed(RECEIPTS_URL, told(), NOW)
    with pytest.raises(Foreign, match="body"):
        receipts(Call("POST", RECEIPTS_URL, call.headers, other.body))
    with pytest.raises(Foreign, match="body"):
        receipts(signed(RECEIPTS_URL, told(), NOW, payload_hash=None))


@pytest.mark.parametrize("algorithm", ["none", "None", "RS256", "HS512", "hs256", ""])
def test_the_algorithm_is_not_the_callers_to_choose(algorithm: str) -> None:
    call = signed(RECEIPTS_URL, told(), NOW, algorithm=algorithm)
    with pytest.raises(Foreign, match="HS256"):
        receipts(call)
    unsigned = {"authorization": call.headers["authorization"].rpartition(".")[0] + "."}
    with pytest.raises(Foreign):
        receipts(call, headers=unsigned)


def test_an_old_token_is_foreign() -> None:
    call = signed(RECEIPTS_URL, told(), NOW)
    assert receipts(call, at=NOON + 86_400_000)
    with pytest.raises(Foreign, match="more than a day"):
        receipts(call, at=NOON + 86_400_001)
    for issued in (None, "1800000000", [NOW]):
        with pytest.raises(Foreign):
            receipts(signed(RECEIPTS_URL, told(), NOW, iat=issued))


def test_claims_that_are_no_map_are_foreign() -> None:
    call = signed(RECEIPTS_URL, told(), NOW)
    head, _, signature = call.headers["authorization"].removeprefix("Bearer ").split(".")
    for claims in ("W10", "Im4i", "!", ""):
        with pytest.raises(Foreign):
            receipts(call, headers={"authorization": f"Bearer {head}.{claims}.{signature}"})


def test_without_a_signature_secret_no_receipt_is_believed() -> None:
    sender = Vonage(OPTIONS | {"signature_secret": ""}, Recorder())
    with pytest.raises(Foreign, match="set signature_secret"):
        sender.receipts(heard(signed(RECEIPTS_URL, told(), NOW, secret="")))
