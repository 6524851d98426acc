"""E-mail by Amazon SES, and its events, against a double that signs as SNS does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.laboratory import aws
from tests.laboratory.aws_ses import OPTIONS, SNS, TOKEN, TOPIC
from tests.laboratory.aws_ses import AwsSes as Double
from tests.laboratory.server import Laboratory
from tests.laboratory.wire import Call, Reply

from doorcode.delivery.interface import (
    Foreign,
    Greeter,
    Letter,
    Never,
    NotSent,
    Receipt,
    Reporter,
    State,
    Taken,
    TryAnother,
    TryLater,
)
from doorcode.delivery.providers.aws_ses import MOST_CERTIFICATES, AwsSes
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.registry import make
from doorcode.delivery.providers.transport import Answer, Transport
from doorcode.domain.limits import MINUTE

from ..conftest import LetterMaker
from .line import NOON, Line, callback


@pytest.fixture
def double() -> Double:
    return Double()


@pytest.fixture
def mail(letter: LetterMaker) -> Letter:
    return letter(at=NOON)


def provider(line: Line, **changes: Any) -> AwsSes:
    made = make("email", OPTIONS | changes, line.transport)
    assert isinstance(made, AwsSes)
    return made


async def told(ses: AwsSes, *calls: Call, at: int = NOON) -> list[Receipt]:
    """What calls tell, one after the other, as the server reads them."""
    receipts: list[Receipt] = []
    for call in calls:
        if await ses.greet(callback(call, at)) is None:
            receipts += ses.receipts(callback(call, at))
    return receipts


# ── sending ───────────────────────────────────────────────────────────────────────────
async def test_a_letter_is_sent_as_documented(double: Double, mail: Letter) -> None:
    line = Line(double)
    ses = provider(line, reply_to="help@example.com")
    assert await ses.send(mail) == Taken(double.taken[0].ref)
    assert line.asked == ["https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails"]
    assert double.letters == [
        {
            "FromEmailAddress": "Acme <no-reply@example.com>",
            "Destination": {"ToAddresses": ["ada@example.com"]},
            "ReplyToAddresses": ["help@example.com"],
            "ConfigurationSetName": "doorcode",
            "Content": {
                "Simple": {
                    "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": mail.text, "Charset": "UTF-8"},
                        "Html": {"Data": mail.html, "Charset": "UTF-8"},
                    },
                }
            },
        }
    ]


@pytest.mark.parametrize(
    "to", ["ada@example.com, eve@example.com", "ada@example.com\r\nBcc: x", ""]
)
async def test_one_letter_goes_to_one_mailbox(double: Double, letter: LetterMaker, to: str) -> None:
    with pytest.raises(Never, match="no e-mail address"):
        await provider(Line(double)).send(letter(to=to, at=NOON))
    assert double.letters == []


async def test_a_domain_is_written_in_ascii_and_a_name_cannot_be(
    double: Double, letter: LetterMaker
) -> None:
    ses = provider(Line(double))
    await ses.send(letter(to="ada@bücher.example", at=NOON))
    assert double.taken[0].to == "ada@xn--bcher-kva.example"
    with pytest.raises(Never, match="ASCII"):
        await ses.send(letter(to="büch@example.com", at=NOON))


@pytest.mark.parametrize(
    ("answer", "sort", "words"),
    [
        ((429, "TooManyRequestsException", ""), TryLater, "sending rate"),
        ((500, "InternalFailure", ""), TryLater, "trouble of its own"),
        ((400, "MessageRejected", "Email address is not verified."), TryAnother, "verify"),
        ((400, "MailFromDomainNotVerifiedException", ""), TryAnother, "MX record"),
        ((400, "AccountSuspendedException", ""), TryAnother, "AWS support"),
        ((400, "SendingPausedException", ""), TryAnother, "resume it"),
        ((400, "LimitExceededException", ""), TryAnother, "daily quota"),
        ((404, "NotFoundException", ""), TryAnother, "configuration_set"),
        ((400, "BadRequestException", "Invalid configuration set name"), TryAnother, "check from"),
        ((400, "BadRequestException", "Domain contains dot-dot"), Never, "this address"),
        ((403, "AccessDeniedException", ""), TryAnother, "IAM policy"),
        ((403, "UnrecognizedClientException", ""), TryAnother, "access_key_id"),
        ((403, "InvalidSignatureException", ""), TryAnother, "secret_access_key"),
        ((403, "ExpiredTokenException", ""), TryAnother, "session token"),
        ((502, "ada@example.com says 123456", ""), TryLater, "answered 502"),
    ],
)
async def test_each_refusal_says_what_to_do_and_how_to_mend_it(
    double: Double, mail: Letter, answer: tuple[int, str, str], sort: type[NotSent], words: str
) -> None:
    double.refuse_with = answer
    with pytest.raises(NotSent) as caught:
        await provider(Line(double)).send(mail)
    assert type(caught.value) is sort
    assert words in caught.value.why
    said = f"{caught.value.why} {caught.value.code}"
    assert not {mail.to, mail.code, aws.SECRET} & set(said.split())


# ── receipts ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    ("state", "code", "expected", "suppress", "words"),
    [
        ("sent", "", State.ACCEPTED, False, ""),
        ("delivered", "", State.DELIVERED, False, ""),
        ("delayed", "", State.ACCEPTED, False, "mailbox is full"),
        ("failed", "", State.FAILED, False, "virus"),
        ("undelivered", "Permanent/General", State.UNDELIVERED, True, "for good"),
        ("undelivered", "Permanent/NoEmail", State.UNDELIVERED, True, "does not exist"),
        ("undelivered", "Permanent/Unheard", State.UNDELIVERED, True, "for good"),
        (
            "undelivered",
            "Permanent/OnAccountSuppressionList",
            State.UNDELIVERED,
            True,
            "take it off",
        ),
        ("undelivered", "Transient/MailboxFull", State.UNDELIVERED, False, "make room"),
        ("undelivered", "Transient/ContentRejected", State.UNDELIVERED, False, "DMARC"),
        ("undelivered", "Undetermined/Undetermined", State.UNDELIVERED, False, "did not say"),
        ("complained", "", State.DELIVERED, True, "spam"),
    ],
)
async def test_an_event_tells_what_became_of_the_letter(
    double: Double,
    mail: Letter,
    version: str,
    state: str,
    code: str,
    expected: State,
    suppress: bool,
    words: str,
) -> None:
    double.version = version
    ses = provider(Line(double))
    taken = await ses.send(mail)
    [receipt] = await told(ses, *double.report(double.taken[0], state, code))
    assert (receipt.ref, receipt.state, receipt.suppress) == (taken.ref, expected, suppress)
    assert words in receipt.why
    assert mail.to not in receipt.why
    assert receipt.code == code or not code
    if state != "failed":
        assert receipt.at == NOON


async def test_an_identitys_own_notifications_are_read_too(double: Double) -> None:
    event = {"notificationType": "Delivery", "mail": {"messageId": "m1"}, "delivery": {}}
    assert await told(provider(Line(double)), double.notify(event)) == [
        Receipt("m1", State.DELIVERED)
    ]


@pytest.mark.parametrize(
    ("complaint", "state"),
    [
        ({"complaintFeedbackType": "not-spam"}, None),
        ({"complaintSubType": "OnAccountSuppressionList"}, State.UNDELIVERED),
    ],
)
async def test_not_every_complaint_is_one(
    double: Double, complaint: dict[str, str], state: State | None
) -> None:
    event = {"eventType": "Complaint", "mail": {"messageId": "m1"}, "complaint": complaint}
    receipts = await told(provider(Line(double)), double.notify(event))
    assert [receipt.state for receipt in receipts] == ([state] if state else [])


@pytest.mark.parametrize(
    "event",
    [
        "Successfully validated SNS topic for Amazon SES event publishing.",
        {"eventType": "Open", "mail": {"messageId": "m1"}},
        {"eventType": "Bounce"},
        {"eventType": "Bounce", "mail": "m1", "bounce": []},
        {"eventType": ["Bounce"]},
        [1],
    ],
)
async def test_what_tells_nothing_of_a_letter_is_passed_over(double: Double, event: Any) -> None:
    assert await told(provider(Line(double)), double.notify(event)) == []


async def test_a_certificate_is_fetched_once_and_from_sns_only(double: Double) -> None:
    line = Line(double)
    ses = provider(line)
    event = {"eventType": "Send", "mail": {"messageId": "m1"}}
    await told(ses, double.notify(event), double.notify(event))
    assert double.fetched == 1
    assert all(url.startswith(f"{SNS}/") for url in line.asked)
    elsewhere = double.notify(event, SigningCertURL="https://evil.example/key.pem")
    with pytest.raises(Foreign, match="certificate"):
        await told(ses, elsewhere)
    assert len(line.asked) == 1


async def test_receipts_alone_ask_nobody(double: Double) -> None:
    line = Line(double)
    call = double.notify({"eventType": "Send", "mail": {"messageId": "m1"}})
    with pytest.raises(Foreign, match="was not fetched"):
        provider(line).receipts(callback(call))
    assert line.asked == []


async def test_a_certificate_that_sns_does_not_have_is_not_kept(double: Double) -> None:
    ses = provider(Line(double))
    made_up = f"{SNS}/SimpleNotificationService-00.pem"
    call = double.notify("hello", SigningCertURL=made_up)
    with pytest.raises(Foreign, match="does not have"):
        await told(ses, call)
    double.handle = lambda _: Reply(503)  # type: ignore[method-assign]
    with pytest.raises(TryLater, match="503"):
        await told(ses, call)


async def test_a_flood_of_forgeries_takes_one_connection(
    double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(double)
    ses = provider(line)
    ask = line.transport.ask

    async def slowly(*asked: Any) -> Answer:
        await asyncio.sleep(0)  # lets the others ask meanwhile
        return await ask(*asked)

    monkeypatch.setattr(line.transport, "ask", slowly)
    calls = [
        double.notify("x", SigningCertURL=f"{SNS}/SimpleNotificationService-{n:02}.pem")
        for n in range(20)
    ]
    tries = [ses.greet(callback(call)) for call in calls]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert len(line.asked) == 1
    assert [type(one) for one in outcomes].count(TryLater) == 19


async def test_few_certificates_are_kept(double: Double) -> None:
    ses = provider(Line(double))
    pem = double.handle
    double.handle = lambda request: pem(  # type: ignore[method-assign]
        type(request)(
            "GET", "/SimpleNotificationService-" + "0123456789abcdef" * 2 + ".pem", {}, b""
        )
    )
    for number in range(MOST_CERTIFICATES + 3):
        url = f"{SNS}/SimpleNotificationService-{number:02}.pem"
        await told(ses, double.notify("hello", SigningCertURL=url))
    assert len(ses._keys) == MOST_CERTIFICATES


async def test_an_altered_event_tells_nothing(double: Double) -> None:
    ses = provider(Line(double))
    call = double.notify({"eventType": "Delivery", "mail": {"messageId": "m1"}})
    body = json.loads(call.body)
    body["Message"] = body["Message"].replace("Delivery", "Bounce")
    altered = callback(call, body=json.dumps(body).encode())
    with pytest.raises(Foreign, match="altered"):
        await ses.greet(altered)
    with pytest.raises(Foreign, match="altered"):
        ses.receipts(altered)


async def test_an_old_event_tells_nothing(double: Double) -> None:
    call = double.notify({"eventType": "Delivery", "mail": {"messageId": "m1"}})
    with pytest.raises(Foreign, match="too long ago"):
        await told(provider(Line(double)), call, at=NOON + 61 * MINUTE)


@pytest.mark.parametrize("what", ["unsigned", "another topic", "no topic set"])
async def test_what_is_not_of_our_topic_tells_nothing(double: Double, what: str) -> None:
    other = TOPIC + "-of-eve"
    ses = provider(Line(double), **({"topic_arn": ""} if what == "no topic set" else {}))
    event = {"eventType": "Delivery", "mail": {"messageId": "m1"}}
    call = double.notify(event, **({"TopicArn": other} if what == "another topic" else {}))
    raw = {"body": json.dumps(event).encode()} if what == "unsigned" else {}
    with pytest.raises(Foreign):
        await ses.greet(callback(call, **raw))
    with pytest.raises(Foreign):
        ses.receipts(callback(call, **raw))


# ── subscriptions ─────────────────────────────────────────────────────────────────────
async def test_a_subscription_of_our_topic_is_confirmed(double: Double) -> None:
    ses = provider(Line(double))
    call = double.ask_to_confirm()
    assert await ses.greet(callback(call)) == b"ok"
    [confirmed] = double.confirmed
    assert TOKEN in confirmed
    assert ses.receipts(callback(call)) == []


async def test_a_subscription_of_another_topic_is_not_confirmed(double: Double) -> None:
    line = Line(double)
    with pytest.raises(Foreign, match="another topic"):
        await provider(line).greet(callback(double.ask_to_confirm(TopicArn=TOPIC + "x")))
    assert line.asked == []


async def test_a_forged_confirmation_is_not_followed(double: Double) -> None:
    call = double.ask_to_confirm()
    body = json.loads(call.body) | {"SubscribeURL": "https://evil.example/", "Token": "theirs"}
    line = Line(double)
    with pytest.raises(Foreign, match="altered"):
        await provider(line).greet(callback(call, body=json.dumps(body).encode()))
    assert double.confirmed == []
    assert [url for url in line.asked if "evil" in url] == []


async def test_a_confirmation_that_fails_is_asked_for_again(double: Double) -> None:
    ses = provider(Line(double))
    await told(ses, double.notify("hello"))
    double.handle = lambda _: Reply(500)  # type: ignore[method-assign]
    with pytest.raises(TryLater, match="500"):
        await ses.greet(callback(double.ask_to_confirm()))


async def test_the_end_of_a_subscription_is_nothing_to_read(double: Double) -> None:
    ses = provider(Line(double))
    assert await ses.greet(callback(double.ask_to_confirm(Type="UnsubscribeConfirmation"))) == b"ok"
    assert double.confirmed == []


async def test_it_sends_and_reports_over_a_real_line_too(mail: Letter) -> None:
    async with Laboratory() as lab:
        double, transport = Double("/ses", sns=f"{lab.url}/ses"), Transport()
        url = lab.mount("/ses", double)
        ses = make("email", OPTIONS | {"url": url, "sns_url": f"{url}/"}, transport)
        assert isinstance(ses, AwsSes)
        taken = await ses.send(mail)
        assert await ses.greet(callback(double.ask_to_confirm())) == b"ok"
        receipts = await told(ses, *double.report(double.taken[0], "delivered"))
        await transport.close()
    assert [(one.ref, one.state) for one in receipts] == [(taken.ref, State.DELIVERED)]
    assert (len(double.confirmed), double.fetched) == (1, 1)


# ── options ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"from": "Acme"}, "sender"),
        ({"reply_to": "a@b, c@d"}, "sender"),
        ({"topic_arn": "doorcode"}, "topic_arn"),
        ({"topic_arn": "arn:aws:sns:evil.example/x:123456789012:t"}, "topic_arn"),
        ({"region": "Ireland"}, "region"),
        ({"sns_url": "file:///etc"}, "url"),
    ],
)
def test_options_that_make_no_route_are_named(
    double: Double, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(BadOptions, match=words):
        provider(Line(double), **changes)


def test_it_reports_and_greets(double: Double) -> None:
    ses = provider(Line(double))
    assert isinstance(ses, Reporter)
    assert isinstance(ses, Greeter)
