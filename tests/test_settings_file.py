"""The file of settings: read whole or not at all, also while somebody is writing it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from doorcode.domain.instance_settings import Reading
from doorcode.settings_file import MOST_BYTES, CannotRead, SettingsFile, reading_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "doorcode.toml"


def test_a_file_is_read(path: Path) -> None:
    path.write_text("mfa.required = true", "utf-8")
    assert SettingsFile(path).read() == "mfa.required = true"


def test_no_file_is_no_text_where_none_was_named(path: Path) -> None:
    assert SettingsFile(path).read() is None
    assert reading_of(None, path) == Reading({})


def test_a_file_that_was_named_must_be_there(path: Path) -> None:
    with pytest.raises(CannotRead, match="does not exist"):
        SettingsFile(path, required=True).read()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"#" * (MOST_BYTES + 1)])
def test_what_is_no_text_or_too_long_is_said(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(CannotRead, match="doorcode.toml"):
        SettingsFile(path).read()


def test_a_directory_in_its_place_is_said(path: Path) -> None:
    path.mkdir()
    with pytest.raises(CannotRead, match="doorcode.toml"):
        SettingsFile(path).read()


def test_problems_name_the_file(path: Path) -> None:
    [problem] = reading_of("mfa.required = 1", path).problems
    assert problem.text.startswith(f"{path}: mfa.required ")
    assert problem.keys == ("mfa.required",)


# ── while it changes ──────────────────────────────────────────────────────────────────
def test_a_change_counts_once_it_has_settled(path: Path) -> None:
    path.write_text("mfa.required = true", "utf-8")
    file = SettingsFile(path)
    former = file.read()
    assert file.read_settled() == former
    path.write_text("", "utf-8")  # an editor empties it
    assert file.read_settled() == former
    path.write_text("mfa.required = false", "utf-8")  # and writes it anew
    assert file.read_settled() == former
    assert file.read_settled() == "mfa.required = false"
    assert file.read_settled() == "mfa.required = false"


def test_a_file_of_the_same_length_put_in_its_place_counts(path: Path) -> None:
    path.write_text("a = 1", "utf-8")
    file = SettingsFile(path)
    file.read()
    other = path.with_name("new")
    other.write_text("a = 2", "utf-8")
    at = path.stat().st_mtime_ns
    os.utime(other, ns=(at, at))
    other.rename(path)
    file.read_settled()
    assert file.read_settled() == "a = 2"


def test_a_file_that_comes_and_goes_counts(path: Path) -> None:
    file = SettingsFile(path)
    assert file.read() is None
    path.write_text("a = 1", "utf-8")
    assert [file.read_settled(), file.read_settled()] == [None, "a = 1"]
    path.unlink()
    assert [file.read_settled(), file.read_settled()] == ["a = 1", None]


def test_a_named_file_that_goes_is_said_once_and_its_text_stays(path: Path) -> None:
    path.write_text("a = 1", "utf-8")
    file = SettingsFile(path, required=True)
    file.read()
    path.unlink()
    assert file.read_settled() == "a = 1"
    with pytest.raises(CannotRead):
        file.read_settled()
    assert file.read_settled() == "a = 1"
    path.write_text("a = 22", "utf-8")
    file.read_settled()
    assert file.read_settled() == "a = 22"
