"""A person's own account: profile, metadata, picture, sessions, and its end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Kind
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.instance import NameAttribute, UsernameAttribute
from doorcode.domain.session import Status
from doorcode.domain.user import User
from doorcode.flows import client as clients
from doorcode.flows import me, me_addresses, sign_in
from doorcode.flows import session as sessions
from doorcode.flows.deps import Caller
from doorcode.flows.me_addresses import Target, Way

from .world import ADA, ADA_MAIL, BEA, EMAIL, PHONE, World

NAMED = UsernameAttribute(used_for_sign_up=True)


def picture() -> bytes:
    """A PNG of 64 × 64 pixels."""
    buffer = BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, "PNG")
    return buffer.getvalue()


async def change(world: World, caller: Caller, **given: Any) -> User:
    answer = await me.change(world.deps, caller, None, me.Changes(given))
    assert answer.subject
    return answer.subject


async def refused(story: Any) -> Refusal:
    with pytest.raises(Refused) as caught:
        await story
    return caught.value.refusal


async def here_and_there(world: World) -> tuple[Caller, Caller]:
    """One person, signed in on two clients."""
    here, _ = await world.account()
    there, attempt = await world.asked_to_sign_in()
    await sign_in.try_code(world.deps, there, attempt.id, PHONE, world.code)
    return here, there


async def only_session(world: World, caller: Caller) -> str:
    view, session, _ = await sessions.of_request(world.deps, caller, None)
    assert len(view.sessions) == 1
    return session.id


# ── the profile ───────────────────────────────────────────────────────────────────────
async def test_what_is_given_is_changed_and_the_rest_stays(world: World) -> None:
    caller, _ = await world.account()
    await change(world, caller, first_name="Ada", last_name="L")
    world.clock.forward(1)
    user = await change(world, caller, first_name="Bea")
    assert (user.profile.first_name, user.profile.last_name) == ("Bea", "L")
    assert user.updated_at == world.clock.time


async def test_the_client_in_the_answer_shows_the_change(world: World) -> None:
    caller, _ = await world.account()
    answer = await me.change(world.deps, caller, None, me.Changes({"first_name": "Ada"}))
    assert answer.client
    assert answer.client.sessions[0][1].profile.first_name == "Ada"


async def test_none_empties_a_name(world: World) -> None:
    caller, _ = await world.account()
    await change(world, caller, first_name="Ada")
    assert (await change(world, caller, first_name=None)).profile.first_name is None


async def test_a_required_name_cannot_be_emptied(world: World) -> None:
    caller, _ = await world.account()
    await change(world, caller, first_name="Ada")
    world.switch(first_name=NameAttribute(used_for_sign_up=True, required=True))
    why = await refused(change(world, caller, first_name=None))
    assert why == errors.PARAM_MISSING.about("first_name")


@pytest.mark.parametrize("name", ["first_name", "last_name"])
async def test_an_immutable_name_stays(world: World, name: str) -> None:
    caller, _ = await world.account()
    await change(world, caller, **{name: "Ada"})
    world.switch(**{name: NameAttribute(used_for_sign_up=True, immutable=True)})
    assert (await change(world, caller, **{name: "Ada"})).profile.value_of(name) == "Ada"
    why = await refused(change(world, caller, **{name: "Eve"}))
    assert why == errors.ATTRIBUTE_IMMUTABLE.about(name)


async def test_a_username_is_chosen_by_the_rules(world: World) -> None:
    caller, _ = await world.account()
    unknown = await refused(change(world, caller, username="ada_1"))
    assert unknown == errors.PARAM_UNKNOWN.about("username")
    world.switch(username=NAMED)
    assert (await change(world, caller, username="Ada_1")).profile.username == "Ada_1"
    assert await refused(change(world, caller, username="x")) == errors.username_length(4, 64)
    assert await refused(change(world, caller, username="ädä_")) == errors.USERNAME_CHARACTER
    assert await refused(change(world, caller, username="12345")) == errors.USERNAME_DIGITS
    world.switch(username=replace(NAMED, immutable=True))
    assert (await refused(change(world, caller, username="Eve_1"))).code == (
        "immutable_attribute_modification_not_allowed"
    )


async def test_a_username_is_one_persons(world: World) -> None:
    world.switch(username=NAMED)
    ada, _ = await world.account()
    bea, _ = await world.account(BEA)
    await change(world, ada, username="Ada_1")
    assert await refused(change(world, bea, username="ADA_1")) == (
        errors.IDENTIFIER_TAKEN.about("username")
    )
    assert (await change(world, ada, username="ADA_1")).profile.username == "ADA_1"


async def test_of_many_who_want_one_username_one_gets_it(world: World) -> None:
    world.switch(username=NAMED)
    callers = [(await world.account(f"+1415555267{n}"))[0] for n in range(5)]
    outcomes = await asyncio.gather(
        *(change(world, one, username="Wanted") for one in callers), return_exceptions=True
    )
    assert [isinstance(one, User) for one in outcomes].count(True) == 1
    taken = errors.IDENTIFIER_TAKEN.about("username")
    refusals = [one.refusal for one in outcomes if isinstance(one, Refused)]
    assert refusals == [taken] * 4


async def test_only_an_address_of_its_kind_can_be_primary(world: World) -> None:
    caller, answer = await world.account(ADA, ADA_MAIL)
    assert answer.user
    (phone,) = answer.user.of_kind(Kind.PHONE)
    wrong = me.Changes(primary={Kind.EMAIL: phone.id})
    assert await refused(me.change(world.deps, caller, None, wrong)) == (
        errors.PARAM_RESOURCE.about("primary_email_address_id")
    )


# ── metadata ──────────────────────────────────────────────────────────────────────────
async def test_metadata_is_replaced_or_merged(world: World) -> None:
    caller, _ = await world.account()
    await change(world, caller, unsafe_metadata={"a": {"b": 1, "c": 2}})
    patch = me.Changes(metadata_patch={"a": {"b": None}, "d": 3})
    answer = await me.change(world.deps, caller, None, patch)
    assert answer.subject
    assert answer.subject.profile.unsafe_metadata == {"a": {"c": 2}, "d": 3}
    user = await change(world, caller, unsafe_metadata={"e": 1})
    assert user.profile.unsafe_metadata == {"e": 1}


async def test_metadata_cannot_grow_piece_by_piece(world: World) -> None:
    caller, _ = await world.account()
    piece = "x" * (limits.METADATA_BYTES // 2)
    for name in ("a", "b"):
        patch = me.Changes(metadata_patch={name: piece})
        story = me.change(world.deps, caller, None, patch)
        if name == "a":
            await story
        else:
            assert await refused(story) == errors.PARAM_TOO_LONG.about("unsafe_metadata")


async def test_parallel_patches_are_all_kept(world: World) -> None:
    caller, _ = await world.account()
    patches = [me.Changes(metadata_patch={str(n): n}) for n in range(10)]
    await asyncio.gather(*(me.change(world.deps, caller, None, one) for one in patches))
    _, _, user = await sessions.of_request(world.deps, caller, None)
    assert user.profile.unsafe_metadata == {str(n): n for n in range(10)}


# ── who asks ──────────────────────────────────────────────────────────────────────────
async def test_a_stranger_is_signed_out(world: World) -> None:
    assert await refused(change(world, Caller(), first_name="Eve")) == errors.SIGNED_OUT
    caller, _ = await world.signing_up()
    assert await refused(change(world, caller, first_name="Eve")) == errors.SIGNED_OUT


async def test_a_session_of_another_client_is_not_ones_own(world: World) -> None:
    here, there = await here_and_there(world)
    elsewhere = await only_session(world, there)
    why = await refused(me.change(world.deps, here, elsewhere, me.Changes({"first_name": "E"})))
    assert why == errors.SESSION_ENDED


async def test_a_banned_person_changes_nothing(world: World) -> None:
    caller, _ = await world.account()
    world.write("UPDATE users SET banned = 1")
    assert await refused(change(world, caller, first_name="Eve")) == errors.USER_BANNED


async def test_a_session_that_waits_changes_no_profile(world: World) -> None:
    caller, _ = await world.account()
    world.write("UPDATE sessions SET status = 'pending'")
    assert await refused(change(world, caller, first_name="E")) == errors.SESSION_ACTION_INVALID
    assert await refused(me.delete(world.deps, caller, None)) == errors.SESSION_ACTION_INVALID


# ── the end of an account ─────────────────────────────────────────────────────────────
async def test_a_deleted_account_leaves_nothing(world: World) -> None:
    here, there = await here_and_there(world)
    answer = await me.delete(world.deps, here, None)
    assert answer.client
    assert answer.client.sessions == ()
    tables = ("users", "addresses", "pending_addresses", "sessions", "images", "backup_codes")
    assert [world.count(table) for table in tables] == [0] * len(tables)
    assert await refused(change(world, there, first_name="E")) == errors.SIGNED_OUT


async def test_the_letters_of_a_deleted_account_go_with_it(world: World) -> None:
    """Each names its recipient for a week; one that was not sent yet is sent to nobody."""
    caller, _ = await world.account(ADA, ADA_MAIL)
    await world.account(BEA)
    await me_addresses.add(world.deps, caller, None, Kind.EMAIL, "mine@example.com")
    view = await clients.show(world.deps, caller)
    assert view
    target = Target(Kind.EMAIL, view.sessions[0][1].addresses[-1].id)
    await me_addresses.send_code(world.deps, caller, None, target, Way(EMAIL))
    await world.asked_to_sign_in(ADA)
    await me.delete(world.deps, caller, None)
    assert world.rows("SELECT DISTINCT recipient FROM outbox") == [(BEA,)]


async def test_the_letters_of_others_stay_where_who_claimed_their_address_goes(
    world: World,
) -> None:
    """Or a claim would be a way to stop a stranger's code before it is sent."""
    caller, _ = await world.account(BEA)
    await me_addresses.add(world.deps, caller, None, Kind.PHONE, ADA)
    await world.account(ADA)
    await world.asked_to_sign_in(ADA)
    before = world.rows("SELECT id, state FROM outbox WHERE recipient = ?", ADA)
    await me.delete(world.deps, caller, None)
    assert world.rows("SELECT id, state FROM outbox WHERE recipient = ?", ADA) == before != []


