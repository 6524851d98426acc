"""`/v1/me/email_addresses` and `/v1/me/phone_numbers`: alike but for the second step."""

from __future__ import annotations

from collections.abc import Sequence

from doorcode.domain import errors, limits
from doorcode.domain.addresses import MAX_LENGTH, Kind
from doorcode.domain.errors import Refused
from doorcode.domain.user import OwnedAddress
from doorcode.flows import me_addresses as story
from doorcode.flows import session as session_story
from doorcode.flows.client import Answer
from doorcode.web.door import Door
from doorcode.web.errors import respond
from doorcode.web.frontend_api import forms
from doorcode.web.frontend_api.answers import plain, wrapped
from doorcode.web.frontend_api.me import who
from doorcode.web.http import Request, Response
from doorcode.web.wire import Json
from doorcode.web.wire_users import deleted_document, email_address, phone_number


class Addresses:
    """The handlers of one sort of address."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    async def show_all(self, door: Door, request: Request) -> Response:
        """The person's addresses of this sort, those not proved yet included."""
        _, _, user = await session_story.of_request(door.deps, *await who(door, request))
        return plain([self._document(door, one) for one in user.of_kind(self._kind)])

    async def show(self, door: Door, request: Request, address_id: str) -> Response:
        """One of the person's addresses."""
        view, _, user = await session_story.of_request(door.deps, *await who(door, request))
        owned = user.owned(address_id)
        if owned is None or owned.address.kind is not self._kind:
            raise Refused(errors.NOT_FOUND)
        return wrapped(door, request, view, lambda _: self._document(door, owned))

    async def create(self, door: Door, request: Request) -> Response:
        """Say that an address is one's own, to prove it next."""
        await door.spend(limits.ADD_ADDRESS, request)
        caller, named = await who(door, request)
        form = request.form()
        if self._kind not in form:
            raise Refused(errors.PARAM_MISSING.about(self._kind))
        text = forms.limited(form, self._kind, MAX_LENGTH)
        await door.expect_may_be_told(request)
        try:
            answer = await story.add(door.deps, caller, named, self._kind, text)
        except Refused as refused:
            door.note_told(request, refused.refusal)
            raise
        return self._reply(door, request, answer)

    async def prepare(self, door: Door, request: Request, address_id: str) -> Response:
        """Send a code."""
        await door.spend(limits.SEND_CODE, request)
        caller, named = await who(door, request)
        form = request.form()
        way = story.Way(forms.needed_strategy(form), forms.channel(form, door.deps.instance))
        target = story.Target(self._kind, address_id)
        answer = await story.send_code(door.deps, caller, named, target, way)
        return self._reply(door, request, answer)

    async def attempt(self, door: Door, request: Request, address_id: str) -> Response:
        """Try a code."""
        await door.spend(limits.ATTEMPT_ADDRESS, request)
        caller, named = await who(door, request)
        typed, target = forms.code(request.form()), story.Target(self._kind, address_id)
        answer = await story.try_code(door.deps, caller, named, target, typed)
        return self._reply(door, request, answer)

    async def update(self, door: Door, request: Request, address_id: str) -> Response:
        """Say whether a phone is for the second step."""
        caller, named = await who(door, request)
        form = request.form()
        wanted = story.SecondStep(
            reserved=forms.switch(form, "reserved_for_second_factor"),
            default=forms.switch(form, "default_second_factor"),
        )
        answer = await story.use_for_second_step(door.deps, caller, named, address_id, wanted)
        return self._reply(door, request, answer)

    async def delete(self, door: Door, request: Request, address_id: str) -> Response:
        """Take an address off the account."""
        caller, named = await who(door, request)
        target = story.Target(self._kind, address_id)
        answer = await story.remove(door.deps, caller, named, target)
        gone = answer.subject or ""
        return wrapped(door, request, answer.client, lambda _: deleted_document(self._kind, gone))

    def _document(self, door: Door, owned: OwnedAddress, made: Sequence[str] | None = None) -> Json:
        if self._kind is Kind.EMAIL:
            return email_address(owned, door.deps.now())
        return phone_number(owned, door.deps.now(), made)

    def _reply(self, door: Door, request: Request, answer: Answer[story.Changed]) -> Response:
        changed = answer.subject
        if answer.refusal or changed is None:
            return respond(answer.refusal or errors.NOT_FOUND)
        document = self._document(door, changed.owned, changed.backup_codes)
        return wrapped(door, request, answer.client, lambda _: document)


EMAILS, PHONES = Addresses(Kind.EMAIL), Addresses(Kind.PHONE)
