"""The documents of accounts, where an SDK or a stranger depends on a field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from doorcode.domain.addresses import Address, Channel, Kind
from doorcode.domain.instance import Instance
from doorcode.domain.session import Device, Session
from doorcode.domain.session import Status as SessionStatus
from doorcode.domain.sign_up import Profile
from doorcode.domain.user import AppData, OwnedAddress, User
from doorcode.domain.verification import Status, Verification
from doorcode.flows.guesses import Standing
from doorcode.web import initials, wire_users

NOW = 1_800_000_000_000
INSTANCE = Instance("ins_1", url="https://auth.example.com")
PHONE = OwnedAddress(
    "idn_1", "user_1", Address(Kind.PHONE, "+14155552671", "+14155552671"), NOW, NOW, NOW
)
MAIL = OwnedAddress(
    "idn_2", "user_1", Address(Kind.EMAIL, "ada@example.com", "Ada@example.com"), NOW, NOW, NOW
)
CLAIM = replace(MAIL, verified_at=None)
ASKED = Verification(
    "ver_1", "idn_2", MAIL.address, Channel.EMAIL, Status.UNVERIFIED, 2, NOW, NOW + 600_000
)
ADA = User("user_1", Profile("Ada", "Lovelace"), (PHONE, MAIL), NOW, NOW)


def test_only_app_servers_are_told_what_is_private() -> None:
    ada = replace(ADA, app_data=AppData({"a": 1}, {"secret": 2}, "ext_1"))
    shown = wire_users.user_document(ada, INSTANCE)
    assert "secret" not in msgspec.json.encode(shown).decode()
    assert (shown["public_metadata"], shown["external_id"]) == ({"a": 1}, "ext_1")
    told = wire_users.user_document(ada, INSTANCE, private=True)
    assert told["private_metadata"] == {"secret": 2}


@pytest.mark.parametrize(
    ("standing", "lock"),
    [(None, (False, None, None)), (Standing(3), (False, None, 3)), (Standing(0, 9), (True, 9, 0))],
)
def test_a_lock_is_shown_where_it_was_looked_for(standing: Any, lock: Any) -> None:
    shown = wire_users.user_document(ADA, INSTANCE, standing=standing)
    names = ("locked", "lockout_expires_in_seconds", "verification_attempts_remaining")
    assert tuple(shown[name] for name in names) == lock


def test_a_chosen_picture_has_an_address_of_ours() -> None:
    shown = wire_users.user_document(replace(ADA, image_id="img_1"), INSTANCE)
    assert shown["image_url"] == "https://auth.example.com/v1/images/img_1"
    assert shown["profile_image_url"] == shown["image_url"]
    assert shown["has_image"] is True


@pytest.mark.parametrize(
    ("user", "letter"),
    [
        (ADA, "A"),
        (replace(ADA, profile=Profile(last_name="Lovelace")), "L"),
        (replace(ADA, profile=Profile(username="zoe_1")), "Z"),
        (replace(ADA, profile=Profile()), "A"),
        (replace(ADA, profile=Profile(), addresses=(PHONE,)), ""),
    ],
)
def test_without_one_the_first_letter_is_drawn(user: User, letter: str) -> None:
    shown = wire_users.user_document(user, INSTANCE)
    path = shown["image_url"].removeprefix("https://auth.example.com")
    assert initials.parse_path(path) == (letter, initials.colour_of("user_1"))
    assert shown["has_image"] is False
    assert wire_users.user_data(user, INSTANCE)["image_url"] == shown["image_url"]


def test_an_address_that_nobody_asked_a_code_for_names_no_strategy() -> None:
    shown = wire_users.email_address(CLAIM, NOW)["verification"]
    assert (shown["status"], shown["strategy"], shown["expire_at"]) == ("unverified", None, None)


def test_one_with_a_code_under_way_tells_how_far_it_is() -> None:
    claim = replace(CLAIM, verification=ASKED)
    shown = wire_users.email_address(claim, NOW)["verification"]
    assert shown == {
        "object": "verification_otp",
        "status": "unverified",
        "strategy": "email_code",
        "attempts": 2,
        "expire_at": NOW + 600_000,
        "verified_at_client": None,
        "error": None,
    }
    late = wire_users.email_address(claim, NOW + 600_000)["verification"]
    assert late["status"] == "expired"


def test_a_proved_one_says_how_it_was_proved() -> None:
    by_code = wire_users.email_address(MAIL)["verification"]
    assert (by_code["status"], by_code["strategy"]) == ("verified", "email_code")
    by_ticket = wire_users.email_address(replace(MAIL, strategy="ticket"))["verification"]
    assert by_ticket["strategy"] == "ticket"


def test_a_phone_shows_backup_codes_only_where_they_were_just_made() -> None:
    assert wire_users.phone_number(PHONE)["backup_codes"] is None
    assert wire_users.phone_number(PHONE, NOW, ("a", "b"))["backup_codes"] == ["a", "b"]


def test_an_activity_leaves_out_what_is_not_known() -> None:
    session = Session("sess_1", "client_1", "user_1", SessionStatus.ACTIVE, *[NOW] * 5)
    assert wire_users.session_activity(session) == {
        "object": "session_activity",
        "id": "sess_activity_1",
        "is_mobile": False,
    }
    known = replace(session, device=Device("Safari", None, "iPhone", True, "192.0.2.7"))
    assert wire_users.session_activity(known) == {
        "object": "session_activity",
        "id": "sess_activity_1",
        "is_mobile": True,
        "browser_name": "Safari",
        "device_type": "iPhone",
        "ip_address": "192.0.2.7",
    }


def test_what_is_gone_and_what_is_shown_once_have_documents() -> None:
    assert wire_users.deleted_document("user", "user_1") == {
        "object": "user",
        "id": "user_1",
        "deleted": True,
    }
    codes = wire_users.backup_codes_document(("a",), "user_1", NOW)
    assert (codes["object"], codes["id"], codes["codes"]) == (
        "backup_code", "backup_code_1", ["a"],
    )  # fmt: skip
