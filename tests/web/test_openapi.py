"""Every JSON answer of the Frontend API, held against the public OpenAPI file.

Where the file and the SDKs disagree the SDKs win. Each such place stands in DISAGREEMENTS
with its reason, and only there; one that is none any more must be taken off the list.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml
from PIL import Image

from doorcode.domain.bot_protection import BotProtection, Mode
from doorcode.domain.instance import Attribute, SignUpMode
from doorcode.web.frontend_api.routes import ROUTES

from .house import EMAIL, OTHER_PHONE, PHONE, Browser, House, later, open_house

FILE = Path(__file__).with_name("fapi-2026-05-12.yml")
# What the SDKs read of the environment is known from a run of the real packages; the rest of
# the file's settings are of features that this server does not have (wire.md 6.1).
NOT_READ = "a setting of a feature that is not here; no SDK reads it (wire.md 6.1, semantics.md 7)"
NO_LOGO = "an address of a picture or page that is not here; the SDKs take a missing one for none"
READ_BY_SDK = "not in the file, but the SDKs read it (semantics.md 7.1, wire.md 6.1)"
HAS_A_NAME = "not in the file, but the SDKs' own type of the object has it (wire.md 6.1)"
NO_CODE_YET = (
    "before a code is asked for there is no strategy and no expiry; the prebuilt components "
    "send no code where they see a strategy (wire.md 6.3)"
)


def _all(reason: str, keyword: str, owner: str, *fields: str) -> dict[tuple[str, str, str], str]:
    return {(owner, field, keyword): reason for field in fields}


# (object, field, keyword of JSON Schema): the reason. `object` is that of the innermost
# document around the field that names its own; `response` is an answer without one.
DISAGREEMENTS: dict[tuple[str, str, str], str] = {
    **_all(
        NO_CODE_YET, "type", "verification_otp", "strategy", "expire_at",
    ),
    ("verification_otp", "strategy", "enum"): NO_CODE_YET,
    ("sign_in_attempt", "supported_first_factors.*.channels", "additionalProperties"): (
        "factors of phones carry the channels that the SDKs offer (semantics.md 1.3, 3.6)"
    ),
    **{
        (owner, f"supported_{step}_factors.*.channels", "additionalProperties"): (
            "factors of phones carry the channels that the SDKs offer (semantics.md 1.3, 3.6)"
        )
        for owner, step in (
            ("sign_in_attempt", "second"),
            ("session_reverification", "second"),
        )
    },
    ("session", "user", "type"): (
        "in the list of one's own sessions the user is null: the SDKs have it already "
        "(wire.md 3)"
    ),
    ("user", "create_organizations_limit", "type"): (
        "null is the SDKs' word for no limit; there are no organizations (semantics.md 7.1)"
    ),
    ("response", "status", "enum"): (
        "the contract of this server says ok, and no SDK asks for its health"
    ),
    **_all(
        NOT_READ, "required", "auth_config",
        "email_address", "email_address_verification_strategies",
        "enhanced_email_deliverability", "first_factors", "first_name",
        "identification_requirements", "identification_strategies", "last_name",
        "native_settings", "password", "phone_number", "second_factors",
        "url_based_session_syncing", "username",
    ),
    **_all(
        NOT_READ, "required", "display_config",
        "experimental_force_oauth_first", "google_one_tap_client_id", "theme",
    ),
    **_all(
        NO_LOGO, "required", "display_config",
        "favicon_image", "favicon_url", "help_url", "logo_image", "logo_link_url", "logo_url",
        "oauth_consent_url",
    ),
    **_all(
        NOT_READ, "required", "environment",
        "organization_settings.creator_role",
        "user_settings.actions.create_organizations_limit",
        "user_settings.attack_protection.email_link",
        "user_settings.attack_protection.pii",
        "user_settings.attributes.ticket",
        "user_settings.passkey_settings.satisfies_second_factor",
        "user_settings.password_settings.disable_password_reverification",
        "user_settings.password_settings.enforce_hibp_on_sign_in",
        "user_settings.restrictions.allowlist_blocklist_disabled_on_sign_in",
        "user_settings.username_settings.allow_extended_special_characters",
        "user_settings.username_settings.allow_numeric_usernames",
    ),
    **_all(
        READ_BY_SDK, "additionalProperties", "environment",
        "api_keys_settings.show_in_org_profile",
        "api_keys_settings.show_in_user_profile",
        "commerce_settings.billing.enabled",
        "organization_settings.force_organization_selection",
        "organization_settings.organization_creation_defaults",
        "user_settings.attributes.phone_number.channels",
        "user_settings.sign_in.second_factor.enabled",
        "user_settings.sign_up.allowlist_only",
    ),
    **_all(HAS_A_NAME, "additionalProperties", "environment", "id", "object"),
    **_all(HAS_A_NAME, "additionalProperties", "protect_config", "id", "object"),
    ("environment", "organization_settings.domains.default_role", "type"): (
        "null is the SDKs' word for none; there are no organizations (wire.md 6.1)"
    ),
    **{
        ("environment", "user_settings.sign_up.captcha_widget_type", keyword): (
            "null is what the SDKs take for no captcha (wire.md 6.1, semantics.md 3.9)"
        )
        for keyword in ("enum", "type")
    },
}  # fmt: skip


# ── the file ──────────────────────────────────────────────────────────────────────────
def _draft(node: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: `nullable` and the place of the schemas differ."""
    if isinstance(node, list):
        return [_draft(one) for one in node]
    if not isinstance(node, dict):
        return node
    schema = {key: _draft(value) for key, value in node.items() if key != "discriminator"}
    if isinstance(schema.get("$ref"), str):
        schema["$ref"] = schema["$ref"].replace("#/components/schemas/", "#/$defs/")
    if schema.get("nullable") is True:
        del schema["nullable"]
        return {"anyOf": [{"type": "null"}, schema]}
    return schema


