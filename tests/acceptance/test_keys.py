"""Keys are changed under people who notice nothing, without a restart where none is needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
from tests.acceptance.process import PATIENCE, Person, Running, free_port, run

from doorcode.security import master_key

NUMBER, OTHER_NUMBER = "+14155552671", "+14155552672"


def kids(server: Running) -> list[str]:
    return [key["kid"] for key in server.get("/.well-known/jwks.json").json()["keys"]]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def token_of(person: Person) -> str:
    """A session token, asked for as an app asks for it."""
    session = person.http.get("/v1/client").json()["response"]["sessions"][0]["id"]
    return str(person.post(f"/sessions/{session}/tokens").json()["jwt"])


def verified(token: str, server: Running) -> Any:
    """What PyJWT says of a token, with the keys that the server publishes now."""
    keys = jwt.PyJWKSet.from_dict(server.get("/.well-known/jwks.json").json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["RS256"])


def test_a_new_signing_key_counts_without_a_restart(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    with Running("dev", port=free_port(), DATA=str(tmp_path)) as server:
        person = Person(server.answering())
        user = person.sign_up(NUMBER)
        [first] = kids(server)
        before = token_of(person)

        second = run("keys", "rotate", *data).stdout.split()[0]
        until(lambda: kids(server) == [first, second])
        assert jwt.get_unverified_header(token_of(person))["kid"] == first

        third = run("keys", "rotate", "--now", *data).stdout.split()[0]
        until(lambda: kids(server) == [third, first])
        after = token_of(person)
        assert jwt.get_unverified_header(before)["kid"] == first
        assert jwt.get_unverified_header(after)["kid"] == third
        assert {verified(token, server)["sub"] for token in (before, after)} == {user}
        assert server.process.poll() is None
        server.stop()
    with Running("dev", port=free_port(), DATA=str(tmp_path)) as again:
        person.move_to(again.answering())
        assert kids(again) == [third, first]
        assert person.me().json()["response"]["id"] == user


def backend(server: Running, path: str, body: Any) -> Any:
    secret = server.env["CLERK_SECRET_KEY"]
    answer = httpx.post(
        f"{server.url}{path}",
        json=body,
        headers={"authorization": f"Bearer {secret}"},
        timeout=PATIENCE,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_was_sent_under_the_former_master_key_still_counts(tmp_path: Path) -> None:
    old, new = master_key.generate(), master_key.generate()

    def start(key: str) -> Running:
        return Running("dev", port=free_port(), MASTER_KEY=key, DATA=str(tmp_path))

    with start(old) as first:
        owner = Person(first.answering())
        user = owner.sign_up(OTHER_NUMBER)
        signing = kids(first)
        asked = [Person(first) for _ in range(2)]
        attempts = [
            person.ask_for_code(number)
            for person, number in zip(asked, (NUMBER, "+14155552673"), strict=True)
        ]
        codes = [first.code_for(number) for number in (NUMBER, "+14155552673")]
        ticket = backend(first, "/v1/sign_in_tokens", {"user_id": user})["token"]
        first.stop()

    with start(f"1:{old},2:{new}") as both:
        both.answering()
        assert kids(both) == signing
        asked[0].move_to(both)
        typed = asked[0].type_code(attempts[0], codes[0])
        assert typed.json()["response"]["status"] == "complete"
        guest = Person(both)
        came = guest.post("/sign_ins", strategy="ticket", ticket=ticket).json()["response"]
        assert came["status"] == "complete"
        both.stop()

    # With the new key alone the people and the signing keys are there; what was sent under the
    # former one is over.
    with start(f"2:{new}") as alone:
        alone.answering()
        assert kids(alone) == signing
        owner.move_to(alone)
        assert owner.me().json()["response"]["id"] == user
        asked[1].move_to(alone)
        assert asked[1].type_code(attempts[1], codes[1]).status_code == 422
        alone.stop()
