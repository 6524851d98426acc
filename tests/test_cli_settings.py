"""`doorcode settings` as people type it, beside a server that runs."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from tests.acceptance.process import PATIENCE, Running, clean_environment, free_port, run

from doorcode.cli_settings import add_commands, markdown
from doorcode.domain.setting_catalogue import SETTINGS
from doorcode.security import master_key
from doorcode.settings import BadSettings

Command = Callable[..., CompletedProcess[str]]
DOCS = Path(__file__).parent.parent / "docs" / "settings.md"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings") / "data"


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Running]:
    with Running("dev", port=free_port(), DATA=str(data)) as running:
        yield running.answering()


@pytest.fixture
def settings(server: Running, data: Path) -> Command:
    """The program itself, beside the server."""

    def command(*arguments: str, **environ: str) -> CompletedProcess[str]:
        return run("settings", *arguments, DATA=str(data), **environ)

    return command


@pytest.fixture
def refusal(server: Running, data: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What a command is refused with: its code without its process, which takes a second."""
    monkeypatch.setattr("os.environ", clean_environment())
    parser = argparse.ArgumentParser()
    for one in add_commands(parser):
        one.add_argument("--data", default=str(data))

    def refused_with(*arguments: str) -> str:
        options = parser.parse_args(arguments)
        with pytest.raises(BadSettings) as bad:
            options.run(options)
        return str(bad.value)

    return refused_with


def environment(server: Running) -> Any:
    return server.get("/v1/environment").json()


def until(server: Running, look: Any, wanted: Any) -> None:
    """Wait until the server says it: it looks at its settings twice a second."""
    deadline = time.monotonic() + PATIENCE
    while look(environment(server)) != wanted:
        assert time.monotonic() < deadline, "the change was not applied"
        time.sleep(0.05)


def phone(document: Any) -> Any:
    return document["user_settings"]["attributes"]["phone_number"]


def refused(done: CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


# ── seeing ────────────────────────────────────────────────────────────────────────────
def test_the_list_names_every_setting_its_value_and_where_from(settings: Command) -> None:
    head, *lines = settings("list").stdout.splitlines()
    assert head.split() == ["SETTING", "VALUE", "FROM", "LOCKED"]
    assert [line.split()[0] for line in lines] == list(SETTINGS)
    [line] = [line for line in lines if line.startswith("auth_phone.used_for_sign_in ")]
    assert line.split()[1:] == ["on", "default"]
    assert max(map(len, lines)) <= 100


def test_the_list_can_be_narrowed_and_explained(settings: Command) -> None:
    lines = settings("list", "mfa", "--explain").stdout.splitlines()
    assert len(lines) == 4
    assert lines[1].startswith("mfa.required")
    assert SETTINGS["mfa.required"].meaning in lines[2]
    assert "true or false" in lines[3]


def test_one_value_is_printed_alone(settings: Command) -> None:
    assert settings("get", "auth_phone.channels").stdout == '["sms"]\n'
    assert settings("get", "session.lifetime_minutes").stdout == "10080\n"
    assert settings("get", "native_api.enabled").stdout == "on\n"


@pytest.mark.parametrize("what", ["get", "list", "unset"])
def test_an_unknown_name_is_told_the_nearest(refusal: Callable[..., str], what: str) -> None:
    said = refusal(what, "auth_phone.requird")
    assert said == "'auth_phone.requird' is not a setting; the nearest name is auth_phone.required."


# ── changing ──────────────────────────────────────────────────────────────────────────
def test_a_change_applies_without_a_restart(server: Running, settings: Command) -> None:
    assert phone(environment(server))["required"] is False
    done = settings("set", "auth_phone.required", "on")
    assert (done.returncode, done.stdout) == (0, "auth_phone.required is on\n")
    until(server, lambda document: phone(document)["required"], True)
    listed = settings("list", "auth_phone.required").stdout.splitlines()[1]
    assert listed.split() == ["auth_phone.required", "on", "stored"]
    done = settings("unset", "auth_phone.required")
    assert done.stdout == "auth_phone.required is off, from default\n"
    until(server, lambda document: phone(document)["required"], False)


def test_values_that_need_each_other_are_set_together(server: Running, settings: Command) -> None:
    assert "no second step is possible" in refused(settings("set", "mfa.required", "on"))
    both = ("auth_phone.used_for_second_factor", "on", "mfa.required", "true")
    assert settings("set", *both).returncode == 0

    def second(document: Any) -> Any:
        return document["user_settings"]["sign_in"]["second_factor"]

    until(server, second, {"required": True, "enabled": True})
    assert "mfa.required" in refused(settings("unset", both[0]))
    assert settings("unset", both[0], both[2]).returncode == 0
    until(server, second, {"required": False, "enabled": False})


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("auth_phone.required", "maybe"), ["auth_phone.required is 'maybe'", "true or false"]),
        (("session.lifetime_minutes", "1"), ["from 5 to 525600"]),
        (("session.lifetime_minutes", "-1"), ["from 5 to 525600"]),
        (("auth_phone.channels", '["fax"]'), ["sms", "whatsapp"]),
        (("urls.home_url", "javascript:alert(1)"), ["urls.home_url", "https://"]),
        (("auth_fone.required", "on"), ["auth_phone.required"]),
        (("auth_phone.required",), ["no value"]),
        (("mfa.required", "off", "auth_email.required"), ["auth_email.required has no value"]),
    ],
)
def test_what_does_not_fit_is_refused_with_its_mend(
    refusal: Callable[..., str], arguments: tuple[str, ...], parts: list[str]
) -> None:
    said = refusal("set", *arguments)
    assert [part for part in parts if part not in said] == []


