"""Knowing a browser: by its cookie, by its development token, and forgetting it."""

from __future__ import annotations

import asyncio

import pytest

from doorcode.domain.errors import Refused
from doorcode.domain.limits import ATTEMPT_LIVES_FOR, DEV_BROWSER_LIVES_FOR
from doorcode.flows import client as clients
from doorcode.flows import sign_up
from doorcode.flows.deps import Caller
from doorcode.security.random_ids import digest

from .world import ADA, BEA, PHONE, World


async def test_unknown_browser_has_no_client(world: World) -> None:
    assert await clients.show(world.deps, Caller()) is None
    assert await clients.show(world.deps, Caller("client_unknown")) is None
    assert world.count("clients") == 0


async def test_create_makes_a_client_and_a_cookie(world: World) -> None:
    answer = await clients.create(world.deps, Caller())
    assert answer.client is not None
    assert answer.client_token
    caller = await clients.find(world.deps, answer.client_token, None)
    assert caller.client_id == answer.client.client.id


async def test_create_keeps_a_known_client(world: World) -> None:
    caller, _ = await world.signing_up()
    answer = await clients.create(world.deps, caller)
    assert answer.client is not None
    assert answer.client.client.id == caller.client_id
    assert answer.client_token is None
    assert world.count("clients") == 1


async def test_cookie_is_kept_as_a_digest_only(world: World) -> None:
    answer = await clients.create(world.deps, Caller())
    assert answer.client_token
    expected = digest(world.deps.instance.id, "client", answer.client_token)
    assert world.rows("SELECT digest FROM clients") == [(expected,)]
    kept = b"".join(file.read_bytes() for file in world.file.parent.iterdir() if file.is_file())
    assert answer.client_token.encode() not in kept


async def test_foreign_cookie_is_nobody(world: World) -> None:
    await clients.create(world.deps, Caller())
    assert await clients.find(world.deps, "planted", None) == Caller()
    assert await clients.find(world.deps, None, None) == Caller()


async def test_planted_cookie_opens_nothing_after_sign_up(world: World) -> None:
    planted = await clients.create(world.deps, Caller())
    caller = await clients.find(world.deps, planted.client_token, None)
    begun = await sign_up.start(world.deps, caller, _wanted())
    assert begun.subject is not None
    await sign_up.send_code(world.deps, caller, begun.subject.id, PHONE)
    done = await sign_up.try_code(world.deps, caller, begun.subject.id, PHONE, world.code)
    assert (await clients.find(world.deps, planted.client_token, None)).client_id is None
    owner = await clients.find(world.deps, done.client_token, None)
    assert owner.client_id == caller.client_id


def _wanted() -> sign_up.Wanted:
    return sign_up.Wanted({sign_up.Kind.PHONE: ADA})


# ── what a client is doing ────────────────────────────────────────────────────────────
async def test_view_shows_what_is_under_way(world: World) -> None:
    caller, attempt = await world.signing_up()
    shown = await clients.show(world.deps, caller)
    assert shown is not None
    assert shown.sign_up is not None
    assert shown.sign_up.id == attempt.id
    assert (shown.sign_in, shown.sessions) == (None, ())


async def test_view_shows_no_attempt_of_yesterday(world: World) -> None:
    caller, _ = await world.signing_up()
    world.clock.forward(ATTEMPT_LIVES_FOR)
    shown = await clients.show(world.deps, caller)
    assert shown is not None
    assert shown.sign_up is None


async def test_view_shows_whose_sign_in_it_is(world: World) -> None:
    _, account = await world.account()
    caller, attempt = await world.signing_in()
    shown = await clients.show(world.deps, caller)
    assert shown is not None
    assert shown.sign_in is not None
    assert shown.sign_in_user is not None
    assert account.user is not None
    assert (shown.sign_in.id, shown.sign_in_user.id) == (attempt.id, account.user.id)


async def test_view_hides_an_expired_session(world: World) -> None:
    caller, _ = await world.account()
    world.clock.forward(world.deps.instance.session_lives_for)
    shown = await clients.show(world.deps, caller)
    assert shown is not None
    assert shown.sessions == ()


async def test_time_of_change_moves_with_sessions_only(world: World) -> None:
    caller, answer = await world.account()
    assert answer.client is not None
    signed_in_at = answer.client.client.updated_at
    world.clock.forward(1_000)
    await clients.show(world.deps, caller)
    await clients.create(world.deps, caller)
    shown = await clients.show(world.deps, caller)
    assert shown is not None
    assert shown.client.updated_at == signed_in_at
    await clients.sign_out(world.deps, caller)
    shown = await clients.show(world.deps, caller)
    assert shown is not None
    assert shown.client.updated_at == world.clock()