async def test_the_address_of_a_deleted_account_is_free_again(world: World) -> None:
    caller, _ = await world.account()
    await me.delete(world.deps, caller, None)
    _, answer = await world.account()
    assert answer.user


async def test_an_account_is_not_deleted_where_that_is_off(world: World) -> None:
    caller, _ = await world.account()
    world.switch(delete_self=False)
    assert await refused(me.delete(world.deps, caller, None)) == errors.DELETE_SELF_DISABLED
    assert world.count("users") == 1


async def test_an_account_is_deleted_once(world: World) -> None:
    caller, _ = await world.account()
    outcomes = await asyncio.gather(
        *(me.delete(world.deps, caller, None) for _ in range(5)), return_exceptions=True
    )
    refusals = [one.refusal for one in outcomes if isinstance(one, Refused)]
    assert refusals == [errors.SIGNED_OUT] * 4


# ── sessions ──────────────────────────────────────────────────────────────────────────
async def test_all_sessions_of_the_person_are_listed(world: World) -> None:
    here, there = await here_and_there(world)
    await world.account(BEA)
    mine = [await only_session(world, one) for one in (here, there)]
    listed = await me.sessions(world.deps, here, None)
    assert sorted(one.id for one in listed) == sorted(mine)


async def test_a_session_elsewhere_is_revoked(world: World) -> None:
    here, there = await here_and_there(world)
    target = await only_session(world, there)
    answer = await me.revoke(world.deps, here, None, target)
    assert answer.subject
    assert answer.subject.status is Status.REVOKED
    assert await refused(change(world, there, first_name="E")) == errors.SIGNED_OUT
    assert await me.sessions(world.deps, here, None)


