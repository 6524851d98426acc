"""What an Amazon SNS topic sends to us, and whether it was SNS that signed it.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html "Verifying the
signatures of Amazon SNS messages". The key's certificate lies at an address that the message
names itself, so whoever may choose that address may sign anything: it must be SNS's own, in
the topic's region.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from urllib.parse import quote

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from doorcode.delivery.interface import Foreign
from doorcode.delivery.providers.answers import moment
from doorcode.domain.limits import MINUTE

LIVES = 60 * MINUTE  # a message; SNS gives up on its tries before that

NOTIFICATION = "Notification"
_NOTIFICATION_FIELDS = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION_FIELDS = (
    "Message",
    "MessageId",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
)
_FIELDS = {
    NOTIFICATION: _NOTIFICATION_FIELDS,
    "SubscriptionConfirmation": _CONFIRMATION_FIELDS,
    "UnsubscribeConfirmation": _CONFIRMATION_FIELDS,
}
# Version 1 is what a topic signs with unless it is told otherwise; SHA-1 is forgeable only by
# who chooses both of two texts, and these are written by AWS.
_HASHES = {"1": SHA1, "2": SHA256}


class SnsMessage(msgspec.Struct, frozen=True):
    """The body of a request of SNS. `fields` are those that are signed, as they are signed."""

    Type: str
    MessageId: str
    TopicArn: str
    Message: str
    Timestamp: str
    SignatureVersion: str
    Signature: str
    SigningCertURL: str
    Subject: str | None = None
    Token: str | None = None
    SubscribeURL: str | None = None

    @property
    def is_confirmation(self) -> bool:
        """Whether it asks if we want what the topic sends."""
        return self.Type == "SubscriptionConfirmation"

    @property
    def signed(self) -> bytes:
        """The text under the signature."""
        pairs = ((name, getattr(self, name)) for name in _FIELDS[self.Type])
        return "".join(f"{name}\n{value}\n" for name, value in pairs if value is not None).encode()


@dataclass(frozen=True, slots=True)
class Topic:
    """The one topic that we listen to; `url` is the address of SNS in its region."""

    arn: str
    url: str

    def read(self, body: bytes, at: int) -> SnsMessage:
        """A message that says it is of this topic and of now, or `Foreign`."""
        try:
            message = msgspec.json.decode(body, type=SnsMessage)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise Foreign(
                "no message of SNS; is raw message delivery on? Its messages are not signed"
            ) from None
        if message.TopicArn != self.arn:
            raise Foreign("of another topic than the one in topic_arn")
        if message.Type not in _FIELDS or message.SignatureVersion not in _HASHES:
            raise Foreign("a message of a kind that SNS does not send")
        written = moment(message.Timestamp)
        if written is None or abs(at - written) > LIVES:
            raise Foreign("signed too long ago, or this machine's clock is wrong")
        if not self._holds(message.SigningCertURL):
            raise Foreign("its certificate does not lie at the SNS of the topic's region")
        return message

    def confirmation(self, message: SnsMessage) -> str:
        """Where to say that we want what the topic sends.

        It is put together here: the address in the message may lead anywhere.
        """
        return (
            f"{self.url}/?Action=ConfirmSubscription&TopicArn={quote(self.arn, safe='')}"
            f"&Token={quote(message.Token or '', safe='')}"
        )

    def _holds(self, certificate_url: str) -> bool:
        name = r"/SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem"
        return bool(re.fullmatch(re.escape(self.url) + name, certificate_url, re.ASCII))


def public_key(pem: bytes) -> RSAPublicKey | None:
    """The key in a certificate, or None where it is none."""
    try:
        key = x509.load_pem_x509_certificate(pem).public_key()
    except ValueError:
        return None
    return key if isinstance(key, RSAPublicKey) else None


def verify(message: SnsMessage, key: RSAPublicKey) -> None:
    """Raise `Foreign` unless the key signed the message."""
    try:
        signature = base64.b64decode(message.Signature, validate=True)
        key.verify(signature, message.signed, PKCS1v15(), _HASHES[message.SignatureVersion]())
    except (InvalidSignature, ValueError):
        raise Foreign("the signature is not by SNS, or the message was altered") from None
