"""The operator's key: read, refused in plain words, rotated, never repeated."""

from __future__ import annotations

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorcode.security.master_key import BadMasterKey, MasterKey, generate, parse

OLD, NEW = b"o" * 32, b"\xfb\xff" * 16  # the second has + and / in base64
OLD_TEXT, NEW_TEXT = (base64.b64encode(key).decode() for key in (OLD, NEW))


def test_a_new_key_can_be_read_and_is_new() -> None:
    first, second = parse(generate()), parse(generate())
    assert len(first.versions[1]) == 32
    assert first != second


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        (OLD_TEXT, {1: OLD}),
        (f"  {OLD_TEXT}\n", {1: OLD}),
        (f"1:{OLD_TEXT}", {1: OLD}),
        (base64.urlsafe_b64encode(NEW).decode(), {1: NEW}),
        (f"1:{OLD_TEXT},2:{NEW_TEXT}", {1: OLD, 2: NEW}),
        (f"{OLD_TEXT}, 2:{NEW_TEXT}", {1: OLD, 2: NEW}),
        (f"65535:{NEW_TEXT},7:{OLD_TEXT}", {7: OLD, 65535: NEW}),
    ],
)
def test_keys_are_read_with_their_versions(text: str, versions: dict[int, bytes]) -> None:
    master = parse(text)
    assert master.versions == versions
    assert master.newest == max(versions)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "key number 1 is not 32 bytes"),
        ("change me", "key number 1 is not 32 bytes"),
        (OLD_TEXT[:-4], "key number 1 is not 32 bytes"),
        (OLD_TEXT.rstrip("="), "key number 1 is not 32 bytes"),
        (OLD_TEXT + "AAAA", "key number 1 is not 32 bytes"),
        (f"{OLD_TEXT},", "version 1 stands in it twice"),
        (f"1:{OLD_TEXT},2:", "key number 2 is not 32 bytes"),
        (f"{OLD_TEXT},{NEW_TEXT}", "version 1 stands in it twice"),
        (f"2:{OLD_TEXT},2:{NEW_TEXT}", "version 2 stands in it twice"),
        (f"0:{OLD_TEXT}", "a version is a number from 1"),
        (f"-1:{OLD_TEXT}", "a version is a number from 1"),
        (f"65536:{OLD_TEXT}", "a version is a number from 1"),
        (f"v1:{OLD_TEXT}", "a version is a number from 1"),
        (f"\u0661:{OLD_TEXT}", "a version is a number from 1"),
        (f":{OLD_TEXT}", "a version is a number from 1"),
        (f"{OLD_TEXT}:1", "a version is a number from 1"),
        ("9" * 5000 + f":{OLD_TEXT}", "a version is a number from 1"),
    ],
)
def test_what_is_no_key_is_refused_in_plain_words(text: str, says: str) -> None:
    with pytest.raises(BadMasterKey, match=says) as refusal:
        parse(text)
    assert OLD_TEXT not in str(refusal.value)


@given(st.text("0123456789:,=+/AZaz \u0661\x00", min_size=4, max_size=80))
@example(f"{OLD_TEXT[:-4]}")
@example(f"1:2:{OLD_TEXT}")
def test_a_refusal_never_repeats_what_was_given(text: str) -> None:
    with pytest.raises(BadMasterKey) as refusal:
        parse(text)
    secret_parts = [part for part in text.replace(",", ":").split(":") if len(part) > 5]
    assert not any(part in str(refusal.value) for part in secret_parts)


def test_a_key_is_not_shown() -> None:
    shown = repr(MasterKey({1: OLD}))
    assert "o" * 8 not in shown
    assert OLD_TEXT not in shown


def test_each_purpose_version_and_instance_has_its_own_key() -> None:
    master = MasterKey({1: OLD, 2: NEW})
    keys = {
        master.derive(purpose, version, instance)
        for purpose in ("code", "seal")
        for version in (1, 2)
        for instance in ("ins_1", "ins_2")
    }
    assert len(keys) == 8
    assert {len(key) for key in keys} == {32}
    assert not keys & {OLD, NEW}


def test_a_derived_key_stays_the_same() -> None:
    # RFC 5869 with the instance as salt; were this to change, no database would open.
    derived = MasterKey({1: OLD}).derive("seal", 1, "ins_1")
    assert derived == MasterKey({1: OLD, 2: NEW}).derive("seal", 1, "ins_1")
    assert derived.hex() == "7f4926d2a1317d969e79ab96c28f1bb90b62bcf374d3ca66047a3408effeae18"


def test_a_version_that_is_not_kept_derives_nothing() -> None:
    with pytest.raises(KeyError):
        MasterKey({2: NEW}).derive("seal", 1, "ins_1")
