"""A double of Amazon SES, and of the SNS topic by which it tells what became of a letter."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from . import aws
from .wire import Call, Reply, Request, Taken

TOPIC = f"arn:aws:sns:{aws.REGION}:123456789012:doorcode"
SNS = f"https://sns.{aws.REGION}.amazonaws.com"
CERTIFICATE = "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
TOKEN = "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92"
OPTIONS = {
    "provider": "aws_ses",
    "region": aws.REGION,
    "access_key_id": aws.KEY_ID,
    "secret_access_key": aws.SECRET,
    "from": "Acme <no-reply@example.com>",
    "configuration_set": "doorcode",
    "topic_arn": TOPIC,
}
# What a letter that comes to a state is told by, and with what.
EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "sent": ("Send", {"send": {}}),
    "delivered": ("Delivery", {"delivery": {"smtpResponse": "250 ok"}}),
    "delayed": ("DeliveryDelay", {"deliveryDelay": {"delayType": "MailboxFull"}}),
    "complained": ("Complaint", {"complaint": {"complaintFeedbackType": "abuse"}}),
    "failed": ("Reject", {"reject": {"reason": "Bad content"}}),
}


class AwsSes:
    """`prefix` is the path below which it is served, `sns` the address of its SNS."""

    def __init__(self, prefix: str = "", sns: str = SNS, now: datetime | None = None) -> None:
        self.taken: list[Taken] = []
        self.letters: list[dict[str, Any]] = []
        self.refuse_with: tuple[int, str, str] | None = None  # whatever comes: status, code, words
        self.confirmed: list[str] = []
        self.fetched = 0
        self.callback_url = "https://auth.example.com/v1/receipts/aws_ses"
        self.now = now or datetime(2026, 5, 8, 12, tzinfo=UTC)
        self.version = "1"
        self._prefix = prefix
        self._sns = sns

    def handle(self, request: Request) -> Reply:
        if request.method == "GET":
            return self._topic(request)
        code = aws.refusal(request, self._prefix, "ses")
        if code:
            return error(403, code, "The request could not be authenticated.")
        if self.refuse_with:
            return error(*self.refuse_with)
        if request.path != "/v2/email/outbound-emails":
            return error(404, "NotFoundException", "No such operation")
        letter = request.json
        [to] = letter["Destination"]["ToAddresses"]
        if not to.isascii() or "," in to or any(char.isspace() for char in to):
            return error(400, "BadRequestException", "Local address contains illegal characters")
        if "@example.com" not in letter["FromEmailAddress"]:
            return error(400, "MessageRejected", "Email address is not verified.")
        ref = f"0100017c44f053b-61b59c11-9236-11e6-8f96-{len(self.taken):012x}-000000"
        self.letters.append(letter)
        self.taken.append(Taken(ref, to, letter["Content"]["Simple"]["Body"]["Text"]["Data"]))
        return Reply.of(200, {"MessageId": ref})

    def refuse_credentials(self) -> Reply:
        return error(403, "ExpiredTokenException", "The security token is expired")

    def throttle(self) -> Reply:
        return error(429, "TooManyRequestsException", "Too many requests")

    def report(self, taken: Taken, state: str, code: str = "") -> list[Call]:
        """`code` is a bounce's type and subtype: "Permanent/General"."""
        if state in EVENTS:
            sort, parts = EVENTS[state]
        else:
            bounce_type, _, subtype = (code or "Permanent/General").partition("/")
            sort = "Bounce"
            recipients = [{"emailAddress": taken.to, "status": "5.1.1"}]
            bounce = {"bounceType": bounce_type, "bounceSubType": subtype}
            parts = {"bounce": bounce | {"bouncedRecipients": recipients}}
        told = {name: part | {"timestamp": self._stamp()} for name, part in parts.items()}
        mail = {"messageId": taken.ref, "timestamp": self._stamp(), "destination": [taken.to]}
        return [self.notify({"eventType": sort, "mail": mail} | told)]

    # ── the topic ─────────────────────────────────────────────────────────────────────
    def notify(self, event: Any, **changes: Any) -> Call:
        """A notification of the topic; what `changes` is changed before it is signed."""
        message = event if isinstance(event, str) else json.dumps(event)
        return self.sign({"Type": "Notification", "Message": message, **changes})

    def ask_to_confirm(self, **changes: Any) -> Call:
        """What a topic sends to a new subscription."""
        action = f"Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}"
        message = {
            "Type": "SubscriptionConfirmation",
            "Message": "You have chosen to subscribe to the topic.",
            "Token": TOKEN,
            "SubscribeURL": f"{self._sns}/?{action}",
        }
        return self.sign(message | changes)

    def sign(self, parts: dict[str, Any], key: RSAPrivateKey | None = None) -> Call:
        message = {
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Timestamp": self._stamp(),
            "SignatureVersion": self.version,
            "SigningCertURL": self._sns + CERTIFICATE,
        } | parts
        names = ["Message", "MessageId"]
        if message["Type"] == "Notification":
            names += ["Subject", "Timestamp", "TopicArn", "Type"]
        else:
            names += ["SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
        sort = SHA256() if message["SignatureVersion"] == "2" else SHA1()
        signature = (key or signing_key()).sign(text.encode(), PKCS1v15(), sort)
        message["Signature"] = base64.b64encode(signature).decode()
        headers = {
            "content-type": "text/plain; charset=UTF-8",
            "x-amz-sns-message-type": message["Type"],
        }
        return Call("POST", self.callback_url, headers, json.dumps(message).encode())

    def _topic(self, request: Request) -> Reply:
        if request.path == CERTIFICATE:
            self.fetched += 1
            return Reply(200, certificate(), {"content-type": "binary/octet-stream"})
        if "Action=ConfirmSubscription" in request.target:
            self.confirmed.append(request.target)
            return Reply(200, b"<ConfirmSubscriptionResponse/>", {"content-type": "text/xml"})
        return Reply(403, b"<Error><Code>AccessDenied</Code></Error>")

    def _stamp(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def error(status: int, code: str, message: str) -> Reply:
    """An error of the REST API; its name comes with an address behind it."""
    named = f"{code}:http://internal.amazon.com/coral/com.amazonaws.sesv2/"
    return Reply.of(status, {"message": message}, x_amzn_errortype=named)


@cache
def signing_key() -> RSAPrivateKey:
    """SNS's own key."""
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate() -> bytes:
    """What lies at the certificate's address."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder(name, name, signing_key().public_key(), x509.random_serial_number())
        .not_valid_before(day)
        .not_valid_after(day + timedelta(days=365))
        .sign(signing_key(), SHA256())
    )
    return made.public_bytes(Encoding.PEM)
