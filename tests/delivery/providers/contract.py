"""What every provider must do, over a real line. A provider joins by a row of `ROWS`; its own
test module holds what only its documentation asks for.

    from .contract import *
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import httpx
import pytest
from tests.laboratory import (
    aws,
    aws_ses,
    aws_sns,
    gateway,
    mailgun,
    meta_whatsapp,
    postmark,
    resend,
    sendgrid,
    telnyx,
    twilio,
    vonage,
)
from tests.laboratory.faults import TOLD, Fault, Faults
from tests.laboratory.server import Laboratory, refusing_url
from tests.laboratory.wire import Call, Double, Reply, Request

from doorcode.delivery.interface import (
    Callback,
    Foreign,
    Letter,
    NotSent,
    Provider,
    Reporter,
    Taken,
    TryAnother,
    TryElsewhere,
    TryLater,
)
from doorcode.delivery.providers import registry
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.transport import Answer, Transport
from doorcode.domain.message import State, advances

NOON = 1_800_000_000_000
CODE = "731904"
TO = "+447700900123"
MAILBOX = "ada@example.com"
RECEIPTS_URL = "https://auth.acme.example/v1/receipts/first"
WAIT = 0.4  # seconds for an answer


@dataclass(frozen=True)
class Row:
    """A provider: how it is set, at which double it is tested, and what of it is secret.

    `options` takes the double's URL. `wrong` are options that it is refused with; `bad` are
    options that make no provider, with a word that the reason names. `to` is a recipient
    whom it reaches.
    """

    name: str
    channel: str
    double: Callable[[], Double]
    options: Callable[[str], dict[str, Any]]
    wrong: Mapping[str, Any]
    bad: tuple[tuple[Mapping[str, Any], str], ...]
    secrets: tuple[str, ...]
    to: str = TO
    reports: bool = True  # whether a signature over all of it is all that `receipts` wants
    has_body: bool = True  # whether its answer has a body, which may then break off
    sent: State = State.SENT  # what its word for it means; mail is sent when it is delivered

    @property
    def id(self) -> str:
        return f"{self.name}-{self.channel}"


def _twilio(url: str) -> dict[str, Any]:
    return {
        "account_sid": twilio.ACCOUNT,
        "auth_token": twilio.TOKEN,
        "messaging_service_sid": twilio.SERVICE,
        "url": url,
    }


def _twilio_whatsapp(url: str) -> dict[str, Any]:
    return {
        "account_sid": twilio.ACCOUNT,
        "auth_token": twilio.TOKEN,
        "api_key_sid": twilio.KEY,
        "api_key_secret": twilio.KEY_SECRET,
        "from": twilio.NUMBER,
        "content_sid": twilio.TEMPLATE,
        "url": url,
    }


def _vonage(url: str) -> dict[str, Any]:
    return {
        "api_key": vonage.API_KEY,
        "api_secret": vonage.API_SECRET,
        "signature_secret": vonage.SIGNATURE_SECRET,
        "from": "Acme",
        "url": url,
    }


def _vonage_whatsapp(url: str) -> dict[str, Any]:
    return {
        "application_id": vonage.APPLICATION,
        "private_key": vonage.PRIVATE_KEY,
        "signature_secret": vonage.SIGNATURE_SECRET,
        "from": f"+{vonage.SENDER}",
        "template": vonage.TEMPLATE,
        "url": url,
    }


def _http(url: str) -> dict[str, Any]:
    return {
        "url": f"{url}/send",
        "headers": {"Authorization": f"Bearer {gateway.TOKEN}"},
        "json": {"to": "{{ to }}", "text": "{{ body }}", "callback_url": "{{ callback_url }}"},
        "receipts": {"secret": gateway.SECRET},
    }


def _plain(options: dict[str, Any]) -> Callable[[str], dict[str, Any]]:
    """Options that need nothing but the double's URL."""
    return lambda url: {**options, "url": url}


