"""A Frontend API in a hundred lines: it speaks the wire, keeps one client, and can misbehave."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx

CODE = "424242"
PHONE = "+14155552671"
EMAIL = "ada@example.com"
Body = dict[str, Any]


def unsigned_jwt(**claims: object) -> str:
    """Return a token whose signature is nonsense, for those who only look at its times."""
    parts = [{"alg": "RS256", "typ": "JWT", "kid": "k"}, claims]
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*texts, b"AAAA"]).decode()


def refusal(status: int, code: str, param: str | None = None, **more: object) -> httpx.Response:
    """Return an error envelope with one error in it."""
    meta = {} if param is None else {"param_name": param}
    error = {"code": code, "message": f"is {code}", "long_message": f"It is {code}.", "meta": meta}
    return httpx.Response(status, json={"errors": [error], "clerk_trace_id": "trace_1", **more})


class FakeServer:
    """Answers requests; ``requests`` remembers them, ``faults`` are answered in their place."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.faults: list[httpx.Response | Exception] = []
        self.users: set[str] = set()
        self.sign_up: Body | None = None
        self.sign_in: Body | None = None
        self.sessions: list[Body] = []
        self.cookie = ""
        self.minted = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        return self._route(request)

    @property
    def sent(self) -> list[str]:
        """The requests as ``VERB path``, the verb being the one meant."""
        return [f"{r.url.params.get('_method', r.method)} {r.url.path}" for r in self.requests]

    def form(self, index: int = -1) -> dict[str, str]:
        """The form of a request, one value a name."""
        told = parse_qs(self.requests[index].content.decode(), keep_blank_values=True)
        return {name: values[-1] for name, values in told.items()}

    def client(self) -> Body:
        """The client as it rides along with every answer."""
        last = self.sessions[-1]["id"] if self.sessions else None
        return {
            "object": "client",
            "id": "client_1",
            "sessions": self.sessions,
            "sign_up": self.sign_up,
            "sign_in": self.sign_in,
            "last_active_session_id": last,
        }

    def jwt(self, lifetime: float = 60) -> str:
        """Mint a token."""
        self.minted += 1
        return unsigned_jwt(iat=time.time(), exp=time.time() + lifetime, jti=self.minted)

    def _route(self, request: httpx.Request) -> httpx.Response:
        verb, _, path = self.sent[-1].partition(" ")
        answers: dict[str, Callable[[str], httpx.Response]] = {
            "GET client": self._get_client,
            "POST sign_ups": self._create_sign_up,
            "PATCH sign_ups": self._change_sign_up,
            "POST prepare_verification": self._prepare_sign_up,
            "POST attempt_verification": self._attempt_sign_up,
            "POST sign_ins": self._create_sign_in,
            "POST prepare_first_factor": self._prepare_sign_in,
            "POST attempt_first_factor": self._attempt_sign_in,
            "POST touch": self._touch,
            "POST tokens": self._tokens,
            "DELETE sessions": self._delete_sessions,
        }
        words = path.split("/")
        noun = next(word for word in reversed(words) if f"{verb} {word}" in answers)
        return answers[f"{verb} {noun}"](path)

    def _wrapped(self, resource: Body | None, **headers: str) -> httpx.Response:
        body = {"response": resource, "client": self.client()}
        return httpx.Response(200, json=body, headers=headers)

    def _get_client(self, path: str) -> httpx.Response:
        known = self.cookie and f"__client={self.cookie}" in self.requests[-1].headers["cookie"]
        return httpx.Response(200, json={"response": self.client() if known else None})

    def _create_sign_up(self, path: str) -> httpx.Response:
        form = self.form()
        self.sign_up = None
        fields = [name for name in ("phone_number", "email_address") if name in form]
        for name in fields:
            if not form[name].startswith("+") and "@" not in form[name]:
                return refusal(422, "form_param_format_invalid", name)
        self.sign_up = {
            "id": f"sua_{len(self.requests)}",
            "status": "missing_requirements",
            "optional_fields": ["phone_number", "email_address"],
            "missing_fields": [],
            "unverified_fields": fields,
            "verifications": {name: {"status": "unverified"} for name in fields},
            **{name: form[name] for name in (*fields, "first_name") if name in form},
        }
        self.cookie = self.cookie or "first"
        return self._wrapped(self.sign_up, **{"set-cookie": f"__client={self.cookie}; Path=/"})

    def _change_sign_up(self, path: str) -> httpx.Response:
        assert self.sign_up is not None
        self.sign_up |= self.form()
        return self._wrapped(self.sign_up)

    def _prepare_sign_up(self, path: str) -> httpx.Response:
        if self.sign_up is None or self.sign_up["id"] not in path:
            return self._not_found()
        return self._wrapped(self.sign_up)

    def _attempt_sign_up(self, path: str) -> httpx.Response:
        if self.sign_up is None or self.sign_up["id"] not in path:
            return self._not_found()
        if self.form()["code"] != CODE:
            return refusal(422, "form_code_incorrect", "code", meta={"client": self.client()})
        identifier = self.sign_up.get("phone_number") or self.sign_up.get("email_address")
        done = self._finish(self.sign_up, str(identifier)) | {"unverified_fields": []}
        self.sign_up = None
        return self._wrapped(done, **self._new_cookie())

    def _create_sign_in(self, path: str) -> httpx.Response:
        identifier = self.form()["identifier"]
        self.sign_in = None
        if identifier not in self.users:
            return refusal(422, "form_identifier_not_found", "identifier")
        factors = [
            {"strategy": "email_code", "email_address_id": "idn_1", "safe_identifier": "a*@x"},
            {"strategy": "email_code", "email_address_id": "idn_2", "safe_identifier": identifier},
            {"strategy": "phone_code", "phone_number_id": "idn_3", "safe_identifier": "+1***71"},
        ]
        self.sign_in = {
            "id": "sia_1",
            "status": "needs_first_factor",
            "identifier": identifier,
            "supported_first_factors": factors,
        }
        return self._wrapped(self.sign_in, **{"set-cookie": "__client=first; Path=/"})

    def _prepare_sign_in(self, path: str) -> httpx.Response:
        if self.sign_in is None:
            return self._not_found()
        self.sign_in["first_factor_verification"] = {
            "status": "unverified",
            "strategy": self.form()["strategy"],
            "expire_at": 1_795_407_895_962,
        }
        return self._wrapped(self.sign_in)

    def _attempt_sign_in(self, path: str) -> httpx.Response:
        if self.sign_in is None:
            return self._not_found()
        if self.form()["code"] != CODE:
            return refusal(422, "form_code_incorrect", "code", meta={"client": self.client()})
        done = self._finish(self.sign_in, self.sign_in["identifier"])
        self.sign_in = None
        return self._wrapped(done, **self._new_cookie())

    def _touch(self, path: str) -> httpx.Response:
        return self._wrapped(self.sessions[-1])

    def _tokens(self, path: str) -> httpx.Response:
        if not self.sessions:
            return refusal(401, "authentication_invalid")
        return httpx.Response(200, json={"object": "token", "jwt": self.jwt()})

    def _delete_sessions(self, path: str) -> httpx.Response:
        self.sessions = []
        return self._wrapped(self.client())

    def _finish(self, attempt: Body, identifier: str) -> Body:
        self.users.add(identifier)
        session_id = f"sess_{len(self.requests)}"
        user = {
            "id": "user_1",
            "first_name": attempt.get("first_name"),
            "phone_numbers": [{"id": "idn_3", "phone_number": identifier}],
            "primary_phone_number_id": "idn_3",
        }
        token = {"object": "token", "jwt": self.jwt()}
        session = {"id": session_id, "status": "active", "user": user, "last_active_token": token}
        self.sessions = [session]
        made = {"created_session_id": session_id, "created_user_id": "user_1"}
        return attempt | {"status": "complete", **made}

    def _new_cookie(self) -> dict[str, str]:
        self.cookie = "second"
        return {"set-cookie": "__client=second; Path=/"}

    def _not_found(self) -> httpx.Response:
        return refusal(404, "resource_not_found", meta={"client": self.client()})
