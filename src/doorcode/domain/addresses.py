"""E-mail addresses and phone numbers: read once, in normal form from then on."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email

TEST_CODE = "424242"
MAX_LENGTH = 320  # RFC 5321: 64 for the local part, "@", 255 for the domain

_PUNCTUATION = str.maketrans("", "", " -.()[]")
_E164 = re.compile(r"\+[1-9][0-9]{5,14}", re.ASCII)  # ITU-T E.164: at most 15 digits
_TEST_NUMBER = re.compile(r"\+1[0-9]{3}55501[0-9]{2}", re.ASCII)
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


class Kind(StrEnum):
    """What sort of address it is, by its name on the wire."""

    PHONE = "phone_number"
    EMAIL = "email_address"


class Channel(StrEnum):
    """By what a code travels."""

    SMS = "sms"
    WHATSAPP = "whatsapp"
    EMAIL = "email"


class Strategy(StrEnum):
    """How an address is verified."""

    PHONE_CODE = "phone_code"
    EMAIL_CODE = "email_code"

    @property
    def kind(self) -> Kind:
        """The sort of address that this strategy verifies."""
        return Kind.PHONE if self is Strategy.PHONE_CODE else Kind.EMAIL


@dataclass(frozen=True, slots=True)
class Address:
    """Somewhere a code can be sent to.

    `value` is the normal form that identifies a person: E.164 for a phone number; for
    an e-mail address all lower case. `spelling` is what mail is addressed to. A test
    address is one that no provider ever sees; its code is always 424242.
    """

    kind: Kind
    value: str
    spelling: str
    is_test: bool = False

    def is_same_as(self, other: Address | None) -> bool:
        """Whether it is the same address, however either is spelled."""
        return other is not None and (self.kind, self.value) == (other.kind, other.value)

    @property
    def strategy(self) -> Strategy:
        """The only strategy that can verify it."""
        return Strategy.PHONE_CODE if self.kind is Kind.PHONE else Strategy.EMAIL_CODE

    @property
    def channel(self) -> Channel:
        """By what a code travels to it where nobody asks for another way."""
        return Channel.SMS if self.kind is Kind.PHONE else Channel.EMAIL

    @property
    def name(self) -> str:
        """The address and its sort in one word, by which guesses at it are counted."""
        return f"{self.kind}:{self.value}"


class Malformed(ValueError):
    """The text is no such address."""


def parse(kind: Kind, text: str, *, test_mode: bool) -> Address:
    """The address written as `text`, or `Malformed`."""
    if kind is Kind.PHONE:
        return parse_phone_number(text, test_mode=test_mode)
    return parse_email_address(text, test_mode=test_mode)


def parse_identifier(text: str, *, test_mode: bool) -> Address:
    """The e-mail address or phone number that somebody typed into one field."""
    kind = Kind.EMAIL if "@" in text else Kind.PHONE
    return parse(kind, text, test_mode=test_mode)


@lru_cache(maxsize=4096)
def parse_phone_number(text: str, *, test_mode: bool) -> Address:
    """A number in E.164 (`+`, country code, ASCII digits), or `Malformed`.

    Spaces, hyphens, dots and brackets are dropped. Anything else is refused, not
    guessed at: a national number read for the wrong country is somebody else's phone.
    """
    number = text.strip(" ").translate(_PUNCTUATION)
    if not _E164.fullmatch(number):
        raise Malformed("not in E.164")
    # Test numbers are fictional, so they are matched before validity is asked.
    if test_mode and _TEST_NUMBER.fullmatch(number):
        return Address(Kind.PHONE, number, number, is_test=True)
    return _valid_phone_number(number)


def _valid_phone_number(number: str) -> Address:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        raise Malformed("not a phone number") from None
    if not phonenumbers.is_valid_number(parsed):
        raise Malformed("no such number")
    normal = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return Address(Kind.PHONE, normal, normal)


@lru_cache(maxsize=4096)
def parse_email_address(text: str, *, test_mode: bool) -> Address:
    """An e-mail address (RFC 5321, 6531), or `Malformed`. DNS is not asked.

    Only A–Z are folded for the comparison. Unicode's own folding maps K (U+212A) to k
    and ß to ss: somebody could type a look-alike of a stranger's address, be taken for
    the stranger, and have the stranger's code sent to a mailbox of his own. For the
    same reason mail goes to the validated spelling, never to the raw text.
    """
    is_test = test_mode and "+clerk_test" in text.partition("@")[0].lower()
    try:
        valid = validate_email(
            text.strip(" "),
            check_deliverability=False,
            strict=True,  # at most 64 characters before the @
            test_environment=test_mode,
        )
    except EmailNotValidError:
        raise Malformed("not an e-mail address") from None
    # Composed again: T with a diaeresis has no code point of its own, t with one has.
    folded = unicodedata.normalize("NFC", valid.normalized.translate(_ASCII_LOWER))
    return Address(Kind.EMAIL, folded, valid.normalized, is_test)


def mask(address: Address) -> str:
    """`a*****@example.com` or `+1********23`: enough to recognise, not enough to learn."""
    if address.kind is Kind.EMAIL:
        local, _, domain = address.value.rpartition("@")
        return f"{local[:1]}*****@{domain}"
    country = f"+{phonenumbers.parse(address.value, None).country_code}"
    hidden = max(0, len(address.value) - len(country) - 2)
    return country + "*" * hidden + address.value[-2:]
