"""`doorcode texts` as people type it: what is sent, what it takes, what it costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.process import clean_environment
from tests.beside import call, events, prepare

from doorcode import cli_settings
from doorcode.cli_texts import add_commands
from doorcode.delivery.words import SHIPPED
from doorcode.settings import BadSettings


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("os.environ", clean_environment(NAME="Acme"))
    monkeypatch.chdir(tmp_path)
    return prepare(tmp_path / "data")


@pytest.fixture
def shown(data: Path, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    def shown(*arguments: str, status: int = 0) -> list[str]:
        assert call(add_commands, data, *arguments) == status
        printed = capsys.readouterr()
        return (printed.out if status == 0 else printed.err).splitlines()

    return shown


def words(lines: list[str], name: str) -> list[str]:
    return next(line.split() for line in lines if line.strip().startswith(name))


def test_every_language_is_listed_with_what_a_text_message_takes(shown) -> None:  # type: ignore[no-untyped-def]
    lines = shown("list")
    assert [line.split()[0] for line in lines[1:]] == sorted(SHIPPED)
    assert words(lines, "de")[:4] == ["de", "GSM-7", "96", "1"]
    assert words(lines, "ru")[:4] == ["ru", "UCS-2", "62", "1"]


def test_a_language_is_shown_with_its_size_and_its_price(shown) -> None:  # type: ignore[no-untyped-def]
    lines = shown("show", "ru-RU", "--country", "GB", "--country", "de")
    assert "  @localhost #731904" in lines
    assert words(lines, "alphabet") == ["alphabet", "UCS-2"]
    assert words(lines, "paid") == ["paid", "for", "as", "1", "message"]
    assert words(lines, "GB") == ["GB", "$0.045", "$0.045"]
    assert words(lines, "DE")[0] == "DE"
    assert "  Subject: 731904 — ваш код Acme" in lines


def test_one_channel_is_shown_alone(shown) -> None:  # type: ignore[no-untyped-def]
    by_mail = shown("show", "en", "--channel", "email")
    assert by_mail[0] == "email, en"
    assert not any("segment" in line for line in by_mail)
    by_sms = shown("show", "en", "--channel", "sms")
    assert by_sms[0] == "sms, en"
    assert not any("Subject" in line for line in by_sms)
    assert words(by_sms, "US") == ["US", "$0.008", "$0.008"]  # a country that is served


def test_a_language_that_there_is_not_is_told_those_there_are(shown) -> None:  # type: ignore[no-untyped-def]
    assert "tlh is not among ar, da" in shown("show", "tlh", status=1)[1]


def test_a_file_is_checked_and_priced_before_it_is_stored(
    shown, data: Path, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "de.toml"
    file.write_text('sms = "{{ code }} ‚' + "x" * 80 + '‘"\n', "utf-8")
    lines = shown("check", str(file))
    assert words(lines, "paid") == ["paid", "for", "as", "2", "messages"]
    assert words(lines, "not in") == ["not", "in", "GSM-7", "‚", "‘"]
    assert words(lines, "US") == ["US", "$0.008", "$0.016"]
    assert words(shown("list"), "de")[3] == "1"
    shown("save", str(file))
    assert words(shown("list"), "de")[3:5] == ["2", "own"]
    assert [(one.name, one.subject) for one in events(data)] == [("setting.changed", "texts.own")]


def test_one_language_leaves_another_as_it_was(shown, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for name in ("de", "fr"):
        (tmp_path / f"{name}.toml").write_text(f'sms = "{name}: {{{{ code }}}}"\n', "utf-8")
        shown("save", str(tmp_path / f"{name}.toml"))
    lines = shown("list")
    assert "de: 731904" in " ".join(words(lines, "de"))
    assert "fr: 731904" in " ".join(words(lines, "fr"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('sms = "{{ cod }}"', "de.sms cod is no placeholder here"),
        ('smss = "{{ code }}"', "the nearest is sms"),
        ("sms = 7", "de.sms must be a text"),
        ("sms", "de.toml"),
        ("", "de holds no texts"),
        ("sms = '''\n{{ code }}\n@evil.example #{{ code }}'''", "a line that begins with @"),
    ],
)
@pytest.mark.parametrize("command", ["check", "save"])
def test_a_wrong_file_is_refused_with_the_reason(
    data: Path, tmp_path: Path, command: str, text: str, said: str
) -> None:
    file = tmp_path / "de.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(BadSettings, match=said.replace(".", r"\.")):
        call(add_commands, data, command, str(file))
    assert events(data) == []


def test_a_file_that_is_named_after_no_language_needs_one(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "my texts.toml"
    file.write_text('sms = "{{ code }}"\n', "utf-8")
    with pytest.raises(BadSettings, match="add --language de"):
        call(add_commands, data, "check", str(file))
    assert call(add_commands, data, "check", str(file), "--language", "de") == 0


def test_texts_that_stand_in_a_file_of_settings_are_checked_and_not_stored(
    data: Path, tmp_path: Path
) -> None:
    (tmp_path / "doorcode.toml").write_text('[texts.own.de]\nsms = "{{ code }}"\n', "utf-8")
    file = tmp_path / "fr.toml"
    file.write_text('sms = "{{ code }}"\n', "utf-8")
    assert call(add_commands, data, "check", str(file)) == 0
    with pytest.raises(BadSettings, match=r"texts\.own is fixed by .*doorcode\.toml"):
        call(add_commands, data, "save", str(file))


def test_what_is_stored_is_taken_back_as_any_setting(shown, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "de.toml"
    file.write_text('sms = "{{ code }}"\n', "utf-8")
    shown("save", str(file))
    assert call(cli_settings.add_commands, data, "unset", "texts.own") == 0
    assert words(shown("list"), "de")[:4] == ["de", "GSM-7", "96", "1"]
