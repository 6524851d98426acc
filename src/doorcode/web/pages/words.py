"""What is said to people. They did nothing wrong; they want to know what to do next."""

from __future__ import annotations

from datetime import UTC, datetime

from doorcode.domain import errors
from doorcode.domain.errors import Refusal
from doorcode.domain.limits import SECOND

_SAID = {
    errors.LEGAL_NOT_ACCEPTED.code: "Accept the terms to go on.",
    errors.SIGN_UP_RESTRICTED.code: "Only people with an invitation can sign up here.",
    errors.SIGN_UP_WAITLIST.code: "Nobody can sign up here yet.",
    errors.NO_SECOND_FACTORS.code: "This account has no such second step.",
    errors.PARAM_NEEDED.code: "Enter the code that was sent to you.",
    errors.PARAM_TOO_LONG.code: "That is too long. Check it and try again.",
    errors.CAPTCHA_REQUIRED.code: (
        "Show first that you are a person: wait for the check below, then send this again."
    ),
    errors.CAPTCHA_MISSING.code: "Wait until the check below has passed, then send this again.",
    errors.CAPTCHA_INVALID.code: "The check did not pass. Let it run again, then send this again.",
    errors.CODE_INCORRECT.code: "That code is not right. Check it and try again.",
    errors.VERIFICATION_EXPIRED.code: "This code has expired. Ask for a new one.",
    errors.VERIFICATION_FAILED.code: "Too many wrong codes. Ask for a new one.",
    errors.IDENTIFIER_TAKEN.code: "There is an account with this address already.",
    errors.IDENTIFIER_UNKNOWN.code: "There is no account with this address.",
    errors.COUNTRY_UNSUPPORTED.code: (
        "No codes are sent to phone numbers of this country. Use another number, or another way."
    ),
    errors.USER_BANNED.code: "This account cannot be used any more.",
    errors.NOT_FOUND.code: "There is no page at this address.",
    errors.METHOD_INVALID.code: "This address cannot be opened like that.",
    errors.HOST_INVALID.code: "This server does not answer under that name.",
    errors.ORIGIN_INVALID.code: (
        "This form was sent from another website, so nothing was done with it. "
        "Open the page again and send it from there."
    ),
    errors.CONTENT_TYPE.code: "This form was sent in a way that cannot be read.",
    errors.BODY_INVALID.code: "This form could not be read. Go back and try again.",
    errors.BODY_TOO_LARGE.code: "This form is too large.",
    errors.PARAM_DUPLICATE.code: "This form holds the same field twice. Go back and try again.",
    errors.STORAGE_BUSY.code: "The server is busy. Try again in a moment.",
    errors.INTERNAL.code: "Something went wrong here, not with you. Try again in a moment.",
}
_NAMES = {
    "phone_number": "phone number",
    "email_address": "e-mail address",
    "username": "username",
}
_MISSING = {
    "identifier": "Enter your phone number or e-mail address.",
    "phone_number": "Enter your phone number.",
    "email_address": "Enter your e-mail address.",
    "first_name": "Enter your first name.",
    "last_name": "Enter your last name.",
    "username": "Choose a username.",
}
A_WHILE_SECONDS = 120  # longer than this, nobody was "a bit fast"
_LATER = "Too many attempts came from your network. Try again in {wait}."
_SAID_WITH_WAIT = {
    errors.TOO_MANY_REQUESTS.code: "That was a bit fast. Wait {wait}, then try again.",
    errors.RESEND_TOO_SOON.code: (
        "A code is on its way. If it does not arrive, ask for another in {wait}."
    ),
    errors.USER_LOCKED.code: "Too many wrong codes for this address. Try again in {wait}.",
    errors.SENDS_SPENT.code: (
        "Too many codes were sent to this address. Use one that arrived, or ask again in {wait}."
    ),
}


def say(refusal: Refusal) -> str:
    """A refusal in plain words."""
    if refusal.retry_after is not None and refusal.code in _SAID_WITH_WAIT:
        if refusal.code == errors.TOO_MANY_REQUESTS.code and refusal.retry_after > A_WHILE_SECONDS:
            return _LATER.format(wait=duration(refusal.retry_after))
        return _SAID_WITH_WAIT[refusal.code].format(wait=duration(refusal.retry_after))
    if refusal.code == errors.PARAM_MISSING.code:
        return _MISSING.get(refusal.param or "", refusal.long_message)
    return _SAID.get(refusal.code, refusal.long_message)


def name_of(takes: list[str]) -> str:
    """What may be typed, in words: "Phone number or e-mail address"."""
    named = [_NAMES[one] for one in takes]
    listed = " or ".join(named) if len(named) < 3 else f"{', '.join(named[:-1])} or {named[-1]}"
    return listed[:1].upper() + listed[1:]


def ask_for(takes: list[str]) -> str:
    """What to type, said to somebody who has typed something else."""
    named = name_of(takes)
    how = " A phone number starts with + and the country code." if "phone_number" in takes else ""
    return f"Enter your {named[:1].lower()}{named[1:]}.{how}"


def duration(seconds: int) -> str:
    """Seconds, minutes or hours, rounded up: nobody is told to come back too early."""
    if seconds < 90:
        return _count(seconds, "second")
    if seconds <= 90 * 60:
        return _count(-(-seconds // 60), "minute")
    return _count(-(-seconds // 3600), "hour")


def ago(then: int, now: int) -> str:
    """How long ago a moment was, from two times in milliseconds."""
    seconds = max(0, now - then) // SECOND
    if seconds < 5:
        return "just now"
    if seconds < 60:
        return f"{_count(seconds, 'second')} ago"
    if seconds < 3600:
        return f"{_count(seconds // 60, 'minute')} ago"
    return moment(then)


def moment(at: int) -> str:
    """A date and time. The server does not know the reader's time zone, so it names one."""
    when = datetime.fromtimestamp(at / SECOND, UTC)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def machine_moment(at: int) -> str:
    """The same for programs, such as screen readers (RFC 3339)."""
    return datetime.fromtimestamp(at // SECOND, UTC).isoformat()


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
