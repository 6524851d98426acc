"""What an instance asks for."""

from __future__ import annotations

import pytest

from doorcode.domain import limits
from doorcode.domain.addresses import Kind
from doorcode.domain.instance import Attribute, Instance


def test_by_default_either_address_will_do() -> None:
    instance = Instance("ins_1")
    assert instance.required_fields == []
    assert instance.optional_fields == instance.identifiers == [Kind.PHONE, Kind.EMAIL]


def test_by_default_it_is_no_place_for_tests() -> None:
    instance = Instance("ins_1")
    assert (instance.development, instance.test_mode) == (False, False)
    assert (instance.single_session, instance.session_lives_for) == (True, 7 * limits.DAY)


def test_what_is_required_is_not_optional() -> None:
    instance = Instance("ins_1", email=Attribute(required=True))
    assert (instance.required_fields, instance.optional_fields) == ([Kind.EMAIL], [Kind.PHONE])


def test_what_is_off_is_not_asked_for() -> None:
    instance = Instance("ins_1", phone=Attribute(enabled=False, required=True))
    assert instance.required_fields == []
    assert instance.optional_fields == instance.identifiers == [Kind.EMAIL]


def test_an_address_may_be_collected_without_opening_the_door() -> None:
    instance = Instance("ins_1", phone=Attribute(used_for_sign_in=False))
    assert instance.identifiers == [Kind.EMAIL]
    assert instance.optional_fields == [Kind.PHONE, Kind.EMAIL]


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_has_its_own_settings(kind: Kind) -> None:
    phone, email = Attribute(required=True), Attribute(enabled=False)
    instance = Instance("ins_1", phone=phone, email=email)
    assert instance.attribute(kind) is (phone if kind is Kind.PHONE else email)
