"""Fetches the browser SDK's published files by npm, once, so that no CDN is asked later."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

# The versions this release was tried with, and the digests that npm publishes of them.
PACKAGES = {
    "clerk-js": (
        "6.40.0",
        "2MnZ/ygvuCmeuqfXQmsxfQaLN/SSJvQbtT2cLXbgr5VKr3KmZFZBVvX977fG3eZ6pprl4J9pO+I2bbe6BvColg==",
    ),
    "ui": (
        "1.34.0",
        "EP6Wcf+iqV5hJRMjfmVSOb7wWEgt2DuUOnR3Yv/ULPdmGgGWa64oc4tB4VfD66z8nXgtXqHEXNNnGURAOfQ7vQ==",
    ),
}


class CannotInstall(Exception):
    """npm is not there, did not succeed, or brought something else than was published."""


def install(directory: Path) -> Iterator[str]:
    """Fill `directory` with the packages' `dist` files; a line for each as it is done."""
    npm = shutil.which("npm")
    if npm is None:
        raise CannotInstall("npm was not found; install Node.js, or set DOORCODE_SDK_DIR.")
    for name, (version, digest) in PACKAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            archive = _fetch(npm, f"@clerk/{name}@{version}", Path(folder))
            if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != digest:
                raise CannotInstall(f"@clerk/{name}@{version} is not what was published; not used.")
            _unpack(archive, directory / name)
        yield f"@clerk/{name} {version} → {directory / name}"


def _fetch(npm: str, package: str, folder: Path) -> Path:
    # `npm pack` runs no script of the package.
    command = [npm, "pack", package, "--pack-destination", str(folder), "--silent"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    archives = list(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise CannotInstall(f"npm could not fetch {package}: {done.stderr.strip()[-500:]}")
    return archives[0]


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Only the bytes are taken over: no mode, no owner, no path that leads elsewhere."""
    file = folder / member.name.removeprefix("package/")
    content = archive.extractfile(member)
    if content is None or ".." in file.relative_to(folder).parts:
        raise CannotInstall(f"what npm brought holds {member.name!r}; not used.")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.read())


def _unpack(archive: Path, target: Path) -> None:
    """Plain files below `dist` only; whatever else is in the archive stays there."""
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.isfile() and member.name.startswith("package/dist/"):
                _write(opened, member, fresh)
    if not (fresh / "dist").is_dir():
        raise CannotInstall("what npm brought holds no dist files; not used.")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
