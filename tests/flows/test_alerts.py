"""An operator is told of a pause by one letter, with a link that ends it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doorcode.domain.send import Pause
from doorcode.domain.setting_types import Mailbox
from doorcode.flows import alerts
from doorcode.flows import pauses as story

from .world import World

OPERATOR = "Ops@example.com"


async def told(world: World, pause: Pause) -> bool:
    async with world.deps.storage.transaction() as tx:
        return await alerts.tell_of_pause(world.deps, tx, pause)


def letters(world: World) -> list[tuple[str, Any]]:
    rows = world.rows("SELECT id, recipient, sealed FROM outbox ORDER BY created_at")
    sealer = world.deps.sealer
    return [(to, json.loads(sealer.open(f"outbox/{name}", sealed))) for name, to, sealed in rows]


async def test_a_letter_says_which_country_why_and_by_what_link_it_ends(world: World) -> None:
    world.switch(alert_email=OPERATOR, url="https://auth.example.com")
    pause = Pause("GB", world.clock(), "codes are never typed")
    assert await told(world, pause)
    [(to, packed)] = letters(world)
    assert to == OPERATOR
    assert packed["about"] == {"country": "GB", "why": "codes are never typed"}
    address, _, ticket = packed["link"].partition("?ticket=")
    assert address == "https://auth.example.com/shield/resume"
    assert world.deps.tickets.read_resume(ticket) == ("GB", pause.at)
    for file in world.file.parent.iterdir():
        assert ticket.encode() not in file.read_bytes()  # whoever steals the disk resumes nothing


@pytest.mark.parametrize(("email", "channels"), [("", {"email"}), (OPERATOR, {"sms"})])
async def test_where_nobody_is_named_or_no_mail_goes_there_is_no_letter(
    world: World, email: str, channels: set[str]
) -> None:
    world.switch(alert_email=email)
    world.post.channels = channels
    assert not await told(world, Pause("GB", world.clock(), "why"))
    assert letters(world) == []


@pytest.mark.parametrize("email", ["ops@mail.test", "ops+clerk_test@example.com", OPERATOR])
@pytest.mark.parametrize("test_mode", [True, False])
async def test_whatever_the_setting_takes_can_be_written_to(
    world: World, email: str, test_mode: bool
) -> None:
    world.switch(alert_email=Mailbox().read(email), test_mode=test_mode)
    assert await told(world, Pause("GB", world.clock(), "why"))
    is_test = world.rows("SELECT is_test FROM outbox")
    assert is_test == [(int(test_mode and "clerk_test" in email),)]


async def test_the_path_is_where_the_story_ends_it(world: World) -> None:
    pause = Pause("GB", world.clock(), "why")
    async with world.deps.storage.transaction() as tx:
        await tx.add_pause(pause)
    text = world.deps.tickets.resume_text(pause)
    assert await story.show(world.deps, text) == pause
