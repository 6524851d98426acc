"""What commands share: the database of a data directory, its server's settings, its audit log."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from tests.acceptance.process import clean_environment
from tests.beside import events, prepare, within

from doorcode.cli_beside import Beside, Routes, beside, note, with_storage
from doorcode.domain.event import Event
from doorcode.live_settings import TOLD_UNDER
from doorcode.storage.interface import Transaction, Unavailable


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", clean_environment())


def options(data: Path) -> argparse.Namespace:
    return argparse.Namespace(data=str(data))


def seen(data: Path) -> Beside:
    found: list[Beside] = []

    async def look(tx: Transaction, instance_id: str) -> int:
        found.append(await beside(tx, options(data), instance_id))
        return 0

    assert with_storage(options(data), look) == 0
    return found[0]


def test_where_no_server_was_there_is_nothing_to_work_on(tmp_path: Path) -> None:
    async def never(tx: Transaction, instance_id: str) -> int:
        raise AssertionError("there is no database")

    with pytest.raises(Unavailable, match="start a server there first"):
        with_storage(options(tmp_path / "nothing"), never)
    assert not (tmp_path / "nothing").exists()


def test_what_an_operator_does_is_written_with_it_or_not_at_all(tmp_path: Path) -> None:
    data = prepare(tmp_path)

    async def work(tx: Transaction, instance_id: str) -> int:
        await note(tx, "key.created", "sk…1", at_once=True)
        return 3

    async def fail(tx: Transaction, instance_id: str) -> int:
        await note(tx, "key.created", "sk…2")
        raise Unavailable("full")

    assert with_storage(options(data), work) == 3
    with pytest.raises(Unavailable, match="full"):
        with_storage(options(data), fail)
    made = Event("key.created", "done", subject="sk…1", details={"at_once": True})
    assert events(data) == [made]


def test_without_a_server_the_settings_of_this_environment_count(tmp_path: Path) -> None:
    by = seen(prepare(tmp_path))
    assert (by.told, by.instance.development) == (False, True)
    assert by.post.named == {"sms": "inbox", "whatsapp": "inbox", "email": "inbox"}


def test_what_a_server_said_of_itself_counts_before_this_environment(tmp_path: Path) -> None:
    data = prepare(tmp_path)
    told = (
        b'{"development": false, "name": "Acme", "test_mode": false, "routes": {"email": "smtp"}}'
    )
    within(data, lambda tx: tx.save_setting(TOLD_UNDER, told))
    by = seen(data)
    assert (by.told, by.post.named) == (True, {"email": "smtp"})
    assert (by.instance.name, by.instance.test_mode) == ("Acme", False)
    assert by.instance.shield.mode == "deny"


def test_routes_say_who_carries_what_and_whether_it_costs() -> None:
    routes = Routes({"sms": "inbox", "email": "smtp"})
    assert [routes.can_send(one, False) for one in ("sms", "email", "whatsapp")] == [
        True, True, False,
    ]  # fmt: skip
    assert routes.can_send("whatsapp", True)
    assert [routes.is_free(one) for one in ("sms", "email", "whatsapp")] == [True, False, True]