AWS_BAD: tuple[tuple[Mapping[str, Any], str], ...] = (
    ({"acces_key_id": "x"}, "acces_key_id"),
    ({"secret_access_key": 7}, "secret_access_key"),
    ({"region": "evil.example/"}, "region"),
    ({"url": "ftp://example.com"}, "url"),
    ({"from": "hunter2\r\n"}, "from"),
)
MAIL_BAD: tuple[tuple[Mapping[str, Any], str], ...] = (
    ({"fromm": "x"}, "fromm"),
    ({"from": 7}, "from"),
    ({"from": "Acme"}, "sender"),
    ({"reply_to": "Acme"}, "sender"),
    ({"url": "example.com"}, "url"),
)
TWILIO_BAD: tuple[tuple[Mapping[str, Any], str], ...] = (
    ({"auth_tokn": "x"}, "auth_tokn"),
    ({"account_sid": 7}, "account_sid"),
    ({"account_sid": "../../x"}, "account_sid"),
    ({"auth_token": "", "api_key_sid": "", "api_key_secret": ""}, "auth_token"),
    ({"api_key_sid": "SK1", "api_key_secret": ""}, "api_key_secret"),
    ({"messaging_service_sid": "", "from": ""}, "messaging_service_sid"),
    ({"url": "ftp://example.com"}, "url"),
    ({"url": "", "region": "xx9"}, "region"),
    ({"validity_seconds": 0}, "validity_seconds"),
    ({"max_price": "much"}, "max_price"),
)
VONAGE_BAD: tuple[tuple[Mapping[str, Any], str], ...] = (
    ({"api_secrt": "x"}, "api_secrt"),
    ({"from": 7}, "from"),
    ({"api_secret": "", "application_id": "", "private_key": ""}, "api_secret"),
    ({"application_id": "x", "private_key": ""}, "private_key"),
    ({"application_id": "x", "private_key": "hunter2"}, "private_key"),
    ({"url": "example.com"}, "url"),
    ({"region": "mars"}, "region"),
    ({"ttl": 5}, "ttl"),
)
HTTP_BAD: tuple[tuple[Mapping[str, Any], str], ...] = (
    ({"urll": "x"}, "urll"),
    ({"url": "file:///etc/passwd"}, "url"),
    ({"method": "DELETE"}, "method"),
    ({"text": "{{ body }}"}, "json, form and text"),
    ({"seconds": 0}, "seconds"),
    ({"headers": {"a\r\nb": "x"}}, "headers"),
    ({"json": {"deep": ["{{ phone }}"]}}, "json.deep.0"),
    ({"receipts": {"secret": "short"}}, "receipts.secret"),
)

