"""Settings that change while the server runs: applied when good, else left as they were."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from doorcode import live_settings
from doorcode.domain.instance import Instance, SignUpMode
from doorcode.domain.instance_settings import BadValues
from doorcode.live_settings import (
    STORED_UNDER,
    TOLD_UNDER,
    LiveSettings,
    layers_beside,
    routes_beside,
    save,
)
from doorcode.settings import BadSettings, Settings, development, production
from doorcode.storage.sqlite import Sqlite


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Sqlite]:
    opened = Sqlite(tmp_path / "doorcode.db")
    yield opened
    await opened.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text("", "utf-8")
    return path


def environ(file: Path | None = None, **flat: Any) -> dict[str, str]:
    values = {key.replace("__", "."): value for key, value in flat.items()}
    given = {"DOORCODE_SETTINGS": json.dumps(values)}
    return given | ({"DOORCODE_SETTINGS_FILE": str(file)} if file else {})


def settings(file: Path | None = None, **flat: Any) -> Settings:
    return development(environ(file, **flat))


async def store(storage: Sqlite, value: Any) -> None:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    async with storage.transaction() as tx:
        await tx.save_setting(STORED_UNDER, text)


async def opened(storage: Sqlite, given: Settings) -> tuple[LiveSettings, Instance]:
    live = LiveSettings(given, storage)
    await live.open()
    return live, await live.start("ins_1")


async def look_twice(live: LiveSettings) -> list[Instance | None]:
    """A file counts at the second look after its change."""
    return [await live.look(), await live.look()]


async def told(storage: Sqlite) -> Any:
    async with storage.reading() as tx:
        return json.loads(await tx.setting(TOLD_UNDER) or b"null")


# ── starting ──────────────────────────────────────────────────────────────────────────
async def test_all_places_make_the_instance(storage: Sqlite, file: Path) -> None:
    file.write_text('sign_up_mode = "waitlist"', "utf-8")
    await store(storage, {"legal_consent.enabled": True, "sign_up_mode": "public"})
    _, instance = await opened(storage, settings(file, user__delete_self_enabled=False))
    assert instance.id == "ins_1"
    assert instance.mode is SignUpMode.WAITLIST
    assert instance.legal_consent
    assert not instance.delete_self


async def test_the_environment_gives_its_name_address_and_kind(storage: Sqlite) -> None:
    named = {"DOORCODE_NAME": "Example", "DOORCODE_PORT": "9000", "DOORCODE_TEST_MODE": "off"}
    _, instance = await opened(storage, development(named))
    assert (instance.name, instance.url) == ("Example", "http://localhost:9000")
    assert (instance.development, instance.test_mode, instance.native_api) == (True, False, True)


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        ({"gone.setting": 1}, "gone.setting"),
        ({"mfa.required": "yes"}, "mfa.required"),
        ({"mfa.required": True}, "mfa.required"),
        ({"session.lifetime_minutes": 1}, "session.lifetime_minutes"),
    ],
)
async def test_a_wrong_stored_value_is_refused_with_the_command_that_mends_it(
    storage: Sqlite, stored: Any, named: str
) -> None:
    await store(storage, stored)
    with pytest.raises(BadSettings) as bad:
        await LiveSettings(settings(), storage).open()
    [said] = bad.value.problems
    assert f"`doorcode settings unset {named}`" in said


@pytest.mark.parametrize("stored", [b"{", b"[]", b"\xff"])
async def test_stored_bytes_that_are_no_settings_are_refused(
    storage: Sqlite, stored: bytes
) -> None:
    await store(storage, stored)
    with pytest.raises(BadSettings, match="cannot be read"):
        await LiveSettings(settings(), storage).open()


async def test_a_conflict_names_the_places_that_it_comes_from(storage: Sqlite, file: Path) -> None:
    file.write_text("auth_username.min_length = 30", "utf-8")
    await store(storage, {"auth_username.max_length": 20})
    with pytest.raises(BadSettings) as bad:
        await LiveSettings(settings(file), storage).open()
    [said] = bad.value.problems
    assert str(file) in said
    assert "`doorcode settings unset auth_username.max_length`" in said


# ── while it runs ─────────────────────────────────────────────────────────────────────
async def test_nothing_changed_is_no_new_instance(storage: Sqlite, file: Path) -> None:
    live, _ = await opened(storage, settings(file))
    assert await look_twice(live) == [None, None]


async def test_a_stored_change_is_seen_at_the_next_look(storage: Sqlite) -> None:
    live, instance = await opened(storage, settings())
    assert not instance.phone.required
    await store(storage, {"auth_phone.required": True})
    changed = await live.look()
    assert changed is not None and changed.phone.required
    assert changed.id == "ins_1"
    assert await live.look() is None


async def test_an_edited_file_is_seen(storage: Sqlite, file: Path) -> None:
    live, _ = await opened(storage, settings(file))
    file.write_text("auth_phone.required = true", "utf-8")
    first, second = await look_twice(live)
    assert first is None
    assert second is not None and second.phone.required
    assert live.layers.locked_by("auth_phone.required") == str(file)


async def test_a_wrong_stored_value_is_said_once_and_the_last_good_ones_stay(
    storage: Sqlite,
) -> None:
    live, _ = await opened(storage, settings())
    await store(storage, {"auth_phone.required": True, "mfa.required": "yes"})
    with structlog.testing.capture_logs() as logs:
        assert await look_twice(live) == [None, None]
    [line] = logs
    assert (line["log_level"], "mfa.required" in line["why"]) == ("warning", True)
    await store(storage, {"auth_phone.required": True})
    mended = await live.look()
    assert mended is not None and mended.phone.required


async def test_a_broken_file_is_said_once_and_the_last_good_one_stays(
    storage: Sqlite, file: Path
) -> None:
    file.write_text("auth_phone.required = true", "utf-8")
    live, _ = await opened(storage, settings(file))
    file.write_text("auth_phone.required = [", "utf-8")
    with structlog.testing.capture_logs() as logs:
        assert await look_twice(live) == [None, None]
        assert await look_twice(live) == [None, None]
    assert [(line["log_level"], str(file) in line["why"]) for line in logs] == [("warning", True)]
    assert live.layers.locked_by("auth_phone.required") == str(file)
    file.unlink()
    with structlog.testing.capture_logs() as logs:
        assert await look_twice(live) == [None, None]
    assert "does not exist" in logs[0]["why"]


async def test_a_conflict_of_good_values_changes_nothing(storage: Sqlite) -> None:
    live, _ = await opened(storage, settings(auth_email__used_for_sign_in=False))
    await store(storage, {"auth_phone.used_for_sign_in": False})
    with structlog.testing.capture_logs() as logs:
        assert await live.look() is None
    assert "Nobody could sign in" in logs[0]["why"]


class Stories:
    """What `run` is given: something with an instance to replace."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance


async def test_the_watch_replaces_the_instance_and_outlives_mistakes(
    storage: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_settings, "LOOK_EVERY_SECONDS", 0)
    live, instance = await opened(storage, settings())
    stories: Any = Stories(instance)
    watch = asyncio.create_task(live.run(stories))
    for stored, mode in [
        ({"sign_up_mode": "waitlist"}, SignUpMode.WAITLIST),
        (b"{", SignUpMode.WAITLIST),
        ({"sign_up_mode": "restricted"}, SignUpMode.RESTRICTED),
    ]:
        await store(storage, stored)
        for _ in range(10_000):
            await asyncio.sleep(0)
            if stories.instance.mode is mode:
                break
        assert stories.instance.mode is mode
    assert not watch.done()
    watch.cancel()


# ── beside a running server ───────────────────────────────────────────────────────────
async def test_a_command_knows_what_the_server_was_started_with(
    storage: Sqlite, file: Path
) -> None:
    file.write_text("auth_phone.required = true", "utf-8")
    live, _ = await opened(storage, settings(file, mfa__required=False))
    async with storage.transaction() as tx:
        layers, base = await layers_beside(tx, development({}), "ins_1")
    assert layers.locked_by("auth_phone.required") == str(file)
    assert layers.locked_by("mfa.required") == "DOORCODE_SETTINGS"
    with pytest.raises(BadValues, match="is fixed by"):
        layers.with_values({"mfa.required": False}, base)
    await live.close()
    async with storage.transaction() as tx:
        layers, _ = await layers_beside(tx, development({}), "ins_1")
    assert layers.fixed == ()


async def test_a_command_counts_its_own_environment_too(storage: Sqlite, file: Path) -> None:
    file.write_text("auth_phone.required = true", "utf-8")
    async with storage.transaction() as tx:
        layers, _ = await layers_beside(tx, settings(file, mfa__required=False), "ins_1")
    assert [layer.where for layer in layers.fixed] == ["DOORCODE_SETTINGS", str(file)]


async def test_a_command_knows_of_which_kind_the_server_is(storage: Sqlite) -> None:
    given = {
        "DOORCODE_URL": "https://auth.example.com",
        "DOORCODE_ORIGINS": "https://example.com",
        "DOORCODE_MASTER_KEY": "A" * 43 + "=",
    }
    await opened(storage, production(given))
    said = await told(storage)
    assert (said["development"], said["fixed"]) == (False, {})
    async with storage.transaction() as tx:
        _, base = await layers_beside(tx, development({}), "ins_1")
    assert not base.development


