"""E-mail by Amazon SES (API version 2), and what SES tells of it through an SNS topic.

    {"provider": "aws_ses", "region": "eu-west-1", "access_key_id": "AKIA…",
     "secret_access_key": "env:AWS_SECRET_ACCESS_KEY", "from": "Acme <no-reply@example.com>",
     "configuration_set": "doorcode",
     "topic_arn": "arn:aws:sns:eu-west-1:123456789012:doorcode"}

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html "SendEmail", and
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"Contents of event data that Amazon SES publishes to Amazon SNS".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from doorcode.delivery.interface import (
    Callback,
    Foreign,
    Letter,
    Never,
    NotSent,
    Receipt,
    State,
    Taken,
    TryAnother,
    TryLater,
)
from doorcode.delivery.providers.answers import document, moment, text
from doorcode.delivery.providers.aws import COMMON, Account, Aws, endpoint
from doorcode.delivery.providers.mailboxes import ascii_recipient, mailbox
from doorcode.delivery.providers.options import BadOptions, read
from doorcode.delivery.providers.sns_messages import (
    NOTIFICATION,
    SnsMessage,
    Topic,
    public_key,
    verify,
)
from doorcode.delivery.providers.transport import Answer, Meanings, Transport, verdict

MOST_CERTIFICATES = 4  # SNS changes its own about once a year

_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]+):\d{12}:[A-Za-z0-9_-]{1,256}", re.ASCII)

_MEANINGS: Meanings = MappingProxyType(
    {
        **COMMON,
        "MessageRejected": (
            TryAnother,
            "SES refuses the letter; verify the sender's domain in this region, "
            "and leave the SES sandbox",
        ),
        "MailFromDomainNotVerifiedException": (
            TryAnother,
            "the sender's MAIL FROM domain is not verified; set its MX record as SES shows it",
        ),
        "AccountSuspendedException": (
            TryAnother,
            "AWS has suspended this account's sending; open a case with AWS support",
        ),
        "SendingPausedException": (
            TryAnother,
            "sending is paused for the account or the configuration set; resume it in SES",
        ),
        "LimitExceededException": (
            TryAnother,
            "the account's quota is used up; have the daily quota raised",
        ),
        "NotFoundException": (
            TryAnother,
            "SES does not know the configuration set in this region; check configuration_set",
        ),
        "BadRequestException": (
            TryAnother,
            "SES does not accept the request; check from, reply_to and configuration_set",
        ),
    }
)

_GONE = "the mailbox does not exist"
_LISTED = "the address is on SES's suppression list; take it off there if it works again"
_UNCLEAR = "the mail server did not say why it refused the letter"
_BOUNCES = {
    "Permanent/General": "the mail server refuses this mailbox for good",
    "Permanent/NoEmail": _GONE,
    "Permanent/Suppressed": _LISTED,
    "Permanent/OnAccountSuppressionList": _LISTED,
    "Permanent/UnsubscribedRecipient": "its owner has unsubscribed from your letters in SES",
    "Transient/General": "the mail server could not take the letter; it may work later",
    "Transient/MailboxFull": "the mailbox is full; its owner must make room",
    "Transient/MessageTooLarge": "the mail server finds the letter too large",
    "Transient/ContentRejected": "the mail server refuses what is in the letter; check the "
    "domain's SPF, DKIM and DMARC",
    "Transient/AttachmentRejected": "the mail server refuses an attachment",
    "Transient/CustomTimeoutExceeded": "the letter could not be delivered in the time set in SES",
    "Undetermined/Undetermined": _UNCLEAR,
}
_DELAYS = {
    "InternalFailure": "SES has trouble of its own",
    "MailboxFull": "the mailbox is full; its owner must make room",
    "SpamDetected": "the mail server has seen too much unwanted mail from you",
    "RecipientServerError": "the mail server has trouble of its own",
    "IPFailure": "the mail server limits or blocks the address that SES sends from",
    "TransientCommunicationFailure": "the line to the mail server broke",
}


class Options(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`topic_arn` is the SNS topic of the configuration set; without it there are no receipts.

    `sns_url` is for another address of SNS than that of the topic's region.
    """

    sender: str = msgspec.field(name="from")
    reply_to: str = ""
    configuration_set: str = ""
    topic_arn: str = ""
    sns_url: str = ""


