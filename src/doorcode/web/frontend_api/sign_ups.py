"""`/v1/client/sign_ups`."""

from __future__ import annotations

from doorcode.domain import limits
from doorcode.domain.errors import Refused
from doorcode.domain.sign_up import SignUp
from doorcode.flows import sign_up as story
from doorcode.flows.client import Answer
from doorcode.web.door import Door
from doorcode.web.frontend_api import forms
from doorcode.web.frontend_api.answers import reply
from doorcode.web.http import Request, Response


async def create(door: Door, request: Request) -> Response:
    """Begin to sign up; with a strategy, send a code in the same request."""
    caller = await door.caller(request)
    await door.spend(limits.CREATE_SIGN_UP, request)
    await door.expect_may_be_told(request)
    answer = await story.start(door.deps, caller, _wanted(door, request))
    door.note_told(request, answer.refusal)
    return _reply(door, request, answer)


async def show(door: Door, request: Request, sign_up_id: str) -> Response:
    """An attempt of this client."""
    caller = await door.caller(request)
    return _reply(door, request, await story.get(door.deps, caller, sign_up_id))


async def update(door: Door, request: Request, sign_up_id: str) -> Response:
    """Change what was given."""
    await door.spend(limits.SEND_CODE, request)
    await door.expect_may_be_told(request)
    caller, wanted = await door.caller(request), _wanted(door, request)
    try:
        answer = await story.change(door.deps, caller, sign_up_id, wanted)
    except Refused as refused:
        door.note_told(request, refused.refusal)
        raise
    return _reply(door, request, answer)


async def prepare(door: Door, request: Request, sign_up_id: str) -> Response:
    """Send a code."""
    await door.spend(limits.SEND_CODE, request)
    caller, form = await door.caller(request), request.form()
    strategy, channel = forms.needed_strategy(form), forms.channel(form, door.deps.instance)
    answer = await story.send_code(door.deps, caller, sign_up_id, strategy, channel)
    return _reply(door, request, answer)


async def attempt(door: Door, request: Request, sign_up_id: str) -> Response:
    """Try a code."""
    await door.spend(limits.ATTEMPT_SIGN_UP, request)
    caller, form = await door.caller(request), request.form()
    strategy, typed = forms.needed_strategy(form), forms.code(form)
    answer = await story.try_code(door.deps, caller, sign_up_id, strategy, typed)
    return _reply(door, request, answer)


def _wanted(door: Door, request: Request) -> story.Wanted:
    form = forms.without_password(request.form())
    return story.Wanted(
        texts=forms.addresses(form),
        given=forms.profile(form),
        strategy=forms.strategy(form),
        channel=forms.channel(form, door.deps.instance),
        legal_accepted=forms.switch(form, "legal_accepted"),
        ticket=forms.ticket(form),
        transfer=forms.switch(form, "transfer") is True,
    )


def _reply(door: Door, request: Request, answer: Answer[SignUp]) -> Response:
    subject = answer.subject
    return reply(door, request, answer, lambda wire: wire.sign_up(subject) if subject else None)