async def test_ones_own_session_can_be_revoked(world: World) -> None:
    caller, _ = await world.account()
    world.clock.forward(1_000)
    answer = await me.revoke(world.deps, caller, None, await only_session(world, caller))
    assert answer.client
    assert answer.client.sessions == ()
    assert answer.client.client.updated_at == world.clock.time


async def test_somebody_elses_session_is_not_there(world: World) -> None:
    ada, _ = await world.account()
    bea, _ = await world.account(BEA)
    target = await only_session(world, bea)
    assert await refused(me.revoke(world.deps, ada, None, target)) == errors.NOT_FOUND
    assert await refused(me.revoke(world.deps, ada, None, "sess_none")) == errors.NOT_FOUND
    assert await only_session(world, bea) == target


async def test_a_session_is_revoked_once(world: World) -> None:
    here, there = await here_and_there(world)
    target = await only_session(world, there)
    await me.revoke(world.deps, here, None, target)
    why = await refused(me.revoke(world.deps, here, None, target))
    assert why == errors.SESSION_ACTION_INVALID


# ── the picture ───────────────────────────────────────────────────────────────────────
async def test_a_picture_is_kept_as_we_wrote_it(world: World) -> None:
    caller, _ = await world.account()
    answer = await me.set_image(world.deps, caller, None, picture())
    assert answer.subject
    assert answer.subject.image_id
    kept = await me.find_image(world.deps, answer.subject.image_id)
    assert kept
    assert kept[0] == "image/webp"
    assert kept[1] != picture()