class AwsSes:
    """A provider for the channel "email"."""

    name = "aws_ses"
    immediate = False

    def __init__(self, given: Mapping[str, Any], transport: Transport) -> None:
        options = read(Options, given)
        self._aws = Aws(options, "email", "ses", transport)
        self._transport = transport
        self._sender = mailbox(options.sender)
        self._reply_to = [mailbox(options.reply_to)] if options.reply_to else []
        self._configuration_set = options.configuration_set
        self._topic = _topic(options) if options.topic_arn else None
        self._keys: dict[str, RSAPublicKey] = {}
        self._is_fetching = False

    async def send(self, letter: Letter) -> Taken:
        """Hand a letter over, or raise."""
        request: dict[str, Any] = {
            "FromEmailAddress": self._sender,
            "Destination": {"ToAddresses": [ascii_recipient("SES", letter.to)]},
            "Content": {
                "Simple": {
                    "Subject": {"Data": letter.subject, "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": letter.text, "Charset": "UTF-8"},
                        "Html": {"Data": letter.html, "Charset": "UTF-8"},
                    },
                }
            },
        }
        if self._reply_to:
            request["ReplyToAddresses"] = self._reply_to
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        answer = await self._aws.post(
            "/v2/email/outbound-emails",
            "application/json",
            msgspec.json.encode(request),
            letter.at,
        )
        if not answer.is_success:
            raise _refusal(answer)
        return Taken(text(answer.json, "MessageId"))

    # ── receipts ──────────────────────────────────────────────────────────────────────
    async def greet(self, callback: Callback) -> bytes | None:
        """See `Greeter`: learn SNS's certificate, and tell the topic that we listen."""
        topic, message = self._read(callback)
        if message.SigningCertURL not in self._keys:
            await self._learn(message.SigningCertURL)
        verify(message, self._keys[message.SigningCertURL])
        if message.Type == NOTIFICATION:
            return None
        if message.is_confirmation:
            answer = await self._transport.ask("GET", topic.confirmation(message))
            if not answer.is_success:
                raise TryLater(f"SNS answered {answer.status} to the confirmation")
        return b"ok"

    def receipts(self, callback: Callback) -> list[Receipt]:
        """See `Reporter`; it needs the certificate that `greet` has learned."""
        _, message = self._read(callback)
        key = self._keys.get(message.SigningCertURL)
        if key is None:
            raise Foreign("signed by a certificate that was not fetched")
        verify(message, key)
        if message.Type != NOTIFICATION:
            return []
        # It may be a sentence: "Successfully validated SNS topic for Amazon SES event publishing."
        receipt = _receipt(document(message.Message.encode()))
        return [receipt] if receipt and receipt.ref else []

    def _read(self, callback: Callback) -> tuple[Topic, SnsMessage]:
        if self._topic is None:
            raise Foreign("the route has no topic_arn; set it to that of the SNS topic")
        return self._topic, self._topic.read(callback.body, callback.at)

    async def _learn(self, url: str) -> None:
        # One at a time: a flood of forged messages must not take the connections that
        # letters go by.
        if self._is_fetching:
            raise TryLater("a certificate is being fetched already")
        self._is_fetching = True
        try:
            answer = await self._transport.ask("GET", url)
        finally:
            self._is_fetching = False
        if answer.status >= 500:
            raise TryLater(f"SNS answered {answer.status} when asked for its certificate")
        key = public_key(answer.body) if answer.is_success else None
        if key is None:
            raise Foreign("signed by a certificate that SNS does not have")
        if len(self._keys) >= MOST_CERTIFICATES:
            del self._keys[next(iter(self._keys))]
        self._keys[url] = key


def _topic(options: Options) -> Topic:
    found = _TOPIC.fullmatch(options.topic_arn)
    if not found:
        raise BadOptions("topic_arn is no topic; it looks like arn:aws:sns:eu-west-1:…:doorcode")
    return Topic(options.topic_arn, endpoint("sns", found[1], options.sns_url))


def _refusal(answer: Answer) -> NotSent:
    said = answer.json
    # "MessageRejected:http://internal.amazon.com/…" or "com.amazonaws.sesv2#MessageRejected"
    named = answer.headers.get("x-amzn-errortype") or text(said, "__type") or text(said, "code")
    code = named.split(":")[0].rsplit("#", 1)[-1]
    about = (text(said, "message") or text(said, "Message")).lower()
    if code == "BadRequestException" and ("address" in about or "domain" in about):
        return Never("SES does not accept this address", code)
    return verdict(_MEANINGS, "SES", answer.status, code)


def _receipt(event: object) -> Receipt | None:
    """What an event tells of the letter; None for one that tells nothing of its way."""
    ref = text(event, "mail", "messageId")
    # An identity's own notifications name it otherwise than the events of a configuration set.
    match text(event, "eventType") or text(event, "notificationType"):
        case "Send":
            return Receipt(ref, State.ACCEPTED, moment(text(event, "mail", "timestamp")))
        case "Delivery":
            return Receipt(ref, State.DELIVERED, moment(text(event, "delivery", "timestamp")))
        case "DeliveryDelay":
            code = text(event, "deliveryDelay", "delayType")
            why = _DELAYS.get(code, "the mail server puts the letter off") + "; SES tries again"
            at = moment(text(event, "deliveryDelay", "timestamp"))
            return Receipt(ref, State.ACCEPTED, at, code, why)
        case "Bounce":
            return _bounce(ref, event)
        case "Complaint":
            return _complaint(ref, event)
        case "Reject":
            why = "SES found a virus in the letter and did not send it"
            return Receipt(ref, State.FAILED, code="Reject", why=why)
        case "Rendering Failure":
            why = "SES could not fill in a template; take the template off the configuration set"
            return Receipt(ref, State.FAILED, code="RenderingFailure", why=why)
    return None


def _bounce(ref: str, event: object) -> Receipt:
    sort = text(event, "bounce", "bounceType")
    code = f"{sort}/{text(event, 'bounce', 'bounceSubType')}"
    why = _BOUNCES.get(code) or _BOUNCES.get(f"{sort}/General", _UNCLEAR)
    at = moment(text(event, "bounce", "timestamp"))
    return Receipt(ref, State.UNDELIVERED, at, code, why, suppress=sort == "Permanent")


def _complaint(ref: str, event: object) -> Receipt | None:
    at = moment(text(event, "complaint", "timestamp"))
    if text(event, "complaint", "complaintSubType") == "OnAccountSuppressionList":
        return Receipt(ref, State.UNDELIVERED, at, "Complaint", _LISTED, suppress=True)
    if text(event, "complaint", "complaintFeedbackType") == "not-spam":
        return None  # its owner took it out of the spam folder
    why = "its owner marked the letter as spam; ask before you write to them again"
    return Receipt(ref, State.DELIVERED, at, "Complaint", why, suppress=True)
