"""Text messages by Amazon SNS.

    {"provider": "aws_sns", "region": "eu-west-1", "access_key_id": "AKIA…",
     "secret_access_key": "env:AWS_SECRET_ACCESS_KEY", "from": "Acme"}

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html "Publish", and
https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html "Publishing SMS messages".

SNS calls nobody back: whether a message arrived stands in CloudWatch's logs only, so there
are no receipts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import msgspec

from doorcode.delivery.interface import Letter, Never, NotSent, Taken, TryAnother, TryLater
from doorcode.delivery.providers.aws import COMMON, Account, Aws
from doorcode.delivery.providers.options import BadOptions, read
from doorcode.delivery.providers.transport import Answer, Meanings, Transport, verdict

_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_SENDER_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}", re.ASCII)
_NUMBER = re.compile(r"\+?[0-9]{5,15}", re.ASCII)
# Read by pattern and not as XML: there is no entity to expand, and two words are all we need.
_CODE = re.compile(r"<Code>([A-Za-z0-9.]{1,60})</Code>", re.ASCII)
_MESSAGE = re.compile(r"<Message>([^<]*)</Message>")
_MESSAGE_ID = re.compile(r"<MessageId>([A-Za-z0-9-]{1,80})</MessageId>", re.ASCII)

_OPTED_OUT = (
    "this number has opted out of messages of this AWS account; only its owner may undo that"
)
_PARAMETER = "SNS refuses a parameter of the route; check from, entity_id and template_id"
_KMS = "SNS cannot use the KMS key; enable it and allow SNS to use it"

_MEANINGS: Meanings = MappingProxyType(
    {
        **COMMON,
        "OptedOut": (Never, _OPTED_OUT),
        "InvalidParameter": (TryAnother, _PARAMETER),
        "InvalidParameterValue": (TryAnother, _PARAMETER),
        "ParameterValueInvalid": (TryAnother, _PARAMETER),
        "ValidationError": (TryAnother, _PARAMETER),
        "ValidationException": (TryAnother, _PARAMETER),
        "KMSThrottling": (TryLater, "the KMS key was asked for too often"),
        "KMSDisabled": (TryAnother, _KMS),
        "KMSInvalidState": (TryAnother, _KMS),
        "KMSNotFound": (TryAnother, _KMS),
        "KMSOptInRequired": (TryAnother, _KMS),
        "KMSAccessDenied": (TryAnother, _KMS),
    }
)


class Options(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`from` is a sender ID or a number of yours; without it, SNS chooses.

    `max_price` is in US dollars per message ("0.50"). India asks for `entity_id` and
    `template_id`.
    """

    sender: str = msgspec.field(name="from", default="")
    max_price: str = ""
    entity_id: str = ""
    template_id: str = ""


class AwsSns:
    """A provider for the channel "sms"."""

    name = "aws_sns"
    immediate = False

    def __init__(self, given: Mapping[str, Any], transport: Transport) -> None:
        options = read(Options, given)
        self._aws = Aws(options, "sns", "sns", transport)
        self._attributes = _attributes(options)

    async def send(self, letter: Letter) -> Taken:
        """Hand a text over, or raise."""
        form = {
            "Action": "Publish",
            "Version": "2010-03-31",
            "PhoneNumber": letter.to,
            "Message": letter.text,
        }
        for number, (name, sort, value) in enumerate(self._attributes, start=1):
            entry = f"MessageAttributes.entry.{number}"
            form[f"{entry}.Name"] = name
            form[f"{entry}.Value.DataType"] = sort
            form[f"{entry}.Value.StringValue"] = value
        answer = await self._aws.post("/", _FORM, urlencode(form).encode(), letter.at)
        if not answer.is_success:
            raise _refusal(answer)
        found = _MESSAGE_ID.search(answer.body.decode(errors="replace"))
        return Taken(found[1] if found else "")


def _attributes(options: Options) -> list[tuple[str, str, str]]:
    attributes = [("AWS.SNS.SMS.SMSType", "String", "Transactional")]
    if _NUMBER.fullmatch(options.sender):
        attributes.append(("AWS.MM.SMS.OriginationNumber", "String", options.sender))
    elif _SENDER_ID.fullmatch(options.sender):
        attributes.append(("AWS.SNS.SMS.SenderID", "String", options.sender))
    elif options.sender:
        raise BadOptions(
            "from is a number of yours (+15550100), or a sender ID of 11 letters and digits at "
            "most, one of them a letter"
        )
    if options.max_price:
        attributes.append(("AWS.SNS.SMS.MaxPrice", "Number", _price(options.max_price)))
    if options.entity_id:
        attributes.append(("AWS.MM.SMS.EntityId", "String", options.entity_id))
    if options.template_id:
        attributes.append(("AWS.MM.SMS.TemplateId", "String", options.template_id))
    return attributes


def _price(text: str) -> str:
    try:
        price = Decimal(text)
        is_price = 0 < price < 1000
    except InvalidOperation:  # what is no number compares with none either
        is_price = False
    if not is_price:
        raise BadOptions('max_price is the most US dollars that a message may cost, such as "0.50"')
    return f"{price:f}"


def _refusal(answer: Answer) -> NotSent:
    said = answer.body.decode(errors="replace")
    found, message = _CODE.search(said), _MESSAGE.search(said)
    code = found[1] if found else ""
    # One code for every parameter: only the sentence tells the number's fault from ours.
    about = message[1].lower() if message else ""
    if code.startswith("InvalidParameter") and "opted out" in about:
        code = "OptedOut"
    elif code.startswith("InvalidParameter") and (
        "phonenumber" in about or "phone number" in about
    ):
        return Never("SNS cannot send to this number; it is wrong or not supported", code)
    return verdict(_MEANINGS, "SNS", answer.status, code)
