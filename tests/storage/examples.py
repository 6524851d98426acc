"""One of everything that storage keeps. A test changes the fields it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from doorcode.domain import limits
from doorcode.domain.addresses import Address, Channel, Kind
from doorcode.domain.client import Client
from doorcode.domain.message import Message, State, Step
from doorcode.domain.session import Session
from doorcode.domain.session import Status as SessionStatus
from doorcode.domain.sign_in import SignIn
from doorcode.domain.sign_in import Status as SignInStatus
from doorcode.domain.sign_up import Profile, SignUp
from doorcode.domain.sign_up import Status as SignUpStatus
from doorcode.domain.user import OwnedAddress, User
from doorcode.domain.verification import Code, Verification
from doorcode.domain.verification import Status as VerificationStatus

T = TypeVar("T")
NOW = 1_700_000_000_000
LATER = NOW + limits.CODE_LIVES_FOR
NEXT_DAY = NOW + limits.DAY
PHONE = Address(Kind.PHONE, "+14155552671", "+14155552671")
TEST_PHONE = Address(Kind.PHONE, "+14155550142", "+14155550142", is_test=True)
EMAIL = Address(Kind.EMAIL, "ada@example.com", "Ada@example.com")
PROFILE = Profile("Ada", "Łovelace", "en-GB", {"plan": ["a", 1, None], "ü": True}, NOW)


def _maker(example: T) -> Callable[..., T]:
    def make(**changes: Any) -> T:
        return replace(example, **changes)  # type: ignore[type-var]

    return make


client = _maker(Client("client_1", NOW, NOW))
sign_up = _maker(SignUp("sua_1", "client_1", SignUpStatus.MISSING, NOW, NEXT_DAY))
sign_in = _maker(SignIn("sia_1", "client_1", SignInStatus.NEEDS_FIRST_FACTOR, NOW, NEXT_DAY))
verification = _maker(
    Verification(
        "ver_1", "sua_1", EMAIL, Channel.EMAIL, VerificationStatus.UNVERIFIED, 0, NOW, LATER
    )
)
code = _maker(Code(b"c" * 32, key_version=1, expires_at=LATER))
message = _maker(
    Message("msg_1", "ver_1", "email", "Ada@example.com", False, b"sealed", NOW, LATER)
)
step = _maker(Step("msg_1", NOW, State.DELIVERED, "smtp"))
owned = _maker(OwnedAddress("idn_1", "user_1", EMAIL, NOW, NOW, NOW))
user = _maker(User("user_1", Profile(), (owned(),), NOW, NOW, primary_email_id="idn_1"))
session = _maker(
    Session(
        "sess_1",
        "client_1",
        "user_1",
        SessionStatus.ACTIVE,
        created_at=NOW,
        updated_at=NOW,
        last_active_at=NOW,
        expire_at=LATER,
        abandon_at=NEXT_DAY,
    )
)
