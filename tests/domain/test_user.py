"""The addresses of a person, and what the person is called."""

from __future__ import annotations

from dataclasses import replace

from doorcode.domain.addresses import Address, Kind
from doorcode.domain.instance import Attribute, Instance
from doorcode.domain.sign_up import Profile
from doorcode.domain.user import OwnedAddress, User


def owned(id_: str, kind: Kind, text: str) -> OwnedAddress:
    address = Address(kind, text.lower(), text)
    return OwnedAddress(id_, "user_1", address, verified_at=1, created_at=1, updated_at=1)


PHONE = owned("idn_1", Kind.PHONE, "+14155552671")
HOME = owned("idn_2", Kind.EMAIL, "Ada@example.com")
WORK = owned("idn_3", Kind.EMAIL, "ada@work.example")
ADA = User("user_1", Profile(), (PHONE, HOME, WORK), 1, 1, primary_email_id="idn_3")


def test_addresses_are_found_by_kind() -> None:
    assert (ADA.of_kind(Kind.PHONE), ADA.of_kind(Kind.EMAIL)) == ([PHONE], [HOME, WORK])


def test_one_address_of_a_kind_is_primary() -> None:
    assert [one for one in ADA.addresses if ADA.is_primary(one)] == [WORK]


def test_a_person_is_called_by_the_primary_email_address() -> None:
    assert ADA.identifier == "ada@work.example"


def test_without_a_primary_address_the_first_is_taken_as_spelled() -> None:
    assert replace(ADA, primary_email_id=None).identifier == "Ada@example.com"


def test_without_an_email_address_a_person_is_called_by_phone() -> None:
    assert replace(ADA, addresses=(PHONE,)).identifier == "+14155552671"


def test_nobody_is_called_by_what_they_only_claim() -> None:
    claimed = replace(HOME, verified_at=None)
    ada = replace(ADA, addresses=(PHONE, claimed), primary_email_id=None)
    assert ada.identifier == "+14155552671"
    assert replace(ada, addresses=(claimed,), primary_email_id=claimed.id).identifier == (
        "Ada@example.com"
    )


def test_a_person_without_addresses_has_no_identifier() -> None:
    assert replace(ADA, addresses=()).identifier == ""


# ── by what a person signs in ─────────────────────────────────────────────────────────
INSTANCE = Instance(id="ins_1")
UNPROVED = tuple(replace(one, verified_at=None) for one in ADA.addresses)


def test_what_is_proved_signs_in_and_nothing_else() -> None:
    phone, *mails = UNPROVED
    ada = replace(ADA, addresses=(PHONE, *mails), primary_phone_id="idn_1")
    assert ada.sign_in_addresses(INSTANCE) == [PHONE]
    assert replace(ada, addresses=(phone, HOME, WORK)).sign_in_addresses(INSTANCE) == [HOME, WORK]


def test_where_nothing_is_proved_what_the_sign_up_gave_signs_in() -> None:
    """What was added in the profile since, and not proved, is nobody's primary address."""
    ada = replace(ADA, addresses=UNPROVED, primary_phone_id="idn_1")
    assert [one.id for one in ada.sign_in_addresses(INSTANCE)] == ["idn_1", "idn_3"]
    mail_only = replace(INSTANCE, phone=Attribute(used_for_sign_in=False))
    assert [one.id for one in ada.sign_in_addresses(mail_only)] == ["idn_3"]