def test_a_change_needs_a_server_first(tmp_path: Path) -> None:
    done = run("settings", "set", "mfa.required", "off", "--data", str(tmp_path / "nothing"))
    assert "start a server there first" in refused(done)
    assert not (tmp_path / "nothing").exists()


# ── routes, which hold credentials ────────────────────────────────────────────────────
ROUTE = {
    "provider": "http",
    "url": "https://sms.example.com/send?key=hunter2",
    "headers": {"authorization": "Bearer hunter2", "x-key": "env:GATEWAY_KEY"},
}


def test_no_credential_of_a_route_is_shown_or_noted(settings: Command, data: Path) -> None:
    done = settings("set", "delivery.voice", json.dumps([ROUTE]))
    shown = [
        done,
        settings("get", "delivery.voice"),
        settings("list", "delivery"),
        run("audit", "--full", DATA=str(data)),
        settings("set", "delivery.sms", json.dumps([ROUTE, {**ROUTE, "name": "two words"}])),
        settings("set", "delivery.sms", f"hunter2{json.dumps(ROUTE)}"),
        settings("set", "delivery.sms", json.dumps([{**ROUTE, "key": "hunter2"}])),
        settings("unset", "delivery.voice"),
    ]
    assert [one.returncode for one in shown] == [0, 0, 0, 0, 1, 1, 1, 0]
    assert [one.args for one in shown if "hunter2" in one.stdout + one.stderr] == []
    assert "delivery.voice" in shown[3].stdout
    assert json.loads(shown[1].stdout) == [
        {
            "provider": "http",
            "url": "…",
            "headers": {"authorization": "…", "x-key": "env:GATEWAY_KEY"},
        }
    ]


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("twilio", ["delivery.sms", "expected a list of routes"]),
        ('[{"provider": "pigeon"}]', ["delivery.sms", "no provider 'pigeon'", "twilio"]),
        ('[{"provider": "http"}]', ["delivery.sms", "route 1 (http)", "url"]),
        ('[{"provider": "twilio", "sid": "env:SID"}]', ["delivery.sms", "sid"]),
        ('[{"provider": "smtp"}]', ["smtp carries email, not sms"]),
    ],
)
def test_a_route_that_makes_no_provider_is_refused(
    refusal: Callable[..., str], value: str, parts: list[str]
) -> None:
    said = refusal("set", "delivery.sms", value)
    assert [part for part in parts if part not in said] == []


# ── what is fixed ─────────────────────────────────────────────────────────────────────
def test_what_the_environment_fixes_is_locked(settings: Command) -> None:
    fixed = {"SETTINGS": '{"auth_email": {"immutable": true}}'}
    listed = settings("list", "auth_email.immutable", **fixed).stdout.splitlines()[1]
    assert listed.split() == ["auth_email.immutable", "on", "DOORCODE_SETTINGS", "locked"]
    said = refused(settings("set", "auth_email.immutable", "off", **fixed))
    assert "auth_email.immutable is fixed by DOORCODE_SETTINGS" in said


def test_a_file_and_the_environment_of_serve_are_locked_for_every_command(tmp_path: Path) -> None:
    port, file = free_port(), tmp_path / "settings.toml"
    file.write_text('sign_up_mode = "restricted"\n', "utf-8")
    given = {
        "DATA": str(tmp_path / "data"),
        "URL": f"http://auth.localhost.test:{port}",
        "ORIGINS": "http://app.localhost.test:3000",
        "MASTER_KEY": master_key.generate(),
        "SETTINGS": '{"user.delete_self_enabled": false}',
        "SETTINGS_FILE": str(file),
    }
    with Running("serve", port=port, **given) as server:
        document = environment(server.answering())
        assert document["user_settings"]["sign_up"]["mode"] == "restricted"
        assert document["user_settings"]["actions"]["delete_self"] is False
        # This shell was given nothing but the data directory.
        data = {"DATA": given["DATA"]}
        assert run("settings", "get", "native_api.enabled", **data).stdout == "off\n"
        for key, value, where in [
            ("sign_up_mode", "public", str(file)),
            ("user.delete_self_enabled", "on", "DOORCODE_SETTINGS"),
        ]:
            said = refused(run("settings", "set", key, value, **data))
            assert f"{key} is fixed by {where}" in said
        file.write_text('sign_up_mode = "waitlist"\n', "utf-8")
        until(server, lambda it: it["user_settings"]["sign_up"]["mode"], "waitlist")
        file.write_text('sign_up_mode = "closed"\n', "utf-8")
        assert "sign_up_mode" in server.until_complained("settings not applied.*")
        assert environment(server)["user_settings"]["sign_up"]["mode"] == "waitlist"


def test_wrong_settings_keep_a_server_from_starting(tmp_path: Path) -> None:
    given = {"DATA": str(tmp_path), "PORT": str(free_port())}
    for wrong, part in [
        ('{"auth_phone.requird": true}', "auth_phone.required"),
        ('{"mfa": {"required": true}}', "no second step is possible"),
        ("{", "JSON"),
    ]:
        said = refused(run("dev", SETTINGS=wrong, **given))
        assert part in said and "DOORCODE_SETTINGS" in said


# ── the docs ──────────────────────────────────────────────────────────────────────────
def test_the_docs_hold_the_table_of_all_settings() -> None:
    """`python -c "from doorcode import cli_settings; print(cli_settings.markdown())"` writes it."""
    assert markdown() in DOCS.read_text("utf-8")
