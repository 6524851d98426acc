"""Pictures are served to any page, for ever, and can do nothing but be looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from doorcode.web import images, initials
from doorcode.web.app import App

from .house import URL, House, refusal

WEBP = b"RIFF\x04\0\0\0WEBP"
KEPT = {
    "img_1": ("image/webp", WEBP),
    "img_2": ("image/png", b"png"),
    "img_svg": ("image/svg+xml", b"<svg/>"),
    "img_html": ("text/html", b"<script>"),
}
DRAWN = initials.image_path("Ada", "user_1")


class Shelf:
    """Where the pictures are kept; notes which were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, image_id: str) -> tuple[str, bytes] | None:
        self.asked.append(image_id)
        return KEPT.get(image_id)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def client(house: House, shelf: Shelf) -> AsyncIterator[httpx.AsyncClient]:
    """A whole server, with the pictures of the shelf."""
    app = App(house.door, images.routes(shelf.fetch))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as opened:
        yield opened


async def test_a_kept_picture_is_served(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/images/img_1")
    assert (answer.status_code, answer.content) == (200, WEBP)
    assert answer.headers["content-type"] == "image/webp"


async def test_an_initial_is_drawn(client: httpx.AsyncClient, shelf: Shelf) -> None:
    answer = await client.get(DRAWN)
    assert (answer.status_code, answer.content) == (
        200,
        initials.initial_svg("A", initials.colour_of("user_1")),
    )
    assert answer.headers["content-type"] == "image/svg+xml"
    assert shelf.asked == []


@pytest.mark.parametrize("path", ["/v1/images/img_1", DRAWN])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_picture_can_do_nothing(client: httpx.AsyncClient, path: str, method: str) -> None:
    headers = (await client.request(method, path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert "access-control-allow-credentials" not in headers
    assert "set-cookie" not in headers


@pytest.mark.parametrize("path", ["/v1/images/img_1", DRAWN])
async def test_a_head_tells_the_length_and_sends_nothing(
    client: httpx.AsyncClient, path: str
) -> None:
    head, whole = await client.head(path), await client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["content-type"] == whole.headers["content-type"]


@pytest.mark.parametrize("path", ["/v1/images/img_1", DRAWN])
async def test_a_query_is_passed_over(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"{path}?width=160&type=text/html")
    assert answer.content == (await client.get(path)).content


@pytest.mark.parametrize("image_id", ["img_svg", "img_html"])
async def test_what_can_run_scripts_is_not_served(client: httpx.AsyncClient, image_id: str) -> None:
    assert refusal(await client.get(f"/v1/images/{image_id}")) == (404, "resource_not_found", None)


@pytest.mark.parametrize(
    "name", ["img_9", "avatar_placeholder/41.svg", "avatar_placeholder/41-c99.svg"]
)
async def test_a_picture_that_is_not_there_is_refused(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/v1/images/{name}")
    assert refusal(answer) == (404, "resource_not_found", None)
    # Or a picture that is asked for a moment too early would be missing for a year.
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["img%00", "img-1", "x" * 65, "img_%C3%A4", "%2e%2e", "img_1%0A"])
async def test_storage_is_asked_for_nothing_but_ids(
    client: httpx.AsyncClient, shelf: Shelf, name: str
) -> None:
    assert (await client.get(f"/v1/images/{name}")).status_code == 404
    assert shelf.asked == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_pictures_are_only_read_here(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/v1/images/img_1")
    assert refusal(answer) == (405, "method_not_allowed", None)


async def test_a_picture_on_a_page_of_any_origin_is_shown(client: httpx.AsyncClient) -> None:
    answer = await client.get(DRAWN, headers={"origin": "https://anywhere.example"})
    assert answer.status_code == 200
