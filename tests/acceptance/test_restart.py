"""What was promised holds over a restart, an orderly one and one that nobody announced."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.acceptance.process import Person, Running, free_port

NUMBER = "+14155552671"


def start(data: Path) -> Running:
    return Running("dev", port=free_port(), DATA=str(data))


def test_restart_keeps_keys_and_people(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        person = Person(first.answering())
        user = person.sign_up(NUMBER)
        keys = first.get("/.well-known/jwks.json").json()
        secret = first.env["CLERK_SECRET_KEY"]
        first.stop()
    with start(tmp_path) as again:
        person.move_to(again.answering())
        assert again.env["CLERK_SECRET_KEY"] == secret
        assert again.get("/.well-known/jwks.json").json() == keys
        assert person.me().json()["response"]["id"] == user
        bearer = {"Authorization": f"Bearer {secret}"}
        assert again.get(f"/v1/users/{user}", bearer).json()["id"] == user


def test_code_sent_before_a_crash_still_works(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        person = Person(first.answering())
        attempt = person.ask_for_code(NUMBER)
        code = first.code_for(NUMBER)
        assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    with start(tmp_path) as again:
        person.move_to(again.answering())
        answer = person.type_code(attempt, code)
        assert answer.json()["response"]["status"] == "complete"
        assert person.me().status_code == 200


def test_tries_before_a_crash_still_count(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        person = Person(first.answering())
        attempt = person.ask_for_code(NUMBER)
        code = first.code_for(NUMBER)
        wrong = "000000" if code != "000000" else "111111"
        assert [person.type_code(attempt, wrong).status_code for _ in range(4)] == [422] * 4
        first.stop(signal.SIGKILL)
    with start(tmp_path) as again:
        person.move_to(again.answering())
        failed = person.type_code(attempt, wrong)
        assert failed.json()["errors"][0]["code"] == "verification_failed"
        assert person.type_code(attempt, code).status_code == 400


def test_inbox_forgets_over_a_restart(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        person = Person(first.answering())
        person.ask_for_code(NUMBER)
        code = first.code_for(NUMBER)
        first.stop()
    stored = [row for row in tmp_path.glob("doorcode.db*") if b"is your" in row.read_bytes()]
    assert len(code) == 6
    assert stored == []
    with start(tmp_path) as again:
        again.answering()
        assert again.get("/inbox/messages").json() == []
