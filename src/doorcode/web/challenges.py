"""The challenge that came along with a request, and whether a person solved it."""

from __future__ import annotations

from dataclasses import replace

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.limits import CHECK_CHALLENGE
from doorcode.flows import client as clients
from doorcode.flows.deps import Caller
from doorcode.web.door import Door
from doorcode.web.http import Request

# What the SDKs say that a challenge is for when they start it; it is kept inside the answer.
SIGN_UP, SIGN_IN, VERIFY = "signup", "signin", "verify"

FIELD = "captcha_token"
FIELD_OF_PAGES = "cf-turnstile-response"  # written into the form by Cloudflare's script


async def meet(
    door: Door, request: Request, caller: Caller, action: str, *, needed: bool = False
) -> Caller:
    """The caller, known as a person where they are one; refused where they must be.

    Where nobody must be, a failed challenge counts as none: a limit may still ask for it.
    While bot protection is off an answer is passed over, since pages that were opened before
    go on sending it.
    """
    if not door.deps.instance.bot_protection.can_ask:
        return caller
    if needed and caller.is_remembered and not caller.is_testing:
        is_human = await clients.use_up_check(door.deps, caller)
        caller = replace(caller, is_human=is_human, is_remembered=False)
    if caller.is_human:
        return caller
    passed = await expect(door, request, action, needed=needed)
    return replace(caller, is_human=passed)


async def expect(door: Door, request: Request, action: str, *, needed: bool = True) -> bool:
    """Whether a person solved the challenge of this very request; refused where it is needed."""
    form, check = request.form(), door.deps.bot_check
    token = form.get(FIELD) or form.get(FIELD_OF_PAGES)
    passed = False
    if token and check:
        # Each of them makes us ask another server.
        await door.spend(CHECK_CHALLENGE, request)
        passed = await check.passes(token, door.boundary.address_of(request), action)
    if needed and not passed:
        raise Refused(errors.CAPTCHA_INVALID if token else errors.CAPTCHA_MISSING)
    return passed
