"""What a story is given cannot be exchanged under its hands."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from doorcode.delivery.courier import Courier
from doorcode.domain.event import Event
from doorcode.domain.limits import MINUTE
from doorcode.flows.deps import Caller, Post, Recent

from .world import FakePost, World


def test_caller_is_nobody_unless_told() -> None:
    assert Caller() == Caller(client_id=None, dev_browser=None)
    assert Caller("client_1") != Caller()


async def test_the_instance_alone_can_be_exchanged(world: World) -> None:
    world.deps.instance = replace(world.deps.instance, name="Other")
    with pytest.raises(FrozenInstanceError):
        world.deps.instance.name = "Another"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Caller().client_id = "client_1"  # type: ignore[misc]


@pytest.mark.parametrize("post", [Courier, FakePost])
def test_couriers_speak_as_a_post_does(post: type) -> None:
    wanted = {name for name in vars(Post) if not name.startswith("_")}
    assert wanted == {"can_send", "is_free", "announce", "wake"}
    assert wanted <= set(dir(post))


def test_what_is_alike_is_written_once_a_minute_and_says_how_many_there_were() -> None:
    recent, one = Recent(), Event("limit.refused", "refused", "b", "s", "n")
    noon = 1_750_000_000_000 // MINUTE * MINUTE
    assert [recent.count(one, noon + at) for at in (0, 1, MINUTE - 1)] == [1, 0, 0]
    assert recent.count(replace(one, details={"opens_in_seconds": 3}), noon + MINUTE) == 3
    assert not recent.is_new(one, noon + MINUTE)
    assert recent.is_new(one, noon + 2 * MINUTE)


def test_a_flood_of_names_fills_no_memory() -> None:
    recent = Recent()
    for number in range(Recent.KEPT + 100):
        assert recent.count(Event("limit.refused", "refused", subject=str(number)), MINUTE) == 1
    assert len(recent._written) == Recent.KEPT
