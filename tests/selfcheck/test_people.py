"""The accounts that a check makes, on instances that ask for one thing or another."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.web.house import House

from doorcode.domain.addresses import Kind, parse
from doorcode.domain.instance import Attribute, NameAttribute, UsernameAttribute
from doorcode.selfcheck.deployment import STRATEGIES
from doorcode.selfcheck.people import RIGHT, fresh_identifier, wrong_codes
from doorcode.selfcheck.refusals import CannotRun

from .conftest import check, failed, people_of
from .fronts import Front

OFF = Attribute(used_for_sign_up=False, used_for_sign_in=False)


@pytest.mark.parametrize("kind", STRATEGIES)
def test_a_fresh_identifier_is_a_test_identifier_and_another_each_time(kind: str) -> None:
    drawn = [fresh_identifier(kind) for _ in range(50)]
    assert all(parse(Kind(kind), text, test_mode=True).is_test for text in drawn)
    assert len(set(drawn)) > 45
    assert len({len(text) for text in drawn}) == 1


def test_wrong_codes_are_wrong_and_each_another() -> None:
    for _ in range(50):
        codes = wrong_codes(60)
        assert RIGHT not in codes
        assert len(set(codes)) == 60
        assert all(re.fullmatch("[0-9]{6}", code) for code in codes)


@pytest.mark.parametrize(
    "instance",
    [
        {"email": OFF},
        {"phone": OFF},
        {"email": Attribute(required=True), "phone": Attribute(required=True)},
        {"email": Attribute(verify_at_sign_up=False)},
        {"email": Attribute(used_for_sign_up=False)},
        {
            "legal_consent": True,
            "username": UsernameAttribute(used_for_sign_up=True, required=True),
            "first_name": NameAttribute(used_for_sign_up=True, required=True),
        },
    ],
)
async def test_an_instance_is_checked_whatever_it_asks_for(
    build: Any, instance: dict[str, Any]
) -> None:
    house = await build(instance=instance)
    assert failed(await check(Front(house))) == set()


async def test_where_no_account_can_be_made_the_reason_is_said(build: Any) -> None:
    no_sign_up = Attribute(used_for_sign_up=False)
    house = await build(instance={"email": no_sign_up, "phone": no_sign_up})
    with pytest.raises(CannotRun, match="cannot make an account of its own: a sign-up"):
        await check(Front(house))


async def test_an_identifier_of_an_earlier_check_is_drawn_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await people_of(Front(house))
    people.kind = "phone_number"
    taken = (await people.somebody()).identifier
    drawn = iter([taken, taken, fresh_identifier("phone_number")])
    monkeypatch.setattr(people, "fresh", lambda: next(drawn))
    assert (await people.somebody()).identifier != taken


async def test_visitors_are_not_taken_for_one_another(house: House) -> None:
    people = await people_of(Front(house))
    one, other = await people.somebody(), await people.somebody()
    me = [(await who.owner.ask("GET", "/v1/me")).resource["id"] for who in (one, other)]
    assert me == [one.user_id, other.user_id]
    assert (await people.visitor().ask("GET", "/v1/me")).status == 401
