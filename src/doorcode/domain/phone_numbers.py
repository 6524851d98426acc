"""What a phone number is worth to a thief: its country, and whether a person reads there.

The country comes from libphonenumber's metadata, never from the calling code: +44 7911 …
is Guernsey, +1 876 … Jamaica, and an allowlist that takes +1 for the United States pays
for the Caribbean.
"""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

# Calling codes of no country, which the metadata knows in part only: satellite phones and
# networks above the countries, shared cost, premium rate, and what is not given out.
_GLOBAL = tuple(f"+{code}" for code in (800, 808, *range(870, 880), 881, 882, 883, 888, 979, 999))

_UNWANTED = {
    PhoneNumberType.PREMIUM_RATE: "premium rate",
    PhoneNumberType.TOLL_FREE: "toll-free",
    PhoneNumberType.SHARED_COST: "shared cost",
}
# Somebody may read there: a ported mobile number can stand in a range of any of these.
_VOIP = {
    PhoneNumberType.VOIP: "VoIP",
    PhoneNumberType.PERSONAL_NUMBER: "a personal number",
    PhoneNumberType.UAN: "a company's universal number",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.VOICEMAIL: "voicemail",
}


@lru_cache(maxsize=4096)
def country_of(e164: str) -> str:
    """ISO 3166-1 alpha-2, or "" where the number belongs to no country.

    Numbers that the metadata calls invalid count for the country that gave the calling
    code its name: ranges are older than the metadata that lists them.
    """
    number = _parsed(e164)
    if number is None:
        return ""
    region = phonenumbers.region_code_for_number(number)
    if region is None and number.country_code is not None:
        region = phonenumbers.region_code_for_country_code(number.country_code)
    return region if region and region.isalpha() and region != "ZZ" else ""


@lru_cache(maxsize=4096)
def unwanted(e164: str, *, voip: bool) -> str | None:
    """Why no code should go there, in words for an operator; `voip`: nor to VoIP and its like."""
    if e164.startswith(_GLOBAL):
        return "satellite or a network of no country"
    number = _parsed(e164)
    if number is None:
        return "of no country"
    kind = phonenumbers.number_type(number)
    return _UNWANTED.get(kind) or (_VOIP.get(kind) if voip else None)


def calling_code(e164: str) -> str:
    """`+44`, `+1`: what stands before the national part."""
    number = _parsed(e164)
    return f"+{number.country_code}" if number else e164[:2]


@lru_cache(maxsize=4096)
def _parsed(e164: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return None
