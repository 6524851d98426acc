"""`/v1/client/sign_ins`."""

from __future__ import annotations

from doorcode.domain import limits
from doorcode.domain.sign_in import BACKUP_CODE, SignIn
from doorcode.flows import second_factor
from doorcode.flows import sign_in as story
from doorcode.flows.client import Answer
from doorcode.web import challenges
from doorcode.web.door import Door
from doorcode.web.frontend_api import forms
from doorcode.web.frontend_api.answers import reply
from doorcode.web.http import Request, Response


async def create(door: Door, request: Request) -> Response:
    """Begin to sign in; with a strategy, send a code in the same request."""
    caller = await door.caller(request)
    await door.spend(limits.CREATE_SIGN_IN, request)
    await door.expect_may_be_told(request)
    form = forms.without_password(request.form())
    # First: to ask for an identifier would not help whoever wants a strategy that is not here.
    strategy = forms.strategy(form)
    ticket, transfer = forms.ticket(form), forms.switch(form, "transfer") is True
    without = ticket is not None or transfer
    wanted = story.Wanted(
        identifier=None if without else forms.identifier(form, request.body),
        strategy=strategy,
        channel=forms.channel(form, door.deps.instance),
        ticket=ticket,
        transfer=transfer,
        sign_up_if_missing=forms.switch(form, "sign_up_if_missing") is True,
        locale=forms.locale(form),
    )
    # Only what may become a sign-up asks for a challenge; SDKs run none for any other.
    always = door.deps.instance.bot_protection.is_always_asked
    needed = always and wanted.sign_up_if_missing
    caller = await challenges.meet(door, request, caller, challenges.SIGN_IN, needed=needed)
    answer = await story.start(door.deps, caller, wanted)
    door.note_told(request, answer.refusal)
    return _reply(door, request, answer)


async def show(door: Door, request: Request, sign_in_id: str) -> Response:
    """An attempt of this client."""
    caller = await door.caller(request)
    return _reply(door, request, await story.get(door.deps, caller, sign_in_id))


async def prepare(door: Door, request: Request, sign_in_id: str) -> Response:
    """Send a code to one of the account's addresses."""
    await door.spend(limits.SEND_CODE, request)
    caller, wish = await door.caller(request), _wish(door, request)
    return _reply(door, request, await story.send_code(door.deps, caller, sign_in_id, wish))


async def attempt(door: Door, request: Request, sign_in_id: str) -> Response:
    """Try a code."""
    await door.spend(limits.ATTEMPT_SIGN_IN, request)
    caller, form = await door.caller(request), request.form()
    strategy, typed = forms.needed_strategy(form), forms.code(form)
    answer = await story.try_code(door.deps, caller, sign_in_id, strategy, typed)
    return _reply(door, request, answer)


async def prepare_second(door: Door, request: Request, sign_in_id: str) -> Response:
    """Send a second code, by another channel than the first."""
    await door.spend(limits.SEND_CODE, request)
    caller, wish = await door.caller(request), _wish(door, request)
    return _reply(door, request, await second_factor.send_code(door.deps, caller, sign_in_id, wish))


async def attempt_second(door: Door, request: Request, sign_in_id: str) -> Response:
    """Try a second code, or a backup code."""
    await door.spend(limits.ATTEMPT_SIGN_IN, request)
    caller, form = await door.caller(request), request.form()
    if form.get("strategy") == BACKUP_CODE:
        typed = forms.code(form)
        answer = await second_factor.try_backup_code(door.deps, caller, sign_in_id, typed)
        return _reply(door, request, answer)
    strategy, typed = forms.needed_strategy(form), forms.code(form)
    answer = await second_factor.try_code(door.deps, caller, sign_in_id, strategy, typed)
    return _reply(door, request, answer)


def _wish(door: Door, request: Request) -> story.Wish:
    form = request.form()
    strategy = forms.needed_strategy(form)
    return story.Wish(
        strategy=strategy,
        address_id=form.get(f"{strategy.kind}_id"),
        locale=forms.locale(form),
        channel=forms.channel(form, door.deps.instance),
    )


def _reply(door: Door, request: Request, answer: Answer[SignIn]) -> Response:
    subject, user = answer.subject, answer.user
    return reply(
        door, request, answer, lambda wire: wire.sign_in(subject, user) if subject else None
    )
