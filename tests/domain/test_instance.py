"""What an instance asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain import limits
from doorcode.domain.addresses import Channel, Kind
from doorcode.domain.instance import (
    Attribute,
    Instance,
    NameAttribute,
    SignUpMode,
    UsernameAttribute,
)
from doorcode.domain.texts import Texts

UNUSED = Attribute(used_for_sign_up=False, used_for_sign_in=False)
FIELDS = ["phone_number", "email_address", "username", "first_name", "last_name", "legal_accepted"]


def test_by_default_either_address_will_do() -> None:
    instance = Instance("ins_1")
    assert instance.required_fields == []
    assert instance.optional_fields == instance.identifiers == [Kind.PHONE, Kind.EMAIL]
    for kind in Kind:
        attribute = instance.attribute(kind)
        assert attribute.used_for_sign_up and attribute.verify_at_sign_up
        assert attribute.used_for_sign_in
        assert not (attribute.required or attribute.used_for_second_factor or attribute.immutable)


def test_by_default_it_is_no_place_for_tests() -> None:
    instance = Instance("ins_1")
    assert (instance.development, instance.test_mode, instance.native_api) == (False, False, False)
    assert (instance.single_session, instance.session_lives_for) == (True, 7 * limits.DAY)


def test_by_default_everybody_may_sign_up_and_nothing_more_is_asked() -> None:
    instance = Instance("ins_1")
    assert instance.mode is SignUpMode.PUBLIC
    assert instance.channels == (Channel.SMS,)
    assert not instance.has_second_factors
    assert not (instance.mfa_required or instance.client_trust or instance.reverification)
    assert not (instance.legal_consent or instance.backup_codes or instance.organizations)
    assert instance.delete_self
    assert (instance.username.min_length, instance.username.max_length) == (4, 64)


def test_what_is_required_is_not_optional() -> None:
    instance = Instance("ins_1", email=Attribute(required=True))
    assert (instance.required_fields, instance.optional_fields) == ([Kind.EMAIL], [Kind.PHONE])


def test_what_is_off_is_not_asked_for() -> None:
    instance = Instance("ins_1", phone=UNUSED)
    assert instance.required_fields == []
    assert instance.optional_fields == instance.identifiers == [Kind.EMAIL]


def test_an_address_may_be_collected_without_opening_the_door() -> None:
    instance = Instance("ins_1", phone=Attribute(used_for_sign_in=False))
    assert instance.identifiers == [Kind.EMAIL]
    assert instance.optional_fields == [Kind.PHONE, Kind.EMAIL]


def test_an_address_may_open_the_door_without_being_collected() -> None:
    instance = Instance("ins_1", phone=Attribute(used_for_sign_up=False))
    assert instance.identifiers == [Kind.PHONE, Kind.EMAIL]
    assert instance.optional_fields == [Kind.EMAIL]


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_has_its_own_settings(kind: Kind) -> None:
    phone, email = Attribute(required=True), UNUSED
    instance = Instance("ins_1", phone=phone, email=email)
    assert instance.attribute(kind) is (phone if kind is Kind.PHONE else email)


@pytest.mark.parametrize(
    ("attribute", "enabled"),
    [
        (UNUSED, False),
        (Attribute(False, used_for_sign_in=True), True),
        (Attribute(True, used_for_sign_in=False), True),
        (Attribute(False, used_for_sign_in=False, used_for_second_factor=True), True),
        (Attribute(False, required=True, used_for_sign_in=False), False),
    ],
)
def test_an_attribute_is_enabled_where_it_is_used_for_anything(
    attribute: Attribute, enabled: bool
) -> None:
    assert attribute.enabled is enabled


def test_a_username_is_enabled_where_it_is_used_for_anything() -> None:
    assert not UsernameAttribute(required=True).enabled
    assert UsernameAttribute(used_for_sign_up=True).enabled
    assert UsernameAttribute(used_for_sign_in=True).enabled


def test_a_username_can_be_typed_to_sign_in_where_it_may() -> None:
    instance = Instance("ins_1", username=UsernameAttribute(used_for_sign_in=True))
    assert instance.identifiers == [Kind.PHONE, Kind.EMAIL, "username"]
    assert "username" not in instance.optional_fields


def test_names_and_the_terms_are_asked_for_where_they_are_on() -> None:
    instance = Instance(
        "ins_1",
        username=UsernameAttribute(used_for_sign_up=True),
        first_name=NameAttribute(used_for_sign_up=True, required=True),
        last_name=NameAttribute(used_for_sign_up=True),
        legal_consent=True,
    )
    assert instance.required_fields == ["first_name", "legal_accepted"]
    assert instance.optional_fields == ["phone_number", "email_address", "username", "last_name"]


@given(
    st.lists(st.booleans(), min_size=6, max_size=6), st.lists(st.booleans(), min_size=6, max_size=6)
)
def test_every_field_in_use_is_either_required_or_optional(
    used: list[bool], required: list[bool]
) -> None:
    phone, email = (Attribute(used[i], required[i]) for i in (0, 1))
    instance = Instance(
        "ins_1",
        phone=phone,
        email=email,
        username=UsernameAttribute(used[2], required[2]),
        first_name=NameAttribute(used[3], required[3]),
        last_name=NameAttribute(used[4], required[4]),
        legal_consent=used[5],
    )
    needed = [name for i, name in enumerate(FIELDS[:5]) if used[i] and required[i]]
    assert instance.required_fields == needed + ["legal_accepted"] * used[5]
    both = [*instance.required_fields, *instance.optional_fields]
    assert sorted(both) == sorted(name for i, name in enumerate(FIELDS) if used[i])


@pytest.mark.parametrize("kind", ["phone", "email"])
def test_either_address_can_be_the_second_step(kind: str) -> None:
    second = Attribute(used_for_second_factor=True)
    assert Instance("ins_1", **{kind: second}).has_second_factors


def test_codes_are_bound_to_the_page_that_asks_else_to_the_first_app() -> None:
    instance = Instance(
        id="ins_1",
        url="https://auth.example.com",
        origins=("http://plain.example", "https://b.example", "https://a.example"),
    )
    assert instance.bound_hosts == ("b.example", "a.example", "auth.example.com")
    assert instance.host_for("https://a.example") == "a.example"
    assert instance.host_for(None) == instance.host_for("http://plain.example") == "b.example"
    unbound = replace(instance, texts=Texts(origin_line=False))
    assert (unbound.host_for("https://a.example"), unbound.bound_hosts) == ("", ())


def test_without_an_app_codes_are_bound_to_the_servers_own_pages() -> None:
    assert Instance(id="ins_1", url="https://auth.example.com").host_for(None) == "auth.example.com"
    assert Instance(id="ins_1", url="http://auth.example.com").host_for(None) == ""
