"""Requests that nobody would write, made up by Schemathesis from the public OpenAPI file.

Whatever is asked, the answer is no failure of the server (5xx), has a status that the file
names for that path or that stands in EVERYWHERE with its reason, and a document as the file
says, but for the places that `test_openapi.py` lists.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from doorcode.domain.instance import Attribute

from .house import FORM, PAGE, Browser, House, Plan, later, open_house
from .test_openapi import DISAGREEMENTS, ERRORS, SPECIFICATION, _schema, disagreements

# Statuses that any path may answer with, though the file names them for some only.
EVERYWHERE = {
    400: "a step that is not possible now, or a request that cannot be read",
    401: "nobody is signed in",
    403: "what an operator has forbidden",
    404: "an id of nobody, or of somebody else",
    415: "a body that is no form",
    422: "a field that cannot be taken",
    429: "too soon, or too often; the file names it for half of the paths that have it",
}
NOT_JSON = {("GET", "/v1/client/handshake"), ("GET", "/v1/tickets/accept")}
PLAN = Plan(
    instance={
        "phone": Attribute(used_for_second_factor=True),
        "backup_codes": True,
        "single_session": False,
    }
)


def _document() -> dict[str, Any]:
    """The reduced file as an OpenAPI document."""
    paths: dict[str, Any] = {}
    for path, methods in SPECIFICATION["paths"].items():
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        text = {"type": "string", "minLength": 1}
        parameters = [
            {"name": name, "in": "path", "required": True, "schema": text} for name in names
        ]
        for method, answers in methods.items():
            form = SPECIFICATION["requests"].get(path, {}).get(method)
            operation: dict[str, Any] = {
                "parameters": parameters,
                "responses": {status: {"description": "an answer"} for status in answers},
            }
            if form:
                operation["requestBody"] = {"content": {FORM: {"schema": form}}}
            paths.setdefault(path, {})[method] = operation
    return {
        "openapi": "3.0.3",
        "info": {"title": "Frontend API", "version": "1"},
        "paths": paths,
        "components": {"schemas": SPECIFICATION["schemas"]},
    }


OPERATIONS = [
    result.ok() for result in schemathesis.openapi.from_dict(_document()).get_all_operations()
]


class Street:
    """A server, and whoever is about to ask it something."""

    def __init__(self, runner: asyncio.Runner, house: House) -> None:
        self._run = runner.run
        self._house = house
        self._people = 0
        self.granted: set[str] = set()

    def ask(self, case: Any, known: bool) -> httpx.Response:
        """Send the request as somebody for whom it makes sense; with ids that exist, or not."""
        return self._run(self._ask(case, known))

    async def _ask(self, case: Any, known: bool) -> httpx.Response:
        browser, ids = await self._somebody(case.path)
        given = {**case.path_parameters, **(ids if known else {})}
        path = case.path
        for name, value in given.items():
            path = path.replace(f"{{{name}}}", _segment(value))
        body = _form(case.body)
        headers = {"content-type": FORM} if body is not None else {}
        url = httpx.URL(self._house.plan.url).copy_with(raw_path=path.encode())
        return await browser.http.request(case.method, url, data=body, headers=headers)

    async def _somebody(self, path: str) -> tuple[Browser, dict[str, str]]:
        self._people += 1
        self._house.clock.advance(later(60))
        browser = self._house.browser(PAGE)
        mail = f"person{self._people}@example.com"
        phone = f"+1415{5552000 + self._people % 7000}"
        if "/sign_ups" in path:
            sign_up = await browser.post("/v1/client/sign_ups", {"phone_number": phone})
            return browser, {"sign_up_id": sign_up.json()["response"]["id"]}
        answer = (await browser.sign_up(mail)).json()
        if "/sign_ins" in path:
            await browser.sign_out()
            return browser, {"sign_in_id": await browser.start_sign_in(mail)}
        (session,) = answer["client"]["sessions"]
        added = await browser.post("/v1/me/phone_numbers", {"phone_number": phone})
        return browser, {
            "session_id": session["id"],
            "email_id": session["user"]["email_addresses"][0]["id"],
            "phone_number_id": added.json()["response"]["id"],
        }


def _segment(value: Any) -> str:
    return "".join(f"%{byte:02X}" for byte in str(value).encode("utf-8", "replace"))


def _form(body: Any) -> dict[str, str] | None:
    """The fields as the SDKs write them: objects as JSON text."""
    if not isinstance(body, dict):
        return None
    return {
        str(name): value if isinstance(value, str) else json.dumps(value)
        for name, value in body.items()
    }


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with asyncio.Runner() as runner:
        opening = open_house(Path(tmp_path_factory.mktemp("house")), PLAN)
        yield Street(runner, runner.run(opening.__aenter__()))
        runner.run(opening.__aexit__(None, None, None))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_no_request_gets_an_answer_that_the_file_does_not_know(
    street: Street, operation: Any
) -> None:
    method, path = operation.method.upper(), operation.path
    named = {int(status) for status in SPECIFICATION["paths"][path][operation.method.lower()]}
    right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(
        max_examples=max(10, settings.default.max_examples // 10 if settings.default else 10),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=st.one_of(right, wrong), known=st.booleans())
    def check(case: Any, known: bool) -> None:
        answer = street.ask(case, known)
        if answer.status_code < 400:
            street.granted.add(operation.label)
        assert answer.status_code < 500, answer.text
        assert answer.status_code in named | EVERYWHERE.keys(), answer.text
        if path.startswith("/v1/client/sessions") and "/verify" not in path:
            # In the background the SDKs take a 422 for the end of the session.
            assert answer.status_code != 422, answer.text
        if (method, path) in NOT_JSON and answer.status_code < 400:
            return
        schema = ERRORS if answer.status_code >= 400 else _schema(method, path, answer.status_code)
        if schema is not None:
            assert disagreements(answer.json(), schema) <= DISAGREEMENTS.keys(), answer.text

    check()


def test_many_of_the_requests_were_granted(street: Street) -> None:
    """Were all refused at the door, nothing behind it would have been tried."""
    assert len(street.granted) > len(OPERATIONS) / 2, sorted(street.granted)
