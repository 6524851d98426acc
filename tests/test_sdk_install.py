"""Fetching the browser SDK: what npm brings is checked, and only plain files are taken."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from doorcode import sdk_install
from doorcode.sdk_install import CannotInstall

PLAIN = {"package/dist/clerk.browser.js": b"// it", "package/dist/chunks/a.js": b"// chunk"}


def archive(files: dict[str, bytes], *others: tarfile.TarInfo) -> bytes:
    """A package as npm packs it: plain files, and whatever else is put in."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for other in others:
            tar.addfile(other)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, to
    return member


def digest_of(content: bytes) -> str:
    return base64.b64encode(hashlib.sha512(content).digest()).decode()


class FakeNpm:
    """An `npm` on the PATH that brings what the test gave it, and notes how it was called."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._patch = folder, monkeypatch
        self.calls = folder / "calls"
        monkeypatch.setenv("PATH", str(folder))

    def brings(self, content: bytes, *, published: bytes | None = None) -> None:
        (self.folder / "package.tgz").write_bytes(content)
        self._script(
            "import shutil\n"
            "to = sys.argv[sys.argv.index('--pack-destination') + 1]\n"
            f"shutil.copy({str(self.folder / 'package.tgz')!r}, to)\n"
        )
        digest = digest_of(content if published is None else published)
        packages = dict.fromkeys(sdk_install.PACKAGES, ("1.2.3", digest))
        self._patch.setattr(sdk_install, "PACKAGES", packages)

    def fails(self, why: str) -> None:
        self._script(f"sys.stderr.write({why!r})\nsys.exit(1)\n")

    def brings_nothing(self) -> None:
        self._script("")

    def _script(self, text: str) -> None:
        npm = self.folder / "npm"
        note = f"open({str(self.calls)!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10))\n"
        npm.write_text(f"#!{sys.executable}\nimport sys\n{note}{text}")
        npm.chmod(0o755)


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNpm:
    folder = tmp_path / "bin"
    folder.mkdir()
    return FakeNpm(folder, monkeypatch)


def installed(directory: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(directory)): file.read_bytes()
        for file in directory.rglob("*")
        if file.is_file() or file.is_symlink()
    }


def test_both_packages_are_unpacked(npm: FakeNpm, tmp_path: Path) -> None:
    npm.brings(archive(PLAIN))
    lines = list(sdk_install.install(tmp_path / "sdk"))
    assert [line.split(" → ")[0] for line in lines] == ["@clerk/clerk-js 1.2.3", "@clerk/ui 1.2.3"]
    assert installed(tmp_path / "sdk") == {
        f"{name}/dist/{file}": content
        for name in ("clerk-js", "ui")
        for file, content in (("clerk.browser.js", b"// it"), ("chunks/a.js", b"// chunk"))
    }


def test_exact_versions_are_asked_for(npm: FakeNpm, tmp_path: Path) -> None:
    npm.brings(archive(PLAIN))
    list(sdk_install.install(tmp_path / "sdk"))
    asked = [line.split()[:2] for line in npm.calls.read_text().splitlines()]
    assert asked == [["pack", "@clerk/clerk-js@1.2.3"], ["pack", "@clerk/ui@1.2.3"]]


def test_each_package_is_told_as_it_is_done(npm: FakeNpm, tmp_path: Path) -> None:
    npm.brings(archive(PLAIN))
    lines = sdk_install.install(tmp_path / "sdk")
    assert "clerk-js" in next(lines)
    assert not (tmp_path / "sdk" / "ui").exists()


def test_something_else_than_published_is_refused(npm: FakeNpm, tmp_path: Path) -> None:
    npm.brings(archive({"package/dist/clerk.browser.js": b"evil"}), published=archive(PLAIN))
    with pytest.raises(CannotInstall, match=r"@clerk/clerk-js@1\.2\.3 is not what was published"):
        list(sdk_install.install(tmp_path / "sdk"))
    assert not (tmp_path / "sdk").exists()


def test_refused_package_leaves_the_installed_one(npm: FakeNpm, tmp_path: Path) -> None:
    npm.brings(archive(PLAIN))
    list(sdk_install.install(tmp_path / "sdk"))
    before = installed(tmp_path / "sdk")
    npm.brings(b"something else", published=archive(PLAIN))
    with pytest.raises(CannotInstall):
        list(sdk_install.install(tmp_path / "sdk"))
    assert installed(tmp_path / "sdk") == before


def test_newer_package_replaces_the_older_whole(npm: FakeNpm, tmp_path: Path) -> None:
    npm.brings(archive(PLAIN))
    list(sdk_install.install(tmp_path / "sdk"))
    npm.brings(archive({"package/dist/new.js": b"// new"}))
    list(sdk_install.install(tmp_path / "sdk"))
    assert installed(tmp_path / "sdk" / "ui") == {"dist/new.js": b"// new"}


def test_only_plain_files_below_dist_are_taken(npm: FakeNpm, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush")
    unwanted = {
        "package/package.json": b"{}",
        "package/src/index.ts": b"",
        "package/distant/file.js": b"",
        "other/dist/file.js": b"",
        "../dist/outside.js": b"",
        "/package/dist/absolute.js": b"",
    }
    links = [
        link("package/dist/link.js", str(secret)),
        link("package/dist/up.js", "../../../secret"),
        link("package/dist/folder", str(tmp_path)),
        link("package/dist/hard.js", "package/package.json", tarfile.LNKTYPE),
        link("package/dist/pipe", "", tarfile.FIFOTYPE),
    ]
    npm.brings(archive(PLAIN | unwanted, *links))
    list(sdk_install.install(tmp_path / "sdk"))
    found = {name.removeprefix("ui/dist/") for name in installed(tmp_path / "sdk") if "ui" in name}
    assert found == {"clerk.browser.js", "chunks/a.js"}
    assert {one.name for one in tmp_path.iterdir()} == {"bin", "sdk", "secret"}


@pytest.mark.parametrize(
    "name", ["package/dist/../../../evil.js", "package/dist//../../../../evil.js"]
)
def test_path_that_climbs_out_is_refused(npm: FakeNpm, tmp_path: Path, name: str) -> None:
    npm.brings(archive({name: b"evil"} | PLAIN))
    with pytest.raises(CannotInstall):
        list(sdk_install.install(tmp_path / "sdk"))
    assert not list(tmp_path.rglob("evil.js"))


@pytest.mark.parametrize("files", [{}, {"package/package.json": b"{}"}])
def test_package_without_dist_is_refused(
    npm: FakeNpm, tmp_path: Path, files: dict[str, bytes]
) -> None:
    npm.brings(archive(files))
    with pytest.raises(CannotInstall):
        list(sdk_install.install(tmp_path / "sdk"))


def test_missing_npm_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotInstall, match=r"npm was not found; install Node\.js, or set "):
        list(sdk_install.install(tmp_path / "sdk"))


def test_reason_of_npm_is_passed_on(npm: FakeNpm, tmp_path: Path) -> None:
    npm.fails("npm error network ETIMEDOUT")
    with pytest.raises(CannotInstall, match=r"could not fetch @clerk/clerk-js@.*ETIMEDOUT"):
        list(sdk_install.install(tmp_path / "sdk"))


def test_npm_that_brings_nothing_is_refused(npm: FakeNpm, tmp_path: Path) -> None:
    npm.brings_nothing()
    with pytest.raises(CannotInstall, match="could not fetch"):
        list(sdk_install.install(tmp_path / "sdk"))


def test_command_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "doorcode", "sdk", "install", "--data", str(tmp_path)],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "npm was not found" in done.stderr
    assert "Traceback" not in done.stderr


def test_published_packages_are_what_this_release_knows(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        assert os.environ.get("CI") != "true", "npm is not installed"
        pytest.skip("npm is not installed")
    clerk_js = f"@clerk/clerk-js@{sdk_install.PACKAGES['clerk-js'][0]}"
    asked = [npm, "view", clerk_js, "version", "--fetch-retries=0", "--fetch-timeout=5000"]
    if subprocess.run(asked, capture_output=True, env=os.environ, check=False).returncode:
        pytest.skip("the npm registry cannot be reached")
    assert len(list(sdk_install.install(tmp_path / "sdk"))) == 2
    assert (tmp_path / "sdk" / "clerk-js" / "dist" / "clerk.browser.js").is_file()
    assert (tmp_path / "sdk" / "ui" / "dist" / "ui.browser.js").is_file()
