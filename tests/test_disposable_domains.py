"""The list of services for throw-away mail: a file of one's own, else the package's."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorcode import disposable_domains
from doorcode.disposable_domains import NAMED, BadList, packaged, read
from doorcode.domain.addresses import parse_email_address


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "domains.txt"


def test_a_file_holds_a_domain_a_line(path: Path) -> None:
    path.write_text("\ufeff# of ours\nThrow.Example\r\n\n  away.example  # since May\n", "utf-8")
    assert read(path) == {"throw.example", "away.example"}


@pytest.mark.parametrize("written", ["bücher.example", "xn--bcher-kva.example", "BÜCHER.example"])
def test_a_domain_is_kept_as_addresses_hold_it(path: Path, written: str) -> None:
    path.write_text(written, "utf-8")
    address = parse_email_address("ann@xn--bcher-kva.example", test_mode=False)
    assert read(path) == {address.value.partition("@")[2]}


def test_a_name_of_before_idna_2008_keeps_no_list_from_being_read(path: Path) -> None:
    path.write_text("xn--o38h.example\nthrow.example", "utf-8")  # an emoji
    assert read(path) == {"xn--o38h.example", "throw.example"}


@pytest.mark.parametrize(
    "line",
    ["ann@throw.example", "@throw.example", "*.throw.example", "localhost", "a b.example",
     "https://throw.example", "throw.example,away.example", "-.example", "a..example", "10.0.0.1"],
)  # fmt: skip
def test_a_wrong_line_is_named(path: Path, line: str) -> None:
    path.write_text(f"throw.example\n{line}\n", "utf-8")
    with pytest.raises(BadList) as bad:
        read(path)
    assert str(path) in str(bad.value)
    assert f"line 2 ({line!r})" in str(bad.value)


def test_of_many_wrong_lines_the_first_are_named(path: Path) -> None:
    path.write_text("wrong\n" * 100, "utf-8")
    with pytest.raises(BadList, match=rf"line {NAMED} \('wrong'\), {100 - NAMED} more"):
        read(path)


def test_a_file_that_cannot_be_read_is_named(path: Path) -> None:
    with pytest.raises(BadList, match=r"domains\.txt cannot be read"):
        read(path)
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(BadList, match=r"domains\.txt cannot be read"):
        read(path)


def test_the_packages_list_knows_the_throw_away_and_no_common_mailbox() -> None:
    domains = packaged()
    assert len(domains) > 1_000
    assert "mailinator.com" in domains
    assert not domains & {"gmail.com", "outlook.com", "yahoo.com", "icloud.com", "proton.me"}
    assert all(one == one.lower().strip() for one in domains)


def test_the_packages_list_reads_as_a_file_too(path: Path) -> None:
    path.write_text("\n".join(sorted(packaged())), "utf-8")
    assert read(path) == packaged()


def test_without_the_package_there_is_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disposable_domains, "_packaged", set())
    assert packaged() == frozenset()