SPECIFICATION = yaml.safe_load(FILE.read_text("utf-8"))
SCHEMAS = _draft(SPECIFICATION["schemas"])
ERRORS = {"$ref": "#/$defs/ClerkErrors"}


# Paths that are not in the file: the SDKs read the answer as that of another one.
READ_AS = {("POST", "/v1/client/verify"): ("POST", "/v1/client")}


def _schema(method: str, path: str, status: int) -> Any:
    """What the file says of an answer; None where it says nothing of its JSON."""
    method, path = READ_AS.get((method, path), (method, path))
    answers = SPECIFICATION["paths"].get(path, {}).get(method.lower())
    if status >= 400:
        return ERRORS
    assert answers is not None, f"{method} {path} is not in the file"
    return _draft(answers[str(status)])


# ── what is said of an answer ─────────────────────────────────────────────────────────
Place = tuple[str, str, str]


def _failures(errors: Any) -> Iterator[jsonschema.ValidationError]:
    """The innermost errors; of alternatives, those of the one that was nearly met."""
    for error in errors:
        if error.validator in ("anyOf", "oneOf") and error.context:
            branches: dict[Any, list[Any]] = {}
            for one in error.context:
                branches.setdefault(one.schema_path[0], []).append(one)
            null = [key for key, found in branches.items() if found[0].validator_value == "null"]
            met = [found for key, found in branches.items() if key not in null]
            yield from _failures(min(met, key=_badness) if met else error.context)
        else:
            yield error


def _badness(errors: list[Any]) -> tuple[bool, int]:
    names_another = any(error.path and error.path[-1] == "object" for error in errors)
    return names_another, len(errors)


