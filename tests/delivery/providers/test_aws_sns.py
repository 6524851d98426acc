"""Text messages by Amazon SNS, against a double that checks as its pages say."""

from __future__ import annotations

from typing import Any

import pytest
from tests.laboratory import aws
from tests.laboratory.aws_sns import OPTIONS
from tests.laboratory.aws_sns import AwsSns as Double
from tests.laboratory.server import Laboratory

from doorcode.delivery.interface import (
    Letter,
    Never,
    NotSent,
    Reporter,
    Taken,
    TryAnother,
    TryElsewhere,
    TryLater,
)
from doorcode.delivery.providers.aws_sns import AwsSns
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.registry import make
from doorcode.delivery.providers.transport import Transport

from ..conftest import LetterMaker
from .line import NOON, Line

NUMBER = "+4915112345678"
ROUTE = {name: value for name, value in OPTIONS.items() if name != "provider"}


@pytest.fixture
def double() -> Double:
    return Double()


@pytest.fixture
def text(letter: LetterMaker) -> Letter:
    return letter(channel="sms", to=NUMBER, subject="", html="", at=NOON)


def provider(line: Line, **changes: Any) -> AwsSns:
    made = make("sms", OPTIONS | changes, line.transport)
    assert isinstance(made, AwsSns)
    return made


async def test_a_text_is_published_as_documented(double: Double, text: Letter) -> None:
    line = Line(double)
    taken = await provider(line, **{"from": "Acme", "max_price": "0.50"}).send(text)
    assert taken == Taken(double.taken[0].ref)
    assert line.asked == ["https://sns.eu-west-1.amazonaws.com/"]
    form = double.forms[0]
    assert (form["PhoneNumber"], form["Message"]) == (NUMBER, text.text)
    entries = {
        form[f"MessageAttributes.entry.{number}.Name"]: (
            form[f"MessageAttributes.entry.{number}.Value.DataType"],
            form[f"MessageAttributes.entry.{number}.Value.StringValue"],
        )
        for number in (1, 2, 3)
    }
    assert entries == {
        "AWS.SNS.SMS.SMSType": ("String", "Transactional"),
        "AWS.SNS.SMS.SenderID": ("String", "Acme"),
        "AWS.SNS.SMS.MaxPrice": ("Number", "0.50"),
    }


async def test_a_number_of_ones_own_is_no_sender_id(double: Double, text: Letter) -> None:
    india = {"entity_id": "1101", "template_id": "1107"}
    await provider(Line(double), **{"from": "+15550100"}, **india).send(text)
    form = double.forms[0]
    names = {form[f"MessageAttributes.entry.{number}.Name"] for number in (2, 3, 4)}
    expected = {"OriginationNumber", "EntityId", "TemplateId"}
    assert names == {f"AWS.MM.SMS.{name}" for name in expected}


async def test_a_lent_key_sends_its_session_token(double: Double, text: Letter) -> None:
    line = Line(double)
    await provider(line, session_token="lent").send(text)
    assert line.requests[0].headers["x-amz-security-token"] == "lent"
    assert len(double.taken) == 1


async def test_chinas_regions_have_addresses_of_their_own(double: Double, text: Letter) -> None:
    line = Line(double)
    with pytest.raises(TryAnother):  # the double lives elsewhere, so it refuses the signature
        await provider(line, region="cn-north-1").send(text)
    assert line.asked == ["https://sns.cn-north-1.amazonaws.com.cn/"]


async def test_it_goes_over_a_real_line_too(text: Letter) -> None:
    async with Laboratory() as lab:
        double, transport = Double("/sns"), Transport()
        sns = AwsSns(ROUTE | {"url": lab.mount("/sns", double)}, transport)
        await sns.send(text)
        await transport.close()
    assert [one.to for one in double.taken] == [NUMBER]


# ── refusals ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("answer", "sort", "words"),
    [
        ((400, "Throttling", "Rate exceeded"), TryLater, "sending rate"),
        ((500, "InternalError", ""), TryLater, "trouble of its own"),
        ((503, "ServiceUnavailable", ""), TryLater, "trouble of its own"),
        ((400, "KMSThrottling", ""), TryLater, "KMS"),
        ((403, "InvalidClientTokenId", ""), TryAnother, "access_key_id"),
        ((403, "SignatureDoesNotMatch", ""), TryAnother, "secret_access_key"),
        ((403, "ExpiredToken", ""), TryAnother, "session token has expired"),
        ((400, "RequestExpired", ""), TryAnother, "clock"),
        ((403, "AuthorizationError", ""), TryAnother, "IAM policy"),
        ((403, "OptInRequired", ""), TryAnother, "enable it"),
        ((400, "KMSDisabled", ""), TryAnother, "KMS key"),
        ((400, "InvalidParameter", "Invalid parameter: SenderID"), TryAnother, "check from"),
        (
            (400, "InvalidParameter", f"Invalid parameter: PhoneNumber Reason: {NUMBER} is not"),
            Never,
            "number",
        ),
        (
            (400, "InvalidParameter", "Phone number is opted out"),
            Never,
            "opted out",
        ),
        ((418, "Unheard", ""), Never, "answered 418"),
        ((502, "Unheard", ""), TryLater, "answered 502"),
    ],
)
async def test_each_refusal_says_what_to_do_and_how_to_mend_it(
    double: Double, text: Letter, answer: tuple[int, str, str], sort: type[NotSent], words: str
) -> None:
    double.refuse_with = answer
    with pytest.raises(NotSent) as caught:
        await provider(Line(double)).send(text)
    assert type(caught.value) is sort
    assert words in caught.value.why
    assert NUMBER not in caught.value.why
    assert aws.SECRET not in caught.value.why
    assert text.code not in caught.value.why
    assert caught.value.code in (answer[1], "OptedOut")


async def test_a_wrong_number_is_refused_by_the_double_itself(
    double: Double, letter: LetterMaker
) -> None:
    with pytest.raises(Never, match="SNS cannot send to this number"):
        await provider(Line(double)).send(letter(channel="sms", to="+0", at=NOON))


async def test_a_wrong_secret_is_refused_by_the_double_itself(double: Double, text: Letter) -> None:
    with pytest.raises(TryAnother, match="secret_access_key") as caught:
        await provider(Line(double), secret_access_key="another").send(text)
    assert not isinstance(caught.value, TryElsewhere)
    assert caught.value.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("reply", ["refuse_credentials", "throttle"])
async def test_what_the_laboratory_breaks_is_told_apart(
    double: Double, text: Letter, reply: str
) -> None:
    made = getattr(double, reply)()
    double.handle = lambda _: made  # type: ignore[method-assign]
    sort = TryLater if reply == "throttle" else TryAnother
    with pytest.raises(sort):
        await provider(Line(double)).send(text)


# ── options ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"region": "evil.example.com/"}, "region"),
        ({"region": "eu-west-1.evil"}, "region"),
        ({"from": "TwelveLetter"}, "sender ID"),
        ({"from": "Acme\r\nX"}, "sender ID"),
        ({"max_price": "cheap"}, "max_price"),
        ({"max_price": "NaN"}, "max_price"),
        ({"url": "ftp://example.com"}, "url"),
        ({"secret": "x"}, "secret"),
    ],
)
def test_options_that_make_no_route_are_named(
    double: Double, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(BadOptions, match=words):
        provider(Line(double), **changes)


def test_it_promises_no_receipts(double: Double) -> None:
    assert not isinstance(provider(Line(double)), Reporter)
    assert double.report(None, "delivered") == []  # type: ignore[arg-type]
