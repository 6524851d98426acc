"""What the pages say exists: links, settings, and the list of what is served."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import pytest
import yaml
from tests.web.house import House, open_house

from doorcode.domain.limit_table import LIMITS
from doorcode.domain.setting_catalogue import SETTINGS
from doorcode.settings import KNOWN
from doorcode.web import backend_api
from doorcode.web.door import Door
from doorcode.web.frontend_api.routes import ROUTES

ROOT = Path(__file__).parent.parent
MOVE = ROOT / "docs" / "move-an-app.md"
OPENAPI = ROOT / "tests" / "web" / "fapi-2026-05-12.yml"
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("examples/*/README.md")),
]
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_ROUTE = re.compile(r"`((?:GET|PUT|POST|PATCH|DELETE)(?: [A-Z]+)*) (/[^`]*)`")
_PATH = re.compile(r"`(/[^`\s]*)`")
# `session.x` and `user.x` are names of Python's too, so they are left to the eye.
_SPACES = {key.partition(".")[0] for key in SETTINGS if "." in key} - {"session", "user"}
_SETTING = re.compile(rf"`((?:{'|'.join(sorted(_SPACES))})\.\w+)`")
# Names of the same form in the log.
_NO_SETTINGS = {"shield.decided", *(one.bucket for one in LIMITS)}
_VARIABLE = re.compile(r"DOORCODE_([A-Z_]+[A-Z])")


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """The names that headings get where the pages are read: lower case, hyphens, no signs."""
    plain = (re.sub(r"[^\w\- ]", "", text.lower()) for text in _HEADING.findall(prose(page)))
    return {text.strip().replace(" ", "-") for text in plain}


def section(title: str) -> str:
    """What stands below a heading of the page about moving, up to the next heading."""
    _, found, rest = prose(MOVE).partition(f"\n### {title}\n")
    assert found, f"{MOVE.name} has no section {title}"
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def told(*titles: str) -> set[tuple[str, str]]:
    """The routes that are written as `GET POST /path`, each by its method and path."""
    text = "".join(section(title) for title in titles)
    return {(method, path) for found, path in _ROUTE.findall(text) for method in found.split()}


def backend_routes() -> set[tuple[str, str]]:
    routes = backend_api.routes(cast(Door, None))
    return {
        (method, re.sub(r"{\w+}", "*", route.path))
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
    }


def not_served() -> list[str]:
    return _PATH.findall(section("Not served"))


def covers(told_path: str, path: str) -> bool:
    """Whether a path, as the page tells it, means another one: `/…` is all below, and itself."""
    told_parts, parts = told_path.split("/"), path.split("/")
    if told_parts[-1] == "…":
        told_parts = told_parts[:-1]
        parts = parts[: len(told_parts)]
    return len(told_parts) == len(parts) and all(
        one in ("*", other) for one, other in zip(told_parts, parts, strict=True)
    )


# ── links, settings ───────────────────────────────────────────────────────────────────
@EACH_PAGE
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(prose(page)):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        found = target.exists() and (not anchor or anchor in anchors(target))
        broken += [] if found else [link]
    assert broken == []


@EACH_PAGE
def test_settings_that_are_named_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    named = {name for name in _SETTING.findall(text) if name not in _NO_SETTINGS}
    assert named <= set(SETTINGS)
    assert set(_VARIABLE.findall(text)) <= KNOWN


# ── what is served ────────────────────────────────────────────────────────────────────
def test_the_page_tells_every_route_of_the_frontend_api_and_no_other() -> None:
    assert told("Frontend API", "What answers empty") == set(ROUTES)


def test_the_page_tells_every_route_of_the_backend_api_and_no_other() -> None:
    assert told("Backend API") == backend_routes()


def test_each_path_of_the_public_file_is_told() -> None:
    document = yaml.safe_load(OPENAPI.read_text("utf-8"))
    paths = [re.sub(r"{\w+}", "*", path) for path in document["paths"]]
    served = {path for _, path in told("Frontend API", "Backend API", "What answers empty")}
    assert len(paths) > 40
    untold = [
        path
        for path in paths
        if path not in served and not any(covers(one, path) for one in not_served())
    ]
    assert untold == []


async def test_what_is_told_not_to_be_served_is_not(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        answers = {path: await _status(house, path) for path in not_served()}
    assert len(answers) > 40
    assert {path: status for path, status in answers.items() if status != 404} == {}


async def _status(house: House, told_path: str) -> int:
    path = told_path.removesuffix("/…").replace("*", "x")
    return (await house.backend(path)).status_code


@pytest.mark.parametrize(
    ("told_path", "path", "meant"),
    [
        ("/v1/me/totp/…", "/v1/me/totp", True),
        ("/v1/me/totp/…", "/v1/me/totp/attempt_verification", True),
        ("/v1/me/totp/…", "/v1/me/totpish", False),
        ("/v1/sign_ups/*", "/v1/sign_ups/x", True),
        ("/v1/sign_ups/*", "/v1/sign_ups", False),
        ("/v1/verify", "/v1/verify/x", False),
    ],
)
def test_a_told_path_means_no_more_than_it_says(told_path: str, path: str, meant: bool) -> None:
    assert covers(told_path, path) is meant
