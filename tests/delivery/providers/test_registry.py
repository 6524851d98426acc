"""Routes from their settings, and a provider that another package brings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from doorcode.delivery.interface import Letter
from doorcode.delivery.providers import registry
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.transport import Transport
from doorcode.delivery.smtp import Smtp

from .test_twilio import OPTIONS as TWILIO
from .test_twilio import letter

HTTP = {"provider": "http", "url": "https://sms.example.com/send"}
SMTP = {"provider": "smtp", "url": "smtps://u:hunter2@mail.example.com", "from": "a@acme.example"}
PIGEON = """
from doorcode.delivery.interface import Never, Taken
from doorcode.delivery.providers.options import BadOptions, RouteOptions, read

class Options(RouteOptions, frozen=True, forbid_unknown_fields=True):
    loft: str

class Pigeon:
    name = "pigeon"
    immediate = False

    def __init__(self, options, transport):
        self.loft = read(Options, options).loft

    async def send(self, letter):
        return Taken(f"{self.loft}/{letter.id}")
"""


def routes(channel: str, *given: dict[str, Any], **environ: str) -> Any:
    return registry.routes(channel, given, Transport(), environ)


# ── routes ────────────────────────────────────────────────────────────────────────────
def test_a_route_is_made_of_its_settings() -> None:
    [route] = routes("sms", {"provider": "twilio", "name": "first", "countries": ["FR"], **TWILIO})
    assert (route.name, route.channel, route.countries) == ("first", "sms", {"FR"})
    assert route.provider.name == "twilio"


def test_a_route_without_a_name_gets_one_of_its_own() -> None:
    names = [one.name for one in routes("sms", HTTP, HTTP, {"provider": "twilio", **TWILIO})]
    assert names == ["http", "http-2", "twilio"]
    assert [one.name for one in routes("whatsapp", {"provider": "twilio", **TWILIO})] == [
        "twilio-whatsapp"
    ]


def test_a_secret_can_stand_in_the_environment() -> None:
    given = {**HTTP, "headers": {"authorization": "env:TOKEN"}, "json": ["env:TOKEN"]}
    [route] = routes("sms", given, TOKEN="hunter2")
    options = route.provider._options
    assert (options.headers, options.json) == ({"authorization": "hunter2"}, ["hunter2"])


def test_a_secret_that_the_environment_lacks_is_named() -> None:
    with pytest.raises(BadOptions, match="variable TOKEN is not set") as raised:
        routes("sms", HTTP, {**HTTP, "text": "env:TOKEN"}, TOKEN="")
    assert str(raised.value).startswith("route 2 (http-2): ")


@pytest.mark.parametrize(
    ("channel", "given", "why"),
    [
        ("sms", {}, "names its provider"),
        ("sms", {"provider": 7}, "names its provider"),
        ("sms", {"provider": "pigeon"}, "no provider 'pigeon'; there are .*http.*twilio.*vonage"),
        ("email", {"provider": "twilio", **TWILIO}, "twilio carries sms, whatsapp, not email"),
        ("sms", SMTP, "smtp carries email, not sms"),
        ("sms", {"provider": "http"}, "url"),
    ],
)
def test_a_route_that_makes_no_provider_is_refused(
    channel: str, given: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadOptions, match=why):
        routes(channel, given)


# ── a mail server as a route ──────────────────────────────────────────────────────────
def test_a_mail_server_can_be_a_route() -> None:
    [route] = routes("email", {**SMTP, "url": "env:SMTP_URL"}, SMTP_URL=SMTP["url"])
    assert isinstance(route.provider, Smtp)
    assert "hunter2" not in f"{route!r}{vars(route.provider)!r}"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"url": "mail.example.com:hunter2"}, "must look like smtp://"),
        ({"url": "smtp://u:hunter2/x@h"}, "%2F"),
        ({"from": "Acme"}, "no-reply@example.com"),
        ({"from": 7}, "from"),
        ({"port": 25}, "port"),
    ],
)
def test_a_mail_server_that_cannot_be_used_names_the_mend(
    changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadOptions, match=why) as raised:
        routes("email", SMTP | changes)
    assert "hunter2" not in str(raised.value)


# ── another package's ─────────────────────────────────────────────────────────────────
@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in a folder of its own, installed as pip would leave it."""
    (tmp_path / "pigeon_post.py").write_text(PIGEON)
    metadata = tmp_path / "pigeon_post-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeon-post\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[doorcode.providers]\n"
        "pigeon = pigeon_post:Pigeon\n"
        "http = pigeon_post:Pigeon\n"
        "lost = pigeon_post:Nobody\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pigeon_post", raising=False)
    return tmp_path


async def test_another_package_brings_a_provider(installed: Path) -> None:
    [route] = routes("sms", {"provider": "pigeon", "loft": "env:LOFT"}, LOFT="west")
    sent: Letter = letter()
    assert (route.name, (await route.provider.send(sent)).ref) == ("pigeon", "west/msg_1")


def test_its_options_are_refused_like_ours(installed: Path) -> None:
    with pytest.raises(BadOptions, match=r"route 1 \(pigeon\): .*loft"):
        routes("sms", {"provider": "pigeon"})


def test_it_is_named_among_those_there_are(installed: Path) -> None:
    with pytest.raises(BadOptions, match="pigeon"):
        routes("sms", {"provider": "owl"})


def test_it_takes_no_name_of_ours(installed: Path) -> None:
    [route] = routes("sms", HTTP)
    assert type(route.provider).__name__ == "Http"


def test_one_that_cannot_be_loaded_is_a_matter_of_its_package(installed: Path) -> None:
    with pytest.raises(BadOptions, match=r"lost cannot be loaded from pigeon_post:Nobody"):
        routes("sms", {"provider": "lost"})
