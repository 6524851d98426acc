"""The browser SDK's own files: plain files below `dist`, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Builder
from .house import House, refusal

NOT_FOUND = (404, "resource_not_found", None)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A directory laid out like `node_modules/@clerk`, with things that are not for anybody."""
    root = tmp_path / "packages"
    dist = root / "clerk-js" / "dist"
    (dist / "chunks").mkdir(parents=True)
    (dist / "clerk.browser.js").write_text("main")
    (dist / "chunks" / "one_6.1.0.mjs").write_text("chunk")
    (dist / "style.css").write_text("a{}")
    (dist / "clerk.browser.js.map").write_text("{}")
    (dist / ".hidden").write_text("secret")
    (root / "clerk-js" / "package.json").write_text("secret")
    (root / "other" / "dist").mkdir(parents=True)
    (root / "other" / "dist" / "x.js").write_text("secret")
    (tmp_path / "outside.js").write_text("secret")
    (dist / "link.js").symlink_to(tmp_path / "outside.js")
    (dist / "linked").symlink_to(tmp_path)
    return root


@pytest.fixture
async def served(build: Builder, packages: Path) -> House:
    return await build(sdk_directories=[packages], cdn="https://cdn.example")


@pytest.mark.parametrize(
    ("version", "lifetime"),
    [
        ("6", "max-age=300"),
        ("6.1", "max-age=300"),
        ("latest", "max-age=300"),
        ("6.1.0", "max-age=31536000, immutable"),
    ],
)
async def test_a_file_is_served_for_any_version(served: House, version: str, lifetime: str) -> None:
    path = f"/npm/@clerk/clerk-js@{version}/dist/clerk.browser.js"
    answer = await served.browser(None).get(path)
    assert (answer.status_code, answer.text) == (200, "main")
    assert answer.headers["cache-control"] == f"public, {lifetime}"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("clerk.browser.js", "text/javascript"),
        ("chunks/one_6.1.0.mjs", "text/javascript"),
        ("style.css", "text/css"),
        ("clerk.browser.js.map", "application/json"),
    ],
)
async def test_a_file_has_its_type(served: House, file: str, kind: str) -> None:
    answer = await served.browser(None).get(f"/npm/@clerk/clerk-js@6/dist/{file}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == kind


@pytest.mark.parametrize(
    "path",
    [
        "/npm/@clerk/clerk-js@6/dist/../package.json",
        "/npm/@clerk/clerk-js@6/dist/%2e%2e/package.json",
        "/npm/@clerk/clerk-js@6/dist/chunks/..%2f..%2fpackage.json",
        "/npm/@clerk/clerk-js@6/dist/..%5cpackage.json",
        "/npm/@clerk/clerk-js@6/package.json",
        "/npm/@clerk/clerk-js@6/dist/link.js",
        "/npm/@clerk/clerk-js@6/dist/linked/outside.js",
        "/npm/@clerk/clerk-js@6/dist/.hidden",
        "/npm/@clerk/clerk-js@6/dist/chunks",
        "/npm/@clerk/clerk-js@6/dist/",
        "/npm/@clerk/clerk-js@6/dist/nothing.js",
        "/npm/@clerk/clerk-js@6/dist/clerk.browser.js%00",
        "/npm/@clerk/clerk-js@6/dist//clerk.browser.js",
        "/npm/@clerk/clerk-js/dist/clerk.browser.js",
        "/npm/@clerk/other@1/dist/x.js",
        "/npm/@evil/clerk-js@6/dist/clerk.browser.js",
    ],
)
async def test_nothing_else_is_served(served: House, path: str) -> None:
    answer = await served.browser(None).get(path)
    assert refusal(answer) == NOT_FOUND
    assert "secret" not in answer.text


async def test_a_page_of_any_origin_may_load_a_file(served: House) -> None:
    path = "/npm/@clerk/clerk-js@6/dist/clerk.browser.js"
    answer = await served.browser("https://anywhere.example").get(path)
    assert answer.status_code == 200


async def test_a_package_that_is_not_there_is_at_the_cdn(served: House) -> None:
    path = "/npm/@clerk/ui@1/dist/ui.browser.js"
    answer = await served.browser(None).get(path)
    assert answer.status_code == 302
    assert answer.headers["location"] == f"https://cdn.example{path}"
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/npm/@clerk/other@1/dist/x.js", "/npm//evil.example/x"])
async def test_only_the_two_packages_are_looked_for_at_the_cdn(served: House, path: str) -> None:
    assert refusal(await served.browser(None).get(path)) == NOT_FOUND


async def test_without_a_cdn_a_missing_package_is_not_there(house: House) -> None:
    answer = await house.browser(None).get("/npm/@clerk/ui@1/dist/ui.browser.js")
    assert refusal(answer) == NOT_FOUND


async def test_the_first_directory_that_has_the_file_serves_it(
    build: Builder, packages: Path, tmp_path: Path
) -> None:
    second = tmp_path / "second" / "clerk-js" / "dist"
    second.mkdir(parents=True)
    (second / "clerk.browser.js").write_text("second")
    (second / "extra.js").write_text("extra")
    house = await build(sdk_directories=[packages, tmp_path / "second"])
    browser = house.browser(None)
    main = await browser.get("/npm/@clerk/clerk-js@6/dist/clerk.browser.js")
    extra = await browser.get("/npm/@clerk/clerk-js@6/dist/extra.js")
    assert (main.text, extra.text) == ("main", "extra")
