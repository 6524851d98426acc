"""`doorcode messages`: figures, what is not found, mailboxes that get nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from doorcode import cli
from doorcode.cli_messages import figures
from doorcode.domain.limits import SECOND
from doorcode.domain.message import Posted, State, Suppression
from doorcode.server import open_server, open_storage
from doorcode.settings import development

NOON = 1_790_000_000_000


def posted(number: int, **parts: object) -> Posted:
    usual: dict[str, object] = {
        "id": f"msg_{number}", "verification_id": "ver_1", "channel": "sms",
        "recipient": "+14155552671", "state": State.DELIVERED, "route": "twilio", "country": "US",
        "attempts": 1, "created_at": NOON, "taken_at": NOON + SECOND,
        "delivered_at": NOON + 4 * SECOND, "price": 8_000, "verified_at": NOON + 9 * SECOND,
    }  # fmt: skip
    return Posted(**(usual | parts))  # type: ignore[arg-type]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that a server has used."""

    async def use() -> None:
        async with open_server(development({}, data=str(tmp_path))):
            pass

    asyncio.run(use())
    return tmp_path


def test_figures_tell_each_route_and_country_apart() -> None:
    failed = posted(2, state=State.FAILED, delivered_at=None, verified_at=None)
    silent = posted(3, state=State.ACCEPTED, delivered_at=None, verified_at=None)
    one, other = figures([posted(1), failed, silent, posted(4, country="GB", price=40_000)])
    assert (one["country"], one["asked"], one["taken"], one["delivered"]) == ("GB", 1, 1, 1)
    assert (other["asked"], other["taken"], other["delivered"], other["typed"]) == (3, 2, 1, 1)
    assert (other["conversion"], other["median_seconds"]) == (0.5, 4.0)
    assert other["dollars_per_typed"] == pytest.approx(0.016)  # the silent one is paid for, too


def test_figures_of_nothing_are_none() -> None:
    assert figures([]) == []


def test_a_message_that_is_not_there_is_said(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["messages", "show", "msg_none", "--data", str(data)]) == 1
    assert "msg_none" in capsys.readouterr().err


def test_a_suppressed_mailbox_is_shown_masked_and_lifted(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def suppress() -> None:
        storage = open_storage(development({}, data=str(data)))
        async with storage.transaction() as tx:
            await tx.suppress(Suppression("ada@example.com", NOON, "postmark", "it bounced"))
        await storage.close()

    asyncio.run(suppress())
    assert cli.main(["messages", "suppressed", "--data", str(data)]) == 0
    shown = capsys.readouterr().out
    assert "it bounced" in shown
    assert "ada@" not in shown
    lift = ["messages", "suppressed", "--lift", "Ada@example.com", "--data", str(data)]
    assert [cli.main(lift), cli.main(lift)] == [0, 1]
