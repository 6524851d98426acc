"""Whether a message is of our topic and of now, and signed by SNS."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from tests.laboratory.aws_ses import CERTIFICATE, SNS, TOPIC, AwsSes, certificate
from tests.laboratory.wire import Call

from doorcode.delivery.interface import Foreign
from doorcode.delivery.providers.sns_messages import LIVES, Topic, public_key, verify

from .line import NOON

topic = Topic(TOPIC, SNS)


@pytest.fixture
def double() -> AwsSes:
    return AwsSes()


def check(call: Call, at: int = NOON) -> None:
    key = public_key(certificate())
    assert key
    verify(topic.read(call.body, at), key)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("parts", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_what_sns_signed_is_believed(double: AwsSes, version: str, parts: dict[str, str]) -> None:
    double.version = version
    check(double.notify("hello", **parts))
    check(double.ask_to_confirm())


@pytest.mark.parametrize("field", ["Message", "MessageId", "Subject", "Timestamp"])
def test_nothing_that_is_signed_can_be_altered(double: AwsSes, field: str) -> None:
    call = double.notify("hello", Subject="of it")
    body = json.loads(call.body) | {field: "2026-05-08T12:00:01.000Z"}
    with pytest.raises(Foreign, match="altered"):
        check(Call("POST", call.url, call.headers, json.dumps(body).encode()))


@pytest.mark.parametrize("field", ["Token", "SubscribeURL", "Type"])
def test_nothing_of_a_confirmation_can_be_altered(double: AwsSes, field: str) -> None:
    call = double.ask_to_confirm()
    body = json.loads(call.body) | {field: "UnsubscribeConfirmation"}
    with pytest.raises(Foreign, match="altered"):
        check(Call("POST", call.url, call.headers, json.dumps(body).encode()))


def test_a_key_of_somebody_else_counts_for_nothing(double: AwsSes) -> None:
    theirs = generate_private_key(public_exponent=65537, key_size=2048)
    call = double.sign({"Type": "Notification", "Message": "hello"}, theirs)
    with pytest.raises(Foreign, match="not by SNS"):
        check(call)


@pytest.mark.parametrize("signature", ["", "????", "AAAA", "é"])
def test_what_is_no_signature_is_refused(double: AwsSes, signature: str) -> None:
    body = json.loads(double.notify("hello").body) | {"Signature": signature}
    with pytest.raises(Foreign):
        check(Call("POST", "", {}, json.dumps(body).encode()))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"TopicArn": TOPIC.replace("123456789012", "210987654321")}, "another topic"),
        ({"Timestamp": "long ago"}, "too long ago"),
        ({"Type": "Advertisement"}, "kind"),
        ({"SignatureVersion": "3"}, "kind"),
        ({"SigningCertURL": f"http{SNS.removeprefix('https')}{CERTIFICATE}"}, "certificate"),
        ({"SigningCertURL": f"https://sns.us-east-1.amazonaws.com{CERTIFICATE}"}, "certificate"),
        (
            {"SigningCertURL": f"https://sns.eu-west-1.amazonaws.com.evil.example{CERTIFICATE}"},
            "cert",
        ),
        ({"SigningCertURL": f"{SNS}@evil.example{CERTIFICATE}"}, "certificate"),
        ({"SigningCertURL": f"https://evil.example/{SNS}{CERTIFICATE}"}, "certificate"),
        ({"SigningCertURL": f"{SNS}/../bucket/SimpleNotificationService-a.pem"}, "certificate"),
        ({"SigningCertURL": f"{SNS}{CERTIFICATE}\n"}, "certificate"),
        ({"SigningCertURL": f"{SNS}{CERTIFICATE}?x=1"}, "certificate"),
    ],
)
def test_a_message_that_is_not_of_our_topic_is_refused(
    double: AwsSes, changes: dict[str, Any], words: str
) -> None:
    body = json.loads(double.notify("hello").body) | changes
    with pytest.raises(Foreign, match=words):
        topic.read(json.dumps(body).encode(), NOON)


@pytest.mark.parametrize("late", [LIVES + 1, -LIVES - 1])
def test_a_message_is_not_believed_an_hour_later(double: AwsSes, late: int) -> None:
    call = double.notify("hello")
    check(call, NOON + (LIVES if late > 0 else -LIVES))
    with pytest.raises(Foreign, match="too long ago"):
        check(call, NOON + late)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff\xfe", b'{"Type":"\xff"}', b"[" * 99999])
def test_whatever_is_no_message_is_refused_as_such(body: bytes) -> None:
    with pytest.raises(Foreign, match="no message of SNS"):
        topic.read(body, NOON)


@pytest.mark.parametrize("pem", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAA\n"])
def test_what_is_no_certificate_holds_no_key(pem: bytes) -> None:
    assert public_key(pem) is None


def test_a_subscription_is_confirmed_at_sns_wherever_the_message_points(double: AwsSes) -> None:
    call = double.ask_to_confirm(SubscribeURL="https://evil.example/", Token="a&b=c")
    url = topic.confirmation(topic.read(call.body, NOON))
    assert url.startswith(f"{SNS}/?Action=ConfirmSubscription&TopicArn=arn%3Aaws%3Asns%3A")
    assert url.endswith("&Token=a%26b%3Dc")
