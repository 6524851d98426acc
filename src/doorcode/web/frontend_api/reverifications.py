"""`/v1/client/sessions/{id}/verify`: proving again who one is.

A wrong code is answered by 422 here too. The SDKs take a 422 for the end of a session only
where they touch it or fetch a token in the background; the requests of this page are made
for a person who waits, and their form shows what the error says of its field.
"""

from __future__ import annotations

from doorcode.domain import errors, limits
from doorcode.domain.errors import Refused
from doorcode.domain.reverification import Level
from doorcode.domain.sign_in import BACKUP_CODE
from doorcode.flows import reverification as story
from doorcode.flows.client import Answer
from doorcode.flows.sign_in import Wish
from doorcode.web.door import Door
from doorcode.web.frontend_api import forms
from doorcode.web.frontend_api.answers import reply
from doorcode.web.http import Request, Response
from doorcode.web.wire import Json, Wire


async def start(door: Door, request: Request, session_id: str) -> Response:
    """Begin: how much is to be proved, and by what it can be."""
    await door.spend(limits.START_REVERIFICATION, request)
    caller, level = await door.caller(request), _level(request)
    return _reply(door, request, await story.start(door.deps, caller, session_id, level))


async def prepare_first(door: Door, request: Request, session_id: str) -> Response:
    """Send a first code."""
    await door.spend(limits.SEND_CODE, request)
    caller, wish = await door.caller(request), _wish(door, request)
    return _reply(door, request, await story.send_first_code(door.deps, caller, session_id, wish))


async def attempt_first(door: Door, request: Request, session_id: str) -> Response:
    """Try a first code."""
    await door.spend(limits.ATTEMPT_REVERIFICATION, request)
    caller, form = await door.caller(request), request.form()
    strategy, typed = forms.needed_strategy(form), forms.code(form)
    answer = await story.try_first_code(door.deps, caller, session_id, strategy, typed)
    return _reply(door, request, answer)


async def prepare_second(door: Door, request: Request, session_id: str) -> Response:
    """Send a second code."""
    await door.spend(limits.SEND_CODE, request)
    caller, wish = await door.caller(request), _wish(door, request)
    return _reply(door, request, await story.send_second_code(door.deps, caller, session_id, wish))


async def attempt_second(door: Door, request: Request, session_id: str) -> Response:
    """Try a second code, or a backup code."""
    await door.spend(limits.ATTEMPT_REVERIFICATION, request)
    caller, form = await door.caller(request), request.form()
    if form.get("strategy") == BACKUP_CODE:
        answer = await story.try_backup_code(door.deps, caller, session_id, forms.code(form))
        return _reply(door, request, answer)
    strategy, typed = forms.needed_strategy(form), forms.code(form)
    answer = await story.try_second_code(door.deps, caller, session_id, strategy, typed)
    return _reply(door, request, answer)


def _level(request: Request) -> Level:
    text = request.form().get("level")
    if not text:
        raise Refused(errors.PARAM_MISSING.about("level"))
    try:
        return Level(text)
    except ValueError:
        raise Refused(errors.PARAM_VALUE.about("level")) from None


def _wish(door: Door, request: Request) -> Wish:
    form = request.form()
    strategy = forms.needed_strategy(form)
    return Wish(
        strategy=strategy,
        address_id=form.get(f"{strategy.kind}_id"),
        locale=forms.locale(form),
        channel=forms.channel(form, door.deps.instance),
    )


def _reply(door: Door, request: Request, answer: Answer[story.Standing]) -> Response:
    standing, user, view = answer.subject, answer.user, answer.client

    def show(wire: Wire) -> Json | None:
        if standing is None or user is None or view is None:
            return None
        session = wire.session(standing.session, user, view)
        return wire.reverification(standing.one, user, session)

    return reply(door, request, answer, show)
