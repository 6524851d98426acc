"""Twilio: the request as its pages have it, what each code means, receipts with real signatures."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.laboratory.server import Laboratory
from tests.laboratory.twilio import (
    ACCOUNT,
    KEY,
    KEY_SECRET,
    NUMBER,
    SERVICE,
    TEMPLATE,
    TOKEN,
    TwilioDouble,
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
from doorcode.delivery.providers.transport import Answer, Transport
from doorcode.delivery.providers.twilio import Twilio

from .contract import CODE, NOON, RECEIPTS_URL, ROWS, TO, heard, letter_to, refused
from .contract import lab as lab
from .contract import transport as transport

ROW = ROWS[0]
OPTIONS = {"account_sid": ACCOUNT, "auth_token": TOKEN, "messaging_service_sid": SERVICE}
REF = "SM" + "0" * 31 + "1"


class Recorder(Transport):
    """Keeps where a request would go, and answers it."""

    def __init__(self, status: int = 201, document: bytes = b"{}") -> None:
        super().__init__()
        self.url = ""
        self._answer = Answer(status, {}, document)

    async def ask(self, method: str, url: str, **given: Any) -> Answer:
        self.url = url
        return self._answer


def letter(**changes: Any) -> Letter:
    parts = {
        "id": "msg_1",
        "channel": "sms",
        "to": TO,
        "subject": "",
        "text": f"Your Acme code is {CODE}.",
        "html": "",
        "code": CODE,
        "created_at": NOON,
        "callback_url": RECEIPTS_URL,
    }
    return Letter(**(parts | changes))


async def form_of(lab: Laboratory, transport: Transport, of: Letter, **options: Any) -> Any:
    double = TwilioDouble()
    given = OPTIONS | {"url": lab.mount("/twilio", double)} | options
    await Twilio(given, transport).send(of)
    return double.forms[0]


# ── the request ───────────────────────────────────────────────────────────────────────
async def test_a_text_goes_by_the_messaging_service(lab: Laboratory, transport: Transport) -> None:
    assert await form_of(lab, transport, letter()) == {
        "To": TO,
        "MessagingServiceSid": SERVICE,
        "Body": f"Your Acme code is {CODE}.",
        "StatusCallback": RECEIPTS_URL,
        "ValidityPeriod": "600",
    }


async def test_a_text_goes_from_a_number(lab: Laboratory, transport: Transport) -> None:
    options = {"messaging_service_sid": "", "from": NUMBER}
    form = await form_of(lab, transport, letter(), **options)
    assert form["From"] == NUMBER
    assert "MessagingServiceSid" not in form


async def test_the_account_is_named_by_its_token(lab: Laboratory, transport: Transport) -> None:
    await form_of(lab, transport, letter())
    [request] = lab.requests
    pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic "))
    assert pair.decode() == f"{ACCOUNT}:{TOKEN}"
    assert request.target == f"/twilio/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


async def test_the_account_is_named_by_an_api_key(lab: Laboratory, transport: Transport) -> None:
    options = {"auth_token": "", "api_key_sid": KEY, "api_key_secret": KEY_SECRET}
    form = await form_of(lab, transport, letter(), **options)
    pair = base64.b64decode(lab.requests[0].headers["authorization"].removeprefix("Basic "))
    assert pair.decode() == f"{KEY}:{KEY_SECRET}"
    # The token alone could tell a receipt from a forgery, so none is asked for.
    assert "StatusCallback" not in form


async def test_nobody_is_told_where_nobody_could_reach_us(
    lab: Laboratory, transport: Transport
) -> None:
    assert "StatusCallback" not in await form_of(lab, transport, letter(callback_url=""))


async def test_a_code_waits_no_longer_than_it_lives(lab: Laboratory, transport: Transport) -> None:
    form = await form_of(lab, transport, letter(), validity_seconds=120)
    assert form["ValidityPeriod"] == "120"
    assert "ValidityPeriod" not in await form_of(lab, transport, letter(code="", text="A link"))


async def test_a_price_can_be_the_last_net(lab: Laboratory, transport: Transport) -> None:
    assert (await form_of(lab, transport, letter(), max_price=0.0000075))["MaxPrice"] == "0.000008"
    assert (await form_of(lab, transport, letter(), max_price=0.5))["MaxPrice"] == "0.500000"


async def test_a_code_goes_to_whatsapp_in_a_template(lab: Laboratory, transport: Transport) -> None:
    options = {"messaging_service_sid": "", "from": NUMBER, "content_sid": TEMPLATE}
    form = await form_of(lab, transport, letter(channel="whatsapp"), **options)
    assert (form["To"], form["From"]) == (f"whatsapp:{TO}", f"whatsapp:{NUMBER}")
    assert form["ContentSid"] == TEMPLATE
    assert form["ContentVariables"] == f'{{"1":"{CODE}"}}'
    assert "Body" not in form


async def test_whatsapp_without_a_template_gets_the_words(
    lab: Laboratory, transport: Transport
) -> None:
    form = await form_of(lab, transport, letter(channel="whatsapp"))
    assert (form["To"], form["Body"]) == (f"whatsapp:{TO}", f"Your Acme code is {CODE}.")


async def test_a_letter_without_a_code_takes_no_template(
    lab: Laboratory, transport: Transport
) -> None:
    of = letter(channel="whatsapp", code="", text="A link")
    form = await form_of(lab, transport, of, content_sid=TEMPLATE)
    assert "ContentSid" not in form and form["Body"] == "A link"


async def test_a_text_takes_no_template(lab: Laboratory, transport: Transport) -> None:
    form = await form_of(lab, transport, letter(), content_sid=TEMPLATE)
    assert "ContentSid" not in form and CODE in form["Body"]


@pytest.mark.parametrize(
    ("options", "host"),
    [
        ({}, "api.twilio.com"),
        ({"region": "us1"}, "api.twilio.com"),
        ({"region": "us1", "edge": "ashburn"}, "api.ashburn.us1.twilio.com"),
        ({"region": "ie1"}, "api.dublin.ie1.twilio.com"),
        ({"region": "au1"}, "api.sydney.au1.twilio.com"),
        ({"region": "br1", "edge": "sao-paulo"}, "api.sao-paulo.br1.twilio.com"),
    ],
)
async def test_a_region_and_its_city_make_the_host(options: dict[str, str], host: str) -> None:
    recorder = Recorder()
    await Twilio(OPTIONS | options, recorder).send(letter())
    assert recorder.url == f"https://{host}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


@pytest.mark.parametrize(
    "options",
    [{"region": "br1"}, {"region": "x/../y", "edge": "dublin"}, {"edge": "evil.example/"}],
)
def test_a_region_that_makes_no_host_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(BadOptions, match="region"):
        Twilio(OPTIONS | options, Recorder())


# ── the answer ────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("document", "ref", "state", "price"),
    [
        (b'{"sid": "SM1", "status": "queued", "price": null}', "SM1", State.ACCEPTED, None),
        (b'{"sid": "SM1", "status": "sent"}', "SM1", State.SENT, None),
        (b'{"sid": "SM1", "price": "-0.0075", "price_unit": "USD"}', "SM1", State.ACCEPTED, 7500),
        (b'{"sid": "SM1", "price": "-0.0075", "price_unit": "EUR"}', "SM1", State.ACCEPTED, None),
        (b'{"sid": ["SM1"], "status": 7}', "", State.ACCEPTED, None),
        (b"[]", "", State.ACCEPTED, None),
    ],
)
async def test_an_answer_names_the_message(
    document: bytes, ref: str, state: State, price: int | None
) -> None:
    taken = await Twilio(OPTIONS, Recorder(201, document)).send(letter())
    assert (taken.ref, taken.state, taken.price) == (ref, state, price)


async def test_a_message_that_failed_at_once_was_not_taken() -> None:
    document = b'{"sid": "SM1", "status": "failed", "error_code": 30006}'
    refusal = await refused(Twilio(OPTIONS, Recorder(201, document)), letter())
    assert (type(refusal), refusal.code) == (Never, "30006")


@pytest.mark.parametrize(
    ("code", "sort", "word"),
    [
        (20003, TryAnother, "account_sid"),
        (20404, TryAnother, "region"),
        (20429, TryLater, "too many"),
        (20503, TryLater, "trouble"),
        (21211, Never, "no phone number"),
        (21214, Never, "cannot be reached"),
        (21408, TryElsewhere, "Geo permissions"),
        (21606, TryAnother, "check from"),
        (21608, TryElsewhere, "upgrade"),
        (21610, Never, "START"),
        (21611, TryLater, "queue"),
        (21612, TryElsewhere, "another sender"),
        (21614, Never, "no mobile number"),
        (30001, TryLater, "queue"),
        (30002, TryAnother, "suspended"),
        (30003, TryLater, "switched off"),
        (30004, TryElsewhere, "blocks"),
        (30005, Never, "does not know"),
        (30006, Never, "landline"),
        (30007, TryAnother, "spam"),
        (30008, TryLater, "no reason"),
        (63003, TryElsewhere, "not on WhatsApp"),
        (63016, TryAnother, "content_sid"),
    ],
)
async def test_each_code_says_whether_to_go_on_and_the_mend(
    code: int, sort: type[NotSent], word: str, lab: Laboratory, transport: Transport
) -> None:
    url = lab.mount("/twilio", TwilioDouble({TO: code}))
    refusal = await refused(Twilio(OPTIONS | {"url": url}, transport), letter())
    assert (type(refusal), refusal.code, refusal.maybe) == (sort, str(code), False)
    assert word in refusal.why


@pytest.mark.parametrize(
    ("status", "sort"), [(400, Never), (403, TryAnother), (429, TryLater), (500, TryLater)]
)
async def test_an_unknown_code_leaves_it_to_the_status(status: int, sort: type[NotSent]) -> None:
    recorder = Recorder(status, b'{"code": 29999, "message": "The code 731904 is odd"}')
    refusal = await refused(Twilio(OPTIONS, recorder), letter())
    assert (type(refusal), refusal.code) == (sort, "29999")
    assert refusal.why == f"Twilio answered {status}"


async def test_a_code_that_is_no_code_of_twilio_is_not_kept() -> None:
    recorder = Recorder(400, f'{{"code": {CODE}}}'.encode())
    refusal = await refused(Twilio(OPTIONS, recorder), letter())
    assert refusal.code == "400"


# ── receipts ──────────────────────────────────────────────────────────────────────────
def receipt_of(call: Call, **options: Any) -> list[Receipt]:
    return Twilio(OPTIONS | options, Recorder()).receipts(heard(call))


def call(state: str, code: str = "", **more: str) -> Call:
    [made] = TwilioDouble().report(Taken(REF, TO, "", RECEIPTS_URL), state, code)
    return made if not more else signed(RECEIPTS_URL, {"MessageSid": REF, **more})


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("queued", State.ACCEPTED),
        ("sending", State.ACCEPTED),
        ("sent", State.SENT),
        ("delivered", State.DELIVERED),
        ("read", State.DELIVERED),
        ("undelivered", State.UNDELIVERED),
        ("failed", State.FAILED),
        ("canceled", State.FAILED),
    ],
)
def test_each_status_is_a_state(told: str, state: State) -> None:
    assert receipt_of(call(told)) == [Receipt(REF, state)]


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("30003", "switched off"),
        ("30004", "blocks"),
        ("30005", "does not know"),
        ("30006", "landline"),
        ("30007", "spam"),
        ("30008", "no reason"),
        ("30034", "10DLC"),
        ("63016", "content_sid"),
        ("29999", "twilio.com/docs/api/errors/29999"),
    ],
)
def test_a_receipt_says_why_in_words(code: str, word: str) -> None:
    [receipt] = receipt_of(call("undelivered", code))
    assert (receipt.state, receipt.code) == (State.UNDELIVERED, code)
    assert word in receipt.why


def test_what_waited_too_long_has_expired() -> None:
    [receipt] = receipt_of(call("failed", "30036"))
    assert receipt.state is State.EXPIRED


@pytest.mark.parametrize("code", ["0", "", "731904", "no code", "٣٠٠٠٣"])
def test_what_is_no_code_is_not_kept(code: str) -> None:
    [receipt] = receipt_of(call("", MessageStatus="failed", ErrorCode=code))
    assert (receipt.code, receipt.why) == ("", "")


def test_a_text_that_somebody_sent_us_is_no_receipt() -> None:
    assert receipt_of(call("", SmsStatus="received", Body="STOP")) == []
    assert receipt_of(call("", MessageStatus="of another day")) == []


def test_a_signature_is_for_one_url() -> None:
    made = call("delivered")
    twilio = Twilio(OPTIONS, Recorder())
    for url in (
        f"{RECEIPTS_URL}?a=1",
        RECEIPTS_URL.replace("first", "second"),
        "https://x.example",
    ):
        with pytest.raises(Foreign, match="signature"):
            twilio.receipts(heard(made, url=url))


def test_a_query_is_signed_as_well() -> None:
    url = f"{RECEIPTS_URL}?kept=as%20it+came"
    made = signed(url, {"MessageSid": REF, "MessageStatus": "sent"})
    assert receipt_of(made) == [Receipt(REF, State.SENT)]


@pytest.mark.parametrize(
    ("ours", "signed_for"),
    [
        ("https://a.example:443/r", "https://a.example/r"),
        ("https://a.example:8443/r?x=1", "https://a.example/r?x=1"),
        ("https://a.example/r", "https://a.example:443/r"),
        ("http://a.example/r", "http://a.example:80/r"),
        ("https://[::1]/r", "https://[::1]:443/r"),
    ],
)
def test_twilio_may_leave_the_port_out_or_write_it(ours: str, signed_for: str) -> None:
    made = signed(signed_for, {"MessageSid": REF, "MessageStatus": "sent"})
    receipts = Twilio(OPTIONS, Recorder()).receipts(heard(made, url=ours))
    assert receipts == [Receipt(REF, State.SENT)]


def test_fields_with_odd_characters_are_signed_as_they_are_read() -> None:
    fields = {"MessageSid": REF, "MessageStatus": "sent", "Body": "a+b & c=d é 🚪", "Empty": ""}
    assert receipt_of(signed(RECEIPTS_URL, fields)) == [Receipt(REF, State.SENT)]


def test_the_example_of_twilios_own_page_is_accepted() -> None:
    # "Secure webhooks": the account's token is 12345.
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    made = signed(url, fields, token="12345")
    assert made.headers["x-twilio-signature"] == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert receipt_of(made, auth_token="12345") == []


def test_another_token_signs_nothing_here() -> None:
    made = signed(RECEIPTS_URL, {"MessageSid": REF, "MessageStatus": "sent"}, token="another")
    with pytest.raises(Foreign, match="auth token"):
        receipt_of(made)


def test_a_signature_over_nothing_but_the_url_is_no_key_for_any_body() -> None:
    bare = signed(RECEIPTS_URL, {})
    made = call("delivered")
    with pytest.raises(Foreign):
        receipt_of(Call("POST", RECEIPTS_URL, bare.headers, made.body))


def test_without_a_token_no_receipt_is_believed() -> None:
    options = {"auth_token": "", "api_key_sid": KEY, "api_key_secret": KEY_SECRET}
    with pytest.raises(Foreign, match="set auth_token"):
        receipt_of(call("delivered"), **options)
    with pytest.raises(Foreign, match="set auth_token"):
        receipt_of(signed(RECEIPTS_URL, {"MessageSid": REF}, token=""), **options)


def test_a_form_of_very_many_fields_is_foreign() -> None:
    body = b"&".join(b"a=1" for _ in range(10_000))
    with pytest.raises(Foreign, match="no form"):
        Twilio(OPTIONS, Recorder()).receipts(heard(call("sent"), body=body))


async def test_a_letter_sent_twice_is_two_messages(lab: Laboratory, transport: Transport) -> None:
    # Its API has no key by which the second could be known; the timeline says `maybe`.
    double = TwilioDouble()
    twilio = Twilio(OPTIONS | {"url": lab.mount("/twilio", double)}, transport)
    refs = [(await twilio.send(letter_to(ROW))).ref for _ in range(2)]
    assert len(double.taken) == 2 and refs[0] != refs[1]
