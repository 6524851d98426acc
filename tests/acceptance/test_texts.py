"""Texts are changed under people who are being written to, without a restart."""

from __future__ import annotations

import time
from pathlib import Path

from tests.acceptance.process import PATIENCE, Person, Running, free_port, run

APP = "https://app.example.com"


def numbers() -> list[str]:
    return [f"+1415555{number}" for number in range(2671, 2699)]


def body(server: Running, number: str, locale: str = "") -> str:
    """The text message that a new person is sent."""
    person = Person(server)
    person.http.headers["Origin"] = "http://localhost:3000"
    fields = {"locale": locale} if locale else {}
    asked = person.post("/sign_ups", phone_number=number, strategy="phone_code", **fields)
    assert asked.status_code == 200, asked.text
    return str(server.get("/inbox/messages", to=number).json()[0]["body"])


def until(server: Running, waiting: list[str], locale: str, wanted: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while wanted not in (text := body(server, waiting.pop(), locale)):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return text


def test_texts_are_saved_refused_and_used_without_a_restart(tmp_path: Path) -> None:
    data, waiting = ("--data", str(tmp_path)), numbers()
    with Running("dev", port=free_port(), DATA=str(tmp_path), LIMITS_NETWORK="off") as server:
        server.answering()
        german = body(server, waiting.pop(), "de-DE")
        assert "ist Ihr Code für Doorcode" in german
        assert german.splitlines()[-1].startswith("@localhost #")

        file = tmp_path / "de.toml"
        file.write_text('sms = "Tür auf: {{ code }}"\n', "utf-8")
        saved = run("texts", "save", str(file), *data)
        assert (saved.returncode, saved.stderr) == (0, "")
        until(server, waiting, "de", "Tür auf: ")

        file.write_text('sms = "{% for x in app %}{{ code }}{% endfor %}"\n', "utf-8")
        refused = run("texts", "save", str(file), *data)
        assert refused.returncode == 1
        assert "texts.own: de.sms holds more than placeholders and if" in refused.stderr
        refused = run("settings", "set", "texts.own", '{"de": {"sms": "no code"}}', *data)
        assert refused.returncode == 1
        assert "texts.own: de.sms lacks {{ code }}" in refused.stderr
        assert "Tür auf: " in body(server, waiting.pop(), "de")

        changes = ("texts.default_language", "fr", "texts.origin_line", "off")
        assert run("settings", "set", *changes, *data).returncode == 0
        french = until(server, waiting, "", "est votre code")
        assert "@localhost" not in french


def test_a_file_with_a_wrong_text_changes_nothing_and_says_why(tmp_path: Path) -> None:
    settings, waiting = tmp_path / "doorcode.toml", numbers()
    settings.write_text('[texts.own.en]\nsms = "Come in: {{ code }}"\n', "utf-8")
    where = {"DATA": str(tmp_path), "SETTINGS_FILE": str(settings), "LIMITS_NETWORK": "off"}
    with Running("dev", port=free_port(), **where) as server:
        assert "Come in: " in body(server.answering(), waiting.pop())
        settings.write_text('[texts.own.en]\nsms = "{{ code.__class__ }}"\n', "utf-8")
        server.until_complained("texts.own: en.sms holds more than placeholders")
        assert "Come in: " in body(server, waiting.pop())