@pytest.mark.parametrize("has_list", [True, False])
async def test_a_command_knows_whether_the_server_has_a_list_of_disposable_domains(
    storage: Sqlite, tmp_path: Path, has_list: bool
) -> None:
    (tmp_path / "some").write_text("mailinator.com", "utf-8")
    (tmp_path / "none").write_text("", "utf-8")
    of_server, of_command = ("some", "none") if has_list else ("none", "some")
    live, _ = await opened(
        storage, development({"DOORCODE_DISPOSABLE_DOMAINS": str(tmp_path / of_server)})
    )
    beside = development({"DOORCODE_DISPOSABLE_DOMAINS": str(tmp_path / of_command)})
    for heard in (has_list, not has_list):  # a command beside no server goes by its own
        async with storage.transaction() as tx:
            layers, base = await layers_beside(tx, beside, "ins_1")
        assert bool(base.disposable_domains) is heard
        if heard:
            layers.with_values({"block_disposable_email_domains": True}, base)
        else:
            with pytest.raises(BadValues, match="DOORCODE_DISPOSABLE_DOMAINS"):
                layers.with_values({"block_disposable_email_domains": True}, base)
        await live.close()


async def test_a_server_without_a_list_does_not_start_with_the_setting_on(
    storage: Sqlite, tmp_path: Path
) -> None:
    (tmp_path / "none").write_text("", "utf-8")
    given = environ(block_disposable_email_domains=True)
    given["DOORCODE_DISPOSABLE_DOMAINS"] = str(tmp_path / "none")
    with pytest.raises(BadSettings, match=r"install doorcode\[disposable\]"):
        await opened(storage, development(given))
    (tmp_path / "none").write_text("mailinator.com", "utf-8")
    _, instance = await opened(storage, development(given))
    assert instance.disposable_domains == {"mailinator.com"}


async def test_a_command_knows_whether_the_server_could_check_a_challenge(storage: Sqlite) -> None:
    """The secret is in the server's environment, seldom in that of the command."""
    for secret, able in (("", False), ("0xsecret", True)):
        await opened(storage, development({"DOORCODE_TURNSTILE_SECRET": secret}))
        async with storage.transaction() as tx:
            _, base = await layers_beside(tx, development({}), "ins_1")
        assert base.bot_protection.has_secret is able


async def test_credentials_of_the_environment_stay_out_of_the_database(storage: Sqlite) -> None:
    route = {"provider": "http", "url": "https://sms.example.com/?key=hunter2", "name": "mine"}
    await opened(storage, settings(delivery__sms=[route], delivery__ladder=["sms"]))
    said = json.dumps(await told(storage))
    assert "hunter2" not in said and "mine" in said
    async with storage.transaction() as tx:
        layers, base = await layers_beside(tx, development({}), "ins_1")
    assert layers.locked_by("delivery.sms") == "DOORCODE_SETTINGS"
    assert layers.build(base).delivery.carriers({})["sms"] == "http"


async def test_a_saved_change_reaches_the_server(storage: Sqlite) -> None:
    live, _ = await opened(storage, settings())
    async with storage.transaction() as tx:
        layers, base = await layers_beside(tx, development({}), "ins_1")
        await save(tx, layers.with_values({"sign_up_mode": SignUpMode.RESTRICTED}, base))
    changed = await live.look()
    assert changed is not None and changed.mode is SignUpMode.RESTRICTED


async def test_a_command_knows_who_carries_what_for_the_server(storage: Sqlite) -> None:
    mail = {"DOORCODE_SMTP_URL": "smtp://localhost", "DOORCODE_MAIL_FROM": "a@example.com"}
    names = {"DOORCODE_NAME": "Acme", "DOORCODE_TEST_MODE": "off", "DOORCODE_PORT": "9000"}
    live, _ = await opened(storage, development(mail | names))
    async with storage.reading() as tx:
        routes, told_so = await routes_beside(tx, development({}))
        _, base = await layers_beside(tx, development({}), "ins_1")
    assert (routes["email"], routes["sms"], told_so) == ("smtp", "inbox", True)
    assert (base.name, base.test_mode, base.url) == ("Acme", False, "http://localhost:9000")
    await live.close()
    async with storage.reading() as tx:
        routes, told_so = await routes_beside(tx, development({}))
    assert (routes["email"], told_so) == ("inbox", False)