# ── leaving ───────────────────────────────────────────────────────────────────────────
async def test_sign_out_keeps_the_client(world: World) -> None:
    caller, _ = await world.account()
    before = world.storage.kept
    answer = await clients.sign_out(world.deps, caller)
    assert world.storage.kept == before + 1
    assert answer.client is not None
    assert answer.client.sessions == ()
    assert answer.client.client.last_active_session_id is None
    assert world.rows("SELECT status FROM sessions") == [("ended",)]
    assert world.count("clients") == 1


async def test_sign_out_makes_copies_of_the_cookie_worthless(world: World) -> None:
    """A copy would show what is begun here next, and could begin something itself."""
    made = await clients.create(world.deps, Caller())
    answer = await clients.sign_out(
        world.deps, await clients.find(world.deps, made.client_token, None)
    )
    assert answer.client is not None
    owner = await clients.find(world.deps, answer.client_token, None)
    assert owner.client_id == answer.client.client.id
    assert (await clients.find(world.deps, made.client_token, None)).client_id is None


async def test_sign_out_of_nobody_is_no_error(world: World) -> None:
    answer = await clients.sign_out(world.deps, Caller())
    assert (answer.client, answer.refusal) == (None, None)


async def test_destroyed_client_is_forgotten(world: World) -> None:
    caller, _ = await world.account()
    shown = await clients.destroy(world.deps, caller)
    assert shown is not None
    assert shown.sessions == ()
    assert world.count("clients") == 0
    assert world.rows("SELECT status FROM sessions") == [("ended",)]
    assert await clients.destroy(world.deps, caller) is None


async def test_retire_lets_go_of_codes_and_letters(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    await clients.retire(world.deps, caller)
    assert (world.count("codes"), world.count("verifications")) == (0, 0)
    assert world.rows("SELECT state, sealed FROM outbox") == [("cancelled", None)]
    with pytest.raises(Refused, match="resource_not_found"):
        await sign_up.get(world.deps, caller, attempt.id)


async def test_retire_without_a_client_writes_nothing(world: World) -> None:
    before = world.storage.begun
    await clients.retire(world.deps, Caller())
    assert world.storage.begun == before


# ── browsers of a development instance ────────────────────────────────────────────────
async def test_dev_browser_becomes_a_client(world: World) -> None:
    token = await clients.add_dev_browser(world.deps)
    stranger = await clients.find(world.deps, None, token)
    assert stranger.client_id is None
    answer = await clients.create(world.deps, stranger)
    known = await clients.find(world.deps, None, token)
    assert answer.client is not None
    assert known.client_id == answer.client.client.id


async def test_dev_browser_counts_before_the_cookie(world: World) -> None:
    by_cookie = await clients.create(world.deps, Caller())
    token = await clients.add_dev_browser(world.deps)
    caller = await clients.find(world.deps, by_cookie.client_token, token)
    assert caller.client_id is None


@pytest.mark.parametrize("after", [None, DEV_BROWSER_LIVES_FOR])
async def test_unknown_dev_browser_is_refused(world: World, after: int | None) -> None:
    token = await clients.add_dev_browser(world.deps) if after else "made up"
    world.clock.forward(after or 0)
    with pytest.raises(Refused, match="dev_browser_unauthenticated"):
        await clients.find(world.deps, None, token)


async def test_dev_browser_survives_its_client(world: World) -> None:
    token = await clients.add_dev_browser(world.deps)
    await clients.create(world.deps, await clients.find(world.deps, None, token))
    await clients.destroy(world.deps, await clients.find(world.deps, None, token))
    again = await clients.create(world.deps, await clients.find(world.deps, None, token))
    known = await clients.find(world.deps, None, token)
    assert again.client is not None
    assert known.client_id == again.client.client.id


async def test_browser_that_asks_twice_at_once_is_one_client(world: World) -> None:
    """A page's two first requests carry the same token; both must come to the same client."""
    token = await clients.add_dev_browser(world.deps)
    caller = await clients.find(world.deps, None, token)
    answers = await asyncio.gather(*(clients.create(world.deps, caller) for _ in range(2)))
    known = await clients.find(world.deps, None, token)
    ids = {answer.client.client.id for answer in answers if answer.client}
    assert known.client_id in ids
    assert len(ids) <= world.count("clients")


async def test_attempts_of_two_clients_stay_apart(world: World) -> None:
    one, first = await world.signing_up(ADA)
    two, second = await world.signing_up(BEA)
    assert one != two
    shown = [await clients.show(world.deps, caller) for caller in (one, two)]
    assert [view.sign_up.id for view in shown if view and view.sign_up] == [first.id, second.id]