def _places(document: Any, error: jsonschema.ValidationError) -> Iterator[Place]:
    path: list[Any] = list(error.absolute_path)
    node, owner, start = document, "response", 0
    for depth, step in enumerate(path):
        if isinstance(node, dict) and "object" in node and depth > 0:
            owner, start = node["object"], depth
        elif isinstance(node, dict) and "object" in node:
            owner = node["object"]
        node = node[step]
    if (
        isinstance(node, dict)
        and "object" in node
        and error.validator
        in (
            "additionalProperties",
            "required",
        )
    ):
        owner, start = node["object"], len(path)
    steps = ["*" if isinstance(step, int) else str(step) for step in path[start:]]
    if error.validator == "additionalProperties":
        names = sorted(set(error.instance) - set(error.schema.get("properties", {})))
    elif error.validator == "required":
        names = sorted(set(error.validator_value) - set(error.instance))
    else:
        names = []
    if steps[1:2] == ["attributes"] and names == ["immutable"]:
        steps[2] = "*"  # each of the ten alike
    for name in names or [""]:
        yield owner, ".".join([*steps, name] if name else steps), str(error.validator)


def disagreements(document: Any, schema: Any) -> set[Place]:
    """Where a document is not as the schema says."""
    validator = jsonschema.Draft202012Validator({"$defs": SCHEMAS, **schema})
    found = _failures(validator.iter_errors(document))
    return {place for error in found for place in _places(document, error)}


SPARE = {"email_address": "spare@example.com", "phone_number": "+14155552674"}


def _picture() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (32, 32), "teal").save(picture, "PNG")
    return picture.getvalue()


# ── the walk ──────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Walked:
    """One answer: the request's method and path as the file writes them, and the JSON."""

    method: str
    path: str
    status: int
    document: Any


class Believer:
    """Takes whoever says yes for a person."""

    async def passes(self, token: str, address: str, action: str) -> bool:
        return token == "yes"


