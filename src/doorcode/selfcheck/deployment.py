"""What a deployment tells of itself, and whether it can be checked at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from doorcode.selfcheck.prober import Answer, Prober
from doorcode.selfcheck.refusals import CannotRun

ENVIRONMENT = "/v1/environment"
STRATEGIES = {"email_address": "email_code", "phone_number": "phone_code"}


@dataclass(frozen=True, slots=True)
class Deployment:
    """The parts of the environment document that the check goes by.

    `kinds` are the addresses that people sign in by; `required` the fields that a sign-up
    must hold; `noise` the headers that differ between two equal requests, for they tell
    nothing (a proxy's request id, the date).
    """

    kinds: tuple[str, ...]
    required: tuple[str, ...]
    strict: bool
    noise: frozenset[str]


async def look_at(prober: Prober) -> Deployment:
    """Ask the deployment what it is; `CannotRun` where the check is not possible on it."""
    answers = [(await prober.visitor().ask("GET", ENVIRONMENT)) for _ in range(2)]
    document = _environment(answers[0])
    if document["auth_config"].get("test_mode") is not True:
        raise CannotRun(
            "Test mode is off, so every identifier would be somebody's: "
            "turn it on for the time of the check: DOORCODE_TEST_MODE=on."
        )
    settings = document["user_settings"]
    sign_up = settings.get("sign_up", {})
    if sign_up.get("mode", "public") != "public":
        raise CannotRun(
            "Sign-ups are closed, and the check makes accounts of its own: open them for the "
            "time of the check: doorcode settings set sign_up_mode public."
        )
    attributes = settings["attributes"]
    required = [name for name, told in attributes.items() if told.get("required")]
    if sign_up.get("legal_consent_enabled"):
        required.append("legal_accepted")
    kinds = [
        name for name in STRATEGIES if attributes.get(name, {}).get("used_for_first_factor") is True
    ]
    protection = settings.get("attack_protection", {}).get("enumeration_protection", {})
    return Deployment(
        kinds=tuple(kinds),
        required=tuple(required),
        strict=protection.get("enabled") is True,
        noise=_noise(*answers),
    )


def _environment(answer: Answer) -> dict[str, Any]:
    document = answer.body if answer.ok and isinstance(answer.body, dict) else {}
    settings = document.get("user_settings") or {}
    if document.get("auth_config") and settings.get("attributes"):
        return document
    if answer.code == "origin_invalid":
        raise CannotRun("This origin may not call; --origin names one that may.")
    if answer.code:
        raise CannotRun(f"{ENVIRONMENT} was refused: {answer.said}.")
    raise CannotRun(f"This is no Doorcode: {ENVIRONMENT} was answered with {answer.status}.")


def _noise(one: Answer, other: Answer) -> frozenset[str]:
    """Headers whose values differ, by chance or by the clock."""
    differing = set(one.headers) ^ set(other.headers)
    return frozenset({"date", *(name for name, _ in differing)})
