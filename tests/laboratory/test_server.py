"""The laboratory itself: a real line, and each fault as it says of itself."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from .faults import Fault, Faults
from .server import Laboratory, copies, refusing_url, sent_twice
from .wire import Call, Reply, Request, Taken

ANSWER = {"ref": "1", "more": "x" * 100}


class Slate:
    """A double that takes whatever it is sent."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []

    def handle(self, request: Request) -> Reply:
        self.taken.append(Taken("1", request.path, request.body.decode(), key=request.target))
        return Reply.of(201, ANSWER, x_double="yes")

    def refuse_credentials(self) -> Reply:
        return Reply.of(401, {"code": "expired"})

    def throttle(self) -> Reply:
        return Reply.of(429, {"code": "slow down"})

    def report(self, taken: Taken, state: str, code: str = "") -> list[Call]:
        return []


async def ask(url: str, seconds: float = 5.0) -> httpx.Response:
    async with httpx.AsyncClient(timeout=seconds, trust_env=False) as client:
        return await client.post(f"{url}/letters?a=1", content=b"hello")


async def test_a_double_hears_what_was_sent_and_is_heard() -> None:
    slate = Slate()
    async with Laboratory() as lab:
        answer = await ask(lab.mount("/slate", slate))
    assert (answer.status_code, answer.json(), answer.headers["x-double"]) == (201, ANSWER, "yes")
    [taken] = slate.taken
    assert (taken.to, taken.text, taken.key) == ("/letters", "hello", "/letters?a=1")
    assert lab.requests[0].target == "/slate/letters?a=1"


async def test_one_line_carries_many_requests() -> None:
    slate = Slate()
    async with Laboratory() as lab, httpx.AsyncClient(trust_env=False) as client:
        url = lab.mount("/slate", slate)
        for _ in range(3):
            assert (await client.post(f"{url}/x", content=b"")).status_code == 201
        assert len(lab._lines) == 1


async def test_two_doubles_keep_apart() -> None:
    one, other = Slate(), Slate()
    async with Laboratory() as lab:
        lab.mount("/one", one)
        await ask(lab.mount("/other", other))
        assert (await ask(f"{lab.url}/nobody")).status_code == 404
    assert (len(one.taken), len(other.taken)) == (0, 1)


@pytest.mark.parametrize(
    ("fault", "status", "is_taken"),
    [
        (Fault.THROTTLED, 429, False),
        (Fault.EXPIRED, 401, False),
        (Fault.DOWN, 503, False),
        (Fault.WRONG_BODY, 201, True),
        (Fault.LATE, 201, True),
        (None, 201, True),
    ],
)
async def test_a_fault_that_answers(fault: Fault | None, status: int, is_taken: bool) -> None:
    slate, faults = Slate(), Faults()
    faults.next(fault)
    async with Laboratory() as lab:
        answer = await ask(lab.mount("/slate", slate, faults))
    assert answer.status_code == status
    assert bool(slate.taken) is is_taken
    assert answer.text.startswith("<!doctype html>") is (fault is Fault.WRONG_BODY)


@pytest.mark.parametrize(
    ("fault", "error", "is_taken"),
    [
        (Fault.LOST, httpx.RemoteProtocolError, True),
        (Fault.LOST_BEFORE, httpx.RemoteProtocolError, False),
        (Fault.HALF_CLOSED, httpx.RemoteProtocolError, True),
    ],
)
async def test_a_fault_that_breaks_the_line(
    fault: Fault, error: type[Exception], is_taken: bool
) -> None:
    slate, faults = Slate(), Faults()
    faults.next(fault)
    async with Laboratory() as lab:
        url = lab.mount("/slate", slate, faults)
        with pytest.raises(error):
            await ask(url)
        assert (await ask(url)).status_code == 201
    assert len(slate.taken) == 1 + is_taken


async def test_late_is_later_than_who_does_not_wait() -> None:
    slate, faults = Slate(), Faults(late_by=60)
    faults.next(Fault.LATE)
    async with Laboratory() as lab:
        with pytest.raises(httpx.ReadTimeout):
            await ask(lab.mount("/slate", slate, faults), seconds=0.05)
    assert len(slate.taken) == 1


async def test_a_trickle_outlasts_a_bound_between_two_bytes() -> None:
    slate, faults = Slate(), Faults(byte_every=0.005)
    faults.next(Fault.TRICKLE)
    async with Laboratory() as lab:
        url = lab.mount("/slate", slate, faults)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):  # two hundred bytes take a second
                await ask(url, seconds=0.1)


async def test_what_was_sent_twice_is_told() -> None:
    slate = Slate()
    slate.taken = [Taken("1", "+1", "a"), Taken("2", "+1", "a"), Taken("3", "+1", "b", key="k")]
    assert copies(slate) == {"+1 a": 2, "k": 1}
    assert sent_twice(slate) == ["+1 a"]


async def test_nobody_listens_at_a_refusing_url() -> None:
    with pytest.raises(httpx.ConnectError):
        await ask(refusing_url())