class Walk:
    """Visits every route in every state, and notes each answer."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.answers: list[Walked] = []

    def browser(self) -> Browser:
        browser = self.house.browser()
        browser.http.event_hooks = {"response": [self._note]}
        return browser

    async def _note(self, answer: httpx.Response) -> None:
        await answer.aread()
        if answer.headers.get("content-type") != "application/json" or not answer.content:
            return
        url = answer.request.url
        method = url.params.get("_method") or answer.request.method
        path = re.sub(r"/(sign_up|sign_in|session)s/(?!active)[^/]+", r"/\1s/{\1_id}", url.path)
        path = re.sub(r"/email_addresses/[^/]+", "/email_addresses/{email_id}", path)
        path = re.sub(r"/phone_numbers/[^/]+", "/phone_numbers/{phone_number_id}", path)
        self.answers.append(Walked(method, path, answer.status_code, answer.json()))

    async def everything(self) -> list[Walked]:
        await self._strangers()
        await self._sign_ups()
        await self._sign_ins()
        await self._sessions()
        await self._account()
        await self._second_step()
        await self._waitlist()
        await self._challenge()
        return self.answers

    def _switch(self, **changes: Any) -> None:
        deps = self.house.door.deps
        deps.instance = replace(deps.instance, **changes)

    async def _account(self) -> None:
        """Everything that a person can do with an account of their own."""
        house, browser = self.house, self.browser()
        self._switch(phone=Attribute(used_for_second_factor=True), backup_codes=True)
        house.clock.advance(later(3600))
        await browser.sign_in(OTHER_PHONE)
        await browser.override("PATCH", "/v1/me", {"first_name": "Eve"})
        await browser.override("PATCH", "/v1/me", {"primary_phone_number_id": "idn_none"})
        await browser.override("PATCH", "/v1/me/metadata", {"unsafe_metadata": '{"a":1}'})
        await browser.override("PATCH", "/v1/me/metadata", {"unsafe_metadata": "1"})
        await browser.post("/v1/me/backup_codes")  # before there is a second step
        await self._address(browser, "email_addresses", "email_address", "eve@example.com")
        phone = await self._address(browser, "phone_numbers", "phone_number", "+14155552673")
        await browser.override("PATCH", f"{phone}", {"reserved_for_second_factor": "true"})
        await browser.override("PATCH", f"{phone}", {"default_second_factor": "true"})
        await browser.post("/v1/me/backup_codes")
        for listed in ("email_addresses", "phone_numbers", "sessions", "sessions/active"):
            await browser.get(f"/v1/me/{listed}")
        self._switch(organizations=True)
        for listed in ("memberships", "invitations", "suggestions"):
            await browser.get(f"/v1/me/organization_{listed}")
        await browser.http.post("/v1/me/profile_image", files={"file": ("a.png", _picture())})
        await browser.http.post("/v1/me/profile_image", files={"file": ("a.png", b"<svg/>")})
        await browser.get("/v1/me")
        await browser.override("DELETE", "/v1/me/profile_image")
        await browser.override("DELETE", phone)
        sessions = (await browser.get("/v1/me/sessions/active")).json()
        await browser.post("/v1/me/sessions/sess_none/revoke")
        await browser.post(f"/v1/me/sessions/{sessions[0]['id']}/revoke")

    async def _challenge(self) -> None:
        """A person shows that they are one, after somebody who did not."""
        for mode in (Mode.OFF, Mode.ALWAYS):
            self._switch(bot_protection=BotProtection(mode, "key"))
            await self.browser().get("/v1/environment")
            await self.browser().post("/v1/client/verify")
        self.house.door.deps.bot_check = Believer()
        for text in ("no", "yes"):
            await self.browser().post("/v1/client/verify", {"captcha_token": text})

    async def _waitlist(self) -> None:
        """Somebody waits to be let in, and asks again."""
        await self.browser().post("/v1/waitlist", {"email_address": EMAIL})
        self._switch(mode=SignUpMode.WAITLIST)
        for text in ("nonsense", EMAIL, EMAIL):
            await self.browser().post("/v1/waitlist", {"email_address": text})

    async def _address(self, browser: Browser, listed: str, name: str, text: str) -> str:
        """Add an address, prove it, and take another back; the path of the one kept."""
        await browser.post(f"/v1/me/{listed}", {name: "nonsense"})
        spare = (await browser.post(f"/v1/me/{listed}", {name: SPARE[name]})).json()["response"]
        await browser.override("DELETE", f"/v1/me/{listed}/{spare['id']}")
        added = (await browser.post(f"/v1/me/{listed}", {name: text})).json()["response"]
        path = f"/v1/me/{listed}/{added['id']}"
        strategy = {"strategy": "phone_code" if name == "phone_number" else "email_code"}
        await browser.get(path)
        await browser.post(f"{path}/attempt_verification", {"code": "123456"})
        await browser.post(f"{path}/prepare_verification", strategy)
        await browser.get(path)
        await browser.post(f"{path}/attempt_verification", {"code": self.house.wrong(text)})
        await browser.post(f"{path}/attempt_verification", {"code": self.house.code(text)})
        await browser.get(path)
        return path

    async def _second_step(self) -> None:
        """Both steps at sign-in, and both once more in the session."""
        house, browser = self.house, self.browser()
        house.clock.advance(later(3600))
        await browser.sign_in(EMAIL)
        me = (await browser.get("/v1/me")).json()["response"]
        phone = f"/v1/me/phone_numbers/{me['phone_numbers'][0]['id']}"
        reserved = await browser.override("PATCH", phone, {"reserved_for_second_factor": "true"})
        codes = reserved.json()["response"]["backup_codes"]
        await browser.sign_out()
        sign_in = await browser.start_sign_in(EMAIL, strategy="email_code")
        path = f"/v1/client/sign_ins/{sign_in}"
        await browser.attempt_sign_in(sign_in, house.code(EMAIL), "email_code")
        await self._look(browser, path)
        await browser.post(f"{path}/prepare_second_factor", {"strategy": "email_code"})
        await browser.post(f"{path}/prepare_second_factor", {"strategy": "phone_code"})
        await self._look(browser, path)
        backup = {"strategy": "backup_code", "code": codes[0]}
        done = await browser.post(f"{path}/attempt_second_factor", backup)
        session = done.json()["response"]["created_session_id"]
        await self._look(browser, f"/v1/client/sessions/{session}")
        await self._verify(browser, f"/v1/client/sessions/{session}/verify")
        await browser.override("DELETE", "/v1/me")

    async def _verify(self, browser: Browser, path: str) -> None:
        first, second = {"strategy": "email_code"}, {"strategy": "phone_code"}
        await browser.post(path, {"level": "everything"})
        await browser.post(path, {"level": "multi_factor"})
        self.house.clock.advance(later(60))
        await browser.post(f"{path}/prepare_first_factor", first)
        wrong = {**first, "code": self.house.wrong(EMAIL)}
        await browser.post(f"{path}/attempt_first_factor", wrong)
        await browser.post(
            f"{path}/attempt_first_factor", {**first, "code": self.house.code(EMAIL)}
        )
        await browser.post(f"{path}/prepare_second_factor", second)
        await browser.post(f"{path}/attempt_second_factor", {**second, "code": self.house.code()})

    async def _strangers(self) -> None:
        """Every route, asked by a browser that was never here."""
        for method, path in ROUTES:
            asked = path.replace("*", "none")
            if method == "GET":
                await self.browser().get(asked)
            else:
                await self.browser().override(method, asked)
        for path in ("/v1/health", "/.well-known/jwks.json", "/v1/client/nothing"):
            await self.browser().get(path)
        await self.browser().get("/v1/client", headers={"origin": "null"})
        await self.browser().get("/v1/client", params={"__clerk_db_jwt": "unknown"})
        await self.browser().post_raw("/v1/client/sign_ups", b"x" * 70_000)
        await self.browser().post_raw("/v1/client/sign_ups", b"{}", "application/json")

    async def _look(self, browser: Browser, path: str) -> None:
        """One state, as every answer that can show it does."""
        await browser.get(path)
        await browser.get("/v1/client")
        await browser.override("PUT", "/v1/client")

    async def _sign_ups(self) -> None:
        house, browser = self.house, self.browser()
        for form in ({}, {"phone_number": "1"}, {"email_address": "x"}):
            await browser.post("/v1/client/sign_ups", form)
        form = {"phone_number": PHONE, "email_address": EMAIL, "first_name": "Ada"}
        more = {"unsafe_metadata": '{"a": {"b": 1}}', "locale": "en-US", "last_name": "L"}
        sign_up = await browser.start_sign_up(**form, **more)
        path = f"/v1/client/sign_ups/{sign_up}"
        await self._look(browser, path)
        await browser.override("PATCH", path, {"first_name": "Eve"})
        await browser.override("PATCH", path, {"phone_number": "1"})
        await browser.attempt_sign_up(sign_up, "123456")  # nothing was asked for
        await browser.prepare_sign_up(sign_up)
        house.clock.advance(later(2))
        await browser.prepare_sign_up(sign_up)  # too soon
        await browser.prepare_sign_up(sign_up, "password")
        await self._look(browser, path)
        for _ in range(6):
            await browser.attempt_sign_up(sign_up, house.wrong())
        await self._look(browser, path)  # failed
        await browser.prepare_sign_up(sign_up)
        house.clock.advance(later(600))
        await browser.attempt_sign_up(sign_up, house.code())
        await self._look(browser, path)  # expired
        await browser.prepare_sign_up(sign_up)
        await browser.attempt_sign_up(sign_up, house.code())
        await self._look(browser, path)  # half verified
        await browser.prepare_sign_up(sign_up, "email_code")
        await self._look(browser, path)
        await browser.attempt_sign_up(sign_up, house.code(EMAIL), "email_code")
        await self._look(browser, path)  # complete
        await browser.post("/v1/client/sign_ups", {"phone_number": OTHER_PHONE})  # signed in
        await self.browser().post("/v1/client/sign_ups", {"phone_number": PHONE})  # taken
        await self.browser().sign_up(OTHER_PHONE)

    async def _sign_ins(self) -> None:
        house, browser = self.house, self.browser()
        for form in ({"identifier": "x"}, {"identifier": "nobody@example.com"}):
            await browser.post("/v1/client/sign_ins", form)
        empty = await browser.post("/v1/client/sign_ins")
        await self._look(browser, f"/v1/client/sign_ins/{empty.json()['response']['id']}")
        sign_in = await browser.start_sign_in(PHONE)
        path = f"/v1/client/sign_ins/{sign_in}"
        await self._look(browser, path)
        await browser.attempt_sign_in(sign_in, "123456")
        await browser.prepare_sign_in(sign_in)
        await browser.prepare_sign_in(sign_in)
        await self._look(browser, path)
        for _ in range(5):
            await browser.attempt_sign_in(sign_in, house.wrong())
        await self._look(browser, path)
        await browser.prepare_sign_in(sign_in)  # ten guesses at this address: locked
        house.clock.advance(later(3600))
        await self._look(browser, path)
        await browser.prepare_sign_in(sign_in, "email_code")
        await self._look(browser, path)
        await browser.attempt_sign_in(sign_in, house.code(EMAIL), "email_code")
        await self._look(browser, path)
        await browser.post("/v1/client/sign_ins", {"identifier": PHONE})

    async def _sessions(self) -> None:
        for way in ("end", "remove"):
            browser = self.browser()
            answer = await browser.sign_in(OTHER_PHONE)
            session = answer.json()["response"]["created_session_id"]
            path = f"/v1/client/sessions/{session}"
            await self._look(browser, path)
            await browser.post(f"{path}/touch")
            await browser.post(f"{path}/tokens")
            for one in ("/v1/me", "/v1/me/sessions/active"):
                await browser.get(one)
            await browser.post(f"{path}/{way}")
            await self._look(browser, path)
            for one in ("touch", "tokens", way):
                await browser.post(f"{path}/{one}")
            await browser.get("/v1/me")
            self.house.clock.advance(later(1))
        for way in ("/v1/client/sessions", "/v1/client"):
            browser = self.browser()
            await browser.sign_in(OTHER_PHONE)
            await browser.override("DELETE", way)
            await browser.get("/v1/client")
            await browser.post("/v1/client")


@pytest.fixture
async def walked(tmp_path: Path) -> list[Walked]:
    async with open_house(tmp_path) as house:
        house.allow_many_codes()
        return await Walk(house).everything()


def _found(walked: list[Walked]) -> dict[Place, str]:
    found: dict[Place, str] = {}
    for one in walked:
        schema = _schema(one.method, one.path, one.status)
        if schema is not None:
            for place in disagreements(one.document, schema):
                found.setdefault(place, f"{one.method} {one.path} {one.status}")
    return found


# ── the tests ─────────────────────────────────────────────────────────────────────────
async def test_every_answer_is_as_the_file_says(walked: list[Walked]) -> None:
    found = _found(walked)
    unknown = {place: where for place, where in found.items() if place not in DISAGREEMENTS}
    assert unknown == {}


async def test_every_listed_disagreement_is_still_one(walked: list[Walked]) -> None:
    assert set(DISAGREEMENTS) - set(_found(walked)) == set()


def test_every_disagreement_has_a_reason() -> None:
    assert [place for place, reason in DISAGREEMENTS.items() if len(reason) < 20] == []


async def test_the_walk_meets_every_route_in_success_and_in_failure(walked: list[Walked]) -> None:
    names = {
        "sign_ups": "{sign_up_id}",
        "sign_ins": "{sign_in_id}",
        "sessions": "{session_id}",
        "email_addresses": "{email_id}",
        "phone_numbers": "{phone_number_id}",
    }
    routes = {
        (method, path.replace("*", names.get(path.split("/")[3], "") if "*" in path else ""))
        for method, path in ROUTES
    } - {("GET", "/v1/client/handshake"), ("GET", "/v1/tickets/accept")}
    succeeded = {(one.method, one.path) for one in walked if one.status == 200}
    assert routes - succeeded == set()
    codes = {one.document["errors"][0]["code"] for one in walked if one.status >= 400}
    assert len(codes) >= 18


def test_a_wrong_document_is_noticed() -> None:
    schema = {"$ref": "#/$defs/Client.ClientWrappedClient"}
    assert disagreements({"response": {"object": "client"}, "client": None}, schema)
    assert disagreements({"errors": [{"code": 1}]}, ERRORS)
    right = {"errors": [{"code": "a", "message": "b", "long_message": "c"}]}
    assert disagreements(right, ERRORS) == set()
