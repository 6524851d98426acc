"""What a story is given cannot be exchanged under its hands."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from doorcode.delivery.courier import Courier
from doorcode.flows.deps import Caller, Post

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
