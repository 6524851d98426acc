"""`doorcode providers`: what is set, and one message by a real gateway over HTTP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.laboratory.gateway import TOKEN, GatewayDouble
from tests.laboratory.server import Laboratory

from doorcode import cli
from doorcode.server import open_server
from doorcode.settings import development

TO = "+14155552671"


async def run(
    path: Path, monkeypatch: pytest.MonkeyPatch, gateway: GatewayDouble, *words: str
) -> int:
    """A command beside a data directory whose texts go to a gateway."""
    async with Laboratory() as lab:
        lab.mount("/gateway", gateway)
        route: dict[str, Any] = {
            "provider": "http",
            "url": f"{lab.url}/gateway/send",
            "headers": {"authorization": f"Bearer {TOKEN}"},
            "json": {"to": "{{ to }}", "text": "{{ body }}"},
        }
        settings = json.dumps({"delivery": {"sms": [route]}})
        monkeypatch.setenv("DOORCODE_SETTINGS", settings)
        async with open_server(development({"DOORCODE_SETTINGS": settings}, data=str(path))):
            pass
        return await asyncio.to_thread(cli.main, ["providers", *words, "--data", str(path)])


async def test_one_message_is_sent_and_each_step_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = GatewayDouble()
    assert await run(tmp_path, monkeypatch, gateway, "test", "http", "--to", TO) == 0
    assert [(one.to, "test" in one.text) for one in gateway.taken] == [(TO, True)]
    assert "accepted" in capsys.readouterr().out


async def test_a_refusal_is_told_with_what_would_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = GatewayDouble()
    gateway.status = 503
    assert await run(tmp_path, monkeypatch, gateway, "test", "http", "--to", TO) == 1
    told = capsys.readouterr().out
    assert "503" in told
    assert "another route would be tried" in told
    assert TOKEN not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [(("nobody", "--to", TO), "there are: http"), (("http", "--to", "a@example.com"), "sms")],
)
async def test_a_route_that_does_not_fit_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    gateway = GatewayDouble()
    assert await run(tmp_path, monkeypatch, gateway, "test", *words) != 0
    assert said in capsys.readouterr().err
    assert gateway.taken == []


async def test_the_routes_that_are_set_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(tmp_path, monkeypatch, GatewayDouble(), "list") == 0
    told = capsys.readouterr().out
    assert "http" in told
    assert TOKEN not in told
