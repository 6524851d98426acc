"""A double of Amazon SNS: Publish to a phone number, by the Query API."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from . import aws
from .wire import Call, Reply, Request, Taken

OPTIONS = {
    "provider": "aws_sns",
    "region": aws.REGION,
    "access_key_id": aws.KEY_ID,
    "secret_access_key": aws.SECRET,
}
_XMLNS = "http://sns.amazonaws.com/doc/2010-03-31/"


class AwsSns:
    """`prefix` is the path below which it is served, which a signature covers."""

    def __init__(self, prefix: str = "") -> None:
        self.taken: list[Taken] = []
        self.forms: list[dict[str, str]] = []
        self.refuse_with: tuple[int, str, str] | None = None  # whatever comes: status, code, words
        self._prefix = prefix

    def handle(self, request: Request) -> Reply:
        code = aws.refusal(request, self._prefix, "sns")
        if code:
            return error(403, code, "The request could not be authenticated.")
        if self.refuse_with:
            return error(*self.refuse_with)
        form = request.form
        if (form.get("Action"), form.get("Version")) != ("Publish", "2010-03-31"):
            return error(400, "InvalidAction", "The action is not valid for this web service.")
        to, text = form.get("PhoneNumber", ""), form.get("Message", "")
        if not re.fullmatch(r"\+[1-9]\d{6,14}", to):
            words = f"Invalid parameter: PhoneNumber Reason: {to} is not valid to publish to"
            return error(400, "InvalidParameter", words)
        if not text:
            return error(400, "InvalidParameter", "Invalid parameter: Empty message")
        ref = f"567910cd-659e-55d4-8ccb-{len(self.taken):012x}"
        self.forms.append(form)
        self.taken.append(Taken(ref, to, text))
        body = (
            f'<PublishResponse xmlns="{_XMLNS}"><PublishResult><MessageId>{ref}</MessageId>'
            "</PublishResult><ResponseMetadata><RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0"
            "</RequestId></ResponseMetadata></PublishResponse>"
        )
        return Reply(200, body.encode(), {"content-type": "text/xml"})

    def refuse_credentials(self) -> Reply:
        return error(403, "ExpiredToken", "The security token included in the request is expired")

    def throttle(self) -> Reply:
        return error(400, "Throttling", "Rate exceeded")

    def report(self, taken: Taken, state: str, code: str = "") -> list[Call]:
        return []  # SNS writes to CloudWatch, and calls nobody


def error(status: int, code: str, message: str) -> Reply:
    """An error of the Query API."""
    body = (
        f'<ErrorResponse xmlns="{_XMLNS}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error>"
        "<RequestId>9dd01905-5012-5f99-8663-4b3ecd0dfaef</RequestId></ErrorResponse>"
    )
    return Reply(status, body.encode(), {"content-type": "text/xml"})