async def test_a_newer_picture_takes_the_place_of_the_former(world: World) -> None:
    caller, _ = await world.account()
    first = (await me.set_image(world.deps, caller, None, picture())).subject
    second = (await me.set_image(world.deps, caller, None, picture())).subject
    assert first
    assert second
    assert first.image_id != second.image_id
    assert await me.find_image(world.deps, str(first.image_id)) is None
    assert world.count("images") == 1


async def test_a_picture_is_taken_away_once(world: World) -> None:
    caller, _ = await world.account()
    await me.set_image(world.deps, caller, None, picture())
    answer = await me.remove_image(world.deps, caller, None)
    assert answer.client
    assert answer.client.sessions[0][1].image_id is None
    assert world.count("images") == 0
    assert await refused(me.remove_image(world.deps, caller, None)) == errors.IMAGE_NOT_FOUND


@pytest.mark.parametrize(
    ("data", "code"), [(b"<svg/>", "request_body_invalid"), (b"x" * 3_000_000, "image_too_large")]
)
async def test_what_is_no_picture_is_refused(world: World, data: bytes, code: str) -> None:
    caller, _ = await world.account()
    assert (await refused(me.set_image(world.deps, caller, None, data))).code == code


async def test_no_picture_is_computed_for_strangers(world: World) -> None:
    assert await refused(me.set_image(world.deps, Caller(), None, b"")) == errors.SIGNED_OUT


# ── fresh proof ───────────────────────────────────────────────────────────────────────
async def test_what_cannot_be_undone_asks_for_a_fresh_proof(world: World) -> None:
    world.switch(reverification=True, username=NAMED)
    here, there = await here_and_there(world)
    target = await only_session(world, there)
    world.clock.forward(11 * limits.MINUTE)
    needed = errors.REVERIFICATION_REQUIRED
    assert await refused(change(world, here, username="Ada_1")) == needed
    assert await refused(me.revoke(world.deps, here, None, target)) == needed
    assert await refused(me.delete(world.deps, here, None)) == needed
    assert (await change(world, here, first_name="Ada")).profile.first_name == "Ada"
    assert await me.revoke(world.deps, here, None, await only_session(world, here))