ROWS = [
    Row(
        "twilio",
        "sms",
        twilio.TwilioDouble,
        _twilio,
        {"auth_token": "wrong-token"},
        TWILIO_BAD,
        (twilio.TOKEN,),
    ),
    Row(
        "twilio",
        "whatsapp",
        twilio.TwilioDouble,
        _twilio_whatsapp,
        {"api_key_secret": "wrong-secret"},
        TWILIO_BAD,
        (twilio.TOKEN, twilio.KEY_SECRET),
    ),
    Row(
        "vonage",
        "sms",
        vonage.VonageDouble,
        _vonage,
        {"api_secret": "wrong-secret"},
        VONAGE_BAD,
        (vonage.API_SECRET, vonage.SIGNATURE_SECRET),
    ),
    Row(
        "vonage",
        "whatsapp",
        vonage.VonageDouble,
        _vonage_whatsapp,
        {"application_id": "ffffffff-bbbb-cccc-dddd-0123456789ab"},
        VONAGE_BAD,
        (vonage.PRIVATE_KEY[60:120], vonage.SIGNATURE_SECRET),
    ),
    Row(
        "http",
        "sms",
        gateway.GatewayDouble,
        _http,
        {"headers": {"authorization": "Bearer wrong-token"}},
        HTTP_BAD,
        (gateway.TOKEN, gateway.SECRET),
    ),
    Row(
        "aws_sns",
        "sms",
        partial(aws_sns.AwsSns, "/it"),
        _plain(aws_sns.OPTIONS),
        {"secret_access_key": "wrong-secret"},
        AWS_BAD,
        (aws.SECRET,),
        reports=False,  # it has none
    ),
    Row(
        "aws_ses",
        "email",
        partial(aws_ses.AwsSes, "/it"),
        _plain(aws_ses.OPTIONS),
        {"access_key_id": "AKIAWRONG"},
        (*AWS_BAD[:-1], *MAIL_BAD[1:-1]),
        (aws.SECRET,),
        to=MAILBOX,
        reports=False,  # it is greeted first
    ),
    Row(
        "meta_whatsapp",
        "whatsapp",
        partial(meta_whatsapp.MetaWhatsapp, RECEIPTS_URL),
        _plain(meta_whatsapp.OPTIONS),
        {"access_token": "wrong-token"},
        (
            ({"templat": "x"}, "templat"),
            ({"phone_number_id": "../x"}, "phone_number_id"),
            ({"version": "latest"}, "version"),
            ({"language": "../de"}, "language"),
            ({"url": "example.com"}, "url"),
        ),
        (meta_whatsapp.TOKEN, meta_whatsapp.SECRET, meta_whatsapp.VERIFY_TOKEN),
    ),
    Row(
        "postmark",
        "email",
        postmark.Postmark,
        _plain(postmark.OPTIONS),
        {"server_token": "wrong-token"},
        (*MAIL_BAD, ({"webhook_secret": "hunter2"}, "webhook_secret")),
        (postmark.TOKEN, postmark.SECRET),
        to=MAILBOX,
        reports=False,  # it shows a secret and signs nothing
    ),
    Row(
        "resend",
        "email",
        partial(resend.Resend, RECEIPTS_URL, NOON // 1000),
        _plain(resend.OPTIONS),
        {"api_key": "re_wrong"},
        (*MAIL_BAD, ({"webhook_secret": "hunter2"}, "webhook_secret")),
        (resend.KEY, resend.SECRET),
        to=MAILBOX,
        sent=State.ACCEPTED,
    ),
    Row(
        "sendgrid",
        "email",
        partial(sendgrid.Sendgrid, RECEIPTS_URL, NOON // 1000),
        _plain(sendgrid.options()),
        {"api_key": "SG.wrong"},
        (*MAIL_BAD, ({"verification_key": "hunter2"}, "verification_key")),
        (sendgrid.KEY,),
        to=MAILBOX,
        sent=State.ACCEPTED,
        has_body=False,
    ),
    Row(
        "mailgun",
        "email",
        mailgun.Mailgun,
        _plain(mailgun.OPTIONS),
        {"api_key": "key-wrong"},
        (*MAIL_BAD, ({"domain": "../x"}, "domain"), ({"region": "mars"}, "region")),
        (mailgun.KEY, mailgun.SIGNING_KEY),
        to=MAILBOX,
        reports=False,  # it signs a token, and not the event
    ),
    Row(
        "telnyx",
        "sms",
        partial(telnyx.Telnyx, NOON // 1000),
        _plain(telnyx.options()),
        {"api_key": "KEY0wrong"},
        (
            ({"api_kee": "x"}, "api_kee"),
            ({"from": ""}, "messaging_profile_id"),
            ({"public_key": "hunter2"}, "public_key"),
            ({"url": "example.com"}, "url"),
        ),
        (telnyx.KEY,),
    ),
]
EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
REPORTING = pytest.mark.parametrize(
    "row", [row for row in ROWS if row.reports], ids=lambda row: row.id
)


class Hasty(Transport):
    """A transport that waits for no answer longer than a test may last."""

    async def ask(self, *given: Any, seconds: float = WAIT, **named: Any) -> Answer:
        return await super().ask(*given, seconds=min(seconds, WAIT), **named)


class Parrot:
    """A provider that says back all that it hears, wherever it says anything."""

    def __init__(self, status: int) -> None:
        self.taken: list[Any] = []
        self.status = status

    def handle(self, request: Request) -> Reply:
        said = f"{request.headers} {request.body.decode()}"
        names = "code message error_code detail type title error reason Code Message status"
        nested = dict.fromkeys(names.split(), said)
        return Reply.of(self.status, nested | {"error": nested, "errors": [nested]})

    def refuse_credentials(self) -> Reply:
        raise NotImplementedError

    throttle = refuse_credentials

    def report(self, taken: Any, state: str, code: str = "") -> list[Call]:
        return []


@pytest.fixture
async def lab() -> AsyncIterator[Laboratory]:
    async with Laboratory() as lab:
        yield lab


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    # Without certificates, which nobody shows here: reading them takes longer than an answer.
    transport = Hasty(httpx.AsyncClient(verify=False, trust_env=False))
    yield transport
    await transport.close()


def made(row: Row, url: str, transport: Transport, /, **changes: Any) -> Provider:
    """The provider of a row, by way of the registry."""
    options = {"provider": row.name, **row.options(url), **changes}
    return registry.make(row.channel, options, transport)


def letter_to(row: Row, number: int = 1) -> Letter:
    is_mail = row.channel == "email"
    return Letter(
        id=f"msg_{number}",
        channel=row.channel,
        to=row.to,
        subject=f"{CODE} is your code" if is_mail else "",
        text=f"Your Acme code no. {number} is {CODE}.",
        html=f"<p>Your Acme code is {CODE}.</p>" if is_mail else "",
        code=CODE,
        created_at=NOON,
        callback_url=RECEIPTS_URL,
        at=NOON,
    )


def heard(call: Call, **changes: Any) -> Callback:
    """A callback as it reaches us."""
    url, headers = call.url, dict(call.headers)
    callback = Callback(call.method, url, headers, call.body, at=NOON)
    return replace(callback, **changes)


def reporter(provider: Provider) -> Reporter:
    assert isinstance(provider, Reporter)
    return provider


async def refused(provider: Provider, letter: Letter) -> NotSent:
    with pytest.raises(NotSent) as raised:
        await provider.send(letter)
    return raised.value


def test_each_provider_over_http_has_a_row() -> None:
    assert {row.name for row in ROWS} >= set(registry.OURS) - {"smtp"}


# ── sending ───────────────────────────────────────────────────────────────────────────
@EACH
async def test_a_letter_is_taken_whole(row: Row, lab: Laboratory, transport: Transport) -> None:
    double = row.double()
    provider = made(row, lab.mount("/it", double), transport)
    taken = await provider.send(letter_to(row))
    [found] = double.taken
    assert CODE in found.text
    assert re.sub(r"\D", "", found.to) == re.sub(r"\D", "", row.to)
    assert (found.ref, taken.state) == (taken.ref, State.ACCEPTED)
    assert found.ref and provider.name == row.name and not provider.immediate


@EACH
@pytest.mark.parametrize("fault", [Fault.WRONG_BODY, Fault.HALF_CLOSED, Fault.TRICKLE])
async def test_what_a_2xx_has_taken_stays_taken(
    row: Row, fault: Fault, lab: Laboratory, transport: Transport
) -> None:
    if fault is Fault.HALF_CLOSED and not row.has_body:
        pytest.skip("what breaks off are the headers, and nobody knows what they said")
    faults = Faults()
    faults.next(fault)
    double = row.double()
    taken = await made(row, lab.mount("/it", double, faults), transport).send(letter_to(row))
    assert isinstance(taken, Taken) and len(double.taken) == 1
    assert taken.ref in ("", letter_to(row).id)  # what it said is not known; what we said is


@EACH
@pytest.mark.parametrize(
    ("fault", "maybe"),
    [
        (Fault.LATE, True),
        (Fault.LOST, True),
        (Fault.LOST_BEFORE, True),  # from outside it looks like the one before
        (Fault.THROTTLED, False),
        (Fault.DOWN, False),
    ],
)
async def test_trouble_means_later(
    row: Row, fault: Fault, maybe: bool, lab: Laboratory, transport: Transport
) -> None:
    faults = Faults(late_by=60)
    faults.next(fault)
    provider = made(row, lab.mount("/it", row.double(), faults), transport)
    refusal = await refused(provider, letter_to(row))
    assert (type(refusal), refusal.maybe) == (TryLater, maybe)


@EACH
async def test_nobody_at_the_port_means_later_and_nothing_was_sent(
    row: Row, transport: Transport
) -> None:
    refusal = await refused(made(row, refusing_url(), transport), letter_to(row))
    assert (type(refusal), refusal.maybe) == (TryLater, False)


@EACH
async def test_an_outage_passes(row: Row, lab: Laboratory, transport: Transport) -> None:
    now = [NOON]
    faults = Faults(now=lambda: now[0])
    faults.outage(NOON, NOON + 300_000)
    double = row.double()
    provider = made(row, lab.mount("/it", double, faults), transport)
    assert isinstance(await refused(provider, letter_to(row)), TryLater)
    now[0] += 300_000
    await provider.send(letter_to(row))
    assert len(double.taken) == 1


@EACH
async def test_wrong_credentials_mean_another_route(
    row: Row, lab: Laboratory, transport: Transport
) -> None:
    double = row.double()
    provider = made(row, lab.mount("/it", double), transport, **row.wrong)
    refusal = await refused(provider, letter_to(row))
    # For every letter: the route is left alone until somebody mends it.
    assert isinstance(refusal, TryAnother) and not isinstance(refusal, TryElsewhere)
    assert double.taken == []


@EACH
async def test_expired_credentials_mean_another_route(
    row: Row, lab: Laboratory, transport: Transport
) -> None:
    faults = Faults()
    faults.next(Fault.EXPIRED)
    provider = made(row, lab.mount("/it", row.double(), faults), transport)
    refusal = await refused(provider, letter_to(row))
    assert isinstance(refusal, TryAnother) and not isinstance(refusal, TryElsewhere)


@EACH
@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_goes_wrong_the_outcome_is_true(
    row: Row, seed: int, lab: Laboratory, transport: Transport
) -> None:
    faults = Faults(seed, dict.fromkeys(set(Fault) - TOLD, 0.08), late_by=2 * WAIT)
    double = row.double()
    provider = made(row, lab.mount("/it", double, faults), transport)
    letters = [letter_to(row, number) for number in range(60)]
    at_once = asyncio.Semaphore(6)

    async def sent(letter: Letter) -> Taken:
        async with at_once:
            return await provider.send(letter)

    outcomes = await asyncio.gather(*map(sent, letters), return_exceptions=True)
    said = " | ".join(found.text + found.key for found in double.taken)
    for letter, outcome in zip(letters, outcomes, strict=True):
        assert isinstance(outcome, Taken | NotSent)
        if row.channel != "whatsapp":  # a template says the code and no number of ours
            was_taken = f"no. {letter.id[4:]} is" in said
            if not (isinstance(outcome, NotSent) and outcome.maybe):
                assert isinstance(outcome, Taken) is was_taken, repr(outcome)
    assert {type(one) for one in outcomes} >= {Taken, TryLater, TryAnother}


# ── what nobody may read ──────────────────────────────────────────────────────────────
def assert_silent(row: Row, text: str) -> None:
    letter = letter_to(row)
    hidden = (*row.secrets, CODE, letter.text, row.to, row.to.removeprefix("+"), RECEIPTS_URL)
    assert [one for one in hidden if one in text] == []


@EACH
@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 422, 429, 500])
async def test_a_provider_that_quotes_the_letter_is_not_repeated(
    row: Row, status: int, lab: Laboratory, transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    provider = made(row, lab.mount("/it", Parrot(status)), transport)
    try:
        outcome: object = await provider.send(letter_to(row))
    except NotSent as refusal:
        outcome = f"{refusal.why} {refusal.code} {refusal!r} {refusal.__cause__!r}"
    assert_silent(row, f"{outcome}{caplog.text}")


@EACH
@pytest.mark.parametrize("fault", sorted(set(Fault) - TOLD))
async def test_no_fault_gives_anything_away(
    row: Row,
    fault: Fault,
    lab: Laboratory,
    transport: Transport,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    faults = Faults(late_by=60)
    faults.next(fault)
    provider = made(row, lab.mount("/it", row.double(), faults), transport)
    try:
        outcome: object = await provider.send(letter_to(row))
    except NotSent as refusal:
        outcome = f"{refusal.why} {refusal.code} {refusal!r} {refusal.__cause__!r}"
    assert_silent(row, f"{outcome}{caplog.text}")


@EACH
def test_a_printed_provider_shows_no_secret(row: Row) -> None:
    provider = made(row, "http://127.0.0.1:9", Hasty())
    options = getattr(provider, "_options", None)
    assert_silent(row, f"{provider!r} {provider} {options!r}")


# ── options ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("row", "changes", "named"),
    [
        pytest.param(row, changes, named, id=f"{row.id}-{number}")
        for row in ROWS
        for number, (changes, named) in enumerate(row.bad)
    ],
)
def test_bad_options_name_the_field(row: Row, changes: Mapping[str, Any], named: str) -> None:
    with pytest.raises(BadOptions) as raised:
        made(row, "http://127.0.0.1:9", Hasty(), **changes)
    assert named in str(raised.value)
    assert_silent(row, str(raised.value))
    assert "hunter2" not in str(raised.value)


@EACH
def test_options_are_what_a_setting_can_hold(row: Row) -> None:
    assert json.loads(json.dumps(row.options("http://127.0.0.1:9")))


# ── receipts ──────────────────────────────────────────────────────────────────────────
async def told(
    row: Row, lab: Laboratory, transport: Transport, *states: str
) -> tuple[Reporter, str, list[Call]]:
    """A provider that has sent a letter, its name for it, and what it tells of it."""
    double = row.double()
    provider = made(row, lab.mount("/it", double), transport)
    taken = await provider.send(letter_to(row))
    calls = [call for state in states for call in double.report(double.taken[0], state)]
    return reporter(provider), taken.ref, calls


@REPORTING
async def test_a_receipt_tells_of_the_letter(
    row: Row, lab: Laboratory, transport: Transport
) -> None:
    provider, ref, calls = await told(row, lab, transport, "sent", "delivered")
    assert {call.url for call in calls} == {RECEIPTS_URL}
    receipts = [receipt for call in calls for receipt in provider.receipts(heard(call))]
    assert [(one.ref, one.state) for one in receipts] == [
        (ref, row.sent),
        (ref, State.DELIVERED),
    ]


@REPORTING
@pytest.mark.parametrize("seed", range(5))
async def test_receipts_that_come_late_and_twice_end_in_one_state(
    row: Row, seed: int, lab: Laboratory, transport: Transport
) -> None:
    provider, _, calls = await told(row, lab, transport, "sent", "delivered")
    faults = Faults(seed, {Fault.TOLD_TWICE: 0.5, Fault.TOLD_LATE: 0.5})
    state = State.ACCEPTED
    for one in faults.scatter(calls):
        for receipt in provider.receipts(heard(one.call)):
            state = receipt.state if advances(state, receipt.state) else state
    assert state is State.DELIVERED


@REPORTING
async def test_a_receipt_that_nobody_signed_is_foreign(
    row: Row, lab: Laboratory, transport: Transport
) -> None:
    provider, _, [call] = await told(row, lab, transport, "delivered")
    with pytest.raises(Foreign):
        provider.receipts(heard(call, headers={}))


@REPORTING
async def test_a_receipt_that_was_changed_is_foreign(
    row: Row, lab: Laboratory, transport: Transport
) -> None:
    provider, ref, [call] = await told(row, lab, transport, "delivered")
    changed = [
        call.body.replace(ref.encode(), b"another"),
        call.body + b" ",
        call.body[:-1],
        b"",
        b"{}",
        b"\xff\x00",
    ]
    for body in changed:
        with pytest.raises(Foreign):
            provider.receipts(heard(call, body=body))


@REPORTING
async def test_a_signature_of_letters_that_are_no_letters_is_foreign(
    row: Row, lab: Laboratory, transport: Transport
) -> None:
    provider, _, [call] = await told(row, lab, transport, "delivered")
    for nonsense in ("é" * 28, "Bearer é.é.é", "Bearer ..", "Bearer " + "a.b.c", "\x00", " "):
        with pytest.raises(Foreign):
            provider.receipts(heard(call, headers=dict.fromkeys(call.headers, nonsense)))


@REPORTING
def test_the_reason_of_a_foreign_callback_shows_no_secret(row: Row) -> None:
    provider = reporter(made(row, "http://127.0.0.1:9", Hasty()))
    with pytest.raises(Foreign) as raised:
        provider.receipts(Callback("POST", RECEIPTS_URL, {}, b"{}", at=NOON))
    assert str(raised.value)
    assert_silent(row, str(raised.value))
